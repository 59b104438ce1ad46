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

/// Extensions of the driver that are used together.
struct ExtensionGroup {
    std::vector<const char*> names;
    std::vector<const char*> below_1_3 = {}; ///< what they require before Vulkan 1.3
    std::vector<const char*> below_1_2 = {}; ///< what they require before Vulkan 1.2
    std::vector<const char*> below_1_1 = {}; ///< what they require before Vulkan 1.1
};

/// What the layer needs of every driver.
const ExtensionGroup& needed() {
    static const ExtensionGroup group = {.names = {},
                                         .below_1_1 = {
                                             VK_KHR_EXTERNAL_MEMORY_EXTENSION_NAME,
                                             VK_KHR_GET_MEMORY_REQUIREMENTS_2_EXTENSION_NAME,
                                             VK_KHR_DEDICATED_ALLOCATION_EXTENSION_NAME,
                                         }};
    return group;
}
const ExtensionGroup& dma_buf() {
    static const ExtensionGroup group = {.names = {VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME,
                                                   VK_EXT_EXTERNAL_MEMORY_DMA_BUF_EXTENSION_NAME}};
    return group;
}
const ExtensionGroup& modifiers() {
    static const ExtensionGroup group = {
        .names = {VK_EXT_IMAGE_DRM_FORMAT_MODIFIER_EXTENSION_NAME},
        .below_1_2 = {VK_KHR_IMAGE_FORMAT_LIST_EXTENSION_NAME},
        .below_1_1 = {VK_KHR_BIND_MEMORY_2_EXTENSION_NAME, VK_KHR_MAINTENANCE_1_EXTENSION_NAME,
                      VK_KHR_SAMPLER_YCBCR_CONVERSION_EXTENSION_NAME}};
    return group;
}
/// What VK_IMAGE_CREATE_ALIAS_BIT belongs to. (Modifiers require it, too.)
const ExtensionGroup& image_aliases() {
    static const ExtensionGroup group = {.names = {},
                                         .below_1_1 = {VK_KHR_BIND_MEMORY_2_EXTENSION_NAME}};
    return group;
}
/// What VK_FORMAT_A4R4G4B4_UNORM_PACK16 and VK_FORMAT_A4B4G4R4_UNORM_PACK16 belong to. Vulkan 1.3
/// has the formats without the extension's features, so these need not be enabled.
const ExtensionGroup& formats_4444() {
    static const ExtensionGroup group = {.names = {},
                                         .below_1_3 = {VK_EXT_4444_FORMATS_EXTENSION_NAME}};
    return group;
}
const ExtensionGroup& foreign_queues() {
    static const ExtensionGroup group = {.names = {VK_EXT_QUEUE_FAMILY_FOREIGN_EXTENSION_NAME}};
    return group;
}
const ExtensionGroup& host_pointer() {
    static const ExtensionGroup group = {.names = {VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME}};
    return group;
}
const ExtensionGroup& semaphore_fd() {
    static const ExtensionGroup group = {.names = {VK_KHR_EXTERNAL_SEMAPHORE_FD_EXTENSION_NAME},
                                         .below_1_1 = {VK_KHR_EXTERNAL_SEMAPHORE_EXTENSION_NAME}};
    return group;
}
const ExtensionGroup& fence_fd() {
    static const ExtensionGroup group = {.names = {VK_KHR_EXTERNAL_FENCE_FD_EXTENSION_NAME},
                                         .below_1_1 = {VK_KHR_EXTERNAL_FENCE_EXTENSION_NAME}};
    return group;
}

/// The extensions to enable for a group.
std::vector<const char*> names_of(const PhysicalDevice& device, const ExtensionGroup& group) {
    std::vector<const char*> names = group.names;
    if (device.api_version < VK_API_VERSION_1_3)
        names.insert(names.end(), group.below_1_3.begin(), group.below_1_3.end());
    if (device.api_version < VK_API_VERSION_1_2)
        names.insert(names.end(), group.below_1_2.begin(), group.below_1_2.end());
    if (device.api_version < VK_API_VERSION_1_1)
        names.insert(names.end(), group.below_1_1.begin(), group.below_1_1.end());
    return names;
}

bool has(const PhysicalDevice& device, const ExtensionGroup& group) {
    return std::ranges::all_of(names_of(device, group),
                               [&](const char* name) { return device.has_extension(name); });
}

VkExternalSemaphoreProperties semaphore_properties(const PhysicalDevice& device,
                                                   VkExternalSemaphoreHandleTypeFlagBits type) {
    const VkPhysicalDeviceExternalSemaphoreInfo info = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_SEMAPHORE_INFO,
        .handleType = type,
    };
    VkExternalSemaphoreProperties properties = {
        .sType = VK_STRUCTURE_TYPE_EXTERNAL_SEMAPHORE_PROPERTIES};
    if (has(device, semaphore_fd()))
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
    if (has(device, fence_fd()))
        device.next->GetPhysicalDeviceExternalFenceProperties(device.handle, &fence_info, &fence);
    const auto semaphore =
        semaphore_properties(device, VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_SYNC_FD_BIT);

    const auto is_set = [](VkFlags features, VkFlags feature) { return (features & feature) != 0; };
    device.sync_fd = {
        .export_semaphore = is_set(semaphore.externalSemaphoreFeatures,
                                   VK_EXTERNAL_SEMAPHORE_FEATURE_EXPORTABLE_BIT),
        .import_semaphore = is_set(semaphore.externalSemaphoreFeatures,
                                   VK_EXTERNAL_SEMAPHORE_FEATURE_IMPORTABLE_BIT),
        .export_fence =
            is_set(fence.externalFenceFeatures, VK_EXTERNAL_FENCE_FEATURE_EXPORTABLE_BIT),
        .import_fence =
            is_set(fence.externalFenceFeatures, VK_EXTERNAL_FENCE_FEATURE_IMPORTABLE_BIT),
    };

    // The layer or the application may have imported a semaphore's payload.
    VkExternalSemaphoreHandleTypeFlags imported = 0;
    if (device.sync_fd.import_semaphore)
        imported |= VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_SYNC_FD_BIT;
    const auto opaque =
        semaphore_properties(device, VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_OPAQUE_FD_BIT);
    if (is_set(opaque.externalSemaphoreFeatures, VK_EXTERNAL_SEMAPHORE_FEATURE_IMPORTABLE_BIT))
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

