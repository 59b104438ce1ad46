// SPDX-License-Identifier: MIT
#include "headless/window.hpp"

#include <array>
#include <cerrno>
#include <drm_fourcc.h>
#include <sys/eventfd.h>

#include "core/commit_plan.hpp"
#include "headless/presenter.hpp"
#include "ioctl/ioctl.hpp"
#include "util/log.hpp"

namespace fencebridge::headless {

namespace {

// One image is on screen, and the application draws to another. Where images wait for a refresh and
// the application shall not, it needs one more.
constexpr std::array modes = {
    core::PresentModeLimits{VK_PRESENT_MODE_FIFO_KHR, 2},
    core::PresentModeLimits{VK_PRESENT_MODE_MAILBOX_KHR, 3},
    core::PresentModeLimits{VK_PRESENT_MODE_IMMEDIATE_KHR, 2},
    core::PresentModeLimits{VK_PRESENT_MODE_FIFO_RELAXED_KHR, 2},
#ifdef FENCEBRIDGE_HAVE_FIFO_V1 // the layer provides the mode's device extension
    core::PresentModeLimits{core::present_mode_fifo_latest_ready, 3},
#endif
    core::PresentModeLimits{VK_PRESENT_MODE_SHARED_DEMAND_REFRESH_KHR, 1},
};

} // namespace

HeadlessWindow::HeadlessWindow(const Options& options) :
    options_(options), refreshes_(PresentClock().now(), options.period) {}

/// VK_EXT_headless_surface: the surface takes the size of the swapchain.
std::expected<core::SurfaceLimits, VkResult> HeadlessWindow::limits() {
    return core::SurfaceLimits{.modes = modes};
}

std::expected<AcceptedLayouts, VkResult> HeadlessWindow::layouts(const PixelFormat&,
                                                                 const core::DrmNodes&) {
    AcceptedLayouts accepted;
    // Images that can be captured. The others are shown all the same, and not captured.
    if (!options_.capture_folder.empty())
        for (const auto placement : {core::Placement::dma_buf, core::Placement::shared_memory})
            accepted.ranks.push_back(
                {.placement = placement, .modifiers = {DRM_FORMAT_MOD_LINEAR}});
    for (const auto placement : {core::Placement::dma_buf, core::Placement::unshared})
        accepted.ranks.push_back({.placement = placement, .any = true});
    return accepted;
}

std::expected<std::unique_ptr<Presenter>, VkResult>
HeadlessWindow::create_presenter(PresenterParameters parameters,
                                 const std::vector<image::SwapchainImage>& images,
                                 PresentationState& state) {
    Fd eventfd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!eventfd) {
        log::error("eventfd for a headless swapchain: %s",
                   ioctl::text(ioctl::Errno{errno}).c_str());
        return std::unexpected(VK_ERROR_OUT_OF_HOST_MEMORY);
    }
    return std::make_unique<HeadlessPresenter>(
        std::move(eventfd), refreshes_, images.size(), parameters.reports_presents,
        Capture::create(options_, parameters.extent, parameters.pixels, images), state);
}

} // namespace fencebridge::headless
