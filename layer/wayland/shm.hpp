// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <vector>
#include <vulkan/vulkan.h>

#include "image/swapchain_image.hpp"
#include "wayland/announced_global.hpp"
#include "wayland/proxy.hpp"

namespace fencebridge::wayland {

/// The global wl_shm, by which a compositor maps memory of its clients.
class ShmGlobal {
public:
    ShmGlobal() = default;
    ShmGlobal(const ShmGlobal&) = delete;
    ShmGlobal& operator=(const ShmGlobal&) = delete;

    /// For each global of the registry: binds it if it is wl_shm.
    void bind(AnnouncedGlobal& global);
    /// Null if the compositor has none.
    [[nodiscard]] wl_shm* get() const { return shm_.get(); }

    /// The formats (drm_fourcc.h) of the buffers that the compositor reads. Read only after
    /// Connection::describe_globals(): until then, the dispatching thread adds to them. Empty
    /// without the global.
    [[nodiscard]] const std::vector<uint32_t>& formats() const { return formats_; }

private:
    struct Handlers;

    Proxy<wl_shm> shm_;
    std::vector<uint32_t> formats_;
};

/// Whether a wl_buffer of the image's host memory is valid. If it is not, the compositor ends the
/// connection.
[[nodiscard]] bool fits_shm_pool(const image::SwapchainImage& image, VkExtent2D extent);

/// Requests a wl_buffer of an image's host memory. No answer follows: the protocol has none, and an
/// error ends the connection.
/// @param shm     on the queue that dispatches the buffer's events
/// @param fourcc  of ShmGlobal::formats()
/// @param image   with fits_shm_pool()
/// @return null if memory or descriptors ran out
[[nodiscard]] Proxy<wl_buffer> create_shm_buffer(wl_shm* shm, const image::SwapchainImage& image,
                                                 VkExtent2D extent, uint32_t fourcc);

} // namespace fencebridge::wayland
