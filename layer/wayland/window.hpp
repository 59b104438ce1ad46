// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <expected>
#include <memory>
#include <string>
#include <vector>
#include <wayland-client.h>

#include "core/colour.hpp"
#include "core/commit_plan.hpp"
#include "swapchain/window.hpp"
#include "util/locked.hpp"
#include "wayland/dmabuf_formats.hpp"
#include "wayland/protocol_set.hpp"

namespace fencebridge::wayland {

/// The DRM format (drm_fourcc.h) under which a compositor reads such pixels.
[[nodiscard]] inline uint32_t fourcc_of(const PixelFormat& pixels) {
    return pixels.opaque ? pixels.format->fourcc_opaque : pixels.format->fourcc_alpha;
}

/// What the layer keeps of a wl_surface while its VkSurfaceKHR exists: the application's handles,
/// and the compositor's last feedback. VK_KHR_wayland_surface guarantees wl_display and wl_surface
/// for the lifetime of swapchains only. So this owns no Wayland object, and its destruction needs
/// no connection.
class WaylandWindow final : public Window, public std::enable_shared_from_this<WaylandWindow> {
public:
    /// Asks which formats and modifiers of dma-bufs the compositor imports for the surface, and
    /// which formats of shared memory it reads. Makes at most two round trips.
    /// @param avoid  the protocols of which the window makes no objects
    /// @return the error says why buffers cannot be shared with this compositor, for the log
    [[nodiscard]] static std::expected<std::shared_ptr<WaylandWindow>, std::string>
    create(wl_display* display, wl_surface* surface, ProtocolSet avoid);

    NativeWindow native() const override { return {.object = surface_}; }
    std::expected<core::SurfaceLimits, VkResult> limits() override;
    std::expected<AcceptedLayouts, VkResult> layouts(const PixelFormat& pixels,
                                                     const core::DrmNodes& nodes) override;
    std::vector<VkColorSpaceKHR> described_spaces() const override {
        return may_use(Protocol::color_management) ? core::described_spaces(colours_)
                                                   : std::vector<VkColorSpaceKHR>();
    }
    bool has_straight_alpha() const override {
        return straight_alpha_ && may_use(Protocol::color_representation);
    }
    PresentationSupport presentation() const override;
    bool is_foreign(const core::DrmNodes& nodes) override;
    std::expected<sync::TimelineSupport, std::string> timeline_support() override;
    std::expected<bool, VkResult> accepts(const image::SwapchainImage& image, VkExtent2D extent,
                                          const PixelFormat& pixels) override;
    std::expected<std::unique_ptr<Presenter>, VkResult>
    create_presenter(PresenterParameters parameters,
                     const std::vector<image::SwapchainImage>& images,
                     PresentationState& state) override;
    void avoid_exclusive_objects() override { avoid_ = ProtocolSet::all(); }
    /// From now on, the layer makes no object of this protocol on the wl_surface.
    void avoid(Protocol protocol);

    /// Whether the layer may make an object of this protocol on the wl_surface.
    [[nodiscard]] bool may_use(Protocol protocol) const { return !avoid_.load().has(protocol); }
    /// Of the protocols that the compositor has, those that the layer may use.
    [[nodiscard]] core::PresentProtocols usable(const core::PresentProtocols& offered) const {
        return {.fifo = offered.fifo && may_use(Protocol::fifo),
                .tearing = offered.tearing && may_use(Protocol::tearing_control)};
    }

    /// What the compositor can describe, as of create().
    [[nodiscard]] const core::ColourCapabilities& colours() const { return colours_; }

    /// The layouts that the compositor accepts, best first: those of dma-bufs, then LINEAR in
    /// shared memory, if wl_shm lists the format.
    [[nodiscard]] std::vector<core::LayoutRank> ranks(const DmabufFormats& feedback,
                                                      const PixelFormat& pixels,
                                                      const core::DrmNodes& nodes) const;

    /// Replaces the last feedback, which later swapchains use.
    void set_feedback(std::shared_ptr<const DmabufFormats> feedback) {
        feedback_.with([&](auto& last) { last.swap(feedback); });
    }

private:
    WaylandWindow(wl_display* display, wl_surface* surface, ProtocolSet avoid) :
        display_(display), surface_(surface), avoid_(avoid) {}

    std::shared_ptr<const DmabufFormats> feedback() const {
        return feedback_.with([](const auto& last) { return last; });
    }

    wl_display* const display_;
    wl_surface* const surface_;
    std::atomic<ProtocolSet> avoid_;                 ///< protocols are only added
    std::expected<void, std::string> explicit_sync_; ///< or the reason why it cannot be used
    std::vector<core::PresentModeLimits> modes_;
    core::ColourCapabilities colours_;
    bool straight_alpha_ = false;
    std::vector<uint32_t> shm_formats_; ///< ShmGlobal::formats()
    PresentationSupport presentation_;  ///< of the compositor
    /// The last received; not null. Without formats if the compositor imports no dma-bufs.
    Locked<std::shared_ptr<const DmabufFormats>> feedback_;
};

} // namespace fencebridge::wayland
