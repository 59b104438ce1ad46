// SPDX-License-Identifier: MIT
#include "vk/physical_device.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <sys/sysmacros.h>
#include <utility>

#include "vk/chain.hpp"
#include "vk/enumerate.hpp"

namespace fencebridge::vk {

namespace {

constexpr std::array instance_extensions = {
    VK_KHR_GET_PHYSICAL_DEVICE_PROPERTIES_2_EXTENSION_NAME,
    VK_KHR_EXTERNAL_MEMORY_CAPABILITIES_EXTENSION_NAME,
    VK_KHR_EXTERNAL_SEMAPHORE_CAPABILITIES_EXTENSION_NAME,
    VK_KHR_EXTERNAL_FENCE_CAPABILITIES_EXTENSION_NAME,
};

constexpr std::array device_extensions = {
    VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME,
    VK_EXT_EXTERNAL_MEMORY_DMA_BUF_EXTENSION_NAME,
    VK_EXT_IMAGE_DRM_FORMAT_MODIFIER_EXTENSION_NAME,
};

// Optional: slower fallbacks exist. Each pair is {extension, what it requires before Vulkan 1.1}.
constexpr std::array optional_extensions = {
    std::pair{VK_KHR_EXTERNAL_SEMAPHORE_FD_EXTENSION_NAME,
              VK_KHR_EXTERNAL_SEMAPHORE_EXTENSION_NAME},
    std::pair{VK_KHR_EXTERNAL_FENCE_FD_EXTENSION_NAME, VK_KHR_EXTERNAL_FENCE_EXTENSION_NAME},
};

// What the required extensions require before Vulkan 1.1, and before 1.2.
constexpr std::array device_extensions_below_1_1 = {
    VK_KHR_EXTERNAL_MEMORY_EXTENSION_NAME,
    VK_KHR_BIND_MEMORY_2_EXTENSION_NAME,
    VK_KHR_GET_MEMORY_REQUIREMENTS_2_EXTENSION_NAME,
    VK_KHR_DEDICATED_ALLOCATION_EXTENSION_NAME,
    VK_KHR_MAINTENANCE_1_EXTENSION_NAME,
    VK_KHR_SAMPLER_YCBCR_CONVERSION_EXTENSION_NAME,
};
constexpr std::array device_extensions_below_1_2 = {
    VK_KHR_IMAGE_FORMAT_LIST_EXTENSION_NAME,
};

bool is_usable(const PhysicalDevice& device, const char* extension, const char* dependency) {
    return device.has_extension(extension) &&
           (device.api_version >= VK_API_VERSION_1_1 || device.has_extension(dependency));
}

VkExternalSemaphoreProperties semaphore_properties(const PhysicalDevice& device,
                                                   VkExternalSemaphoreHandleTypeFlagBits type) {
    const VkPhysicalDeviceExternalSemaphoreInfo info = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_SEMAPHORE_INFO,
        .handleType = type,
    };
    VkExternalSemaphoreProperties properties = {
        .sType = VK_STRUCTURE_TYPE_EXTERNAL_SEMAPHORE_PROPERTIES};
    if (is_usable(device, VK_KHR_EXTERNAL_SEMAPHORE_FD_EXTENSION_NAME,
                  VK_KHR_EXTERNAL_SEMAPHORE_EXTENSION_NAME))
        device.next->GetPhysicalDeviceExternalSemaphoreProperties(device.handle, &info,
                                                                  &properties);
    return properties;
}

void find_sync_fd(PhysicalDevice& device) {
    const VkPhysicalDeviceExternalFenceInfo fence_info = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_FENCE_INFO,
        .handleType = VK_EXTERNAL_FENCE_HANDLE_TYPE_SYNC_FD_BIT,
    };
    VkExternalFenceProperties fence = {.sType = VK_STRUCTURE_TYPE_EXTERNAL_FENCE_PROPERTIES};
    if (is_usable(device, VK_KHR_EXTERNAL_FENCE_FD_EXTENSION_NAME,
                  VK_KHR_EXTERNAL_FENCE_EXTENSION_NAME))
        device.next->GetPhysicalDeviceExternalFenceProperties(device.handle, &fence_info, &fence);
    const auto semaphore =
        semaphore_properties(device, VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_SYNC_FD_BIT);

    const auto has = [](VkFlags features, VkFlags feature) { return (features & feature) != 0; };
    device.sync_fd = {
        .export_semaphore =
            has(semaphore.externalSemaphoreFeatures, VK_EXTERNAL_SEMAPHORE_FEATURE_EXPORTABLE_BIT),
        .import_semaphore =
            has(semaphore.externalSemaphoreFeatures, VK_EXTERNAL_SEMAPHORE_FEATURE_IMPORTABLE_BIT),
        .export_fence = has(fence.externalFenceFeatures, VK_EXTERNAL_FENCE_FEATURE_EXPORTABLE_BIT),
        .import_fence = has(fence.externalFenceFeatures, VK_EXTERNAL_FENCE_FEATURE_IMPORTABLE_BIT),
    };

