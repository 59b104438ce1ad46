// SPDX-License-Identifier: MIT
#pragma once

#include <expected>
#include <map>
#include <memory>
#include <optional>
#include <tuple>
#include <vector>
#include <vulkan/vulkan.h>

#include "image/allocator.hpp"
#include "swapchain/candidates.hpp"
#include "swapchain/window.hpp"
#include "util/locked.hpp"
#include "vk/device.hpp"
#include "vk/physical_device.hpp"

namespace fencebridge {

/// The parameters of a 1x1 image with VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT, the usage that every
/// surface must support.
[[nodiscard]] vk::ImageParameters smallest_image(VkFormat format);

/// The layouts in which an allocator can make images of a format.
struct MadeLayouts {
    const image::ImageAllocator* allocator;
    std::vector<vk::ImageLayout> layouts;
};

/// What the allocators can make of each format on each physical device of an instance. It is the
/// same for every surface, and the driver needs several calls for one format.
class FormatLayouts {
public:
    explicit FormatLayouts(const Requested& requested) : requested_(requested) {}

    [[nodiscard]] const Requested& requested() const { return requested_; }

    /// An entry for each allocator, best first. The first call for these arguments queries the
    /// driver.
    /// @return the error is lack of memory; the next call queries again
    [[nodiscard]] std::expected<std::shared_ptr<const std::vector<MadeLayouts>>, VkResult>
    of(const vk::PhysicalDevice& physical, const image::Reader& reader, VkFormat format);

private:
    using Key = std::tuple<VkPhysicalDevice, image::Reader, VkFormat>;
    const Requested requested_;
    Locked<std::map<Key, std::shared_ptr<const std::vector<MadeLayouts>>>> known_;
};

/// The usages of the images of a format that the allocators can make on this device, for some
/// window system; 0 if they can make none.
/// @return the error is lack of memory
[[nodiscard]] std::expected<VkImageUsageFlags, VkResult>
makeable_usages(FormatLayouts& made, const vk::PhysicalDevice& physical, VkFormat format);

/// What a physical device supports on a window. Without formats if driver and window system have no
/// layout in common.
struct SurfaceSupport {
    std::vector<VkSurfaceFormatKHR> formats;
    VkImageUsageFlags usage = 0;
    bool blends = false;         ///< whether each alpha channel can also be used for blending
    bool straight_alpha = false; ///< Window::has_straight_alpha(), if `blends`
    bool shared_image = false;   ///< vk::knows_shared_present_layout()
    /// Whether only a trial shows that the window system accepts images of the first format.
    bool needs_trial = false;
};
/// @param all_spaces  the colour spaces of VK_EXT_swapchain_colorspace, too. Those of
///                    VK_KHR_surface come first: many applications use the first format
/// @return the error is VK_ERROR_SURFACE_LOST_KHR or lack of memory
[[nodiscard]] std::expected<SurfaceSupport, VkResult>
find_surface_support(FormatLayouts& made, const vk::PhysicalDevice& physical, Window& window,
                     bool all_spaces);

/// Whether the window system imports images of this device. An image of each candidate is offered
/// to it in turn, until one is accepted.
/// @return the error is what prevented the trial: VK_ERROR_SURFACE_LOST_KHR, VK_ERROR_DEVICE_LOST,
///         VK_ERROR_TOO_MANY_OBJECTS, VK_ERROR_OUT_OF_HOST_MEMORY or VK_ERROR_OUT_OF_DEVICE_MEMORY
[[nodiscard]] std::expected<bool, VkResult> can_import_images(const Requested& requested,
                                                              const vk::Device& device,
                                                              const vk::PhysicalDevice& physical,
                                                              Window& window, VkFormat format);

} // namespace fencebridge
