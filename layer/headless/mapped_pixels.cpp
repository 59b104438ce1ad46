// SPDX-License-Identifier: MIT
#include "headless/mapped_pixels.hpp"

#include <cerrno>
#include <sys/mman.h>

#include "ioctl/dma_buf.hpp"

namespace fencebridge::headless {

std::expected<MappedPixels, ioctl::Errno> MappedPixels::map(const image::SwapchainImage& image,
                                                            size_t rows) {
    const image::Plane& plane = image.layout.planes[0];
    const auto addressed = image::addressable(plane.offset + uint64_t{rows} * plane.pitch);
    if (!addressed)
        return std::unexpected(ioctl::Errno{EOVERFLOW});
    const size_t size = *addressed;
    if (image.placement == core::Placement::shared_memory)
        return MappedPixels(Fd(), {static_cast<const std::byte*>(image.host.address()), size},
                            plane);
    Fd dma_buf = image.dma_buf.duplicate();
    if (!dma_buf)
        return std::unexpected(ioctl::Errno{errno});
    void* const memory = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, dma_buf.get(), 0);
    if (memory == MAP_FAILED)
        return std::unexpected(ioctl::Errno{errno});
    return MappedPixels(std::move(dma_buf), {static_cast<const std::byte*>(memory), size}, plane);
}

MappedPixels::~MappedPixels() {
    if (dma_buf_)
        ::munmap(const_cast<std::byte*>(memory_.data()), memory_.size());
}

std::expected<void, ioctl::Errno> MappedPixels::begin() const {
    return dma_buf_ ? ioctl::begin_reading(dma_buf_) : std::expected<void, ioctl::Errno>();
}

void MappedPixels::end() const {
    if (dma_buf_)
        static_cast<void>(ioctl::end_reading(dma_buf_));
}

} // namespace fencebridge::headless
