// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <sys/types.h>
#include <vector>

#include "image/swapchain_image.hpp"
#include "ioctl/ioctl.hpp"
#include "util/fd.hpp"
#include "util/locked.hpp"

namespace fencebridge::image {

/// A buffer of libgbm's, for one image.
struct GbmBuffer {
    Fd dma_buf; ///< of all planes
    uint64_t modifier;
    std::vector<Plane> planes; ///< one to four
};

/// Why libgbm made no buffer.
struct GbmError {
    const char* call;
    ioctl::Errno error; ///< of that call
};

/// A DRM render node on which libgbm allocates buffers. Swapchains of the process share it.
///
/// libgbm does not say that a gbm_device may be used by several threads, so each is used by one
/// thread at a time. No lock is held meanwhile: a thread that finds the gbm_device in use opens
/// another one.
class GbmNode {
public:
    /// Why libgbm cannot be used in this process; nothing if it can. Loads it.
    [[nodiscard]] static std::optional<std::string> obstacle();

    /// @param number  of a DRM render node
    /// @return a gbm_device, once opened, stays open as long as anybody has the result: opening one
    ///         loads the GPU's OpenGL driver
    [[nodiscard]] static std::shared_ptr<GbmNode> get(dev_t number);

    explicit GbmNode(dev_t number);
    ~GbmNode();
    GbmNode(const GbmNode&) = delete;
    GbmNode& operator=(const GbmNode&) = delete;

    /// Allocates a buffer that the GPU can render to.
    /// @param fourcc     the DRM format
    /// @param modifiers  libgbm chooses among these
    /// @return the error is ENOTSUP if the buffer is in several pieces
    [[nodiscard]] std::expected<GbmBuffer, GbmError>
    create_buffer(uint32_t width, uint32_t height, uint32_t fourcc,
                  std::span<const uint64_t> modifiers);

private:
    class Device;

    const dev_t number_;
    Locked<std::unique_ptr<Device>> idle_; ///< null: not open yet, or in use
};

} // namespace fencebridge::image