VkDeviceSize find_host_pointer_alignment(const PhysicalDevice& device) {
    if (!device.memory.host_pointer)
        return 1;
    VkPhysicalDeviceExternalMemoryHostPropertiesEXT host = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_MEMORY_HOST_PROPERTIES_EXT,
        .minImportedHostPointerAlignment = 1};
    VkPhysicalDeviceProperties2 properties = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2, .pNext = &host};
    device.next->GetPhysicalDeviceProperties2(device.handle, &properties);
    return std::max<VkDeviceSize>(host.minImportedHostPointerAlignment, 1);
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
    return facts_of(driver.driverID, properties.properties.driverVersion);
}

} // namespace

bool PhysicalDevice::has_extension(const char* extension) const {
    return std::ranges::any_of(extensions, [&](const VkExtensionProperties& has) {
        return std::strcmp(has.extensionName, extension) == 0;
    });
}

std::string PhysicalDevice::obstacle() const {
    std::string words;
    for (const std::string& missing : lacks)
        words.append(words.empty() ? "driver lacks " : ", ").append(missing);
    return words;
}

std::span<const char* const> required_instance_extensions() { return instance_extensions; }

std::vector<const char*> used_device_extensions(const PhysicalDevice& device) {
    std::vector<const char*> used = names_of(device, needed());
    const auto add = [&](bool uses, const ExtensionGroup& group) {
        if (!uses)
            return;
        for (const char* name : names_of(device, group))
            used.push_back(name);
    };
    add(device.memory.dma_buf, dma_buf());
    add(device.memory.modifiers, modifiers());
    add(device.image_aliases && !device.memory.modifiers, image_aliases());
    add(has(device, formats_4444()), formats_4444());
    add(device.memory.foreign_queues, foreign_queues());
    add(device.memory.host_pointer, host_pointer());
    add(has(device, semaphore_fd()), semaphore_fd());
    add(has(device, fence_fd()), fence_fd());
    return used;
}

PhysicalDevice describe_physical_device(VkPhysicalDevice handle, const InstanceDispatch& next,
                                        uint32_t instance_version, bool may_be_unshared) {
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
        .has_own_memory = properties.deviceType == VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU,
        .memory = {},
        .image_aliases = false,
        .may_be_unshared = may_be_unshared,
        .host_pointer_alignment = 1,
        .drm_nodes = {},
        .facts = {},
        .sync_fd = {},
        .semaphores_export_freely = false,
        .queue_families = {},
        .lacks = {},
    };
    for (const char* extension : names_of(device, needed())) {
        if (!device.has_extension(extension))
            device.lacks.emplace_back(extension);
    }
    device.memory.dma_buf = has(device, dma_buf());
    device.memory.modifiers = device.memory.dma_buf && has(device, modifiers());
    device.image_aliases = has(device, image_aliases());
    device.memory.foreign_queues = device.memory.dma_buf && has(device, foreign_queues());
    device.memory.host_pointer = has(device, host_pointer());
    if (!device.memory.dma_buf && !device.memory.host_pointer && !may_be_unshared)
        device.lacks.emplace_back(
            "memory to share (VK_EXT_external_memory_dma_buf or VK_EXT_external_memory_host)");
    if (next.GetPhysicalDeviceImageFormatProperties2 == nullptr ||
        next.GetPhysicalDeviceExternalBufferProperties == nullptr ||
        next.GetPhysicalDeviceExternalSemaphoreProperties == nullptr ||
        next.GetPhysicalDeviceExternalFenceProperties == nullptr)
        device.lacks.emplace_back("Vulkan 1.1's external handle queries");
    if (device.can_be_taken_over()) {
        find_sync_fd(device);
        device.drm_nodes = find_drm_nodes(device);
        device.facts = find_facts(device);
        device.host_pointer_alignment = find_host_pointer_alignment(device);
        query_queue_families(device);
    }
    return device;
}

bool knows_shared_present_layout(const PhysicalDevice& device) {
    return device.facts.knows_shared_present_layout ||
           device.has_extension(VK_KHR_SHARED_PRESENTABLE_IMAGE_EXTENSION_NAME);
}

bool knows_format(const PhysicalDevice& device, const Format& format) {
    return !format.is_of_4444_formats || has(device, formats_4444());
}

bool is_color_renderable(const PhysicalDevice& device, VkFormat format) {
    VkFormatProperties2 properties = {.sType = VK_STRUCTURE_TYPE_FORMAT_PROPERTIES_2};
    device.next->GetPhysicalDeviceFormatProperties2(device.handle, format, &properties);
    return (properties.formatProperties.optimalTilingFeatures &
            VK_FORMAT_FEATURE_COLOR_ATTACHMENT_BIT) != 0;
}

} // namespace fencebridge::vk