    // The layer or the application may have imported a semaphore's payload.
    VkExternalSemaphoreHandleTypeFlags imported = 0;
    if (device.sync_fd.import_semaphore)
        imported |= VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_SYNC_FD_BIT;
    const auto opaque =
        semaphore_properties(device, VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_OPAQUE_FD_BIT);
    if (has(opaque.externalSemaphoreFeatures, VK_EXTERNAL_SEMAPHORE_FEATURE_IMPORTABLE_BIT))
        imported |= VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_OPAQUE_FD_BIT;
    device.semaphores_export_freely =
        device.sync_fd.export_semaphore &&
        (semaphore.exportFromImportedHandleTypes & imported) == imported;
}

void query_queue_families(PhysicalDevice& device) {
    uint32_t count = 0;
    device.next->GetPhysicalDeviceQueueFamilyProperties(device.handle, &count, nullptr);
    device.queue_families.resize(count);
    device.next->GetPhysicalDeviceQueueFamilyProperties(device.handle, &count,
                                                        device.queue_families.data());
    // The application uses at least one queue.
    const bool one_alone = count == 1 && device.queue_families.front().queueCount == 1;
    if (one_alone && device.needs_queue())
        device.lacks.emplace_back("SYNC_FD import into semaphores and fences, or a second queue");
}

core::DrmNodes find_drm_nodes(const PhysicalDevice& device) {
    if (!device.has_extension(VK_EXT_PHYSICAL_DEVICE_DRM_EXTENSION_NAME))
        return {};
    VkPhysicalDeviceDrmPropertiesEXT drm = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRM_PROPERTIES_EXT};
    VkPhysicalDeviceProperties2 properties = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2, .pNext = &drm};
    device.next->GetPhysicalDeviceProperties2(device.handle, &properties);

    const auto node = [](VkBool32 has, int64_t major, int64_t minor) -> std::optional<dev_t> {
        if (!has)
            return std::nullopt;
        return ::makedev(static_cast<unsigned>(major), static_cast<unsigned>(minor));
    };
    return {.primary = node(drm.hasPrimary, drm.primaryMajor, drm.primaryMinor),
            .render = node(drm.hasRender, drm.renderMajor, drm.renderMinor)};
}

DriverFacts find_facts(const PhysicalDevice& device) {
    if (device.api_version < VK_API_VERSION_1_2 &&
        !device.has_extension(VK_KHR_DRIVER_PROPERTIES_EXTENSION_NAME))
        return {};
    VkPhysicalDeviceDriverProperties driver = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES};
    VkPhysicalDeviceProperties2 properties = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2, .pNext = &driver};
    device.next->GetPhysicalDeviceProperties2(device.handle, &properties);
    return facts_of(driver.driverID);
}

/// The features of the image's memory; nothing if the driver cannot make or export the image.
/// @return the error is lack of memory
std::expected<std::optional<VkExternalMemoryFeatureFlags>, VkResult>
query_memory_features(const PhysicalDevice& device, const ImageParameters& image,
                      uint64_t modifier) {
    VkPhysicalDeviceImageFormatInfo2 info = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_IMAGE_FORMAT_INFO_2,
        .format = image.format,
        .type = VK_IMAGE_TYPE_2D,
        .tiling = VK_IMAGE_TILING_DRM_FORMAT_MODIFIER_EXT,
        .usage = image.usage,
        .flags = image.flags,
    };
    VkPhysicalDeviceExternalImageFormatInfo external = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_IMAGE_FORMAT_INFO,
        .handleType = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT,
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
    push_next(info, external);
    push_next(info, layout);
    if (!image.view_formats.empty())
        push_next(info, views);

    VkExternalImageFormatProperties external_properties = {
        .sType = VK_STRUCTURE_TYPE_EXTERNAL_IMAGE_FORMAT_PROPERTIES};
    VkImageFormatProperties2 properties = {.sType = VK_STRUCTURE_TYPE_IMAGE_FORMAT_PROPERTIES_2,
                                           .pNext = &external_properties};
    const VkResult result =
        device.next->GetPhysicalDeviceImageFormatProperties2(device.handle, &info, &properties);
    if (result == VK_ERROR_OUT_OF_HOST_MEMORY || result == VK_ERROR_OUT_OF_DEVICE_MEMORY)
        return std::unexpected(result);
    if (result != VK_SUCCESS)
        return std::nullopt;
    const VkExtent3D& max = properties.imageFormatProperties.maxExtent;
    const auto features = external_properties.externalMemoryProperties.externalMemoryFeatures;
    if (image.extent.width > max.width || image.extent.height > max.height ||
        !(features & VK_EXTERNAL_MEMORY_FEATURE_EXPORTABLE_BIT))
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

} // namespace

