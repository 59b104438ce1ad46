// SPDX-License-Identifier: MIT
#include "vk/image_layout.hpp"

#include <algorithm>
#include <array>
#include <drm_fourcc.h>
#include <optional>

#include "vk/chain.hpp"

namespace fencebridge::vk {

namespace {

/// The features of the image's memory; nothing if the driver cannot make or share the image.
/// @param tiling    with VK_IMAGE_TILING_OPTIMAL, the memory is not shared
/// @param modifier  of VK_IMAGE_TILING_DRM_FORMAT_MODIFIER_EXT
/// @return the error is lack of memory
std::expected<std::optional<VkExternalMemoryFeatureFlags>, VkResult>
query_memory_features(const PhysicalDevice& device, const ImageParameters& image,
                      const MemoryUse& memory, VkImageTiling tiling, uint64_t modifier = 0) {
    const bool shared = tiling != VK_IMAGE_TILING_OPTIMAL;
    VkPhysicalDeviceImageFormatInfo2 info = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_IMAGE_FORMAT_INFO_2,
        .format = image.format,
        .type = VK_IMAGE_TYPE_2D,
        .tiling = tiling,
        .usage = image.usage,
        .flags = image.flags,
    };
    VkPhysicalDeviceExternalImageFormatInfo external = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_IMAGE_FORMAT_INFO,
        .handleType = memory.handle,
    };
    VkPhysicalDeviceImageDrmFormatModifierInfoEXT layout = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_IMAGE_DRM_FORMAT_MODIFIER_INFO_EXT,
        .drmFormatModifier = modifier,
        .sharingMode = image.sharing,
        .queueFamilyIndexCount = static_cast<uint32_t>(image.queue_families.size()),
        .pQueueFamilyIndices = image.queue_families.data(),
    };
    VkImageFormatListCreateInfo views = {
        .sType = VK_STRUCTURE_TYPE_IMAGE_FORMAT_LIST_CREATE_INFO,
        .viewFormatCount = static_cast<uint32_t>(image.view_formats.size()),
        .pViewFormats = image.view_formats.data(),
    };
    if (shared)
        push_next(info, external);
    if (tiling == VK_IMAGE_TILING_DRM_FORMAT_MODIFIER_EXT)
        push_next(info, layout);
    if (!image.view_formats.empty())
        push_next(info, views);

    VkExternalImageFormatProperties external_properties = {
        .sType = VK_STRUCTURE_TYPE_EXTERNAL_IMAGE_FORMAT_PROPERTIES};
    VkImageFormatProperties2 properties = {.sType = VK_STRUCTURE_TYPE_IMAGE_FORMAT_PROPERTIES_2,
                                           .pNext = shared ? &external_properties : nullptr};
    const VkResult result =
        device.next->GetPhysicalDeviceImageFormatProperties2(device.handle, &info, &properties);
    if (result == VK_ERROR_OUT_OF_HOST_MEMORY || result == VK_ERROR_OUT_OF_DEVICE_MEMORY)
        return std::unexpected(result);
    if (result != VK_SUCCESS)
        return std::nullopt;
    const VkExtent3D& max = properties.imageFormatProperties.maxExtent;
    const auto features = external_properties.externalMemoryProperties.externalMemoryFeatures;
    if (image.extent.width > max.width || image.extent.height > max.height ||
        (shared && !(features & memory.feature)))
        return std::nullopt;
    return features;
}

std::vector<VkDrmFormatModifierPropertiesEXT> list_modifiers(const PhysicalDevice& device,
                                                             VkFormat format) {
    VkDrmFormatModifierPropertiesListEXT list = {
        .sType = VK_STRUCTURE_TYPE_DRM_FORMAT_MODIFIER_PROPERTIES_LIST_EXT};
    VkFormatProperties2 properties = {.sType = VK_STRUCTURE_TYPE_FORMAT_PROPERTIES_2,
                                      .pNext = &list};
    device.next->GetPhysicalDeviceFormatProperties2(device.handle, format, &properties);
    std::vector<VkDrmFormatModifierPropertiesEXT> modifiers(list.drmFormatModifierCount);
    list.pDrmFormatModifierProperties = modifiers.data();
    device.next->GetPhysicalDeviceFormatProperties2(device.handle, format, &properties);
    modifiers.resize(std::min<size_t>(list.drmFormatModifierCount, modifiers.size()));
    return modifiers;
}

std::expected<std::vector<ImageLayout>, VkResult> find_modifiers(const PhysicalDevice& device,
                                                                 const ImageParameters& image,
                                                                 const MemoryUse& memory) {
    std::vector<ImageLayout> found;
    for (const auto& listed : list_modifiers(device, image.format)) {
        const auto features =
            query_memory_features(device, image, memory, VK_IMAGE_TILING_DRM_FORMAT_MODIFIER_EXT,
                                  listed.drmFormatModifier);
        if (!features)
            return std::unexpected(features.error());
        if (*features)
            found.push_back(
                {.modifier = listed.drmFormatModifier,
                 .planes = listed.drmFormatModifierPlaneCount,
                 .tiling = VK_IMAGE_TILING_DRM_FORMAT_MODIFIER_EXT,
                 .features = listed.drmFormatModifierTilingFeatures,
                 .dedicated_only =
                     (**features & VK_EXTERNAL_MEMORY_FEATURE_DEDICATED_ONLY_BIT) != 0});
    }
    return found;
}

