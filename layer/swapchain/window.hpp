// SPDX-License-Identifier: MIT
#pragma once

#include <compare>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>
#include <vulkan/vulkan.h>

#include "core/image_ring.hpp"
#include "core/layout_choice.hpp"
#include "core/surface_limits.hpp"
#include "image/swapchain_image.hpp"
#include "swapchain/present_timing.hpp"
#include "swapchain/presenter.hpp"
#include "swapchain/refusals.hpp"
#include "swapchain/trace.hpp"
#include "sync/bridge.hpp"
#include "util/locked.hpp"
#include "vk/driver_facts.hpp"
#include "vk/format.hpp"

namespace fencebridge {

/// How the window system is to read an image's pixels.
struct PixelFormat {
    const vk::Format* format;
    bool opaque; ///< the alpha channel, if there is one, is ignored
};

/// The colours of a swapchain's images.
struct PixelColours {
    VkColorSpaceKHR space = VK_COLOR_SPACE_SRGB_NONLINEAR_KHR;
    /// VK_COMPOSITE_ALPHA_POST_MULTIPLIED_BIT_KHR: the window system multiplies the colours by the
    /// alpha channel.
    bool straight_alpha = false;
};

/// The layouts that a window system accepts for one pixel format.
struct AcceptedLayouts {
    std::vector<core::LayoutRank> ranks; ///< best first
    /// What the window derived the ranks from, for the window's own use when it makes a presenter.
    /// On Wayland the wayland::DmabufFormats.
    std::shared_ptr<const void> basis;
};

/// The state that a swapchain shares with its presenter: the owner of each image, and the times of
/// its requests.
struct PresentationState {
    Locked<core::ImageRing> ring;
    std::optional<PresentTiming> timing = std::nullopt; ///< if the application asks for times
    std::unique_ptr<trace::FrameTrace> trace = nullptr; ///< if frames are traced
};

/// What a presenter needs to know of its swapchain.
struct PresenterParameters {
    VkExtent2D extent;
    PixelFormat pixels;
    PixelColours colours;
    VkPresentModeKHR mode;
    /// Whether Presenter::wait_for_present() may be called.
    bool reports_presents;
    /// AcceptedLayouts::basis of the layouts from which the images' layout was chosen.
    std::shared_ptr<const void> basis;
    /// The layouts in which the images could have been made, and the driver's DRM nodes: to see
    /// whether the window would now accept a better layout.
    std::vector<core::MakeableLayouts> makeable;
    core::DrmNodes nodes;
    /// The images' timelines. Empty where fences travel with the dma-bufs.
    std::vector<sync::ImageTimelines> timelines;
};

/// Identifies a window system's own object within the process.
struct NativeWindow {
    /// The object, if it has an address, such as a wl_surface. Otherwise the connection on which
    /// `id` is valid.
    const void* object = nullptr;
    uint64_t id = 0; ///< of an object that has a number instead, such as an X window
    auto operator<=>(const NativeWindow&) const = default;
};

/// A window system's surface, which exists as long as its VkSurfaceKHR. Each window system has one
/// implementation, in a folder of its own; layer/entry/platforms.hpp registers them.
class Window {
public:
    virtual ~Window() = default;

    /// The window system's own object. Only one swapchain at a time may present to it
    /// (VK_ERROR_NATIVE_WINDOW_IN_USE_KHR), through whatever VkSurfaceKHR.
    [[nodiscard]] virtual NativeWindow native() const = 0;

    /// The extents, the present modes, and the number of images that each mode needs, as they are
    /// now. May make a round trip, where the extent is the window system's to decide.
    /// @return the error is VK_ERROR_SURFACE_LOST_KHR or VK_ERROR_OUT_OF_HOST_MEMORY
    [[nodiscard]] virtual std::expected<core::SurfaceLimits, VkResult> limits() = 0;

    /// The colour spaces beside VK_COLOR_SPACE_SRGB_NONLINEAR_KHR that the window system can be
    /// told of now, the most usual first.
    [[nodiscard]] virtual std::vector<VkColorSpaceKHR> described_spaces() const { return {}; }

    /// Whether the window system can multiply the colours by the alpha channel now
    /// (VK_COMPOSITE_ALPHA_POST_MULTIPLIED_BIT_KHR).
    [[nodiscard]] virtual bool has_straight_alpha() const { return false; }

    /// The layouts that the window system accepts, as of the last events read. Makes no round trip.
    /// @param nodes  of the driver that will make the images
    /// @return the error is VK_ERROR_SURFACE_LOST_KHR
    [[nodiscard]] virtual std::expected<AcceptedLayouts, VkResult>
    layouts(const PixelFormat& pixels, const core::DrmNodes& nodes) = 0;

    /// What the window system can do with the times of images.
    [[nodiscard]] virtual PresentationSupport presentation() const { return {}; }

    /// Whether the window system is known to use other DRM devices only, so that it might not be
    /// able to import images of this driver.
    [[nodiscard]] virtual bool is_foreign(const core::DrmNodes& nodes) = 0;

    /// Whether the driver can be asked whether it presents to surfaces of the window system.
    [[nodiscard]] virtual bool is_known_to(const vk::DriverFacts&) const { return true; }

    /// Whether anybody reads the images after show(). If not, Bridge::attach_rendering() need not
    /// wait for the rendering where attached fences are ignored.
    [[nodiscard]] virtual bool reads_images() const { return true; }

    /// Whether fences can be carried by timelines here.
    /// @return the error says why not, for the log
    [[nodiscard]] virtual std::expected<sync::TimelineSupport, std::string> timeline_support() = 0;

    /// Lets the window system import an image as a test. The image is not shown. May make round
    /// trips.
    /// @return whether the import succeeded; or VK_ERROR_SURFACE_LOST_KHR,
    ///         VK_ERROR_OUT_OF_HOST_MEMORY
    [[nodiscard]] virtual std::expected<bool, VkResult>
    accepts(const image::SwapchainImage& image, VkExtent2D extent, const PixelFormat& pixels) = 0;

    /// A driver has made a swapchain on the native window, and may have objects on it that no
    /// swapchain shows. From now on, the window makes none of which a native window can have only
    /// one.
    virtual void avoid_exclusive_objects() {}

    /// Imports the images into the window system.
    /// @param images  of one modifier
    /// @param state   of the same number of images; must outlive the presenter
    /// @return VK_ERROR_INITIALIZATION_FAILED when the window system refuses the images,
    ///         VK_ERROR_FEATURE_NOT_PRESENT when it would refuse every image,
    ///         VK_ERROR_SURFACE_LOST_KHR, VK_ERROR_OUT_OF_HOST_MEMORY
    [[nodiscard]] virtual std::expected<std::unique_ptr<Presenter>, VkResult>
    create_presenter(PresenterParameters parameters,
                     const std::vector<image::SwapchainImage>& images,
                     PresentationState& state) = 0;

    /// What the window system has refused in accepts() and create_presenter().
    [[nodiscard]] Refusals& refusals() { return refusals_; }

private:
    Refusals refusals_;
};

} // namespace fencebridge
