// SPDX-License-Identifier: MIT
#include "wayland/surface.hpp"

#include <algorithm>
#include <cstring>
#include <new>

#include "wayland/presenter.hpp"

namespace fencebridge::wayland {

struct Surface::Handlers {
    static void global(void* data, wl_registry* registry, uint32_t name, const char* interface,
                       uint32_t version) {
        Surface& surface = *static_cast<Surface*>(data);
        if (std::strcmp(interface, zwp_linux_dmabuf_v1_interface.name) == 0)
            surface.bind_dmabuf(registry, name, version);
        surface.explicit_sync_.bind(registry, name, interface);
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
    surface_(surface), queue_(display), wrapper_(queue_ ? wrap(surface, queue_.get()) : nullptr) {}

Surface::~Surface() = default;

void Surface::bind_dmabuf(wl_registry* registry, uint32_t name, uint32_t version) {
    if (version < ZWP_LINUX_DMABUF_V1_MODIFIER_SINCE_VERSION || dmabuf_)
        return;
    const auto known = static_cast<uint32_t>(zwp_linux_dmabuf_v1_interface.version);
    dmabuf_.reset(static_cast<zwp_linux_dmabuf_v1*>(wl_registry_bind(
        registry, name, &zwp_linux_dmabuf_v1_interface, std::min({version, known, uint32_t{5}}))));
    if (!dmabuf_)
        return;
    // Listens at once: version 3 sends its modifiers in answer to the bind, and an event that
    // nobody listens for is dropped. No exception may pass through libwayland, which calls this.
    try {
        feedback_ = std::make_unique<DmabufFeedback>(dmabuf_.get(), surface_);
    } catch (const std::bad_alloc&) {
        dmabuf_.reset();
    }
}

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
    if (wl_display_roundtrip_queue(display, self->queue_.get()) < 0)
        return std::unexpected("connection lost");
    if (!self->feedback_->current())
        return std::unexpected("the compositor gave no dma-buf feedback");
    return self;
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

std::expected<sync::TimelineTaker, std::string> Surface::timeline_taker() {
    if (auto usable = explicit_sync_.usable(); !usable)
        return std::unexpected(std::move(usable.error()));
    return sync::TimelineTaker{
        .main_device = feedback_->current()->main_device,
        .try_timeline =
            [this](const Fd& syncobj) { return explicit_sync_.try_timeline(display(), syncobj); },
    };
}

VkResult Surface::commit(const Content& content, const std::optional<core::Pace>& pace,
                         wp_fifo_v1* fifo) {
    if (pace) {
        if (const VkResult result = wait_for_frame(*pace); result != VK_SUCCESS)
            return result;
    }
    {
        const std::lock_guard guard(commit_mutex_);
        if (content.timelines == nullptr)
            explicit_sync_.set_none();
        else if (!explicit_sync_.set_points(surface_, *content.timelines, content.points))
            return VK_ERROR_SURFACE_LOST_KHR; // the image is not coming back
        wl_surface_attach(surface_, content.buffer, 0, 0);
        if (wl_surface_get_version(surface_) >= WL_SURFACE_DAMAGE_BUFFER_SINCE_VERSION)
            wl_surface_damage_buffer(surface_, 0, 0, INT32_MAX, INT32_MAX);
        else
            wl_surface_damage(surface_, 0, 0, INT32_MAX, INT32_MAX);
        if (pace)
            request_frame_callback(*pace);
        if (fifo != nullptr)
            request_barrier(fifo);
        wl_surface_commit(surface_);
    }
    return queue_.flush();
}

void Surface::leave_explicit_sync() {
    const std::lock_guard guard(commit_mutex_);
    explicit_sync_.set_none();
}

std::optional<Clock::time_point> Surface::must_wait_until(const core::Pace& pace) const {
    return frame_.with([&](const Frame& frame) {
        return frame.callback ? frame.pacer.wait_until(pace, Clock::now()) : std::nullopt;
    });
}

VkResult Surface::wait_for_frame(const core::Pace& pace) {
    while (must_wait_until(pace)) {
        const auto handled = queue_.dispatch_pending();
        if (!handled)
            return handled.error();
        const auto until = must_wait_until(pace);
        if (!until)
            return VK_SUCCESS;
        const VkResult result = queue_.wait(*handled, Deadline::at(*until));
        if (result != VK_SUCCESS && result != VK_TIMEOUT)
            return result;
    }
    return VK_SUCCESS;
}

core::CommitWait Surface::expected_wait(const core::Pace& pace) {
    // What was sent counts, though nobody has read it yet. A connection that is lost is for the
    // commit to find.
    if (const auto handled = queue_.dispatch_pending(); handled && must_wait_until(pace))
        static_cast<void>(queue_.wait(*handled, Deadline::passed()));
    return frame_.with([&](const Frame& frame) {
        return frame.callback ? frame.pacer.expected_wait(pace, Clock::now())
                              : core::CommitWait::none;
    });
}

void Surface::request_frame_callback(const core::Pace& pace) {
    static constexpr wl_callback_listener listener = {.done = &Handlers::frame_done};
    const auto now = Clock::now();
    Proxy<wl_callback> callback;
    if (frame_.with([&](const Frame& frame) { return frame.pacer.wants_callback(pace, now); }))
        callback.reset(wl_surface_frame(wrapper_.get()));
    if (callback)
        wl_callback_add_listener(callback.get(), &listener, this);
    frame_.with([&](Frame& frame) {
        if (callback) {
            frame.callback = std::move(callback);
            frame.pacer.requested_callback(now);
        } else { // or out of memory: the next frame will not wait
            frame.pacer.requested_none();
        }
    });
}

#ifdef FENCEBRIDGE_HAVE_FIFO_V1
std::shared_ptr<wp_fifo_v1> Surface::share_fifo() {
    auto fifo = fifo_.lock();
    if (!fifo && fifo_manager_) {
        fifo.reset(wp_fifo_manager_v1_get_fifo(fifo_manager_.get(), surface_),
                   [](wp_fifo_v1* last) {
                       if (last != nullptr)
                           wp_fifo_v1_destroy(last);
                   });
        fifo_ = fifo;
    }
    return fifo;
}

void Surface::request_barrier(wp_fifo_v1* fifo) {
    // fifo-v1: this commit waits for the barrier that the commit before it set.
    wp_fifo_v1_wait_barrier(fifo);
    wp_fifo_v1_set_barrier(fifo);
}
#else
std::shared_ptr<wp_fifo_v1> Surface::share_fifo() { return nullptr; }
void Surface::request_barrier(wp_fifo_v1*) {}
#endif

} // namespace fencebridge::wayland
