// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <sys/types.h>
#include <vector>

#include "image/swapchain_image.hpp"
#include "ioctl/ioctl.hpp"
#include "util/fd.hpp"

// Mesa's gbm.h. libgbm is loaded when it is first needed: a build needs neither the library nor its
// header.
struct gbm_bo;
struct gbm_device;

namespace fencebridge::image {

struct GbmLibrary; ///< the functions

/// A buffer of libgbm's, for one image.
struct GbmBuffer {
    Fd dma_buf; ///< of all planes
    uint64_t modifier;
    std::vector<Plane> planes; ///< one to four
};

/// A DRM render node that libgbm has opened. Shared by the process's swapchains: the first use
/// loads the GPU's OpenGL driver.
class GbmDevice {
public:
    /// Why libgbm cannot be used in this process; nothing if it can. Loads it.
    [[nodiscard]] static std::optional<std::string> obstacle();

    /// @param node  a DRM render node. It is open as long as anybody has the result
    /// @return the error is that of the call that failed
    [[nodiscard]] static std::expected<std::shared_ptr<GbmDevice>, ioctl::Errno> open(dev_t node);

    ~GbmDevice();
    GbmDevice(const GbmDevice&) = delete;
    GbmDevice& operator=(const GbmDevice&) = delete;

    /// Allocates a buffer that the GPU can render to.
    /// @param fourcc     the DRM format
    /// @param modifiers  libgbm chooses among these
    /// @return the error is that of the call that failed; or ENOTSUP if the buffer is in several
    ///         pieces
    [[nodiscard]] std::expected<GbmBuffer, ioctl::Errno>
    create_buffer(uint32_t width, uint32_t height, uint32_t fourcc,
                  std::span<const uint64_t> modifiers);

private:
    GbmDevice(const GbmLibrary& library, Fd node, gbm_device* device) :
        library_(library), node_(std::move(node)), device_(device) {}

    const GbmLibrary& library_;
    const Fd node_; ///< outlives `device_`
    gbm_device* const device_;
    std::mutex calls_; ///< held over calls of libgbm, which does not say that they are thread-safe
};

} // namespace fencebridge::image
