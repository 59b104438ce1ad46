// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "info/drm_names.hpp"
#include "info/fence_trial.hpp"
#include "info/probes.hpp"
#include "info/wayland_connection.hpp"
#include "wayland/connection.hpp"
#include "wayland/dmabuf_formats.hpp"
#include "wayland/event_queue.hpp"
#include "wayland/surface_feedback.hpp"

namespace fencebridge::info {

namespace {

using Progress = ProbeProgress<DisplayFacts>;

/// A global that the layer uses.
struct UsedGlobal {
    std::string_view interface;
    bool built_in;
    const char* use;
};

#ifdef FENCEBRIDGE_HAVE_LINUX_DRM_SYNCOBJ_V1
constexpr bool has_syncobj = true;
#else
constexpr bool has_syncobj = false;
#endif
#ifdef FENCEBRIDGE_HAVE_FIFO_V1
constexpr bool has_fifo = true;
#else
constexpr bool has_fifo = false;
#endif
#ifdef FENCEBRIDGE_HAVE_COMMIT_TIMING_V1
constexpr bool has_commit_timing = true;
#else
constexpr bool has_commit_timing = false;
#endif
#ifdef FENCEBRIDGE_HAVE_TEARING_CONTROL_V1
constexpr bool has_tearing = true;
#else
constexpr bool has_tearing = false;
#endif
#ifdef FENCEBRIDGE_HAVE_COLOR_MANAGEMENT_V1
constexpr bool has_colours = true;
#else
constexpr bool has_colours = false;
#endif
#ifdef FENCEBRIDGE_HAVE_COLOR_REPRESENTATION_V1
constexpr bool has_alpha = true;
#else
constexpr bool has_alpha = false;
#endif

constexpr std::array used_globals = {
    UsedGlobal{"wl_compositor", true, "surfaces"},
    UsedGlobal{"zwp_linux_dmabuf_v1", true, "images in dma-bufs"},
    UsedGlobal{"wl_shm", true, "images in shared memory"},
    UsedGlobal{"wp_linux_drm_syncobj_manager_v1", has_syncobj, "transport explicit"},
    UsedGlobal{"wp_presentation", true, "times of presents"},
    UsedGlobal{"wp_fifo_manager_v1", has_fifo, "FIFO without waits"},
    UsedGlobal{"wp_commit_timing_manager_v1", has_commit_timing, "times to present at"},
    UsedGlobal{"wp_tearing_control_manager_v1", has_tearing, "IMMEDIATE and FIFO_RELAXED"},
    UsedGlobal{"wp_color_manager_v1", has_colours, "colour spaces"},
    UsedGlobal{"wp_color_representation_manager_v1", has_alpha, "straight alpha"},
};

void add_globals(DisplayFacts& facts, const WaylandConnection& connection) {
    for (const UsedGlobal& used : used_globals) {
        const auto found = std::ranges::find(connection.globals(), used.interface,
                                             &WaylandConnection::Announced::interface);
        facts.globals.push_back(
            {.interface = std::string(used.interface),
             .version = found == connection.globals().end() ? 0 : found->version,
             .built_in = used.built_in,
             .use = used.use});
    }
}

void add_formats(DisplayFacts& facts, const wayland::DmabufFormats& feedback) {
    if (feedback.main_device)
        facts.main_device = node_name(*feedback.main_device);
    std::map<uint32_t, std::vector<uint64_t>> modifiers;
    for (const wayland::Tranche& tranche : feedback.tranches) {
        facts.tranches.push_back(
            {.device = tranche.target_device ? node_name(*tranche.target_device) : "",
             .formats = static_cast<uint32_t>(tranche.formats.size())});
        for (const wayland::FormatModifier& format : tranche.formats) {
            auto& known = modifiers[format.fourcc];
            if (std::ranges::find(known, format.modifier) == known.end())
                known.push_back(format.modifier);
        }
    }
    for (const auto& [fourcc, all] : modifiers) {
        FormatFacts format = {.format = fourcc_name(fourcc), .modifiers = {}};
        std::ranges::transform(all, std::back_inserter(format.modifiers), &modifier_name);
        facts.dmabuf_formats.push_back(std::move(format));
    }
}

/// The compositor's dma-buf feedback for the surface; null if it sends none.
std::shared_ptr<const wayland::DmabufFormats> receive_feedback(wayland::Connection& connection,
                                                               wl_surface* surface) {
    if (!connection.has_surface_feedback())
        return connection.version_3_list();
    wayland::EventQueue queue(connection.display());
    const auto dmabuf = queue ? wayland::wrap(connection.dmabuf(), queue.get()) : nullptr;
    if (!dmabuf)
        return nullptr;
    const wayland::SurfaceFeedback feedback(dmabuf.get(), surface);
    return queue.round_trip() == VK_SUCCESS ? feedback.current() : nullptr;
}

void add_shm_formats(DisplayFacts& facts, const wayland::Connection& connection) {
    for (const uint32_t fourcc : connection.shm().formats())
        facts.shm_formats.push_back(fourcc_name(fourcc));
}

void probe_formats(Progress& progress, const WaylandConnection& connection) {
    progress.begin("zwp_linux_dmabuf_v1");
    const auto layers = wayland::Connection::get(connection.display());
    if (!layers || connection.surface() == nullptr)
        return;
    if (const auto feedback = receive_feedback(**layers, connection.surface()))
        add_formats(progress.facts, *feedback);
    progress.begin("wl_shm");
    if ((*layers)->describe_globals() == VK_SUCCESS)
        add_shm_formats(progress.facts, **layers);
}

} // namespace

void probe_display(Progress& progress) {
    progress.facts.socket = wayland_socket();
    progress.begin("wl_display_connect");
    WaylandConnection connection;
    if (!connection) {
        progress.facts.connection = check_of("wl_display_connect", ioctl::Errno{errno});
        return;
    }
    progress.begin("wl_display.get_registry");
    if (!connection.receive_globals()) {
        progress.facts.connection = {State::no, "the compositor has closed the connection"};
        return;
    }
    progress.facts.connection = {State::yes};
    add_globals(progress.facts, connection);
    probe_formats(progress, connection);
}

} // namespace fencebridge::info
