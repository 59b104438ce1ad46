// SPDX-License-Identifier: MIT
#include "sync/explicit_bridge.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <sys/eventfd.h>
#include <unistd.h>
#include <utility>

#include "util/log.hpp"

namespace fencebridge::sync {

namespace {

using core::TimelinePoint;

/// The most waits in a row that begin without a query. Each of them that could have been avoided
/// costs three system calls more than a query.
constexpr uint32_t max_skip_length = 15;

VkResult failed(const char* call, ioctl::Errno error) {
    log::error("transport explicit: %s: %s", call, ioctl::text(error).c_str());
    return VK_ERROR_OUT_OF_HOST_MEMORY;
}

} // namespace

std::expected<std::unique_ptr<Bridge>, OpenError>
ExplicitBridge::open(size_t images, const TimelineSupport& window_system) {
    Fd eventfd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!eventfd)
        return std::unexpected(open_error("eventfd", ioctl::Errno{errno}));
    auto device = TimelineDevice::open(window_system, eventfd);
    if (!device)
        return std::unexpected(std::move(device.error()));
    std::unique_ptr<ExplicitBridge> self(
        new ExplicitBridge(std::move(*device), std::move(eventfd)));
    self->images_.reserve(images);
    while (self->images_.size() < images) {
        if (auto added = self->add_image(); !added)
            return std::unexpected(std::move(added.error()));
    }
    return self;
}

ExplicitBridge::ExplicitBridge(std::unique_ptr<TimelineDevice> device, Fd eventfd) :
    device_(std::move(device)),
    eventfd_(std::move(eventfd)), polled_{.fd = eventfd_.get(), .events = POLLIN, .revents = 0} {}

std::expected<void, OpenError> ExplicitBridge::add_image() {
    auto acquire = device_->create_signalled();
    if (!acquire)
        return std::unexpected(std::move(acquire.error()));
    auto release = device_->create();
    if (!release)
        return std::unexpected(std::move(release.error()));
    images_.push_back({.acquire = std::move(*acquire), .release = std::move(*release)});
    return {};
}

std::expected<std::vector<ImageTimelines>, VkResult> ExplicitBridge::share_timelines() {
    std::vector<ImageTimelines> all;
    for (const Image& image : images_) {
        auto acquire = device_->syncobjs().share(image.acquire.get());
        if (!acquire)
            return std::unexpected(failed("DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD", acquire.error()));
        auto release = device_->syncobjs().share(image.release.get());
        if (!release)
            return std::unexpected(failed("DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD", release.error()));
        all.push_back({std::move(*acquire), std::move(*release)});
    }
    return all;
}

std::expected<core::ImageList, VkResult>
ExplicitBridge::find_released(const core::ImageList& presented, const core::ImageList& free) {
    const bool woken = polled_.revents != 0;
    if (woken)
        read_eventfd();
    if (first_idle(free))
        return core::ImageList();
    const bool may_wait = free.empty() && !woken;
    if (may_wait && unaccounted_ == 0 && queries_to_skip_ > 0) {
        --queries_to_skip_;
        return core::ImageList(); // the poll of the wait finds a release
    }
    const auto released = query(presented, free);
    if (may_wait && released) {
        skip_length_ = released->empty() ? std::min(2 * skip_length_ + 1, max_skip_length) : 0;
        queries_to_skip_ = skip_length_;
    }
    return released;
}

std::expected<core::ImageList, VkResult> ExplicitBridge::query(const core::ImageList& presented,
                                                               const core::ImageList& free) {
    // A point that has signalled has also materialised: one query may be enough.
    const auto signalled = query_signalled(presented, free);
    if (!signalled || !signalled->empty())
        return signalled;
    // A wait may follow. If unaccounted_ is negative, the eventfd's counter contains points that
    // are known already: it is read, or it would end the wait at once. If unaccounted_ is positive,
    // the eventfd has counted points that are not known yet: they are queried, since it does not
    // count them again.
    if (unaccounted_ < 0)
        read_eventfd();
    return unaccounted_ > 0 ? query_materialised(presented) : signalled;
}

/// Marks as idle the images whose last release point has signalled.
/// @return the presented ones among those images
std::expected<core::ImageList, VkResult>
ExplicitBridge::query_signalled(const core::ImageList& presented, const core::ImageList& free) {
    std::array<ioctl::SyncobjHandle, core::max_images> handles;
    std::array<TimelinePoint, core::max_images> points;
    const auto handle = [&](core::ImageIndex image) { return at(image).release.get(); };
    std::ranges::transform(presented, handles.begin(), handle);
    std::ranges::transform(free, handles.begin() + presented.size(), handle);
    const auto asked = std::span(handles).first(presented.size() + free.size());
    core::ImageList signalled;
    if (asked.empty())
        return signalled;
    if (auto done = device_->syncobjs().query_signalled(asked, points); !done)
        return std::unexpected(failed("DRM_IOCTL_SYNCOBJ_QUERY", done.error()));
    for (size_t i = 0; i < asked.size(); ++i) {
        const bool is_free = i >= presented.size();
        const core::ImageIndex index = is_free ? free[i - presented.size()] : presented[i];
        if (points[i] < at(index).committed)
            continue;
        at(index).idle = true;
        if (is_free)
            continue;
        note_materialised(at(index));
        signalled.push_back(index);
    }
    return signalled;
}

