// SPDX-License-Identifier: MIT
#include "wayland/window.hpp"

#include "wayland/buffer_request.hpp"
#include "wayland/connection.hpp"
#include "wayland/dmabuf_feedback.hpp"
#include "wayland/presenter.hpp"
#include "wayland/surface.hpp"

namespace fencebridge::wayland {

namespace {

using Feedback = std::shared_ptr<const core::DmabufFeedback>;

/// What the compositor takes for a surface now; null if it does not tell. A round trip with version
/// 4 of zwp_linux_dmabuf_v1.
std::expected<Feedback, VkResult> ask_for_feedback(Connection& connection, wl_surface* surface) {
    if (!connection.has_surface_feedback())
        return connection.version_3_list();
    EventQueue queue(connection.display());
    const auto dmabuf = queue ? wrap(connection.dmabuf(), queue.get()) : nullptr;
    if (!dmabuf)
        return std::unexpected(VK_ERROR_OUT_OF_HOST_MEMORY);
    const DmabufFeedback feedback(dmabuf.get(), surface);
    if (const VkResult result = queue.round_trip(); result != VK_SUCCESS)
        return std::unexpected(result);
    return feedback.current();
}

std::string in_words(VkResult failure) {
    return failure == VK_ERROR_SURFACE_LOST_KHR ? "connection lost" : "out of memory";
}

} // namespace

std::expected<std::shared_ptr<WaylandWindow>, std::string>
WaylandWindow::create(wl_display* display, wl_surface* surface) {
    const auto connection = Connection::get(display);
    if (!connection)
        return std::unexpected(in_words(connection.error()));
    if ((*connection)->dmabuf() == nullptr)
        return std::unexpected("the compositor has no zwp_linux_dmabuf_v1 version 3");
    auto feedback = ask_for_feedback(**connection, surface);
    if (!feedback)
        return std::unexpected(in_words(feedback.error()));
    if (!*feedback)
        return std::unexpected("the compositor gave no dma-buf feedback");

    std::shared_ptr<WaylandWindow> self(new WaylandWindow(display, surface));
    self->explicit_sync_ = (*connection)->explicit_sync().usable();
    self->set_feedback(std::move(*feedback));
    return self;
}

std::expected<sync::TimelineTaker, std::string> WaylandWindow::timeline_taker() {
    if (!explicit_sync_)
        return std::unexpected(explicit_sync_.error());
    return sync::TimelineTaker{
        .main_device = feedback_.with([](const auto& last) { return last->main_device; })};
}

std::expected<bool, VkResult> WaylandWindow::accepts(const image::SwapchainImage& image,
                                                     VkExtent2D extent, uint32_t fourcc) {
    const auto connection = Connection::get(display_);
    if (!connection)
        return std::unexpected(connection.error());
    if ((*connection)->dmabuf() == nullptr)
        return false; // gone since the surface was made
    return try_buffer((*connection)->display(), (*connection)->dmabuf(), image, extent, fourcc);
}

std::expected<std::unique_ptr<Presenter>, VkResult>
WaylandWindow::create_presenter(PresenterParameters parameters,
                                const std::vector<image::SwapchainImage>& images,
                                Locked<core::ImageRing>& ring) {
    auto connection = Connection::get(display_);
    if (!connection)
        return std::unexpected(connection.error());
    // Both may have gone since the surface was made.
    if ((*connection)->dmabuf() == nullptr ||
        (!parameters.timelines.empty() && !(*connection)->explicit_sync().usable()))
        return std::unexpected(VK_ERROR_INITIALIZATION_FAILED);
    auto surface = Surface::use(std::move(*connection), surface_);
    if (!surface)
        return std::unexpected(VK_ERROR_OUT_OF_HOST_MEMORY);
    return WaylandPresenter::create(shared_from_this(), std::move(surface), std::move(parameters),
                                    images, ring);
}

} // namespace fencebridge::wayland
