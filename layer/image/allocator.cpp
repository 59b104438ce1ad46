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

/// For a GPU that shares its memory with the CPU, or a CPU.
constexpr std::array<const ImageAllocator*, 8> without_copies_first = {
    &driver_export,     &dma_heap,     &dumb_buffer,    &udmabuf,
    &copied_to_dma_buf, &host_pointer, &copied_to_host, &unshared};
/// For a GPU with memory of its own. It copies faster than it renders to other memory.
constexpr std::array<const ImageAllocator*, 8> copies_first = {
    &driver_export, &copied_to_dma_buf, &dma_heap,     &dumb_buffer,
    &udmabuf,       &copied_to_host,    &host_pointer, &unshared};

} // namespace

Allocators allocators(const vk::PhysicalDevice& physical,
                      std::optional<core::ImageSource> requested) {
    const auto& all = physical.has_own_memory ? copies_first : without_copies_first;
    Allocators ordered(all.begin(), all.end());
    std::ranges::stable_partition(
        ordered, [&](const ImageAllocator* allocator) { return allocator->source() == requested; });
    return ordered;
}

} // namespace fencebridge::image