bool PhysicalDevice::has_extension(const char* extension) const {
    return std::ranges::any_of(extensions, [&](const VkExtensionProperties& has) {
        return std::strcmp(has.extensionName, extension) == 0;
    });
}

std::span<const char* const> required_instance_extensions() { return instance_extensions; }

std::vector<const char*> optional_device_extensions(const PhysicalDevice& device) {
    std::vector<const char*> has;
    for (const auto& [extension, dependency] : optional_extensions) {
        if (!is_usable(device, extension, dependency))
            continue;
        has.push_back(extension);
        if (device.api_version < VK_API_VERSION_1_1)
            has.push_back(dependency);
    }
    return has;
}

std::vector<const char*> required_device_extensions(uint32_t api_version) {
    std::vector<const char*> required(device_extensions.begin(), device_extensions.end());
    if (api_version < VK_API_VERSION_1_2)
        required.insert(required.end(), device_extensions_below_1_2.begin(),
                        device_extensions_below_1_2.end());
    if (api_version < VK_API_VERSION_1_1)
        required.insert(required.end(), device_extensions_below_1_1.begin(),
                        device_extensions_below_1_1.end());
    return required;
}

PhysicalDevice describe_physical_device(VkPhysicalDevice handle, const InstanceDispatch& next,
                                        uint32_t instance_version) {
    VkPhysicalDeviceProperties properties;
    next.GetPhysicalDeviceProperties(handle, &properties);
    auto extensions = enumerate<VkExtensionProperties>([&](uint32_t* count, auto* array) {
        return next.EnumerateDeviceExtensionProperties(handle, nullptr, count, array);
    });

    const bool extensions_known = extensions.has_value();
    PhysicalDevice device = {
        .handle = handle,
        .next = &next,
        .name = properties.deviceName,
        .api_version = std::min(instance_version, properties.apiVersion),
        .max_image_extent = properties.limits.maxImageDimension2D,
        .extensions = std::move(extensions).value_or(std::vector<VkExtensionProperties>{}),
        .extensions_known = extensions_known,
        .drm_nodes = {},
        .facts = {},
        .sync_fd = {},
        .semaphores_export_freely = false,
        .queue_families = {},
        .lacks = {},
    };
    for (const char* extension : required_device_extensions(device.api_version)) {
        if (!device.has_extension(extension))
            device.lacks.emplace_back(extension);
    }
    if (next.GetPhysicalDeviceImageFormatProperties2 == nullptr ||
        next.GetPhysicalDeviceExternalSemaphoreProperties == nullptr ||
        next.GetPhysicalDeviceExternalFenceProperties == nullptr)
        device.lacks.emplace_back("Vulkan 1.1's external handle queries");
    if (device.can_be_taken_over()) {
        find_sync_fd(device);
        device.drm_nodes = find_drm_nodes(device);
        device.facts = find_facts(device);
        query_queue_families(device);
    }
    return device;
}

bool knows_shared_present_layout(const PhysicalDevice& device) {
    return device.facts.knows_shared_present_layout ||
           device.has_extension(VK_KHR_SHARED_PRESENTABLE_IMAGE_EXTENSION_NAME);
}

bool knows_format(const PhysicalDevice& device, const Format& format) {
    return format.extension == nullptr || device.api_version >= VK_API_VERSION_1_3 ||
           device.has_extension(format.extension);
}

bool is_color_renderable(const PhysicalDevice& device, VkFormat format) {
    VkFormatProperties2 properties = {.sType = VK_STRUCTURE_TYPE_FORMAT_PROPERTIES_2};
    device.next->GetPhysicalDeviceFormatProperties2(device.handle, format, &properties);
    return (properties.formatProperties.optimalTilingFeatures &
            VK_FORMAT_FEATURE_COLOR_ATTACHMENT_BIT) != 0;
}

std::expected<std::vector<DriverModifier>, VkResult> find_modifiers(const PhysicalDevice& device,
                                                                    const ImageParameters& image) {
    std::vector<DriverModifier> found;
    for (const auto& listed : list_modifiers(device, image.format)) {
        const auto memory = query_memory_features(device, image, listed.drmFormatModifier);
        if (!memory)
            return std::unexpected(memory.error());
        if (*memory)
            found.push_back({.modifier = listed.drmFormatModifier,
                             .planes = listed.drmFormatModifierPlaneCount,
                             .features = listed.drmFormatModifierTilingFeatures,
                             .dedicated_only =
                                 (**memory & VK_EXTERNAL_MEMORY_FEATURE_DEDICATED_ONLY_BIT) != 0});
    }
    return found;
}

} // namespace fencebridge::vk
