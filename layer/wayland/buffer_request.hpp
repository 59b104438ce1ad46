// SPDX-License-Identifier: MIT
#pragma once

#include <expected>
#include <vulkan/vulkan.h>

#include "image/swapchain_image.hpp"
#include "wayland/event_queue.hpp"
#include "wayland/proxy.hpp"

namespace fencebridge::wayland {

/// A wl_buffer that the compositor is asked to make of an image's dma-buf, by
/// zwp_linux_buffer_params_v1.create: a compositor that cannot import one may end the connection in
/// answer to create_immed. Must neither move nor die between request and answer.
class BufferRequest {
public:
    /// @param dmabuf  on the queue that dispatches the answer
    /// @return false when memory is out; then nothing was asked
    [[nodiscard]] bool send(zwp_linux_dmabuf_v1* dmabuf, const image::SwapchainImage& image,
                            VkExtent2D extent, uint32_t fourcc);

    [[nodiscard]] bool is_answered() const { return params_ == nullptr; }
    [[nodiscard]] bool is_refused() const { return refused_; }
    /// Null unless the compositor made it.
    [[nodiscard]] Proxy<wl_buffer> take_buffer() { return std::move(buffer_); }

private:
    struct Handlers;

    Proxy<zwp_linux_buffer_params_v1> params_; ///< until the compositor has answered
    Proxy<wl_buffer> buffer_;
    bool refused_ = false;
};

/// Has the compositor make one buffer of an image, and forgets it: one round trip.
/// @param dmabuf  of the same connection
/// @return whether the compositor made it; or VK_ERROR_SURFACE_LOST_KHR,
///         VK_ERROR_OUT_OF_HOST_MEMORY
[[nodiscard]] std::expected<bool, VkResult> try_buffer(Display& display,
                                                       zwp_linux_dmabuf_v1* dmabuf,
                                                       const image::SwapchainImage& image,
                                                       VkExtent2D extent, uint32_t fourcc);

} // namespace fencebridge::wayland
