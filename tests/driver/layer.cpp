// SPDX-License-Identifier: MIT
#include "layer.hpp"

#include <dlfcn.h>

namespace fencebridge::test {

bool is_from_layer(const Device& device, const char* function) {
    const auto pointer = device.function<PFN_vkVoidFunction>(function);
    Dl_info info{};
    if (pointer == nullptr || dladdr(reinterpret_cast<void*>(pointer), &info) == 0)
        return false;
    return std::string{info.dli_fname}.ends_with("/libVkLayer_FENCEBRIDGE_wsi.so");
}

} // namespace fencebridge::test
