// SPDX-License-Identifier: MIT
#include "image/allocator.hpp"

#include <algorithm>
#include <array>

#include "image/copied.hpp"
#include "image/dma_buf_import.hpp"
#include "image/driver_export.hpp"
#include "image/gbm.hpp"
#include "image/host_pointer.hpp"
#include "image/unshared.hpp"

namespace fencebridge::image {

namespace {

constexpr DriverExport driver_export;
constexpr Gbm gbm_everywhere(Gbm::Use::everywhere);
constexpr Gbm gbm(Gbm::Use::without_exports);
constexpr DmaHeap dma_heap;
constexpr DumbBuffer dumb_buffer;
constexpr Udmabuf udmabuf;
constexpr std::array<const DmaBufImport*, 3> dma_buf_sources = {&dma_heap, &dumb_buffer, &udmabuf};
constexpr CopiedToDmaBuf copied_to_dma_buf(dma_buf_sources);
constexpr HostPointer host_pointer;
constexpr CopiedToHost copied_to_host;
constexpr Unshared unshared;

using Order = std::array<const ImageAllocator*, 9>;
/// For a GPU that shares its memory with the CPU, or a CPU. Each other device can read such memory
/// as it is: the display controller of a board, for example, which may be a DRM device of its own.
constexpr Order copies_last = {
    &driver_export,     &gbm,          &dma_heap,       &dumb_buffer, &udmabuf,
    &copied_to_dma_buf, &host_pointer, &copied_to_host, &unshared};
/// For a GPU with memory of its own. It copies faster than it renders to other memory.
constexpr Order copies_third = {&driver_export,  &gbm,          &copied_to_dma_buf,
                                &dma_heap,       &dumb_buffer,  &udmabuf,
                                &copied_to_host, &host_pointer, &unshared};
/// The same, if another GPU reads the images. One copy crosses the bus once for each pixel;
/// rendering and the other GPU's reads may do so many times.
constexpr Order copies_first = {&copied_to_dma_buf, &driver_export, &gbm,
                                &dma_heap,          &dumb_buffer,   &udmabuf,
                                &copied_to_host,    &host_pointer,  &unshared};

/// Whether images of GBM avoid a wait in each present: the kernel ignores fences that are attached
/// to buffers which the driver has allocated, and no others.
bool needs_gbm(const vk::DriverFacts& facts) {
    return facts.implicit_fences_on_exports == vk::ImplicitFences::ignored &&
           facts.implicit_fences_on_imports == vk::ImplicitFences::honoured;
}

} // namespace

Allocators allocators(const vk::PhysicalDevice& physical, const Reader& reader,
                      std::optional<core::ImageSource> requested) {
    const Order& with_own_memory = reader.foreign ? copies_first : copies_third;
    const Order& all = physical.has_own_memory ? with_own_memory : copies_last;
    Allocators ordered(all.begin(), all.end());
    if (requested == core::ImageSource::gbm ||
        (reader.attached_fences && !reader.foreign && needs_gbm(physical.facts))) {
        std::erase(ordered, &gbm);
        ordered.insert(ordered.begin(), &gbm_everywhere);
    }
    std::ranges::stable_partition(
        ordered, [&](const ImageAllocator* allocator) { return allocator->source() == requested; });
    return ordered;
}

} // namespace fencebridge::image
