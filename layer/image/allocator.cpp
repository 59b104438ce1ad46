// SPDX-License-Identifier: MIT
#include "image/allocator.hpp"

#include <array>

#include "image/driver_export.hpp"

namespace fencebridge::image {

std::span<const ImageAllocator* const> allocators() {
    static constexpr DriverExport driver_export;
    static constexpr std::array<const ImageAllocator*, 1> all = {&driver_export};
    return all;
}

} // namespace fencebridge::image
