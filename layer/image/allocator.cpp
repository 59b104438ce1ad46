// SPDX-License-Identifier: MIT
#include "image/allocator.hpp"

#include <algorithm>
#include <array>

#include "image/copied.hpp"
#include "image/dma_buf_import.hpp"
#include "image/driver_export.hpp"
#include "image/host_pointer.hpp"
#include "image/unshared.hpp"

namespace fencebridge::image {

namespace {

constexpr DriverExport driver_export;
constexpr DmaHeap dma_heap;
constexpr DumbBuffer dumb_buffer;
constexpr Udmabuf udmabuf;
constexpr std::array<const DmaBufImport*, 3> dma_buf_sources = {&dma_heap, &dumb_buffer, &udmabuf};
constexpr CopiedToDmaBuf copied_to_dma_buf(dma_buf_sources);
constexpr HostPointer host_pointer;
constexpr CopiedToHost copied_to_host;
constexpr Unshared unshared;

using Order = std::array<const ImageAllocator*, 8>;
/// For a GPU that shares its memory with the CPU, or a CPU.
constexpr Order copies_last = {&driver_export,     &dma_heap,     &dumb_buffer,    &udmabuf,
                               &copied_to_dma_buf, &host_pointer, &copied_to_host, &unshared};
/// For a GPU with memory of its own. It copies faster than it renders to other memory.
constexpr Order copies_second = {&driver_export, &copied_to_dma_buf, &dma_heap,     &dumb_buffer,
                                 &udmabuf,       &copied_to_host,    &host_pointer, &unshared};
/// For images that another GPU reads. One copy crosses the bus once for each pixel; rendering and
/// the other GPU's reads may do so many times.
constexpr Order copies_first = {&copied_to_dma_buf, &driver_export,  &dma_heap,     &dumb_buffer,
                                &udmabuf,           &copied_to_host, &host_pointer, &unshared};

} // namespace

Allocators allocators(const vk::PhysicalDevice& physical, bool foreign,
                      std::optional<core::ImageSource> requested) {
    const Order& unshared = physical.has_own_memory ? copies_second : copies_last;
    const Order& all = foreign ? copies_first : unshared;
    Allocators ordered(all.begin(), all.end());
    std::ranges::stable_partition(
        ordered, [&](const ImageAllocator* allocator) { return allocator->source() == requested; });
    return ordered;
}

} // namespace fencebridge::image
