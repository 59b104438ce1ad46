// SPDX-License-Identifier: MIT
#include "wayland/shared_surface.hpp"

#include <algorithm>
#include <new>
#include <unordered_map>

#include "util/trace.hpp"
#include "wayland/protocol_set.hpp"

namespace fencebridge::wayland {

namespace {

/// An application that reports more parts damages all of the surface: each is a request.
constexpr size_t max_damage_parts = 128;

struct Shared {
    std::unique_ptr<SharedSurface> surface;
    size_t users = 0;
};

// Never destroyed: an application may use Vulkan from a static destructor of its own.
auto& surfaces() {
    static auto* const the = new Locked<std::unordered_map<wl_surface*, Shared>>;
    return *the;
}

} // namespace

struct SharedSurface::Handlers {
    static void frame_done(void* data, wl_callback* callback, uint32_t milliseconds) {
        static_cast<SharedSurface*>(data)->frame_.with([&](Frame& frame) {
            if (frame.callback.get() != callback)
                return; // outdated: the surface is unseen, and a later commit requested another
            frame.pacer.callback_came(core::FramePacer::Milliseconds(milliseconds));
            frame.callback.reset();
        });
    }
};

SharedSurfaceUse SharedSurface::get(std::shared_ptr<Connection> connection, wl_surface* surface) {
    // Only requests are made with this lock held, and requests do not wait.
    return surfaces().with([&](auto& all) {
        auto found = all.find(surface);
        if (found == all.end()) {
            std::unique_ptr<SharedSurface> made(new SharedSurface(std::move(connection), surface));
            if (!made->is_complete())
                return SharedSurfaceUse();
            found = all.emplace(surface, Shared{.surface = std::move(made)}).first;
        }
        ++found->second.users;
        return SharedSurfaceUse(found->second.surface.get());
    });
}

void SharedSurfaceDeleter::operator()(SharedSurface* surface) const {
    surfaces().with([&](auto& all) {
        const auto found = all.find(surface->surface_);
        if (--found->second.users == 0)
            all.erase(found);
    });
}

SharedSurface::SharedSurface(std::shared_ptr<Connection> connection, wl_surface* surface) :
    connection_(std::move(connection)), surface_(surface), queue_(connection_->display()),
    wrapper_(queue_ ? wrap(surface, queue_.get()) : nullptr), answers_(connection_->display()) {
    if (!wrapper_ || !connection_->has_surface_feedback())
        return;
    if (const auto dmabuf = wrap(connection_->dmabuf(), queue_.get()))
        feedback_.emplace(dmabuf.get(), surface);
}

bool SharedSurface::is_complete() const {
    return wrapper_ && (!connection_->has_surface_feedback() || (feedback_ && *feedback_));
}

std::expected<uint64_t, VkResult> SharedSurface::count_feedback() {
    if (const auto handled = queue_.dispatch_pending(); !handled)
        return std::unexpected(handled.error());
    // The list of version 3 never changes: it counts as one feedback.
    return feedback_ ? feedback_->count() : 1;
}

std::shared_ptr<const DmabufFormats> SharedSurface::last_feedback() const {
    return feedback_ ? feedback_->current() : connection_->version_3_list();
}

core::CommitPlan SharedSurface::plan_for(const Mode& mode) const {
    return core::plan_commit(last_mode_, mode.mode, mode.protocols);
}

VkResult SharedSurface::wait_for_turn(const Mode& mode) {
    const auto pace = core::pace_of(pacing(mode), mode.images);
    return pace ? wait_for(*pace) : VK_SUCCESS;
}

VkResult SharedSurface::wait_until_read(const sync::Rendering* rendering) {
    const VkResult read = answers_.wait();
    if (read != VK_TIMEOUT || rendering == nullptr)
        return read;
    // Without a commit, the compositor never learns of the acquire point, and may read the image at
    // any time.
    if (rendering->wait() != VK_SUCCESS)
        return VK_ERROR_DEVICE_LOST;
    return answers_.wait(); // it may have read meanwhile
}

VkResult SharedSurface::commit(const Content& content, SwapchainCommits& swapchain) {
    const VkResult result = request_commit(content, swapchain);
    if (result != VK_SUCCESS)
        return result;
    return content.may_read ? queue_.flush() : queue_.send();
}

VkResult SharedSurface::request_commit(const Content& content, SwapchainCommits& swapchain) {
    const std::lock_guard guard(commit_mutex_);
    if (swapchain.departures != departures_)
        return VK_ERROR_OUT_OF_DATE_KHR;
    const bool continues = swapchain.last_commit != 0 && swapchain.last_commit == commits_;
    if (!content.may_commit && continues) {
        if (content.feedback != nullptr)
            content.feedback->complete();
        return VK_SUCCESS;
    }
    // A retired swapchain may have committed since the wait for the turn.
    const core::CommitPlan plan = plan_for(content.mode);
    const auto pace = core::pace_of(plan.throttle, content.mode.images);
    if ((plan.waits_for_barrier || plan.sets_barrier) && !create_fifo())
        return VK_ERROR_SURFACE_LOST_KHR; // an image of FIFO could be replaced unseen
    if (content.timelines == nullptr)
        explicit_sync_.set_none();
    else if (!explicit_sync_.set_points(connection_->explicit_sync(), wrapper_.get(),
                                        *content.timelines, content.points))
        return VK_ERROR_SURFACE_LOST_KHR; // the image cannot be shown, nor released
    if (!set_colours(content))
        return VK_ERROR_SURFACE_LOST_KHR;
    // Last of what can fail: a timestamp stays for the surface's next commit, whoever makes it.
    Clock::time_point not_before;
    if (!schedule(content, not_before))
        return VK_ERROR_SURFACE_LOST_KHR;
    if (content.feedback != nullptr)
        content.feedback->send(wrapper_.get());
    wl_surface_attach(wrapper_.get(), content.buffer, 0, 0);
    // After another swapchain's commit, all of the surface may differ.
    const bool shares = core::shares_image(content.mode.mode);
    const bool in_part = continues && !(shares && answers_.next_may_be_last());
    damage(in_part ? content.damage : std::span<const VkRectLayerKHR>());
    swapchain.last_commit = ++commits_;
    // The barrier of an unseen surface would hold back this commit and all later ones.
    const bool unseen = pace && plan.requests_callbacks ? request_frame_callback(*pace, not_before)
                                                        : plan.waits_for_barrier && is_unseen();
    request_barriers(plan.waits_for_barrier && !unseen, plan.sets_barrier);
    tearing_.set(connection_->tearing(), wrapper_.get(), plan.may_tear);
    wl_surface_commit(wrapper_.get());
    if (shares)
        answers_.committed();
    last_mode_ = content.mode.mode;
    return VK_SUCCESS;
}

uint64_t SharedSurface::departures() {
    const std::lock_guard guard(commit_mutex_);
    return departures_;
}

void SharedSurface::leave_to_driver(const void* surface) {
    surfaces().with([&](auto& all) {
        const auto found =
            std::ranges::find_if(all, [&](const auto& entry) { return entry.first == surface; });
        if (found == all.end())
            return;
        SharedSurface& left = *found->second.surface;
        const std::lock_guard guard(left.commit_mutex_);
        ++left.departures_;
        left.fifo_.reset();
        left.explicit_sync_.set_none();
        left.tearing_.reset();
        left.timer_.reset();
        left.colour_.set_none();
        left.alpha_.set_premultiplied();
        left.last_mode_ = VK_PRESENT_MODE_MAILBOX_KHR; // the driver's commits come next
    });
}

/// The objects exist only while a commit needs them: a surface without them has sRGB colours and
/// pre-multiplied alpha.
bool SharedSurface::set_colours(const Content& content) {
    if (content.description == nullptr)
        colour_.set_none();
    else if (!colour_.set(connection_->colours(), wrapper_.get(), *content.description))
        return false;
    if (content.straight_alpha)
        return alpha_.set_straight(connection_->alpha(), wrapper_.get());
    alpha_.set_premultiplied();
    return true;
}

/// Sets the time before which the next commit is not shown, if it has one.
/// @param not_before  set to that time
bool SharedSurface::schedule(const Content& content, Clock::time_point& not_before) {
    const auto time = content.timed == nullptr ? std::nullopt : content.timed->schedule();
    // The compositor may have removed the global since the window was made.
    if (!time || !connection_->commit_timing())
        return true;
    not_before = time->on_monotonic;
    return timer_.set(connection_->commit_timing(), wrapper_.get(), time->time);
}

void SharedSurface::add_described() {
    const std::lock_guard guard(commit_mutex_);
    ++described_;
}

void SharedSurface::remove_described() {
    const std::lock_guard guard(commit_mutex_);
    if (--described_ == 0)
        colour_.set_none();
}

void SharedSurface::damage(std::span<const VkRectLayerKHR> parts) {
    // Before version 4, damage is in the surface's coordinates, whose scale the layer cannot know.
    const bool of_buffer =
        wl_surface_get_version(wrapper_.get()) >= WL_SURFACE_DAMAGE_BUFFER_SINCE_VERSION;
    if (!of_buffer) {
        wl_surface_damage(wrapper_.get(), 0, 0, INT32_MAX, INT32_MAX);
        return;
    }
    if (parts.empty() || parts.size() > max_damage_parts) {
        wl_surface_damage_buffer(wrapper_.get(), 0, 0, INT32_MAX, INT32_MAX);
        return;
    }
    const auto length = [](uint32_t pixels) {
        return static_cast<int32_t>(std::min<uint32_t>(pixels, INT32_MAX));
    };
    for (const VkRectLayerKHR& part : parts)
        wl_surface_damage_buffer(wrapper_.get(), part.offset.x, part.offset.y,
                                 length(part.extent.width), length(part.extent.height));
}

std::optional<Clock::time_point> SharedSurface::turn(const core::Pace& pace) const {
    return frame_.with(
        [&](const Frame& frame) { return frame.callback ? frame.pacer.turn(pace) : std::nullopt; });
}

VkResult SharedSurface::wait_for(const core::Pace& pace) {
    while (const auto until = turn(pace)) {
        const auto handled = queue_.dispatch_pending();
        if (!handled)
            return handled.error();
        if (!turn(pace))
            return VK_SUCCESS;
        // If the turn has come already, this still reads the events that have arrived.
        const trace::Span span(trace::event::wait, "turn of the window");
        const VkResult result = queue_.wait(*handled, Deadline::at(*until));
        if (result == VK_TIMEOUT) {
            frame_.with([](Frame& frame) {
                if (frame.callback)
                    frame.pacer.waited_in_vain();
            });
            return VK_SUCCESS;
        }
        if (result != VK_SUCCESS)
            return result;
    }
    return VK_SUCCESS;
}

core::ExpectedWait SharedSurface::estimate_wait(const Mode& mode) {
    if (core::shares_image(mode.mode)) {
        const auto limit = answers_.wait_limit();
        return limit ? core::ExpectedWait{core::CommitWait::until_time, *limit}
                     : core::ExpectedWait();
    }
    const auto pace = core::pace_of(plan_for(mode).throttle, mode.images);
    if (!pace)
        return {};
    // Reads the events that the compositor has already sent: the callback may be among them. If the
    // connection is lost, the commit reports it.
    if (const auto handled = queue_.dispatch_pending(); handled && turn(*pace))
        static_cast<void>(queue_.wait(*handled, Deadline::immediate()));
    return frame_.with([&](const Frame& frame) {
        return frame.callback ? frame.pacer.estimate_wait(*pace, Clock::now())
                              : core::ExpectedWait();
    });
}

bool SharedSurface::is_unseen() const {
    return frame_.with([](const Frame& frame) { return frame.pacer.is_unseen(); });
}

/// Requests a frame callback for the next commit, if the pacer wants one.
/// @return is_unseen()
bool SharedSurface::request_frame_callback(const core::Pace& pace, Clock::time_point not_before) {
    static constexpr wl_callback_listener listener = {.done = &Handlers::frame_done};
    const auto now = Clock::now();
    Proxy<wl_callback> callback;
    if (frame_.with([&](const Frame& frame) { return frame.pacer.wants_callback(pace, now); }))
        callback.reset(wl_surface_frame(wrapper_.get()));
    if (callback)
        wl_callback_add_listener(callback.get(), &listener, this);
    return frame_.with([&](Frame& frame) {
        if (callback) {
            frame.callback = std::move(callback);
            frame.pacer.requested_callback(now, not_before);
        } else { // also if memory could not be allocated: the next frame does not wait
            frame.pacer.requested_none(now, not_before);
        }
        return frame.pacer.is_unseen();
    });
}

#ifdef FENCEBRIDGE_HAVE_FIFO_V1
static_assert(row_of(Protocol::fifo).exists_error == WP_FIFO_MANAGER_V1_ERROR_ALREADY_EXISTS);

bool SharedSurface::create_fifo() {
    if (!fifo_ && connection_->fifo() != nullptr)
        fifo_.reset(wp_fifo_manager_v1_get_fifo(connection_->fifo(), wrapper_.get()));
    return fifo_ != nullptr;
}

void SharedSurface::request_barriers(bool wait, bool set) {
    // fifo-v1: this commit waits for the barrier of a commit before it, and sets the next.
    if (wait)
        wp_fifo_v1_wait_barrier(fifo_.get());
    if (set)
        wp_fifo_v1_set_barrier(fifo_.get());
}
#else
bool SharedSurface::create_fifo() { return false; }
void SharedSurface::request_barriers(bool, bool) {}
#endif

} // namespace fencebridge::wayland
