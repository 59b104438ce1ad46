// SPDX-License-Identifier: MIT
#include "sync/explicit_bridge.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <sys/eventfd.h>
#include <unistd.h>

#include "kernel/sync_file.hpp"
#include "sync/cpu_bridge.hpp"
#include "sync/obstacle.hpp"
#include "util/log.hpp"

namespace fencebridge::sync {

namespace {

using core::TimelinePoint;

/// Of each acquire timeline; see the class.
constexpr TimelinePoint always_signalled{1};

TimelinePoint after(TimelinePoint point) { return TimelinePoint{static_cast<uint64_t>(point) + 1}; }

VkResult failed(const char* call, kernel::Errno error) {
    log::error("%s: %s", call, kernel::text(error).c_str());
    return VK_ERROR_OUT_OF_HOST_MEMORY;
}

} // namespace

std::expected<std::unique_ptr<Bridge>, Obstacle> ExplicitBridge::open(size_t images,
                                                                      const TimelineTaker& taker) {
    std::string lacks = "no DRM render node";
    for (const std::string& node : kernel::render_nodes(taker.main_device)) {
        auto opened = open_on(node, images);
        if (!opened) {
            if (const auto* failure = std::get_if<VkResult>(&opened.error()))
                return std::unexpected(*failure);
            lacks = node + ": " + std::get<std::string>(opened.error());
            continue;
        }
        // What a compositor says of one it would say of all: they come from the same place.
        const ExplicitBridge& self = **opened;
        const auto shared = self.device_.share(self.images_.front().release.get());
        if (!shared)
            return std::unexpected(obstacle("DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD", shared.error()));
        if (auto taken = taker.try_timeline(*shared); !taken)
            return std::unexpected(std::move(taken.error()));
        return std::move(*opened);
    }
    return std::unexpected(std::move(lacks));
}

std::expected<std::unique_ptr<ExplicitBridge>, Obstacle>
ExplicitBridge::open_on(const std::string& node, size_t images) {
    auto device = kernel::SyncobjDevice::open(node);
    if (!device)
        return std::unexpected(obstacle("open", device.error()));
    std::unique_ptr<ExplicitBridge> self(new ExplicitBridge(std::move(*device)));
    self->images_.reserve(images);
    self->polled_.resize(images, {.fd = -1, .events = POLLIN, .revents = 0});
    while (self->images_.size() < images) {
        if (auto added = self->add_image(); !added)
            return std::unexpected(std::move(added.error()));
    }
    if (auto works = self->try_out(); !works)
        return std::unexpected(std::move(works.error()));
    return self;
}

std::expected<void, Obstacle> ExplicitBridge::add_image() {
    const auto create = [&]() -> std::expected<kernel::Syncobj, Obstacle> {
        const auto handle = device_.create();
        if (!handle)
            return std::unexpected(obstacle("DRM_IOCTL_SYNCOBJ_CREATE", handle.error()));
        return kernel::Syncobj(device_, *handle);
    };
    auto acquire = create();
    if (!acquire)
        return std::unexpected(std::move(acquire.error()));
    auto release = create();
    if (!release)
        return std::unexpected(std::move(release.error()));
    Fd eventfd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!eventfd)
        return std::unexpected(obstacle("eventfd", kernel::Errno{errno}));
    if (auto done = device_.signal(acquire->get(), always_signalled); !done)
        return std::unexpected(obstacle("DRM_IOCTL_SYNCOBJ_TIMELINE_SIGNAL", done.error()));
    images_.push_back({.acquire = std::move(*acquire),
                       .release = std::move(*release),
                       .eventfd = std::move(eventfd),
                       .last_acquire = always_signalled});
    return {};
}

