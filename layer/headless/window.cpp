// SPDX-License-Identifier: MIT
#include "headless/window.hpp"

#include <array>
#include <sys/eventfd.h>

#include "headless/presenter.hpp"

namespace fencebridge::headless {

namespace {

// Nothing keeps an image after show(): one image is enough to go on, and two let the application
// draw the next frame while the driver finishes the last.
constexpr std::array modes = {core::PresentModeLimits{VK_PRESENT_MODE_FIFO_KHR, 2},
                              core::PresentModeLimits{VK_PRESENT_MODE_MAILBOX_KHR, 2}};

constexpr core::SurfaceLimits surface_limits = {
    // VK_EXT_headless_surface: the surface takes the size of the swapchain.
    .current_extent = {UINT32_MAX, UINT32_MAX},
    .modes = modes,
};

} // namespace

const core::SurfaceLimits& HeadlessWindow::limits() const { return surface_limits; }

std::vector<VkSurfaceFormatKHR> HeadlessWindow::formats() const {
    std::vector<VkSurfaceFormatKHR> all;
    for (const vk::Format& format : vk::formats())
        all.push_back({format.format, VK_COLOR_SPACE_SRGB_NONLINEAR_KHR});
    return all;
}

std::expected<AcceptedLayouts, VkResult> HeadlessWindow::layouts(const PixelFormat&,
                                                                 const core::DrmNodes&) {
    return AcceptedLayouts{
        .ranks = {{.placement = core::Placement::dma_buf, .modifiers = {}, .any = true}},
        .basis = nullptr};
}

std::expected<std::unique_ptr<Presenter>, VkResult>
HeadlessWindow::create_presenter(PresenterParameters, const std::vector<image::SwapchainImage>&,
                                 ShownImages& shown) {
    Fd eventfd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!eventfd)
        return std::unexpected(VK_ERROR_OUT_OF_HOST_MEMORY);
    return std::make_unique<HeadlessPresenter>(std::move(eventfd), shown);
}

} // namespace fencebridge::headless
