// SPDX-License-Identifier: MIT
#include "image/allocator.hpp"

#include <algorithm>
#include <array>

#include "image/dma_buf_import.hpp"
#include "image/driver_export.hpp"
#include "image/host_pointer.hpp"

namespace fencebridge::image {

Allocators allocators(std::optional<core::ImageSource> requested) {
    static constexpr DriverExport driver_export;
    static constexpr DmaHeap dma_heap;
    static constexpr DumbBuffer dumb_buffer;
    static constexpr Udmabuf udmabuf;
    static constexpr HostPointer host_pointer;
    static constexpr std::array<const ImageAllocator*, 5> all = {
        &driver_export, &dma_heap, &dumb_buffer, &udmabuf, &host_pointer};
    Allocators ordered(all.begin(), all.end());
    std::ranges::stable_partition(
        ordered, [&](const ImageAllocator* allocator) { return allocator->source() == requested; });
    return ordered;
}

} // namespace fencebridge::image
