// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <expected>
#include <optional>
#include <span>
#include <vulkan/vulkan.h>

#include "image/memory.hpp"
#include "image/swapchain_image.hpp"
#include "vk/chain.hpp"
#include "vk/device.hpp"
#include "vk/image_layout.hpp"
#include "vk/physical_device.hpp"

// Images in shared memory: an image is created without memory, the driver tells its layout and what
// memory it needs, and such memory is bound to it.

namespace fencebridge::image {

/// The VkImageCreateInfo of an image, with its pNext chain. Points into itself and into the
/// parameters.
class ImageInfo {
public:
    /// @param parameters  must outlive this
    /// @param handle      nothing: the memory is not shared
    ImageInfo(const vk::ImageParameters& parameters,
              std::optional<VkExternalMemoryHandleTypeFlagBits> handle);
    ImageInfo(const ImageInfo&) = delete;
    ImageInfo& operator=(const ImageInfo&) = delete;

    /// An image with one of the DRM format modifiers that a structure lists.
    /// @param modifiers  must outlive this
    template <class Modifiers>
    const VkImageCreateInfo* with(Modifiers& modifiers) {
        vk::push_next(info_, modifiers);
        return tiled(VK_IMAGE_TILING_DRM_FORMAT_MODIFIER_EXT);
    }
    const VkImageCreateInfo* tiled(VkImageTiling tiling) {
        info_.tiling = tiling;
        return &info_;
    }

private:
    VkImageCreateInfo info_;
    VkExternalMemoryImageCreateInfo external_;
    VkImageFormatListCreateInfo views_;
};

/// The structure with which an image is created with the layout of another one. Points into itself.
class ExplicitModifier {
public:
    /// @param layout  of VK_IMAGE_TILING_DRM_FORMAT_MODIFIER_EXT
    explicit ExplicitModifier(const Layout& layout);
    ExplicitModifier(const ExplicitModifier&) = delete;
    ExplicitModifier& operator=(const ExplicitModifier&) = delete;

    VkImageDrmFormatModifierExplicitCreateInfoEXT info;

private:
    std::array<VkSubresourceLayout, 4> planes_ = {};
};

/// An image without memory.
struct UnboundImage {
    vk::Image image;
    Layout layout;
    MemoryRequirements requirements;
};
/// @param layouts  the driver may choose among these. Not empty, and all of the same tiling
/// @return the error is the driver's; or VK_ERROR_INITIALIZATION_FAILED if the driver chose an
///         unusable layout
[[nodiscard]] std::expected<UnboundImage, VkResult>
create_unbound(const vk::Device& device, const vk::ImageParameters& parameters,
               std::span<const vk::ImageLayout> layouts, VkExternalMemoryHandleTypeFlagBits handle);

/// The same for a dma-buf in which the layout is given.
/// @param layout   of VK_IMAGE_TILING_DRM_FORMAT_MODIFIER_EXT
/// @param layouts  of which it is one
[[nodiscard]] std::expected<UnboundImage, VkResult>
create_unbound(const vk::Device& device, const vk::ImageParameters& parameters,
               const Layout& layout, std::span<const vk::ImageLayout> layouts);

/// Binds an image to memory that is shared.
/// @return without the handle of the memory, which the caller adds. The error is the driver's
[[nodiscard]] std::expected<SwapchainImage, VkResult> bind_shared(const vk::Device& device,
                                                                  core::Placement placement,
                                                                  UnboundImage unbound,
                                                                  vk::Memory memory);

} // namespace fencebridge::image
