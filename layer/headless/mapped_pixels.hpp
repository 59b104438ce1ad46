// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <expected>
#include <span>
#include <utility>

#include "image/swapchain_image.hpp"
#include "ioctl/ioctl.hpp"
#include "util/fd.hpp"

namespace fencebridge::headless {

/// The pixels of one LINEAR image in a dma-buf or in host memory, mapped for reading.
class MappedPixels {
public:
    /// @param image  must outlive this
    /// @param rows   the image's height
    [[nodiscard]] static std::expected<MappedPixels, ioctl::Errno>
    map(const image::SwapchainImage& image, size_t rows);

    MappedPixels(MappedPixels&& other) noexcept :
        dma_buf_(std::move(other.dma_buf_)), memory_(std::exchange(other.memory_, {})),
        offset_(other.offset_), pitch_(other.pitch_) {}
    MappedPixels& operator=(MappedPixels&&) = delete;
    ~MappedPixels();

    /// Makes the CPU see what devices have written, until end(). Waits for the fences of the
    /// dma-buf's writers.
    [[nodiscard]] std::expected<void, ioctl::Errno> begin() const;
    void end() const;

    /// Between begin() and end().
    /// @param length  in bytes, at most the pitch
    [[nodiscard]] std::span<const std::byte> row(size_t number, size_t length) const {
        return memory_.subspan(offset_ + number * pitch_, length);
    }

private:
    MappedPixels(Fd dma_buf, std::span<const std::byte> memory, const image::Plane& plane) :
        dma_buf_(std::move(dma_buf)), memory_(memory), offset_(plane.offset), pitch_(plane.pitch) {}

    Fd dma_buf_; ///< empty: the image's host memory, which is mapped anyway
    std::span<const std::byte> memory_;
    size_t offset_;
    size_t pitch_;
};

} // namespace fencebridge::headless
