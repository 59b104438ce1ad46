// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <vector>
#include <vulkan/vulkan.h>

#include "vk/physical_device.hpp"

namespace fencebridge::vk {

/// How the memory of an image is shared with others.
struct MemoryUse {
    VkExternalMemoryHandleTypeFlagBits handle;
    VkExternalMemoryFeatureFlagBits feature; ///< exportable or importable
};
constexpr MemoryUse exported_dma_buf = {VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT,
                                        VK_EXTERNAL_MEMORY_FEATURE_EXPORTABLE_BIT};
constexpr MemoryUse imported_dma_buf = {VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT,
                                        VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT};
constexpr MemoryUse imported_host_pointer = {VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT,
                                             VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT};

/// A layout in which the driver can make an image whose memory is shared.
struct ImageLayout {
    /// The DRM format modifier by which the window system knows it.
    uint64_t modifier;
    uint32_t planes; ///< memory planes
    /// VK_IMAGE_TILING_DRM_FORMAT_MODIFIER_EXT; or VK_IMAGE_TILING_LINEAR, where the driver does
    /// not know modifiers, or not for this kind of memory.
    VkImageTiling tiling;
    VkFormatFeatureFlags features;
    bool dedicated_only; ///< the memory must be dedicated to the image
};

/// Every layout in which the driver can create the image, with exactly this usage, in such memory.
///
/// A driver without modifiers makes LINEAR images. Window systems know them as
/// DRM_FORMAT_MOD_LINEAR, or, if they do not list that, as DRM_FORMAT_MOD_INVALID.
/// @return the error is lack of memory
[[nodiscard]] std::expected<std::vector<ImageLayout>, VkResult>
find_layouts(const PhysicalDevice& device, const ImageParameters& image, const MemoryUse& memory);

/// The layout of images whose memory is not shared: the driver's own best. Window systems see a
/// copy of such an image, as DRM_FORMAT_MOD_LINEAR.
/// @return nothing if the driver cannot create the image; the error is lack of memory
[[nodiscard]] std::expected<std::optional<ImageLayout>, VkResult>
find_optimal_layout(const PhysicalDevice& device, const ImageParameters& image);

/// Whether the driver can use such memory for a buffer that copies are written to.
[[nodiscard]] bool can_share_copies(const PhysicalDevice& device, const MemoryUse& memory);

/// Every usage for which an image with these features can be created.
[[nodiscard]] VkImageUsageFlags usage_of(VkFormatFeatureFlags features);

} // namespace fencebridge::vk
