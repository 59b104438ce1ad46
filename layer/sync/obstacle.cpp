// SPDX-License-Identifier: MIT
#include "sync/obstacle.hpp"

#include "util/log.hpp"

namespace fencebridge::sync {

Obstacle obstacle(const char* call, kernel::Errno error) {
    const std::string text = std::string(call) + ": " + kernel::text(error);
    if (kernel::means_unsupported(error))
        return text;
    log::error("%s", text.c_str());
    return VK_ERROR_OUT_OF_HOST_MEMORY;
}

} // namespace fencebridge::sync
