// SPDX-License-Identifier: MIT
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <wayland-client.h>

#include "swapchain/window.hpp"
#include "util/locked.hpp"

namespace fencebridge::wayland {

/// What lives as long as a VkSurfaceKHR: names of the application's objects, and what was found out
/// about them. VK_KHR_wayland_surface guarantees wl_display and wl_surface for the lifetime of the
/// swapchains alone, so this owns no Wayland object, and its destruction needs no connection.
class WaylandWindow final : public Window, public std::enable_shared_from_this<WaylandWindow> {
public:
    /// Finds out what the compositor takes for the surface: two round trips at most, the only ones
    /// until a swapchain is made.
    /// @return or, for the log, why buffers cannot be shared with this compositor
    [[nodiscard]] static std::expected<std::shared_ptr<WaylandWindow>, std::string>
    create(wl_display* display, wl_surface* surface);

    const void* native() const override { return surface_; }
    std::expected<std::shared_ptr<const core::DmabufFeedback>, VkResult> feedback() override {
        return feedback_.with([](const auto& last) { return last; });
    }
    std::expected<sync::TimelineTaker, std::string> timeline_taker() override;
    std::expected<bool, VkResult> accepts(const image::SwapchainImage& image, VkExtent2D extent,
                                          uint32_t fourcc) override;
    std::expected<std::unique_ptr<Presenter>, VkResult>
    create_presenter(PresenterParameters parameters,
                     const std::vector<image::SwapchainImage>& images,
                     Locked<core::ImageRing>& ring) override;

    /// A swapchain has read new feedback: the next one is to be made for that.
    void set_feedback(std::shared_ptr<const core::DmabufFeedback> feedback) {
        feedback_.with([&](auto& last) { last.swap(feedback); });
    }

private:
    WaylandWindow(wl_display* display, wl_surface* surface) :
        display_(display), surface_(surface) {}

    wl_display* const display_;
    wl_surface* const surface_;
    std::expected<void, std::string> explicit_sync_;               ///< or why it cannot be used
    Locked<std::shared_ptr<const core::DmabufFeedback>> feedback_; ///< the last that was read
};

} // namespace fencebridge::wayland