/// @return the registered images whose release point has materialised: the presented ones in their
///         order first, then those that another thread has presented since that list was made
std::expected<core::ImageList, VkResult>
ExplicitBridge::query_materialised(const core::ImageList& presented) {
    core::ImageList registered;
    const auto add = [&](core::ImageIndex image) {
        if (at(image).registered && std::ranges::find(registered, image) == registered.end())
            registered.push_back(image);
    };
    std::ranges::for_each(presented, add);
    for (uint32_t i = 0; i < images_.size(); ++i)
        add(core::ImageIndex{i});
    core::ImageList materialised;
    if (registered.empty())
        return materialised;
    std::array<ioctl::SyncobjHandle, core::max_images> handles;
    std::array<TimelinePoint, core::max_images> points;
    std::ranges::transform(registered, handles.begin(),
                           [&](core::ImageIndex image) { return at(image).release.get(); });
    if (auto done = device_->syncobjs().query_materialised(
            std::span(handles).first(registered.size()), points);
        !done)
        return std::unexpected(failed("DRM_IOCTL_SYNCOBJ_QUERY", done.error()));
    for (size_t i = 0; i < registered.size(); ++i) {
        if (points[i] < at(registered[i]).awaited_point)
            continue;
        note_materialised(at(registered[i]));
        materialised.push_back(registered[i]);
    }
    return materialised;
}

void ExplicitBridge::note_materialised(Image& image) {
    if (std::exchange(image.registered, false))
        --unaccounted_;
}

void ExplicitBridge::read_eventfd() {
    polled_.revents = 0;
    uint64_t count = 0;
    if (::read(eventfd_.get(), &count, sizeof count) == sizeof count)
        unaccounted_ += static_cast<int64_t>(count);
}

std::expected<std::span<pollfd>, VkResult>
ExplicitBridge::prepare_wait(const core::ImageList& /*free*/) {
    for (Image& image : images_) {
        if (image.registered)
            continue;
        // Images that are not presented, too: another thread may present one during the wait.
        if (auto done = device_->syncobjs().register_eventfd(image.release.get(),
                                                             image.awaited_point, eventfd_);
            !done)
            return std::unexpected(failed("DRM_IOCTL_SYNCOBJ_EVENTFD", done.error()));
        image.registered = true;
    }
    return std::span(&polled_, 1);
}

std::optional<core::ImageIndex> ExplicitBridge::first_idle(const core::ImageList& among) const {
    const auto* const found =
        std::ranges::find_if(among, [&](core::ImageIndex image) { return at(image).idle; });
    return found == among.end() ? std::nullopt : std::optional(*found);
}

std::expected<std::optional<Snapshot>, VkResult>
ExplicitBridge::snapshot(const core::ImageList& free) {
    const auto idle = first_idle(free);
    Image& image = at(idle.value_or(free[0]));
    Snapshot snapshot = {idle.value_or(free[0]), Fd()};
    if (!idle) {
        auto fences = device_->export_point(image.release.get(), image.committed);
        if (!fences)
            return std::unexpected(
                failed("export of a release point as a sync_file", fences.error()));
        snapshot.fences = std::move(*fences);
    }
    image.awaited_point = next_point(image.committed);
    return snapshot;
}

std::expected<std::optional<core::CommitPoints>, VkResult>
ExplicitBridge::attach_rendering(core::ImageIndex index, const Rendering& rendering) {
    Image& image = at(index);
    TimelinePoint acquire = signalled_point;
    if (rendering.may_run()) {
        const TimelinePoint next = next_point(image.last_acquire);
        const auto done = device_->import_point(image.acquire.get(), next, rendering.sync_file());
        if (done) {
            acquire = image.last_acquire = next;
        } else {
            // The rendering is submitted and cannot be taken back. Without the wait its fence would
            // be lost.
            log::slow(log::Level::error,
                      "import of a sync_file into an acquire point: %s; waiting on the CPU for "
                      "this frame's rendering",
                      ioctl::text(done.error()).c_str());
            if (const VkResult result = rendering.wait(); result != VK_SUCCESS)
                return std::unexpected(result);
        }
    }
    image.committed = next_point(image.committed);
    image.idle = false;
    return core::CommitPoints{.acquire = acquire, .release = image.committed};
}

} // namespace fencebridge::sync
