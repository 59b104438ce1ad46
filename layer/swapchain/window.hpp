// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <vector>
#include <vulkan/vulkan.h>

#include "core/image_ring.hpp"
#include "core/modifier_choice.hpp"
#include "image/swapchain_image.hpp"
#include "swapchain/presenter.hpp"
#include "sync/bridge.hpp"
#include "util/locked.hpp"

namespace fencebridge {

/// What a presenter has to know of its swapchain.
struct PresenterParameters {
    VkExtent2D extent;
    uint32_t fourcc; ///< drm_fourcc.h; says whether alpha is used
    VkPresentModeKHR mode;
    /// What the images were made for.
    std::shared_ptr<const core::DmabufFeedback> feedback;
    /// The modifiers that the driver can do for these images, and its DRM nodes: to see whether a
    /// new feedback would now lead to another choice.
    std::vector<uint64_t> driver_modifiers;
    core::DrmNodes nodes;
    /// The images' timelines, where fences and releases go by those; else none.
    std::vector<sync::ImageTimelines> timelines;
};

/// A surface of a window system, on which swapchains are made one after the other.
class Window {
public:
    virtual ~Window() = default;

    /// The window system's own object, which only one swapchain at a time can have
    /// (VK_ERROR_NATIVE_WINDOW_IN_USE_KHR), through whatever VkSurfaceKHR.
    [[nodiscard]] virtual const void* native() const = 0;

    /// What the window system takes for this surface, as last heard. Makes no round trip.
    /// @return never null; or VK_ERROR_SURFACE_LOST_KHR
    [[nodiscard]] virtual std::expected<std::shared_ptr<const core::DmabufFeedback>, VkResult>
    feedback() = 0;

    /// Whether fences can go by timelines here.
    /// @return or why not, in words
    [[nodiscard]] virtual std::expected<sync::TimelineTaker, std::string> timeline_taker() = 0;

    /// Tries whether the window system takes images like this one; it is not shown. One round trip.
    /// @param fourcc  drm_fourcc.h
    /// @return or VK_ERROR_SURFACE_LOST_KHR, VK_ERROR_OUT_OF_HOST_MEMORY
    [[nodiscard]] virtual std::expected<bool, VkResult>
    accepts(const image::SwapchainImage& image, VkExtent2D extent, uint32_t fourcc) = 0;

    /// @param images  of one modifier; their dma-bufs are shared with the window system
    /// @param ring    of the same number of images; must outlive the presenter
    /// @return VK_ERROR_INITIALIZATION_FAILED when the window system refuses the images,
    ///         VK_ERROR_SURFACE_LOST_KHR, VK_ERROR_OUT_OF_HOST_MEMORY
    [[nodiscard]] virtual std::expected<std::unique_ptr<Presenter>, VkResult>
    create_presenter(PresenterParameters parameters,
                     const std::vector<image::SwapchainImage>& images,
                     Locked<core::ImageRing>& ring) = 0;
};

} // namespace fencebridge
