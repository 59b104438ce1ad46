// SPDX-License-Identifier: MIT
#include "sync/timeline_device.hpp"

#include <cerrno>
#include <span>
#include <unistd.h>

#include "ioctl/drm_nodes.hpp"
#include "ioctl/sync_file.hpp"

namespace fencebridge::sync {

using core::TimelinePoint;

std::expected<std::unique_ptr<TimelineDevice>, OpenError>
TimelineDevice::open(const TimelineSupport& window_system, const Fd& eventfd) {
    std::string reason = "no DRM render node";
    const auto nodes = ioctl::drm_nodes(ioctl::NodeKind::render, window_system.main_device);
    if (!nodes)
        return std::unexpected(open_error("opendir of /dev/dri", nodes.error()));
    for (const ioctl::DrmNode& node : *nodes) {
        // The window system imports the timelines on its own device.
        const bool is_its_own = node.preferred || !nodes->front().preferred;
        auto opened =
            open_node(node.path, is_its_own ? std::string() : nodes->front().path, eventfd);
        if (opened || std::holds_alternative<VkResult>(opened.error()))
            return opened;
        reason = node.path + ": " + std::get<std::string>(opened.error());
    }
    return std::unexpected(std::move(reason));
}

std::expected<std::unique_ptr<TimelineDevice>, OpenError>
TimelineDevice::open_node(const std::string& node, const std::string& importer, const Fd& eventfd) {
    auto device = ioctl::SyncobjDevice::open(node);
    if (!device)
        return std::unexpected(open_error("open", device.error()));
    std::unique_ptr<TimelineDevice> self(new TimelineDevice(std::move(*device)));
    if (auto works = self->try_out(importer, eventfd); !works)
        return std::unexpected(std::move(works.error()));
    return self;
}

std::expected<ioctl::Syncobj, OpenError> TimelineDevice::create() const {
    const auto handle = device_->create();
    if (!handle)
        return std::unexpected(open_error("DRM_IOCTL_SYNCOBJ_CREATE", handle.error()));
    return ioctl::Syncobj(*device_, *handle);
}

std::expected<ioctl::Syncobj, OpenError> TimelineDevice::create_signalled() const {
    auto timeline = create();
    if (!timeline)
        return timeline;
    if (auto done = device_->signal(timeline->get(), signalled_point); !done)
        return std::unexpected(open_error("DRM_IOCTL_SYNCOBJ_TIMELINE_SIGNAL", done.error()));
    return timeline;
}

/// Does every operation of a frame once, on a timeline of its own.
std::expected<void, OpenError> TimelineDevice::try_out(const std::string& importer,
                                                       const Fd& eventfd) {
    const auto trial = create_signalled();
    if (!trial)
        return std::unexpected(trial.error());
    const ioctl::SyncobjHandle timeline = trial->get();
    if (auto works = try_eventfd(timeline, eventfd); !works)
        return works;
    if (auto works = try_queries(timeline); !works)
        return works;
    if (auto works = try_fences(timeline); !works)
        return works;
    return try_import_on(importer, timeline);
}

/// Exports and imports a point. Before Linux 6.16 that needs the scratch objects.
std::expected<void, OpenError> TimelineDevice::try_fences(ioctl::SyncobjHandle timeline) {
    if (!device_->export_point(timeline, signalled_point)) {
        for (auto* scratch : {&export_scratch_, &import_scratch_}) {
            auto created = create();
            if (!created)
                return std::unexpected(std::move(created.error()));
            scratch->emplace(std::move(*created));
        }
    }
    const auto exported = export_point(timeline, signalled_point);
    if (!exported)
        return std::unexpected(
            open_error("export of a timeline point as a sync_file", exported.error()));
    if (auto done = import_point(timeline, next_point(signalled_point), *exported); !done)
        return std::unexpected(
            open_error("import of a sync_file into a timeline point", done.error()));
    return {};
}

std::expected<void, OpenError> TimelineDevice::try_eventfd(ioctl::SyncobjHandle timeline,
                                                           const Fd& eventfd) const {
    if (auto done = device_->register_eventfd(timeline, signalled_point, eventfd); !done)
        return std::unexpected(open_error("DRM_IOCTL_SYNCOBJ_EVENTFD", done.error()));
    uint64_t count = 0;
    if (::read(eventfd.get(), &count, sizeof count) != sizeof count || count != 1)
        return std::unexpected("DRM_IOCTL_SYNCOBJ_EVENTFD signals nothing");
    return {};
}

std::expected<void, OpenError> TimelineDevice::try_queries(ioctl::SyncobjHandle timeline) const {
    for (const auto query :
         {&ioctl::SyncobjDevice::query_signalled, &ioctl::SyncobjDevice::query_materialised}) {
        TimelinePoint reached{0};
        const auto done = ((*device_).*query)(std::span(&timeline, 1), std::span(&reached, 1));
        if (!done)
            return std::unexpected(open_error("DRM_IOCTL_SYNCOBJ_QUERY", done.error()));
        if (reached != signalled_point)
            return std::unexpected("DRM_IOCTL_SYNCOBJ_QUERY gives a wrong point");
    }
    return {};
}

/// Imports the timeline as a compositor does for wp_linux_drm_syncobj_manager_v1.import_timeline.
/// The import is the only operation of that request that can fail, and its failure would end the
/// application's connection.
/// @param importer  the window system's render node. If it is empty or cannot be opened, the import
///                  is tried on this device.
std::expected<void, OpenError> TimelineDevice::try_import_on(const std::string& importer,
                                                             ioctl::SyncobjHandle timeline) const {
    const auto shared = device_->share(timeline);
    if (!shared)
        return std::unexpected(open_error("DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD", shared.error()));
    const auto other = importer.empty() ? std::unexpected(ioctl::Errno{ENOENT})
                                        : ioctl::SyncobjDevice::open(importer);
    const ioctl::SyncobjDevice& device = other ? **other : *device_;
    const auto imported = device.import(*shared);
    if (!imported)
        return std::unexpected(open_error("DRM_IOCTL_SYNCOBJ_FD_TO_HANDLE", imported.error()));
    device.destroy(*imported);
    return {};
}

std::expected<Fd, ioctl::Errno> TimelineDevice::export_point(ioctl::SyncobjHandle timeline,
                                                             TimelinePoint point) const {
    if (export_scratch_)
        return device_->export_point_via(export_scratch_->get(), timeline, point);
    const auto link = device_->export_point(timeline, point);
    if (!link)
        return std::unexpected(link.error());
    // The exported fence is a link of a dma_fence_chain. If the application presents the image
    // without drawing, import_point() puts this fence at a point of the acquire timeline, and the
    // kernel warns of a chain within a chain. A merged sync_file contains no chain.
    return ioctl::merge(*link, *link);
}

std::expected<void, ioctl::Errno> TimelineDevice::import_point(ioctl::SyncobjHandle timeline,
                                                               TimelinePoint point,
                                                               const Fd& sync_file) const {
    return import_scratch_
               ? device_->import_point_via(import_scratch_->get(), timeline, point, sync_file)
               : device_->import_point(timeline, point, sync_file);
}

} // namespace fencebridge::sync
