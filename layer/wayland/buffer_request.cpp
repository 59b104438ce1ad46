// SPDX-License-Identifier: MIT
#include "wayland/buffer_request.hpp"

namespace fencebridge::wayland {

struct BufferRequest::Handlers {
    static void created(void* data, zwp_linux_buffer_params_v1*, wl_buffer* buffer) {
        BufferRequest& request = *static_cast<BufferRequest*>(data);
        request.buffer_.reset(buffer);
        request.params_.reset();
    }

    static void failed(void* data, zwp_linux_buffer_params_v1*) {
        BufferRequest& request = *static_cast<BufferRequest*>(data);
        request.refused_ = true;
        request.params_.reset();
    }
};

bool BufferRequest::send(zwp_linux_dmabuf_v1* dmabuf, const image::SwapchainImage& image,
                         VkExtent2D extent, uint32_t fourcc) {
    static constexpr zwp_linux_buffer_params_v1_listener listener = {
        .created = &Handlers::created,
        .failed = &Handlers::failed,
    };
    params_.reset(zwp_linux_dmabuf_v1_create_params(dmabuf));
    if (!params_)
        return false;
    const image::Layout& layout = image.layout;
    for (uint32_t i = 0; i < layout.plane_count; ++i) {
        zwp_linux_buffer_params_v1_add(
            params_.get(), image.dma_buf.get(), i, layout.planes[i].offset, layout.planes[i].pitch,
            static_cast<uint32_t>(layout.modifier >> 32), static_cast<uint32_t>(layout.modifier));
    }
    zwp_linux_buffer_params_v1_add_listener(params_.get(), &listener, this);
    zwp_linux_buffer_params_v1_create(params_.get(), static_cast<int32_t>(extent.width),
                                      static_cast<int32_t>(extent.height), fourcc, 0);
    return true;
}

std::expected<bool, VkResult> try_buffer(Display& display, zwp_linux_dmabuf_v1* dmabuf,
                                         const image::SwapchainImage& image, VkExtent2D extent,
                                         uint32_t fourcc) {
    EventQueue queue(display);
    const auto on_queue = queue ? wrap(dmabuf, queue.get()) : nullptr;
    BufferRequest request;
    if (!on_queue || !request.send(on_queue.get(), image, extent, fourcc))
        return std::unexpected(VK_ERROR_OUT_OF_HOST_MEMORY);
    const VkResult result = queue.wait_until([&] { return request.is_answered(); });
    if (result != VK_SUCCESS)
        return std::unexpected(result);
    // Flushed, so that the compositor frees the buffer now.
    request.take_buffer().reset();
    static_cast<void>(queue.flush());
    return !request.is_refused();
}

} // namespace fencebridge::wayland