/// Does once what frames will need, on the first image's acquire timeline.
std::expected<void, Obstacle> ExplicitBridge::try_out() {
    Image& image = images_.front();
    const kernel::SyncobjHandle timeline = image.acquire.get();
    if (auto done = device_.notify(timeline, always_signalled, image.eventfd); !done)
        return std::unexpected(obstacle("DRM_IOCTL_SYNCOBJ_EVENTFD", done.error()));
    if (!take_notice(image))
        return std::unexpected("DRM_IOCTL_SYNCOBJ_EVENTFD tells nothing");

    TimelinePoint reached{0};
    if (auto done = device_.query_signalled(std::span(&timeline, 1), std::span(&reached, 1)); !done)
        return std::unexpected(obstacle("DRM_IOCTL_SYNCOBJ_QUERY", done.error()));
    if (reached != always_signalled)
        return std::unexpected("DRM_IOCTL_SYNCOBJ_QUERY gives a wrong point");

    if (!device_.export_point(timeline, always_signalled)) {
        // Before Linux 6.16.
        for (auto* scratch : {&acquire_scratch_, &present_scratch_}) {
            const auto made = device_.create();
            if (!made)
                return std::unexpected(obstacle("DRM_IOCTL_SYNCOBJ_CREATE", made.error()));
            scratch->emplace(device_, *made);
        }
    }
    const auto exported = export_point(timeline, always_signalled);
    if (!exported)
        return std::unexpected(obstacle("sync_file of a point", exported.error()));
    image.last_acquire = after(always_signalled);
    if (auto done = import_point(timeline, image.last_acquire, *exported); !done)
        return std::unexpected(obstacle("sync_file to a point", done.error()));
    return {};
}

/// The two directions of a sync_file, in one step or two. Each is one thread's.
std::expected<Fd, kernel::Errno> ExplicitBridge::export_point(kernel::SyncobjHandle timeline,
                                                              TimelinePoint point) const {
    if (acquire_scratch_)
        return device_.export_point_by(acquire_scratch_->get(), timeline, point);
    const auto link = device_.export_point(timeline, point);
    if (!link)
        return std::unexpected(link.error());
    // An application may present what it acquired without drawing: the fence comes back then, to be
    // put at another point. What is merged is free of chains.
    return kernel::merge(*link, *link);
}

std::expected<void, kernel::Errno> ExplicitBridge::import_point(kernel::SyncobjHandle timeline,
                                                                TimelinePoint point,
                                                                const Fd& sync_file) const {
    return present_scratch_
               ? device_.import_point_by(present_scratch_->get(), timeline, point, sync_file)
               : device_.import_point(timeline, point, sync_file);
}

std::expected<std::vector<ImageTimelines>, VkResult> ExplicitBridge::share_timelines() {
    std::vector<ImageTimelines> all;
    for (const Image& image : images_) {
        auto acquire = device_.share(image.acquire.get());
        if (!acquire)
            return std::unexpected(failed("DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD", acquire.error()));
        auto release = device_.share(image.release.get());
        if (!release)
            return std::unexpected(failed("DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD", release.error()));
        all.push_back({std::move(*acquire), std::move(*release)});
    }
    return all;
}

/// The first of some images that is known to be idle.
std::optional<core::ImageIndex> ExplicitBridge::find_idle(const core::ImageList& of) const {
    const auto* const found =
        std::ranges::find_if(of, [&](core::ImageIndex image) { return at(image).idle; });
    return found == of.end() ? std::nullopt : std::optional(*found);
}

/// Those of some images whose last release point has signalled, known to be idle from now on.
std::expected<core::ImageList, VkResult> ExplicitBridge::find_signalled(const core::ImageList& of) {
    std::array<kernel::SyncobjHandle, core::max_images> handles;
    std::array<TimelinePoint, core::max_images> points;
    std::ranges::transform(of, handles.begin(),
                           [&](core::ImageIndex image) { return at(image).release.get(); });
    if (auto done = device_.query_signalled(std::span(handles).first(of.size()), points); !done)
        return std::unexpected(failed("DRM_IOCTL_SYNCOBJ_QUERY", done.error()));
    core::ImageList signalled;
    for (size_t i = 0; i < of.size(); ++i) {
        if (points[i] < at(of[i]).committed)
            continue;
        at(of[i]).idle = true;
        signalled.push_back(of[i]);
    }
    return signalled;
}

