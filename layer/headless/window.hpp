// SPDX-License-Identifier: MIT
#pragma once

#include "core/refresh_queue.hpp"
#include "headless/options.hpp"
#include "swapchain/window.hpp"

namespace fencebridge::headless {

/// A window of the headless window system: a display that exists only as a clock. It refreshes at a
/// constant rate from the window's creation on. It accepts every layout, and reads no image unless
/// frames are captured. So the images need not be shared at all.
class HeadlessWindow final : public Window {
public:
    explicit HeadlessWindow(const Options& options);

    NativeWindow native() const override { return {.object = this}; }
    std::expected<core::SurfaceLimits, VkResult> limits() override;
    std::expected<AcceptedLayouts, VkResult> layouts(const PixelFormat& pixels,
                                                     const core::DrmNodes& nodes) override;
    PresentationSupport presentation() const override {
        return {.clock = {}, .reports = true, .schedules = true};
    }
    bool is_foreign(const core::DrmNodes&) override { return false; }
    bool is_known_to(const vk::DriverFacts& driver) const override {
        return driver.answers_for_headless_surfaces;
    }
    /// Captures wait for the rendering themselves.
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

private:
    const Options options_;
    const core::RefreshGrid refreshes_;
};

} // namespace fencebridge::headless
