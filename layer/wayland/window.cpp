// SPDX-License-Identifier: MIT
#include "wayland/window.hpp"

#include "core/commit_plan.hpp"
#include "util/log.hpp"
#include "wayland/buffer_request.hpp"
#include "wayland/connection.hpp"
#include "wayland/presenter.hpp"
#include "wayland/shared_surface.hpp"
#include "wayland/surface_feedback.hpp"

namespace fencebridge::wayland {

namespace {

/// The formats and modifiers of the dma-bufs that the compositor imports for a surface now; null if
/// it sends none. Makes a round trip from version 4 of zwp_linux_dmabuf_v1 on.
std::expected<std::shared_ptr<const DmabufFormats>, VkResult>
request_feedback(Connection& connection, wl_surface* surface) {
    if (!connection.has_surface_feedback())
        return connection.version_3_list();
    EventQueue queue(connection.display());
    const auto dmabuf = queue ? wrap(connection.dmabuf(), queue.get()) : nullptr;
    if (!dmabuf)
        return std::unexpected(VK_ERROR_OUT_OF_HOST_MEMORY);
    const SurfaceFeedback feedback(dmabuf.get(), surface);
    if (const VkResult result = queue.round_trip(); result != VK_SUCCESS)
        return std::unexpected(result);
    if (feedback.out_of_memory())
        return std::unexpected(VK_ERROR_OUT_OF_HOST_MEMORY);
    return feedback.current();
}

std::string in_words(VkResult failure) {
    return failure == VK_ERROR_SURFACE_LOST_KHR ? "connection lost" : "out of memory";
}

} // namespace

std::expected<std::shared_ptr<WaylandWindow>, std::string>
WaylandWindow::create(wl_display* display, wl_surface* surface, ProtocolSet avoid) {
    const auto connection = Connection::get(display);
    if (!connection)
        return std::unexpected(in_words(connection.error()));
    if ((*connection)->dmabuf() == nullptr)
        return std::unexpected("the compositor has no zwp_linux_dmabuf_v1 of version 3 or later");
    auto feedback = request_feedback(**connection, surface);
    if (!feedback)
        return std::unexpected(in_words(feedback.error()));
    if (!*feedback)
        return std::unexpected("the compositor sent no dma-buf formats");
    if (const VkResult result = (*connection)->describe_globals(); result != VK_SUCCESS)
        return std::unexpected(in_words(result));

    std::shared_ptr<WaylandWindow> self(new WaylandWindow(display, surface, avoid));
    self->explicit_sync_ = (*connection)->explicit_sync().usable();
    self->modes_ = core::offered_modes(self->usable((*connection)->present_protocols()));
    self->colours_ = (*connection)->colours().capabilities();
    self->straight_alpha_ = (*connection)->alpha().has_straight();
    if (const auto clock = (*connection)->presentation().clock())
        self->presentation_ = {.clock = *clock,
                               .reports = true,
                               .schedules = static_cast<bool>((*connection)->commit_timing())};
    self->set_feedback(std::move(*feedback));
    return self;
}

/// VK_KHR_wayland_surface: the surface takes the size of what is presented.
std::expected<core::SurfaceLimits, VkResult> WaylandWindow::limits() {
    return core::SurfaceLimits{.modes = modes_};
}

std::expected<AcceptedLayouts, VkResult> WaylandWindow::layouts(const PixelFormat& pixels,
                                                                const core::DrmNodes& nodes) {
    const auto last = feedback();
    return AcceptedLayouts{.ranks = rank_layouts(*last, fourcc_of(pixels), nodes), .basis = last};
}

PresentationSupport WaylandWindow::presentation() const {
    PresentationSupport support = presentation_;
    support.schedules = support.schedules && may_use(Protocol::commit_timing);
    return support;
}

bool WaylandWindow::is_foreign(const core::DrmNodes& nodes) {
    return wayland::is_foreign(*feedback(), nodes);
}

std::expected<sync::TimelineSupport, std::string> WaylandWindow::timeline_support() {
    if (!explicit_sync_)
        return std::unexpected(explicit_sync_.error());
    if (!may_use(Protocol::syncobj))
        return std::unexpected(
            "linux-drm-syncobj-v1 is not used on this surface: the setting avoid "
            "names it, or a driver has used the surface, or the compositor has "
            "removed the protocol");
    return sync::TimelineSupport{.main_device = feedback()->main_device};
}

void WaylandWindow::avoid(Protocol protocol) {
    ProtocolSet before = avoid_.load();
    ProtocolSet more;
    do {
        more = before;
        more.add(protocol);
    } while (!avoid_.compare_exchange_weak(before, more));
}

std::expected<bool, VkResult> WaylandWindow::accepts(const image::SwapchainImage& image,
                                                     VkExtent2D extent, const PixelFormat& pixels) {
    const auto connection = Connection::get(display_);
    if (!connection)
        return std::unexpected(connection.error());
    if ((*connection)->dmabuf() == nullptr)
        return false; // the compositor has removed the global since create()
    return try_buffer((*connection)->display(), (*connection)->dmabuf(), image, extent,
                      fourcc_of(pixels));
}

std::expected<std::unique_ptr<Presenter>, VkResult>
WaylandWindow::create_presenter(PresenterParameters parameters,
                                const std::vector<image::SwapchainImage>& images,
                                PresentationState& state) {
    auto connection = Connection::get(display_);
    if (!connection)
        return std::unexpected(connection.error());
    // The compositor may have removed any global since create(). A present mode works without its
    // protocol: core::plan_commit() then does without tearing or barriers.
    const bool described = core::find_encoding(parameters.colours.space, colours_).has_value();
    if ((*connection)->dmabuf() == nullptr ||
        (described && (*connection)->colours().get() == nullptr) ||
        (parameters.colours.straight_alpha && (*connection)->alpha().get() == nullptr)) {
        log::error("the compositor has removed a global that the swapchain needs");
        return std::unexpected(VK_ERROR_FEATURE_NOT_PRESENT);
    }
    if (!parameters.timelines.empty() && !(*connection)->explicit_sync().usable()) {
        avoid(Protocol::syncobj);
        return std::unexpected(VK_ERROR_INITIALIZATION_FAILED);
    }
    auto surface = SharedSurface::get(std::move(*connection), surface_);
    if (!surface)
        return std::unexpected(VK_ERROR_OUT_OF_HOST_MEMORY);
    return WaylandPresenter::create(shared_from_this(), std::move(surface), std::move(parameters),
                                    images, state);
}

} // namespace fencebridge::wayland
