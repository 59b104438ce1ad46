// SPDX-License-Identifier: MIT
// The queries of a physical device.
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <vector>

#include "chain.hpp"
#include "layer.hpp"

#include <vulkan/vulkan_wayland.h>

namespace fencebridge::mask {
namespace {

/// Takes structures out of the chain of an output structure while a call below fills the others,
/// and puts them back: a driver that does not know a structure does not write it.
class WithoutStructures {
public:
    WithoutStructures(void* root, const std::set<VkStructureType>& types) {
        auto* link = static_cast<VkBaseOutStructure*>(root);
        for (auto* node = link->pNext; node != nullptr; node = node->pNext) {
            if (types.contains(node->sType)) {
                taken_.push_back({.before = link, .node = node});
                link->pNext = node->pNext;
            } else {
                link = node;
            }
        }
    }
    ~WithoutStructures() {
        for (auto taken = taken_.rbegin(); taken != taken_.rend(); ++taken)
            taken->before->pNext = taken->node;
    }
    WithoutStructures(const WithoutStructures&) = delete;
    WithoutStructures& operator=(const WithoutStructures&) = delete;

private:
    struct Taken {
        VkBaseOutStructure* before;
        VkBaseOutStructure* node;
    };
    std::vector<Taken> taken_;
};

void get_features2(VkPhysicalDevice device, VkPhysicalDeviceFeatures2* features) {
    const Instance instance = instance_of(device);
    const WithoutStructures without{features, instance.masks.structures()};
    next_of<PFN_vkGetPhysicalDeviceFeatures2>(instance, "vkGetPhysicalDeviceFeatures2",
                                              "vkGetPhysicalDeviceFeatures2KHR")(device, features);
}

void name_render_node(VkPhysicalDeviceDrmPropertiesEXT& properties) {
    struct stat node;
    const bool exists = stat(render_node_path, &node) == 0;
    properties.hasPrimary = VK_FALSE;
    properties.hasRender = exists ? VK_TRUE : VK_FALSE;
    properties.renderMajor = exists ? major(node.st_rdev) : 0;
    properties.renderMinor = exists ? minor(node.st_rdev) : 0;
}

void get_properties2(VkPhysicalDevice device, VkPhysicalDeviceProperties2* properties) {
    const Instance instance = instance_of(device);
    const WithoutStructures without{properties, instance.masks.structures()};
    next_of<PFN_vkGetPhysicalDeviceProperties2>(instance, "vkGetPhysicalDeviceProperties2",
                                                "vkGetPhysicalDeviceProperties2KHR")(device,
                                                                                     properties);
    auto* const drm = find_out<VkPhysicalDeviceDrmPropertiesEXT>(
        properties->pNext, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRM_PROPERTIES_EXT);
    if (instance.masks.render_node && drm != nullptr)
        name_render_node(*drm);
}

constexpr VkFormatFeatureFlags colour_attachment =
    VK_FORMAT_FEATURE_COLOR_ATTACHMENT_BIT | VK_FORMAT_FEATURE_COLOR_ATTACHMENT_BLEND_BIT;

void get_format_properties(VkPhysicalDevice device, VkFormat format,
                           VkFormatProperties* properties) {
    const Instance instance = instance_of(device);
    next_of<PFN_vkGetPhysicalDeviceFormatProperties>(
        instance, "vkGetPhysicalDeviceFormatProperties")(device, format, properties);
    if (instance.masks.format_linear_color)
        properties->linearTilingFeatures &= ~colour_attachment;
}

void get_format_properties2(VkPhysicalDevice device, VkFormat format,
                            VkFormatProperties2* properties) {
    const Instance instance = instance_of(device);
    {
        const WithoutStructures without{properties, instance.masks.structures()};
        next_of<PFN_vkGetPhysicalDeviceFormatProperties2>(
            instance, "vkGetPhysicalDeviceFormatProperties2",
            "vkGetPhysicalDeviceFormatProperties2KHR")(device, format, properties);
    }
    if (!instance.masks.format_linear_color)
        return;
    properties->formatProperties.linearTilingFeatures &= ~colour_attachment;
    if (auto* const more =
            find_out<VkFormatProperties3>(properties->pNext, VK_STRUCTURE_TYPE_FORMAT_PROPERTIES_3))
        more->linearTilingFeatures &= ~VkFormatFeatureFlags2{colour_attachment};
}

/// What is left of an answer about a handle type that is not hidden as a whole.
void mask_properties(const Masks& masks, VkExternalMemoryHandleTypeFlagBits type,
                     VkExternalMemoryProperties& properties) {
    if ((type & masks.not_exported()) != 0)
        properties.externalMemoryFeatures &= ~VK_EXTERNAL_MEMORY_FEATURE_EXPORTABLE_BIT;
    if ((type & masks.not_imported()) != 0)
        properties.externalMemoryFeatures &= ~VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT;
    properties.exportFromImportedHandleTypes &= ~masks.not_exported();
    properties.compatibleHandleTypes &= ~masks.handle_types();
}

VkResult get_image_format_properties2(VkPhysicalDevice device,
                                      const VkPhysicalDeviceImageFormatInfo2* info,
                                      VkImageFormatProperties2* properties) {
    const Instance instance = instance_of(device);
    const auto* const external = find_in<VkPhysicalDeviceExternalImageFormatInfo>(
        info->pNext, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_IMAGE_FORMAT_INFO);
    if ((instance.masks.modifiers && info->tiling == VK_IMAGE_TILING_DRM_FORMAT_MODIFIER_EXT) ||
        (external != nullptr && (external->handleType & instance.masks.handle_types()) != 0)) {
        properties->imageFormatProperties = {};
        return VK_ERROR_FORMAT_NOT_SUPPORTED;
    }
    const VkResult result = next_of<PFN_vkGetPhysicalDeviceImageFormatProperties2>(
        instance, "vkGetPhysicalDeviceImageFormatProperties2",
        "vkGetPhysicalDeviceImageFormatProperties2KHR")(device, info, properties);
    auto* const out = find_out<VkExternalImageFormatProperties>(
        properties->pNext, VK_STRUCTURE_TYPE_EXTERNAL_IMAGE_FORMAT_PROPERTIES);
    if (external != nullptr && out != nullptr)
        mask_properties(instance.masks, external->handleType, out->externalMemoryProperties);
    return result;
}

VkResult get_image_format_properties(VkPhysicalDevice device, VkFormat format, VkImageType type,
                                     VkImageTiling tiling, VkImageUsageFlags usage,
                                     VkImageCreateFlags flags,
                                     VkImageFormatProperties* properties) {
    const Instance instance = instance_of(device);
    if (instance.masks.modifiers && tiling == VK_IMAGE_TILING_DRM_FORMAT_MODIFIER_EXT) {
        *properties = {};
        return VK_ERROR_FORMAT_NOT_SUPPORTED;
    }
    return next_of<PFN_vkGetPhysicalDeviceImageFormatProperties>(
        instance, "vkGetPhysicalDeviceImageFormatProperties")(device, format, type, tiling, usage,
                                                              flags, properties);
}

void get_external_buffer(VkPhysicalDevice device, const VkPhysicalDeviceExternalBufferInfo* info,
                         VkExternalBufferProperties* properties) {
    const Instance instance = instance_of(device);
    if ((info->handleType & instance.masks.handle_types()) != 0) {
        properties->externalMemoryProperties = {};
        return;
    }
    next_of<PFN_vkGetPhysicalDeviceExternalBufferProperties>(
        instance, "vkGetPhysicalDeviceExternalBufferProperties",
        "vkGetPhysicalDeviceExternalBufferPropertiesKHR")(device, info, properties);
    mask_properties(instance.masks, info->handleType, properties->externalMemoryProperties);
}

void get_external_semaphore(VkPhysicalDevice device,
                            const VkPhysicalDeviceExternalSemaphoreInfo* info,
                            VkExternalSemaphoreProperties* properties) {
    constexpr auto masked = VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_SYNC_FD_BIT;
    const Instance instance = instance_of(device);
    next_of<PFN_vkGetPhysicalDeviceExternalSemaphoreProperties>(
        instance, "vkGetPhysicalDeviceExternalSemaphoreProperties",
        "vkGetPhysicalDeviceExternalSemaphorePropertiesKHR")(device, info, properties);
    if (!instance.masks.sync_fd)
        return;
    properties->exportFromImportedHandleTypes &= ~masked;
    properties->compatibleHandleTypes &= ~masked;
    if (info->handleType == masked)
        properties->exportFromImportedHandleTypes = properties->compatibleHandleTypes =
            properties->externalSemaphoreFeatures = 0;
}

void get_external_fence(VkPhysicalDevice device, const VkPhysicalDeviceExternalFenceInfo* info,
                        VkExternalFenceProperties* properties) {
    constexpr auto masked = VK_EXTERNAL_FENCE_HANDLE_TYPE_SYNC_FD_BIT;
    const Instance instance = instance_of(device);
    next_of<PFN_vkGetPhysicalDeviceExternalFenceProperties>(
        instance, "vkGetPhysicalDeviceExternalFenceProperties",
        "vkGetPhysicalDeviceExternalFencePropertiesKHR")(device, info, properties);
    if (!instance.masks.sync_fd)
        return;
    properties->exportFromImportedHandleTypes &= ~masked;
    properties->compatibleHandleTypes &= ~masked;
    if (info->handleType == masked)
        properties->exportFromImportedHandleTypes = properties->compatibleHandleTypes =
            properties->externalFenceFeatures = 0;
}

// Without a window system the queries of a surface answer as the loader does for a driver that has
// none (Vulkan-Loader, loader/wsi.c). Surfaces are the loader's own objects.

VkResult get_support(VkPhysicalDevice device, uint32_t family, VkSurfaceKHR surface,
                     VkBool32* supported) {
    const Instance instance = instance_of(device);
    if (instance.masks.wsi) {
        *supported = VK_FALSE;
        return VK_SUCCESS;
    }
    return next_of<PFN_vkGetPhysicalDeviceSurfaceSupportKHR>(
        instance, "vkGetPhysicalDeviceSurfaceSupportKHR")(device, family, surface, supported);
}

VkBool32 get_wayland_support(VkPhysicalDevice device, uint32_t family, wl_display* display) {
    const Instance instance = instance_of(device);
    return instance.masks.wsi ? VK_FALSE
                              : next_of<PFN_vkGetPhysicalDeviceWaylandPresentationSupportKHR>(
                                    instance, "vkGetPhysicalDeviceWaylandPresentationSupportKHR")(
                                    device, family, display);
}

VkResult get_capabilities(VkPhysicalDevice device, VkSurfaceKHR surface,
                          VkSurfaceCapabilitiesKHR* capabilities) {
    const Instance instance = instance_of(device);
    if (instance.masks.wsi) {
        *capabilities = {};
        return VK_SUCCESS;
    }
    return next_of<PFN_vkGetPhysicalDeviceSurfaceCapabilitiesKHR>(
        instance, "vkGetPhysicalDeviceSurfaceCapabilitiesKHR")(device, surface, capabilities);
}

VkResult get_capabilities2(VkPhysicalDevice device, const VkPhysicalDeviceSurfaceInfo2KHR* info,
                           VkSurfaceCapabilities2KHR* capabilities) {
    const Instance instance = instance_of(device);
    if (instance.masks.wsi) {
        capabilities->surfaceCapabilities = {};
        return VK_SUCCESS;
    }
    return next_of<PFN_vkGetPhysicalDeviceSurfaceCapabilities2KHR>(
        instance, "vkGetPhysicalDeviceSurfaceCapabilities2KHR")(device, info, capabilities);
}

VkResult get_formats(VkPhysicalDevice device, VkSurfaceKHR surface, uint32_t* count,
                     VkSurfaceFormatKHR* formats) {
    const Instance instance = instance_of(device);
    if (instance.masks.wsi) {
        *count = 0;
        return VK_SUCCESS;
    }
    return next_of<PFN_vkGetPhysicalDeviceSurfaceFormatsKHR>(
        instance, "vkGetPhysicalDeviceSurfaceFormatsKHR")(device, surface, count, formats);
}

VkResult get_formats2(VkPhysicalDevice device, const VkPhysicalDeviceSurfaceInfo2KHR* info,
                      uint32_t* count, VkSurfaceFormat2KHR* formats) {
    const Instance instance = instance_of(device);
    if (instance.masks.wsi) {
        *count = 0;
        return VK_SUCCESS;
    }
    return next_of<PFN_vkGetPhysicalDeviceSurfaceFormats2KHR>(
        instance, "vkGetPhysicalDeviceSurfaceFormats2KHR")(device, info, count, formats);
}

VkResult get_present_modes(VkPhysicalDevice device, VkSurfaceKHR surface, uint32_t* count,
                           VkPresentModeKHR* modes) {
    const Instance instance = instance_of(device);
    if (instance.masks.wsi) {
        *count = 0;
        return VK_SUCCESS;
    }
    return next_of<PFN_vkGetPhysicalDeviceSurfacePresentModesKHR>(
        instance, "vkGetPhysicalDeviceSurfacePresentModesKHR")(device, surface, count, modes);
}

/// A command of Vulkan 1.1, by its core name and by its KHR name.
template <class Function, std::type_identity_t<Function> function>
void add_pair(std::vector<Command>& table, std::string_view name, std::string_view khr_name) {
    table.push_back(command<Function, function>(name));
    table.push_back(command<Function, function>(khr_name));
}

std::vector<Command> make_table() {
    std::vector<Command> table{
        command<PFN_vkGetPhysicalDeviceFormatProperties, get_format_properties>(
            "vkGetPhysicalDeviceFormatProperties"),
        command<PFN_vkGetPhysicalDeviceImageFormatProperties, get_image_format_properties>(
            "vkGetPhysicalDeviceImageFormatProperties"),
        command<PFN_vkGetPhysicalDeviceSurfaceSupportKHR, get_support>(
            "vkGetPhysicalDeviceSurfaceSupportKHR"),
        command<PFN_vkGetPhysicalDeviceWaylandPresentationSupportKHR, get_wayland_support>(
            "vkGetPhysicalDeviceWaylandPresentationSupportKHR"),
        command<PFN_vkGetPhysicalDeviceSurfaceCapabilitiesKHR, get_capabilities>(
            "vkGetPhysicalDeviceSurfaceCapabilitiesKHR"),
        command<PFN_vkGetPhysicalDeviceSurfaceCapabilities2KHR, get_capabilities2>(
            "vkGetPhysicalDeviceSurfaceCapabilities2KHR"),
        command<PFN_vkGetPhysicalDeviceSurfaceFormatsKHR, get_formats>(
            "vkGetPhysicalDeviceSurfaceFormatsKHR"),
        command<PFN_vkGetPhysicalDeviceSurfaceFormats2KHR, get_formats2>(
            "vkGetPhysicalDeviceSurfaceFormats2KHR"),
        command<PFN_vkGetPhysicalDeviceSurfacePresentModesKHR, get_present_modes>(
            "vkGetPhysicalDeviceSurfacePresentModesKHR"),
    };
    add_pair<PFN_vkGetPhysicalDeviceFeatures2, get_features2>(table, "vkGetPhysicalDeviceFeatures2",
                                                              "vkGetPhysicalDeviceFeatures2KHR");
    add_pair<PFN_vkGetPhysicalDeviceProperties2, get_properties2>(
        table, "vkGetPhysicalDeviceProperties2", "vkGetPhysicalDeviceProperties2KHR");
    add_pair<PFN_vkGetPhysicalDeviceFormatProperties2, get_format_properties2>(
        table, "vkGetPhysicalDeviceFormatProperties2", "vkGetPhysicalDeviceFormatProperties2KHR");
    add_pair<PFN_vkGetPhysicalDeviceImageFormatProperties2, get_image_format_properties2>(
        table, "vkGetPhysicalDeviceImageFormatProperties2",
        "vkGetPhysicalDeviceImageFormatProperties2KHR");
    add_pair<PFN_vkGetPhysicalDeviceExternalBufferProperties, get_external_buffer>(
        table, "vkGetPhysicalDeviceExternalBufferProperties",
        "vkGetPhysicalDeviceExternalBufferPropertiesKHR");
    add_pair<PFN_vkGetPhysicalDeviceExternalSemaphoreProperties, get_external_semaphore>(
        table, "vkGetPhysicalDeviceExternalSemaphoreProperties",
        "vkGetPhysicalDeviceExternalSemaphorePropertiesKHR");
    add_pair<PFN_vkGetPhysicalDeviceExternalFenceProperties, get_external_fence>(
        table, "vkGetPhysicalDeviceExternalFenceProperties",
        "vkGetPhysicalDeviceExternalFencePropertiesKHR");
    return table;
}

} // namespace

std::span<const Command> physical_device_commands() {
    static const std::vector<Command> table = make_table();
    return table;
}

} // namespace fencebridge::mask
