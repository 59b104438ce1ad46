// SPDX-License-Identifier: MIT
#include "wayland/surface.hpp"

#include <algorithm>
#include <cstring>

#include "wayland/presenter.hpp"

namespace fencebridge::wayland {

struct Surface::Handlers {
    static void global(void* data, wl_registry* registry, uint32_t name, const char* interface,
                       uint32_t version) {
        Surface& surface = *static_cast<Surface*>(data);
        if (std::strcmp(interface, zwp_linux_dmabuf_v1_interface.name) == 0) {
            const auto known = static_cast<uint32_t>(zwp_linux_dmabuf_v1_interface.version);
            surface.dmabuf_.reset(static_cast<zwp_linux_dmabuf_v1*>(
                wl_registry_bind(registry, name, &zwp_linux_dmabuf_v1_interface,
                                 std::min({version, known, uint32_t{5}}))));
        }
#ifdef FENCEBRIDGE_HAVE_FIFO_V1
        if (std::strcmp(interface, wp_fifo_manager_v1_interface.name) == 0) {
            surface.fifo_manager_.reset(static_cast<wp_fifo_manager_v1*>(
                wl_registry_bind(registry, name, &wp_fifo_manager_v1_interface, 1)));
        }
#endif
    }
    static void global_remove(void*, wl_registry*, uint32_t) {}

    static void frame_done(void* data, wl_callback* callback, uint32_t) {
        static_cast<Surface*>(data)->frame_.with([&](Frame& frame) {
            if (frame.callback.get() != callback)
                return; // given up as hidden; a later frame has its own
            frame.pacer.shown();
            frame.callback.reset();
        });
    }
};

Surface::Surface(wl_display* display, wl_surface* surface) :
    surface_(surface), queue_(display),
    wrapper_(queue_ && surface != nullptr ? wrap(surface, queue_.get()) : nullptr) {}

Surface::~Surface() = default;

std::expected<void, std::string> Surface::bind_globals() {
    static constexpr wl_registry_listener listener = {
        .global = &Handlers::global,
        .global_remove = &Handlers::global_remove,
    };
    const auto on_queue = queue_ ? wrap(display(), queue_.get()) : nullptr;
    const Proxy<wl_registry> registry(on_queue ? wl_display_get_registry(on_queue.get()) : nullptr);
    if (!registry)
        return std::unexpected("out of memory");
    wl_registry_add_listener(registry.get(), &listener, this);
    if (wl_display_roundtrip_queue(display(), queue_.get()) < 0)
        return std::unexpected("connection lost");
    if (!dmabuf_ ||
        zwp_linux_dmabuf_v1_get_version(dmabuf_.get()) < ZWP_LINUX_DMABUF_V1_MODIFIER_SINCE_VERSION)
        return std::unexpected("the compositor has no zwp_linux_dmabuf_v1 version 3");
    return {};
}

std::expected<std::shared_ptr<Surface>, std::string> Surface::create(wl_display* display,
                                                                     wl_surface* surface) {
    std::shared_ptr<Surface> self(new Surface(display, surface));
    if (!self->wrapper_)
        return std::unexpected("out of memory");
    if (const auto bound = self->bind_globals(); !bound)
        return std::unexpected(bound.error());
    self->feedback_ = std::make_unique<DmabufFeedback>(self->dmabuf_.get(), surface);
    if (wl_display_roundtrip_queue(display, self->queue_.get()) < 0)
        return std::unexpected("connection lost");
    if (!self->feedback_->current())
        return std::unexpected("the compositor gave no dma-buf feedback");
    return self;
}

bool Surface::can_share_buffers(wl_display* display) {
    return Surface(display, nullptr).bind_globals().has_value();
}

bool Surface::has_fifo() const {
#ifdef FENCEBRIDGE_HAVE_FIFO_V1
    return fifo_manager_ != nullptr;
#else
    return false;
#endif
}

std::expected<std::shared_ptr<const core::DmabufFeedback>, VkResult> Surface::feedback() {
    if (const auto handled = queue_.dispatch_pending(); !handled)
        return std::unexpected(handled.error());
    return feedback_->current();
}

std::expected<std::unique_ptr<Presenter>, VkResult>
Surface::create_presenter(PresenterParameters parameters,
                          const std::vector<image::SwapchainImage>& images,
                          Locked<core::ImageRing>& ring) {
    return WaylandPresenter::create(shared_from_this(), std::move(parameters), images, ring);
}

VkResult Surface::commit(wl_buffer* buffer, core::Pacing pacing) {
    if (pacing == core::Pacing::frame_callback) {
        if (const VkResult result = wait_for_frame(); result != VK_SUCCESS)
            return result;
    }
    {
        const std::lock_guard guard(commit_mutex_);
        wl_surface_attach(surface_, buffer, 0, 0);
        if (wl_surface_get_version(surface_) >= WL_SURFACE_DAMAGE_BUFFER_SINCE_VERSION)
            wl_surface_damage_buffer(surface_, 0, 0, INT32_MAX, INT32_MAX);
        else
            wl_surface_damage(surface_, 0, 0, INT32_MAX, INT32_MAX);
        if (pacing == core::Pacing::frame_callback)
            request_frame_callback();
        if (pacing == core::Pacing::barrier)
            request_barrier();
        wl_surface_commit(surface_);
    }
    return queue_.flush();
}

VkResult Surface::wait_for_frame() {
    for (;;) {
        const auto handled = queue_.dispatch_pending();
        if (!handled)
            return handled.error();
        const auto until =
            frame_.with([](const Frame& frame) { return frame.pacer.wait_until(Clock::now()); });
        if (!until)
            return VK_SUCCESS;
        const VkResult result = queue_.wait(*handled, Deadline::at(*until));
        if (result != VK_SUCCESS && result != VK_TIMEOUT)
            return result;
    }
}

void Surface::request_frame_callback() {
    static constexpr wl_callback_listener listener = {.done = &Handlers::frame_done};
    Proxy<wl_callback> callback(wl_surface_frame(wrapper_.get()));
    if (!callback)
        return; // out of memory: the next frame will not wait
    wl_callback_add_listener(callback.get(), &listener, this);
    frame_.with([&](Frame& frame) {
        frame.callback = std::move(callback);
        frame.pacer.committed(Clock::now());
    });
}

void Surface::request_barrier() {
#ifdef FENCEBRIDGE_HAVE_FIFO_V1
    // The object is made when it is first needed: a surface can have one only, and the driver's
    // own swapchain may be what uses this surface.
    if (!fifo_)
        fifo_.reset(wp_fifo_manager_v1_get_fifo(fifo_manager_.get(), surface_));
    if (!fifo_)
        return;
    // fifo-v1: this commit waits for the barrier that the commit before it set.
    wp_fifo_v1_wait_barrier(fifo_.get());
    wp_fifo_v1_set_barrier(fifo_.get());
#endif
}

} // namespace fencebridge::wayland
