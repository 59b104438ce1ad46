// SPDX-License-Identifier: MIT
#include "sync/explicit_bridge.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <sys/eventfd.h>
#include <unistd.h>
#include <utility>

#include "kernel/sync_file.hpp"
#include "sync/cpu_bridge.hpp"
#include "sync/obstacle.hpp"
#include "util/log.hpp"

namespace fencebridge::sync {

namespace {

using core::TimelinePoint;

/// Of each acquire timeline; see the class.
constexpr TimelinePoint always_signalled{1};

/// Small, so that queries resume soon when images are released before the application acquires: a
/// needless wait costs three system calls more than a query.
constexpr uint32_t most_looks_left_out = 15;

TimelinePoint after(TimelinePoint point) { return TimelinePoint{static_cast<uint64_t>(point) + 1}; }

VkResult failed(const char* call, kernel::Errno error) {
    log::error("%s: %s", call, kernel::text(error).c_str());
    return VK_ERROR_OUT_OF_HOST_MEMORY;
}

} // namespace

std::expected<std::unique_ptr<Bridge>, Obstacle> ExplicitBridge::open(size_t images,
                                                                      const TimelineTaker& taker) {
    std::string lacks = "no DRM render node";
    const auto nodes = kernel::render_nodes(taker.main_device);
    for (const kernel::RenderNode& node : nodes) {
        auto opened = open_on(node.path, images);
        if (!opened) {
            if (const auto* failure = std::get_if<VkResult>(&opened.error()))
                return std::unexpected(*failure);
            lacks = node.path + ": " + std::get<std::string>(opened.error());
            continue;
        }
        const bool elsewhere = !node.preferred && nodes.front().preferred;
        if (auto importable = (*opened)->try_import(elsewhere ? nodes.front().path : std::string());
            !importable)
            return std::unexpected(std::move(importable.error()));
        return std::move(*opened);
    }
    return std::unexpected(std::move(lacks));
}

ExplicitBridge::ExplicitBridge(std::shared_ptr<const kernel::SyncobjDevice> device, Fd eventfd) :
    device_(std::move(device)),
    eventfd_(std::move(eventfd)), polled_{.fd = eventfd_.get(), .events = POLLIN, .revents = 0} {}

std::expected<std::unique_ptr<ExplicitBridge>, Obstacle>
ExplicitBridge::open_on(const std::string& node, size_t images) {
    auto device = kernel::SyncobjDevice::open(node);
    if (!device)
        return std::unexpected(obstacle("open", device.error()));
    Fd eventfd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!eventfd)
        return std::unexpected(obstacle("eventfd", kernel::Errno{errno}));
    std::unique_ptr<ExplicitBridge> self(
        new ExplicitBridge(std::move(*device), std::move(eventfd)));
    self->images_.reserve(images);
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
        const auto handle = device_->create();
        if (!handle)
            return std::unexpected(obstacle("DRM_IOCTL_SYNCOBJ_CREATE", handle.error()));
        return kernel::Syncobj(*device_, *handle);
    };
    auto acquire = create();
    if (!acquire)
        return std::unexpected(std::move(acquire.error()));
    auto release = create();
    if (!release)
        return std::unexpected(std::move(release.error()));
    if (auto done = device_->signal(acquire->get(), always_signalled); !done)
        return std::unexpected(obstacle("DRM_IOCTL_SYNCOBJ_TIMELINE_SIGNAL", done.error()));
    images_.push_back({.acquire = std::move(*acquire),
                       .release = std::move(*release),
                       .last_acquire = always_signalled});
    return {};
}

