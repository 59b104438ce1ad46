// SPDX-License-Identifier: MIT
#pragma once

#include "swapchain/window.hpp"

namespace fencebridge::headless {

/// A window of the headless window system, which discards the images. It accepts every layout, and
/// its presenter counts frames.
class HeadlessWindow final : public Window {
public:
    NativeWindow native() const override { return {.object = this}; }
    std::expected<core::SurfaceLimits, VkResult> limits() override;
    std::expected<AcceptedLayouts, VkResult> layouts(const PixelFormat& pixels,
                                                     const core::DrmNodes& nodes) override;
    bool is_foreign(const core::DrmNodes&) override { return false; }
    bool reads_images() const override { return false; }
    std::expected<sync::TimelineSupport, std::string> timeline_support() override {
        return std::unexpected("a headless surface has no timelines");
    }
    std::expected<bool, VkResult> accepts(const image::SwapchainImage&, VkExtent2D,
                                          const PixelFormat&) override {
        return true;
    }
    std::expected<std::unique_ptr<Presenter>, VkResult>
    create_presenter(PresenterParameters parameters,
                     const std::vector<image::SwapchainImage>& images,
                     PresentationState& state) override;
};

} // namespace fencebridge::headless
