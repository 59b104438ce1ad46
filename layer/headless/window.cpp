// SPDX-License-Identifier: MIT
#include "headless/window.hpp"

#include <array>
#include <cerrno>
#include <sys/eventfd.h>

#include "headless/presenter.hpp"
#include "ioctl/ioctl.hpp"
#include "util/log.hpp"

namespace fencebridge::headless {

namespace {

// Nothing keeps an image after show(): one image is enough to go on, and two let the application
// draw the next frame while the driver finishes the last.
constexpr std::array modes = {core::PresentModeLimits{VK_PRESENT_MODE_FIFO_KHR, 2},
                              core::PresentModeLimits{VK_PRESENT_MODE_MAILBOX_KHR, 2}};

} // namespace

/// VK_EXT_headless_surface: the surface takes the size of the swapchain.
std::expected<core::SurfaceLimits, VkResult> HeadlessWindow::limits() {
    return core::SurfaceLimits{.modes = modes};
}

std::expected<AcceptedLayouts, VkResult> HeadlessWindow::layouts(const PixelFormat&,
                                                                 const core::DrmNodes&) {
    return AcceptedLayouts{
        .ranks = {{.placement = core::Placement::dma_buf, .modifiers = {}, .any = true}},
        .basis = nullptr};
}

std::expected<std::unique_ptr<Presenter>, VkResult>
HeadlessWindow::create_presenter(PresenterParameters, const std::vector<image::SwapchainImage>&,
                                 PresentationState& state) {
    Fd eventfd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!eventfd) {
        log::error("eventfd for a headless swapchain: %s",
                   ioctl::text(ioctl::Errno{errno}).c_str());
        return std::unexpected(VK_ERROR_OUT_OF_HOST_MEMORY);
    }
    return std::make_unique<HeadlessPresenter>(std::move(eventfd), state);
}

} // namespace fencebridge::headless
