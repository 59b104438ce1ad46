// SPDX-License-Identifier: MIT
// The queries of a physical device about formats, their modifiers, and images.
#include "format.hpp"

#include <algorithm>

#include "chain.hpp"
#include "entry_points.hpp"

namespace fencebridge::fake_driver {
namespace {

DeviceSettings settings_of(VkPhysicalDevice handle) {
    return current_device_settings(from_handle<PhysicalDevice>(handle)->index);
}

const std::vector<FakeDriverModifier>& modifiers_of(const DeviceSettings& settings,
                                                    VkFormat format) {
    static const std::vector<FakeDriverModifier> none;
    const auto entry = settings.formats.find(format);
    return entry != settings.formats.end() ? entry->second : none;
}

void get_format_properties(VkPhysicalDevice handle, VkFormat format,
                           VkFormatProperties* properties) {
    *properties = {};
    const DeviceSettings settings = settings_of(handle);
    for (const FakeDriverModifier& modifier : modifiers_of(settings, format))
        properties->optimalTilingFeatures |= modifier.features;
    properties->linearTilingFeatures = properties->optimalTilingFeatures;
    if (settings.linear_features && properties->optimalTilingFeatures != 0)
        properties->linearTilingFeatures = *settings.linear_features;
}

void get_format_properties2(VkPhysicalDevice handle, VkFormat format,
                            VkFormatProperties2* properties) {
    note_query("vkGetPhysicalDeviceFormatProperties2");
    get_format_properties(handle, format, &properties->formatProperties);
    const DeviceSettings settings = settings_of(handle);
    auto* const list = find_out<VkDrmFormatModifierPropertiesListEXT>(
        properties->pNext, VK_STRUCTURE_TYPE_DRM_FORMAT_MODIFIER_PROPERTIES_LIST_EXT);
    if (list == nullptr || !settings.has_extension(VK_EXT_IMAGE_DRM_FORMAT_MODIFIER_EXTENSION_NAME))
        return;
    enumerate(std::span{modifiers_of(settings, format)}, &list->drmFormatModifierCount,
              list->pDrmFormatModifierProperties,
              [](VkDrmFormatModifierPropertiesEXT& to, const FakeDriverModifier& from) {
                  to = {.drmFormatModifier = from.modifier,
                        .drmFormatModifierPlaneCount = from.plane_count,
                        .drmFormatModifierTilingFeatures = from.features};
              });
}

/// The layout that the query is about: that of the given modifier, or for VK_IMAGE_TILING_OPTIMAL
/// and VK_IMAGE_TILING_LINEAR that of the format's first modifier.
std::optional<FakeDriverModifier> requested_layout(const DeviceSettings& settings,
                                                   const VkPhysicalDeviceImageFormatInfo2& info) {
    const auto& known = modifiers_of(settings, info.format);
    if (info.tiling != VK_IMAGE_TILING_DRM_FORMAT_MODIFIER_EXT)
        return known.empty() ? std::nullopt : std::optional{known.front()};
    const auto* const wanted = find_in<VkPhysicalDeviceImageDrmFormatModifierInfoEXT>(
        info.pNext, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_IMAGE_DRM_FORMAT_MODIFIER_INFO_EXT);
    if (wanted == nullptr) {
        misuse("image format query for a modifier without the modifier");
        return std::nullopt;
    }
    return settings.modifier(info.format, wanted->drmFormatModifier);
}

VkExternalMemoryProperties external_properties(const DeviceSettings& settings,
                                               const FakeDriverModifier& layout) {
    VkExternalMemoryProperties result{};
    if (layout.exportable)
        result.externalMemoryFeatures |= VK_EXTERNAL_MEMORY_FEATURE_EXPORTABLE_BIT;
    if (layout.importable)
        result.externalMemoryFeatures |= VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT;
    result.externalMemoryFeatures &= settings.dma_bufs();
    if (layout.dedicated_only)
        result.externalMemoryFeatures |= VK_EXTERNAL_MEMORY_FEATURE_DEDICATED_ONLY_BIT;
    if ((settings.dma_bufs() & VK_EXTERNAL_MEMORY_FEATURE_EXPORTABLE_BIT) != 0)
        result.exportFromImportedHandleTypes = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT;
    result.compatibleHandleTypes = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT;
    return result;
}

VkExternalMemoryProperties host_properties() {
    return {.externalMemoryFeatures = VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT,
            .exportFromImportedHandleTypes = 0,
            .compatibleHandleTypes = VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT};
}

VkResult image_format_properties(const DeviceSettings& settings,
                                 const VkPhysicalDeviceImageFormatInfo2& info,
                                 VkImageFormatProperties2& properties) {
    const auto layout = requested_layout(settings, info);
    if (!layout || info.type != VK_IMAGE_TYPE_2D ||
        (features_for(info.usage) & ~layout->features) != 0 ||
        ((info.flags & VK_IMAGE_CREATE_ALIAS_BIT) != 0 && !layout->aliasable))
        return VK_ERROR_FORMAT_NOT_SUPPORTED;
    const auto* const external = find_in<VkPhysicalDeviceExternalImageFormatInfo>(
        info.pNext, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_IMAGE_FORMAT_INFO);
    if (external != nullptr && external->handleType != 0) {
        if ((external->handleType & settings.handle_types()) == 0)
            return VK_ERROR_FORMAT_NOT_SUPPORTED;
        const bool is_host =
            external->handleType == VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT;
        if (is_host && info.tiling != VK_IMAGE_TILING_LINEAR)
            return VK_ERROR_FORMAT_NOT_SUPPORTED;
        if (auto* const out = find_out<VkExternalImageFormatProperties>(
                properties.pNext, VK_STRUCTURE_TYPE_EXTERNAL_IMAGE_FORMAT_PROPERTIES))
            out->externalMemoryProperties =
                is_host ? host_properties() : external_properties(settings, *layout);
    }
    properties.imageFormatProperties = {.maxExtent = {16384, 16384, 1},
                                        .maxMipLevels = 1,
                                        .maxArrayLayers = 1,
                                        .sampleCounts = VK_SAMPLE_COUNT_1_BIT,
                                        .maxResourceSize = VkDeviceSize{1} << 31};
    return VK_SUCCESS;
}

VkResult get_image_format_properties2(VkPhysicalDevice handle,
                                      const VkPhysicalDeviceImageFormatInfo2* info,
                                      VkImageFormatProperties2* properties) {
    if (const auto failure = enter_query("vkGetPhysicalDeviceImageFormatProperties2"))
        return *failure;
    return image_format_properties(settings_of(handle), *info, *properties);
}

VkResult get_image_format_properties(VkPhysicalDevice handle, VkFormat format, VkImageType type,
                                     VkImageTiling tiling, VkImageUsageFlags usage,
                                     VkImageCreateFlags flags,
                                     VkImageFormatProperties* properties) {
    if (const auto failure = enter_query("vkGetPhysicalDeviceImageFormatProperties"))
        return *failure;
    const VkPhysicalDeviceImageFormatInfo2 info{
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_IMAGE_FORMAT_INFO_2,
        .pNext = nullptr,
        .format = format,
        .type = type,
        .tiling = tiling,
        .usage = usage,
        .flags = flags};
    VkImageFormatProperties2 result{};
    const VkResult status = image_format_properties(settings_of(handle), info, result);
    *properties = result.imageFormatProperties;
    return status;
}

void get_sparse_properties(VkPhysicalDevice, VkFormat, VkImageType, VkSampleCountFlagBits,
                           VkImageUsageFlags, VkImageTiling, uint32_t* count,
                           VkSparseImageFormatProperties*) {
    *count = 0;
}

void get_sparse_properties2(VkPhysicalDevice, const VkPhysicalDeviceSparseImageFormatInfo2*,
                            uint32_t* count, VkSparseImageFormatProperties2*) {
    *count = 0;
}

} // namespace

VkDeviceSize bytes_per_pixel(VkFormat format) {
    switch (format) {
    case VK_FORMAT_R16G16B16A16_SFLOAT:
    case VK_FORMAT_R16G16B16A16_UNORM:
        return 8;
    case VK_FORMAT_R8G8B8_UNORM:
    case VK_FORMAT_R8G8B8_SRGB:
    case VK_FORMAT_B8G8R8_UNORM:
    case VK_FORMAT_B8G8R8_SRGB:
        return 3;
    case VK_FORMAT_R5G6B5_UNORM_PACK16:
    case VK_FORMAT_B5G6R5_UNORM_PACK16:
    case VK_FORMAT_A1R5G5B5_UNORM_PACK16:
    case VK_FORMAT_R5G5B5A1_UNORM_PACK16:
    case VK_FORMAT_B5G5R5A1_UNORM_PACK16:
    case VK_FORMAT_R4G4B4A4_UNORM_PACK16:
    case VK_FORMAT_B4G4R4A4_UNORM_PACK16:
    case VK_FORMAT_A4R4G4B4_UNORM_PACK16:
    case VK_FORMAT_A4B4G4R4_UNORM_PACK16:
        return 2;
    default:
        return 4;
    }
}

std::vector<Plane> lay_out(VkFormat format, VkExtent3D extent, const FakeDriverModifier& modifier) {
    constexpr VkDeviceSize page = 4096;
    const auto round_up = [](VkDeviceSize value, VkDeviceSize to) {
        return to > 1 ? (value + to - 1) / to * to : value;
    };
    std::vector<Plane> planes;
    VkDeviceSize offset = 0;
    for (uint32_t i = 0; i < modifier.plane_count; ++i) {
        const VkDeviceSize row =
            (VkDeviceSize{extent.width} * bytes_per_pixel(format)) >> modifier.pitch_shift[i];
        const VkDeviceSize pitch = round_up(row, modifier.pitch_alignment);
        const VkDeviceSize size = round_up(pitch * extent.height, page);
        planes.push_back({.offset = offset, .pitch = pitch, .size = size});
        offset += size;
    }
    return planes;
}

VkFormatFeatureFlags features_for(VkImageUsageFlags usage) {
    static constexpr std::pair<VkImageUsageFlagBits, VkFormatFeatureFlagBits> needs[]{
        {VK_IMAGE_USAGE_TRANSFER_SRC_BIT, VK_FORMAT_FEATURE_TRANSFER_SRC_BIT},
        {VK_IMAGE_USAGE_TRANSFER_DST_BIT, VK_FORMAT_FEATURE_TRANSFER_DST_BIT},
        {VK_IMAGE_USAGE_SAMPLED_BIT, VK_FORMAT_FEATURE_SAMPLED_IMAGE_BIT},
        {VK_IMAGE_USAGE_STORAGE_BIT, VK_FORMAT_FEATURE_STORAGE_IMAGE_BIT},
        {VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT, VK_FORMAT_FEATURE_COLOR_ATTACHMENT_BIT},
        {VK_IMAGE_USAGE_DEPTH_STENCIL_ATTACHMENT_BIT,
         VK_FORMAT_FEATURE_DEPTH_STENCIL_ATTACHMENT_BIT},
    };
    VkFormatFeatureFlags features = 0;
    for (const auto& [bit, feature] : needs)
        if ((usage & bit) != 0)
            features |= feature;
    return features;
}

std::span<const EntryPoint> format_entry_points() {
    constexpr auto level = Level::physical_device;
    constexpr auto extension = VK_KHR_GET_PHYSICAL_DEVICE_PROPERTIES_2_EXTENSION_NAME;
    static const EntryPoint table[]{
        entry_point<PFN_vkGetPhysicalDeviceFormatProperties, get_format_properties>(
            "vkGetPhysicalDeviceFormatProperties", level),
        entry_point<PFN_vkGetPhysicalDeviceFormatProperties2, get_format_properties2>(
            "vkGetPhysicalDeviceFormatProperties2", level, VK_API_VERSION_1_1),
        entry_point<PFN_vkGetPhysicalDeviceFormatProperties2, get_format_properties2>(
            "vkGetPhysicalDeviceFormatProperties2KHR", level, never_core, extension),
        entry_point<PFN_vkGetPhysicalDeviceImageFormatProperties, get_image_format_properties>(
            "vkGetPhysicalDeviceImageFormatProperties", level),
        entry_point<PFN_vkGetPhysicalDeviceImageFormatProperties2, get_image_format_properties2>(
            "vkGetPhysicalDeviceImageFormatProperties2", level, VK_API_VERSION_1_1),
        entry_point<PFN_vkGetPhysicalDeviceImageFormatProperties2, get_image_format_properties2>(
            "vkGetPhysicalDeviceImageFormatProperties2KHR", level, never_core, extension),
        entry_point<PFN_vkGetPhysicalDeviceSparseImageFormatProperties, get_sparse_properties>(
            "vkGetPhysicalDeviceSparseImageFormatProperties", level),
        entry_point<PFN_vkGetPhysicalDeviceSparseImageFormatProperties2, get_sparse_properties2>(
            "vkGetPhysicalDeviceSparseImageFormatProperties2", level, VK_API_VERSION_1_1),
        entry_point<PFN_vkGetPhysicalDeviceSparseImageFormatProperties2, get_sparse_properties2>(
            "vkGetPhysicalDeviceSparseImageFormatProperties2KHR", level, never_core, extension),
    };
    return table;
}

} // namespace fencebridge::fake_driver