/// Whether images with these features can be created for a usage, as far as features say.
bool has_usage(VkFormatFeatureFlags features, VkImageUsageFlags usage) {
    constexpr VkImageUsageFlags with_features =
        VK_IMAGE_USAGE_TRANSFER_SRC_BIT | VK_IMAGE_USAGE_TRANSFER_DST_BIT |
        VK_IMAGE_USAGE_SAMPLED_BIT | VK_IMAGE_USAGE_STORAGE_BIT |
        VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT | VK_IMAGE_USAGE_INPUT_ATTACHMENT_BIT;
    return (usage & with_features & ~usage_of(features)) == 0;
}

std::expected<std::vector<ImageLayout>, VkResult>
find_linear(const PhysicalDevice& device, const ImageParameters& image, const MemoryUse& memory) {
    // The features are asked first. NVIDIA's driver says that it can create such images for a usage
    // which the features of LINEAR images do not have (seen with 580.159.04).
    VkFormatProperties2 properties = {.sType = VK_STRUCTURE_TYPE_FORMAT_PROPERTIES_2};
    device.next->GetPhysicalDeviceFormatProperties2(device.handle, image.format, &properties);
    const VkFormatFeatureFlags features = properties.formatProperties.linearTilingFeatures;
    if (!has_usage(features, image.usage))
        return {};
    const auto of_memory = query_memory_features(device, image, memory, VK_IMAGE_TILING_LINEAR);
    if (!of_memory)
        return std::unexpected(of_memory.error());
    if (!*of_memory)
        return {};
    ImageLayout linear = {.modifier = DRM_FORMAT_MOD_LINEAR,
                          .planes = 1,
                          .tiling = VK_IMAGE_TILING_LINEAR,
                          .features = features,
                          .dedicated_only =
                              (**of_memory & VK_EXTERNAL_MEMORY_FEATURE_DEDICATED_ONLY_BIT) != 0};
    ImageLayout unnamed = linear;
    unnamed.modifier = DRM_FORMAT_MOD_INVALID;
    return std::vector{linear, unnamed};
}

} // namespace

std::expected<std::vector<ImageLayout>, VkResult>
find_layouts(const PhysicalDevice& device, const ImageParameters& image, const MemoryUse& memory) {
    const bool is_dma_buf = memory.handle == VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT;
    if (!(is_dma_buf ? device.memory.dma_buf : device.memory.host_pointer))
        return {};
    if (is_dma_buf && device.memory.modifiers)
        return find_modifiers(device, image, memory);
    return find_linear(device, image, memory);
}

std::expected<std::optional<ImageLayout>, VkResult>
find_optimal_layout(const PhysicalDevice& device, const ImageParameters& image) {
    VkFormatProperties2 properties = {.sType = VK_STRUCTURE_TYPE_FORMAT_PROPERTIES_2};
    device.next->GetPhysicalDeviceFormatProperties2(device.handle, image.format, &properties);
    const VkFormatFeatureFlags features = properties.formatProperties.optimalTilingFeatures;
    if (!has_usage(features, image.usage))
        return std::nullopt;
    const auto made = query_memory_features(device, image, {}, VK_IMAGE_TILING_OPTIMAL);
    if (!made)
        return std::unexpected(made.error());
    if (!*made)
        return std::nullopt;
    return ImageLayout{.modifier = DRM_FORMAT_MOD_LINEAR,
                       .planes = 1,
                       .tiling = VK_IMAGE_TILING_OPTIMAL,
                       .features = features,
                       .dedicated_only = false};
}

bool can_share_copies(const PhysicalDevice& device, const MemoryUse& memory) {
    const bool is_dma_buf = memory.handle == VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT;
    if (!(is_dma_buf ? device.memory.dma_buf : device.memory.host_pointer))
        return false;
    const VkPhysicalDeviceExternalBufferInfo info = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_BUFFER_INFO,
        .usage = VK_BUFFER_USAGE_TRANSFER_DST_BIT,
        .handleType = memory.handle,
    };
    VkExternalBufferProperties properties = {.sType = VK_STRUCTURE_TYPE_EXTERNAL_BUFFER_PROPERTIES};
    device.next->GetPhysicalDeviceExternalBufferProperties(device.handle, &info, &properties);
    return (properties.externalMemoryProperties.externalMemoryFeatures & memory.feature) != 0;
}

VkImageUsageFlags usage_of(VkFormatFeatureFlags features) {
    VkImageUsageFlags usage = 0;
    if (features & VK_FORMAT_FEATURE_COLOR_ATTACHMENT_BIT)
        usage |= VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT | VK_IMAGE_USAGE_INPUT_ATTACHMENT_BIT;
    if (features & VK_FORMAT_FEATURE_SAMPLED_IMAGE_BIT)
        usage |= VK_IMAGE_USAGE_SAMPLED_BIT;
    if (features & VK_FORMAT_FEATURE_STORAGE_IMAGE_BIT)
        usage |= VK_IMAGE_USAGE_STORAGE_BIT;
    if (features & VK_FORMAT_FEATURE_TRANSFER_SRC_BIT)
        usage |= VK_IMAGE_USAGE_TRANSFER_SRC_BIT;
    if (features & VK_FORMAT_FEATURE_TRANSFER_DST_BIT)
        usage |= VK_IMAGE_USAGE_TRANSFER_DST_BIT;
    return usage;
}

} // namespace fencebridge::vk