/// Does once what frames will need, on the first image's acquire timeline.
std::expected<void, Obstacle> ExplicitBridge::try_out() {
    Image& image = images_.front();
    const kernel::SyncobjHandle timeline = image.acquire.get();
    if (auto done = device_->notify(timeline, always_signalled, eventfd_); !done)
        return std::unexpected(obstacle("DRM_IOCTL_SYNCOBJ_EVENTFD", done.error()));
    read_eventfd();
    if (std::exchange(unexplained_, 0) != 1)
        return std::unexpected("DRM_IOCTL_SYNCOBJ_EVENTFD tells nothing");

    for (const auto query :
         {&kernel::SyncobjDevice::query_signalled, &kernel::SyncobjDevice::query_materialised}) {
        TimelinePoint reached{0};
        const auto done = ((*device_).*query)(std::span(&timeline, 1), std::span(&reached, 1));
        if (!done)
            return std::unexpected(obstacle("DRM_IOCTL_SYNCOBJ_QUERY", done.error()));
        if (reached != always_signalled)
            return std::unexpected("DRM_IOCTL_SYNCOBJ_QUERY gives a wrong point");
    }

    if (!device_->export_point(timeline, always_signalled)) {
        // Before Linux 6.16.
        for (auto* scratch : {&acquire_scratch_, &present_scratch_}) {
            const auto made = device_->create();
            if (!made)
                return std::unexpected(obstacle("DRM_IOCTL_SYNCOBJ_CREATE", made.error()));
            scratch->emplace(*device_, *made);
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

/// Does what the compositor will do with each timeline. The request for it
/// (wp_linux_drm_syncobj_manager_v1.import_timeline) can fail in nothing else, and if it does, the
/// application's connection ends.
/// @param node  the compositor's render node; where it is empty or cannot be opened, the
///              bridge's own device is tried
std::expected<void, Obstacle> ExplicitBridge::try_import(const std::string& node) const {
    const auto shared = device_->share(images_.front().release.get());
    if (!shared)
        return std::unexpected(obstacle("DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD", shared.error()));
    auto theirs =
        node.empty() ? std::unexpected(kernel::Errno{ENOENT}) : kernel::SyncobjDevice::open(node);
    const kernel::SyncobjDevice& importer = theirs ? **theirs : *device_;
    const auto imported = importer.import(*shared);
    if (!imported)
        return std::unexpected(obstacle("DRM_IOCTL_SYNCOBJ_FD_TO_HANDLE", imported.error()));
    importer.destroy(*imported);
    return {};
}

/// Called by the acquiring thread alone, as import_point() is by the presenting one.
std::expected<Fd, kernel::Errno> ExplicitBridge::export_point(kernel::SyncobjHandle timeline,
                                                              TimelinePoint point) const {
    if (acquire_scratch_)
        return device_->export_point_by(acquire_scratch_->get(), timeline, point);
    const auto link = device_->export_point(timeline, point);
    if (!link)
        return std::unexpected(link.error());
    // If the application presents the image without drawing, this fence is imported at a point of
    // the acquire timeline. The kernel warns of a chain within a chain; a merged sync_file holds
    // no chain.
    return kernel::merge(*link, *link);
}

std::expected<void, kernel::Errno> ExplicitBridge::import_point(kernel::SyncobjHandle timeline,
                                                                TimelinePoint point,
                                                                const Fd& sync_file) const {
    return present_scratch_
               ? device_->import_point_by(present_scratch_->get(), timeline, point, sync_file)
               : device_->import_point(timeline, point, sync_file);
}

std::expected<std::vector<ImageTimelines>, VkResult> ExplicitBridge::share_timelines() {
    std::vector<ImageTimelines> all;
    for (const Image& image : images_) {
        auto acquire = device_->share(image.acquire.get());
        if (!acquire)
            return std::unexpected(failed("DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD", acquire.error()));
        auto release = device_->share(image.release.get());
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

/// Notes which of some images are idle: their last release points have signalled.
/// @return those of the presented ones that are
std::expected<core::ImageList, VkResult>
ExplicitBridge::find_signalled(const core::ImageList& presented, const core::ImageList& free) {
    std::array<kernel::SyncobjHandle, core::max_images> handles;
    std::array<TimelinePoint, core::max_images> points;
    const auto handle = [&](core::ImageIndex image) { return at(image).release.get(); };
    std::ranges::transform(presented, handles.begin(), handle);
    std::ranges::transform(free, handles.begin() + presented.size(), handle);
    const auto asked = std::span(handles).first(presented.size() + free.size());
    core::ImageList signalled;
    if (asked.empty())
        return signalled;
    if (auto done = device_->query_signalled(asked, points); !done)
        return std::unexpected(failed("DRM_IOCTL_SYNCOBJ_QUERY", done.error()));
    for (size_t i = 0; i < asked.size(); ++i) {
        const bool is_free = i >= presented.size();
        const core::ImageIndex index = is_free ? free[i - presented.size()] : presented[i];
        if (points[i] < at(index).committed)
            continue;
        at(index).idle = true;
        if (is_free)
            continue;
        has_materialised(at(index));
        signalled.push_back(index);
    }
    return signalled;
}

/// Those of the awaited images that have come back; first the presented ones in their order, then
/// those that another thread has presented since that list was made.
std::expected<core::ImageList, VkResult>
ExplicitBridge::find_materialised(const core::ImageList& presented) {
    core::ImageList awaited;
    const auto add = [&](core::ImageIndex image) {
        if (at(image).awaited && std::ranges::find(awaited, image) == awaited.end())
            awaited.push_back(image);
    };
    std::ranges::for_each(presented, add);
    for (uint32_t i = 0; i < images_.size(); ++i)
        add(core::ImageIndex{i});
    core::ImageList materialised;
    if (awaited.empty())
        return materialised;
    std::array<kernel::SyncobjHandle, core::max_images> handles;
    std::array<TimelinePoint, core::max_images> points;
    std::ranges::transform(awaited, handles.begin(),
                           [&](core::ImageIndex image) { return at(image).release.get(); });
    if (auto done = device_->query_materialised(std::span(handles).first(awaited.size()), points);
        !done)
        return std::unexpected(failed("DRM_IOCTL_SYNCOBJ_QUERY", done.error()));
    for (size_t i = 0; i < awaited.size(); ++i) {
        if (points[i] < at(awaited[i]).expected)
            continue;
        has_materialised(at(awaited[i]));
        materialised.push_back(awaited[i]);
    }
    return materialised;
}

void ExplicitBridge::has_materialised(Image& image) {
    if (std::exchange(image.awaited, false))
        --unexplained_;
}

void ExplicitBridge::read_eventfd() {
    polled_.revents = 0;
    uint64_t told = 0;
    if (::read(eventfd_.get(), &told, sizeof told) == sizeof told)
        unexplained_ += static_cast<int64_t>(told);
}

std::expected<core::ImageList, VkResult> ExplicitBridge::released(const core::ImageList& presented,
                                                                  const core::ImageList& free) {
    const bool woken = polled_.revents != 0;
    if (woken)
        read_eventfd();
    if (find_idle(free))
        return core::ImageList();
    const bool may_wait = free.empty() && !woken;
    if (may_wait && unexplained_ == 0 && looks_to_leave_out_ > 0) {
        --looks_to_leave_out_;
        return core::ImageList(); // the wait will tell
    }
    const auto released = look(presented, free);
    if (may_wait && released) {
        looks_left_out_ =
            released->empty() ? std::min(2 * looks_left_out_ + 1, most_looks_left_out) : 0;
        looks_to_leave_out_ = looks_left_out_;
    }
    return released;
}

std::expected<core::ImageList, VkResult> ExplicitBridge::look(const core::ImageList& presented,
                                                              const core::ImageList& free) {
    // What has signalled has materialised, too, and costs no second question.
    const auto signalled = find_signalled(presented, free);
    if (!signalled || !signalled->empty())
        return signalled;
    // Before a wait, the eventfd must hold nothing that is known, and nothing that it has told may
    // be unexplained: it would not tell that again.
    if (unexplained_ < 0)
        read_eventfd();
    return unexplained_ > 0 ? find_materialised(presented) : signalled;
}

std::expected<std::span<pollfd>, VkResult>
ExplicitBridge::await_release(const core::ImageList& /*free*/) {
    for (Image& image : images_) {
        if (image.awaited)
            continue;
        // Also of those that are not presented yet: another thread may do so meanwhile.
        const auto told = device_->notify(image.release.get(), image.expected, eventfd_);
        if (!told)
            return std::unexpected(failed("DRM_IOCTL_SYNCOBJ_EVENTFD", told.error()));
        image.awaited = true;
    }
    return std::span(&polled_, 1);
}

std::expected<std::optional<Snapshot>, VkResult>
ExplicitBridge::acquire(const core::ImageList& free) {
    const auto idle = find_idle(free);
    Image& image = at(idle.value_or(free[0]));
    Snapshot snapshot = {idle.value_or(free[0]), Fd()};
    if (!idle) {
        auto fences = export_point(image.release.get(), image.committed);
        if (!fences)
            return std::unexpected(failed("sync_file of a release point", fences.error()));
        snapshot.fences = std::move(*fences);
    }
    image.expected = after(image.committed);
    return snapshot;
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
