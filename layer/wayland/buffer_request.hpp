// SPDX-License-Identifier: MIT
#pragma once

#include <expected>
#include <vulkan/vulkan.h>

#include "image/swapchain_image.hpp"
#include "wayland/event_queue.hpp"
#include "wayland/proxy.hpp"

namespace fencebridge::wayland {

/// A request for a wl_buffer of an image's dma-buf. Uses zwp_linux_buffer_params_v1.create: with
/// create_immed, a compositor that cannot import the dma-buf may end the connection. The object
/// must be neither moved nor destroyed between the request and the answer.
class BufferRequest {
public:
    /// @param dmabuf  on the queue that dispatches the answer
    /// @return false if memory could not be allocated; nothing was requested
    [[nodiscard]] bool send(zwp_linux_dmabuf_v1* dmabuf, const image::SwapchainImage& image,
                            VkExtent2D extent, uint32_t fourcc);

    [[nodiscard]] bool is_answered() const { return params_ == nullptr; }
    [[nodiscard]] bool is_refused() const { return refused_; }
    /// Null unless the compositor has made the buffer.
    [[nodiscard]] Proxy<wl_buffer> take_buffer() { return std::move(buffer_); }

private:
    struct Handlers;

    Proxy<zwp_linux_buffer_params_v1> params_; ///< null before send() and after the answer
    Proxy<wl_buffer> buffer_;
    bool refused_ = false;
};

/// Asks the compositor to create a wl_buffer of an image, waits for the answer, and destroys the
/// wl_buffer. Makes one round trip.
/// @param dmabuf  of the same connection
/// @return whether the compositor created the wl_buffer; or VK_ERROR_SURFACE_LOST_KHR,
///         VK_ERROR_OUT_OF_HOST_MEMORY
[[nodiscard]] std::expected<bool, VkResult> try_buffer(Display& display,
                                                       zwp_linux_dmabuf_v1* dmabuf,
                                                       const image::SwapchainImage& image,
                                                       VkExtent2D extent, uint32_t fourcc);

} // namespace fencebridge::wayland
