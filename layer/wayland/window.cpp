// SPDX-License-Identifier: MIT
#include "wayland/window.hpp"

#include <algorithm>
#include <drm_fourcc.h>

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
/// it sends none. Makes a round trip from version 4 of zwp_linux_dmabuf_v1 on. After it, the
/// formats of wl_shm have arrived as well.
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
    auto feedback = request_feedback(**connection, surface);
    if (!feedback)
        return std::unexpected(in_words(feedback.error()));
    if (const VkResult result = (*connection)->describe_globals(); result != VK_SUCCESS)
        return std::unexpected(in_words(result));
    const std::vector<uint32_t>& shm_formats = (*connection)->shm().formats();
    if (!*feedback && shm_formats.empty())
        return std::unexpected("the compositor sent no dma-buf formats (zwp_linux_dmabuf_v1 of "
                               "version 3 or later) and no formats of wl_shm");

    std::shared_ptr<WaylandWindow> self(new WaylandWindow(display, surface, avoid));
    self->explicit_sync_ = (*connection)->explicit_sync().usable();
    self->modes_ = core::offered_modes(self->usable((*connection)->present_protocols()));
    self->colours_ = (*connection)->colours().capabilities();
    self->straight_alpha_ = (*connection)->alpha().has_straight();
    self->shm_formats_ = shm_formats;
    if (const auto clock = (*connection)->presentation().clock())
        self->presentation_ = {.clock = *clock,
                               .reports = true,
                               .schedules = static_cast<bool>((*connection)->commit_timing())};
    self->set_feedback(*feedback ? std::move(*feedback) : std::make_shared<const DmabufFormats>());
    return self;
}

/// VK_KHR_wayland_surface: the surface takes the size of what is presented.
std::expected<core::SurfaceLimits, VkResult> WaylandWindow::limits() {
    return core::SurfaceLimits{.modes = modes_};
}

std::expected<AcceptedLayouts, VkResult> WaylandWindow::layouts(const PixelFormat& pixels,
                                                                const core::DrmNodes& nodes) {
    const auto last = feedback();
    return AcceptedLayouts{.ranks = ranks(*last, pixels, nodes), .basis = last};
}

std::vector<core::LayoutRank> WaylandWindow::ranks(const DmabufFormats& feedback,
                                                   const PixelFormat& pixels,
                                                   const core::DrmNodes& nodes) const {
    const uint32_t fourcc = fourcc_of(pixels);
    auto ranks = rank_layouts(feedback, fourcc, nodes);
    if (std::ranges::find(shm_formats_, fourcc) != shm_formats_.end())
        ranks.push_back({core::Placement::shared_memory, {DRM_FORMAT_MOD_LINEAR}});
    return ranks;
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
    // The compositor may have removed either global since create().
    if (image.placement == core::Placement::shared_memory) // for which the protocol has no answer
                                                           // but the buffer's creation
        return (*connection)->shm().get() != nullptr && fits_shm_pool(image, extent);
    if ((*connection)->dmabuf() == nullptr)
        return false;
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
    const bool has_buffers = images.front().placement == core::Placement::shared_memory
                                 ? (*connection)->shm().get() != nullptr
                                 : (*connection)->dmabuf() != nullptr;
    if (!has_buffers || (described && (*connection)->colours().get() == nullptr) ||
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