/// Reads what an image's eventfd was told. False: nothing yet.
bool ExplicitBridge::take_notice(Image& image) {
    uint64_t count;
    if (::read(image.eventfd.get(), &count, sizeof count) < 0)
        return false;
    image.awaited = false;
    return true;
}

std::expected<core::ImageList, VkResult> ExplicitBridge::released(const core::ImageList& presented,
                                                                  const core::ImageList& free) {
    core::ImageList released;
    for (const core::ImageIndex image : presented) {
        pollfd& polled = polled_[static_cast<size_t>(image)];
        if ((polled.revents & POLLIN) && at(image).awaited && take_notice(at(image)))
            released.push_back(image);
        polled.revents = 0;
    }
    if (!released.empty() || presented.empty() || find_idle(free))
        return released;

    // What has signalled has materialised, too, and costs no second question. What has only
    // materialised is found by waiting for it, which it does not make wait.
    const auto signalled = find_signalled(presented);
    if (!signalled)
        return std::unexpected(signalled.error());
    for (const core::ImageIndex index : *signalled) {
        Image& image = at(index);
        // Nothing of this commit's may be left in the eventfd for the next. If it is still on its
        // way there, a wait for it will be short.
        if (image.awaited && !take_notice(image))
            continue;
        released.push_back(index);
    }
    return released;
}

std::expected<std::span<pollfd>, VkResult>
ExplicitBridge::await_release(const core::ImageList& /*free*/) {
    for (size_t i = 0; i < images_.size(); ++i) {
        Image& image = images_[i];
        if (!image.awaited) {
            // Also of those that are not presented yet: another thread may do so meanwhile.
            const auto told = device_.notify(image.release.get(), image.expected, image.eventfd);
            if (!told)
                return std::unexpected(failed("DRM_IOCTL_SYNCOBJ_EVENTFD", told.error()));
            image.awaited = true;
        }
        polled_[i].fd = image.eventfd.get();
    }
    return polled_;
}

std::expected<std::optional<Snapshot>, VkResult>
ExplicitBridge::acquire(const core::ImageList& free) {
    auto snapshot = choose(free);
    if (snapshot) {
        Image& image = at(snapshot->image);
        image.expected = after(image.committed);
    }
    return snapshot;
}

std::expected<Snapshot, VkResult> ExplicitBridge::choose(const core::ImageList& free) {
    if (const auto idle = find_idle(free))
        return Snapshot{*idle, Fd()};
    const auto signalled = find_signalled(free);
    if (!signalled)
        return std::unexpected(signalled.error());
    if (!signalled->empty())
        return Snapshot{(*signalled)[0], Fd()};
    const Image& image = at(free[0]);
    auto fences = export_point(image.release.get(), image.committed);
    if (!fences)
        return std::unexpected(failed("sync_file of a release point", fences.error()));
    return Snapshot{free[0], std::move(*fences)};
}

std::expected<std::optional<core::CommitPoints>, VkResult>
ExplicitBridge::present(core::ImageIndex index, const Fd& rendering) {
    Image& image = at(index);
    TimelinePoint acquire = always_signalled;
    if (rendering) {
        const TimelinePoint next = after(image.last_acquire);
        const auto done = import_point(image.acquire.get(), next, rendering);
        if (done) {
            acquire = image.last_acquire = next;
        } else {
            // The rendering is on its way and cannot be taken back; only its fence could be lost.
            log::error("sync_file to an acquire point: %s; waiting for this frame on the CPU",
                       kernel::text(done.error()).c_str());
            if (const VkResult result = wait_for(rendering); result != VK_SUCCESS)
                return std::unexpected(result);
        }
    }
    image.committed = after(image.committed);
    image.idle = false;
    return core::CommitPoints{.acquire = acquire, .release = image.committed};
}

} // namespace fencebridge::sync
