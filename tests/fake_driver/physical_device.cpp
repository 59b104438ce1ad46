// SPDX-License-Identifier: MIT
// Properties, features, queues, memory types and external capabilities of a physical device.
#include <algorithm>
#include <cstdio>
#include <span>
#include <sys/sysmacros.h>

#include "chain.hpp"
#include "entry_points.hpp"
#include "objects.hpp"

namespace fencebridge::fake_driver {
namespace {

DeviceSettings settings_of(VkPhysicalDevice handle) {
    return current_device_settings(from_handle<PhysicalDevice>(handle)->index);
}

void get_features(VkPhysicalDevice, VkPhysicalDeviceFeatures* features) {
    *features = {};
    features->robustBufferAccess = VK_TRUE; // required of every implementation
}

/// The feature structures of extensions that act on swapchains. The driver supports the features
/// with the extension. The types are numbers because the headers may be older.
struct SwapchainFeatures {
    std::string_view extension;
    uint32_t type;  // VkStructureType
    uint32_t count; // of features
};
constexpr SwapchainFeatures swapchain_features[]{
    {"VK_EXT_image_compression_control_swapchain", 1000437000, 1},
    {"VK_EXT_multisampled_render_to_swapchain", 1000616000, 1},
    {"VK_EXT_present_mode_fifo_latest_ready", 1000361000, 1},
    {"VK_EXT_present_timing", 1000208000, 3},
    {"VK_EXT_swapchain_maintenance1", 1000275000, 1},
    {"VK_HUAWEI_hdr_vivid", 1000590000, 1},
    {"VK_KHR_present_id", 1000294001, 1},
    {"VK_KHR_present_id2", 1000479002, 1},
    {"VK_KHR_present_mode_fifo_latest_ready", 1000361000, 1},
    {"VK_KHR_present_wait", 1000248000, 1},
    {"VK_KHR_present_wait2", 1000480001, 1},
    {"VK_KHR_swapchain_maintenance1", 1000275000, 1},
    {"VK_NV_present_barrier", 1000292000, 1},
    {"VK_NV_present_metering", 1000613001, 1},
};

} // namespace

bool wants_absent_feature(const void* chain, const DeviceSettings& settings) {
    for (auto* link = static_cast<const VkBaseInStructure*>(chain); link != nullptr;
         link = link->pNext) {
        bool wanted = false;
        bool present = false; // one structure may belong to two extensions
        for (const SwapchainFeatures& row : swapchain_features) {
            if (static_cast<uint32_t>(link->sType) != row.type)
                continue;
            const std::span features{reinterpret_cast<const VkBool32*>(link + 1), row.count};
            wanted = std::ranges::find(features, VK_TRUE) != features.end();
            present = present || settings.has_extension(row.extension);
        }
        if (wanted && !present)
            return true;
    }
    return false;
}

namespace {

/// Feature structures that are not in the table stay as the application initialised them.
void get_features2(VkPhysicalDevice handle, VkPhysicalDeviceFeatures2* features) {
    get_features(handle, &features->features);
    const DeviceSettings settings = settings_of(handle);
    for (auto* link = static_cast<VkBaseOutStructure*>(features->pNext); link != nullptr;
         link = link->pNext)
        for (const SwapchainFeatures& row : swapchain_features)
            if (static_cast<uint32_t>(link->sType) == row.type &&
                settings.has_extension(row.extension))
                std::fill_n(reinterpret_cast<VkBool32*>(link + 1), row.count,
                            settings.swapchain_features);
}

VkPhysicalDeviceLimits make_limits() {
    VkPhysicalDeviceLimits limits{};
    limits.maxImageDimension1D = limits.maxImageDimension2D = limits.maxImageDimension3D = 16384;
    limits.maxImageDimensionCube = 16384;
    limits.maxImageArrayLayers = 256;
    limits.maxMemoryAllocationCount = 4096;
    limits.maxSamplerAllocationCount = 4096;
    limits.bufferImageGranularity = 1;
    limits.nonCoherentAtomSize = 64;
    limits.minMemoryMapAlignment = 4096;
    limits.optimalBufferCopyOffsetAlignment = 4;
    limits.optimalBufferCopyRowPitchAlignment = 4;
    limits.maxFramebufferWidth = limits.maxFramebufferHeight = 16384;
    limits.framebufferColorSampleCounts = VK_SAMPLE_COUNT_1_BIT;
    limits.timestampPeriod = 1.0F;
    return limits;
}

void get_properties(VkPhysicalDevice handle, VkPhysicalDeviceProperties* properties) {
    const uint32_t index = from_handle<PhysicalDevice>(handle)->index;
    *properties = {};
    properties->apiVersion = settings_of(handle).api_version;
    properties->driverVersion = settings_of(handle).driver_version;
    properties->deviceType = settings_of(handle).type;
    std::snprintf(properties->deviceName, sizeof properties->deviceName, "Fake GPU %u", index);
    properties->pipelineCacheUUID[0] = static_cast<uint8_t>(index + 1);
    properties->limits = make_limits();
}

void get_properties2(VkPhysicalDevice handle, VkPhysicalDeviceProperties2* properties) {
    get_properties(handle, &properties->properties);
    const auto index = static_cast<uint8_t>(from_handle<PhysicalDevice>(handle)->index);
    if (auto* const ids = find_out<VkPhysicalDeviceIDProperties>(
            properties->pNext, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ID_PROPERTIES)) {
        ids->deviceUUID[0] = static_cast<uint8_t>(index + 1);
        ids->driverUUID[0] = 1;
        ids->deviceLUIDValid = VK_FALSE;
        ids->deviceNodeMask = 1;
    }
    if (auto* const driver = find_out<VkPhysicalDeviceDriverProperties>(
            properties->pNext, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES)) {
        std::snprintf(driver->driverName, sizeof driver->driverName, "fake driver");
        std::snprintf(driver->driverInfo, sizeof driver->driverInfo, "for tests");
        driver->driverID = settings_of(handle).driver_id;
    }
    auto* const host = find_out<VkPhysicalDeviceExternalMemoryHostPropertiesEXT>(
        properties->pNext, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_MEMORY_HOST_PROPERTIES_EXT);
    if (host != nullptr &&
        settings_of(handle).has_extension(VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME))
        host->minImportedHostPointerAlignment = settings_of(handle).host_pointer_alignment;
    if (auto* const drm = find_out<VkPhysicalDeviceDrmPropertiesEXT>(
            properties->pNext, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRM_PROPERTIES_EXT)) {
        const DeviceSettings settings = settings_of(handle);
        drm->hasPrimary = settings.primary_node != 0 ? VK_TRUE : VK_FALSE;
        drm->primaryMajor = gnu_dev_major(settings.primary_node);
        drm->primaryMinor = gnu_dev_minor(settings.primary_node);
        drm->hasRender = settings.render_node != 0 ? VK_TRUE : VK_FALSE;
        drm->renderMajor = gnu_dev_major(settings.render_node);
        drm->renderMinor = gnu_dev_minor(settings.render_node);
    }
}

std::vector<VkQueueFamilyProperties> queue_families(VkPhysicalDevice device) {
    const DeviceSettings settings = settings_of(device);
    std::vector<VkQueueFamilyProperties> all;
    for (const VkQueueFlags flags : settings.queue_families)
        all.push_back({.queueFlags = flags,
                       .queueCount = settings.queue_count,
                       .timestampValidBits = 0,
                       .minImageTransferGranularity = {1, 1, 1}});
    return all;
}

void get_queue_families(VkPhysicalDevice device, uint32_t* count,
                        VkQueueFamilyProperties* families) {
    const std::vector<VkQueueFamilyProperties> all = queue_families(device);
    enumerate(std::span<const VkQueueFamilyProperties>{all}, count, families);
}

void get_queue_families2(VkPhysicalDevice device, uint32_t* count,
                         VkQueueFamilyProperties2* families) {
    const std::vector<VkQueueFamilyProperties> all = queue_families(device);
    enumerate(std::span<const VkQueueFamilyProperties>{all}, count, families,
              [](VkQueueFamilyProperties2& to, const VkQueueFamilyProperties& from) {
                  to.queueFamilyProperties = from;
              });
}

/// Memory type 0 is not host-visible.
void get_memory_properties(VkPhysicalDevice, VkPhysicalDeviceMemoryProperties* properties) {
    *properties = {};
    properties->memoryHeapCount = 1;
    properties->memoryHeaps[0] = {.size = VkDeviceSize{1} << 30,
                                  .flags = VK_MEMORY_HEAP_DEVICE_LOCAL_BIT};
    properties->memoryTypeCount = 2;
    properties->memoryTypes[0] = {.propertyFlags = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT,
                                  .heapIndex = 0};
    properties->memoryTypes[1] = {.propertyFlags = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT |
                                                   VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT |
                                                   VK_MEMORY_PROPERTY_HOST_COHERENT_BIT,
                                  .heapIndex = 0};
}

void get_memory_properties2(VkPhysicalDevice handle,
                            VkPhysicalDeviceMemoryProperties2* properties) {
    get_memory_properties(handle, &properties->memoryProperties);
}

VkResult enumerate_device_extensions(VkPhysicalDevice handle, const char* layer, uint32_t* count,
                                     VkExtensionProperties* properties) {
    if (const auto failure = enter_query("vkEnumerateDeviceExtensionProperties"))
        return *failure;
    if (layer != nullptr)
        return VK_ERROR_LAYER_NOT_PRESENT;
    const std::vector<std::string> names =
        current_settings().visible_device_extensions(from_handle<PhysicalDevice>(handle)->index);
    return enumerate(std::span<const std::string>{names}, count, properties,
                     [](VkExtensionProperties& to, const std::string& from) {
                         to = {};
                         from.copy(to.extensionName, sizeof to.extensionName - 1);
                         to.specVersion = 1;
                     });
}

VkResult enumerate_device_layers(VkPhysicalDevice, uint32_t* count, VkLayerProperties*) {
    *count = 0;
    return VK_SUCCESS;
}

/// For a handle type whose extension the driver lacks, all properties are 0.
void get_external_semaphore(VkPhysicalDevice handle,
                            const VkPhysicalDeviceExternalSemaphoreInfo* info,
                            VkExternalSemaphoreProperties* properties) {
    note_query("vkGetPhysicalDeviceExternalSemaphoreProperties");
    const DeviceSettings settings = settings_of(handle);
    properties->exportFromImportedHandleTypes = 0;
    properties->compatibleHandleTypes = 0;
    properties->externalSemaphoreFeatures = 0;
    if (!settings.has_extension(VK_KHR_EXTERNAL_SEMAPHORE_FD_EXTENSION_NAME))
        return;
    if (info->handleType == VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_OPAQUE_FD_BIT &&
        settings.opaque_fds) {
        properties->exportFromImportedHandleTypes = info->handleType;
        properties->compatibleHandleTypes = info->handleType;
        properties->externalSemaphoreFeatures = VK_EXTERNAL_SEMAPHORE_FEATURE_EXPORTABLE_BIT |
                                                VK_EXTERNAL_SEMAPHORE_FEATURE_IMPORTABLE_BIT;
    }
    if (info->handleType != VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_SYNC_FD_BIT ||
        settings.semaphore_features == 0)
        return;
    if (settings.exports_imported_semaphores)
        properties->exportFromImportedHandleTypes = VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_SYNC_FD_BIT;
    properties->compatibleHandleTypes = VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_SYNC_FD_BIT;
    properties->externalSemaphoreFeatures = settings.semaphore_features;
}

void get_external_fence(VkPhysicalDevice handle, const VkPhysicalDeviceExternalFenceInfo* info,
                        VkExternalFenceProperties* properties) {
    note_query("vkGetPhysicalDeviceExternalFenceProperties");
    const DeviceSettings settings = settings_of(handle);
    properties->exportFromImportedHandleTypes = 0;
    properties->compatibleHandleTypes = 0;
    properties->externalFenceFeatures = 0;
    if (!settings.has_extension(VK_KHR_EXTERNAL_FENCE_FD_EXTENSION_NAME))
        return;
    if (info->handleType == VK_EXTERNAL_FENCE_HANDLE_TYPE_OPAQUE_FD_BIT && settings.opaque_fds) {
        properties->exportFromImportedHandleTypes = info->handleType;
        properties->compatibleHandleTypes = info->handleType;
        properties->externalFenceFeatures =
            VK_EXTERNAL_FENCE_FEATURE_EXPORTABLE_BIT | VK_EXTERNAL_FENCE_FEATURE_IMPORTABLE_BIT;
    }
    if (info->handleType != VK_EXTERNAL_FENCE_HANDLE_TYPE_SYNC_FD_BIT ||
        settings.fence_features == 0)
        return;
    properties->exportFromImportedHandleTypes = VK_EXTERNAL_FENCE_HANDLE_TYPE_SYNC_FD_BIT;
    properties->compatibleHandleTypes = VK_EXTERNAL_FENCE_HANDLE_TYPE_SYNC_FD_BIT;
    properties->externalFenceFeatures = settings.fence_features;
}

void get_external_buffer(VkPhysicalDevice handle, const VkPhysicalDeviceExternalBufferInfo* info,
                         VkExternalBufferProperties* properties) {
    note_query("vkGetPhysicalDeviceExternalBufferProperties");
    const DeviceSettings settings = settings_of(handle);
    VkExternalMemoryProperties& result = properties->externalMemoryProperties;
    result = {};
    if ((info->handleType & settings.handle_types()) == 0)
        return;
    result.compatibleHandleTypes = info->handleType;
    if (info->handleType == VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT) {
        result.externalMemoryFeatures = VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT;
        return;
    }
    if (!settings.shares_buffers)
        return;
    result.externalMemoryFeatures = settings.dma_bufs();
    if (settings.requires_dedicated)
        result.externalMemoryFeatures |= VK_EXTERNAL_MEMORY_FEATURE_DEDICATED_ONLY_BIT;
    if ((settings.dma_bufs() & VK_EXTERNAL_MEMORY_FEATURE_EXPORTABLE_BIT) != 0)
        result.exportFromImportedHandleTypes = info->handleType;
}

/// Adds a function of Vulkan 1.1 by its core name and by its KHR name.
template <class Function, std::type_identity_t<Function> function>
void add_pair(std::vector<EntryPoint>& table, std::string_view name, std::string_view khr_name,
              std::string_view extension) {
    table.push_back(
        entry_point<Function, function>(name, Level::physical_device, VK_API_VERSION_1_1));
    table.push_back(
        entry_point<Function, function>(khr_name, Level::physical_device, never_core, extension));
}

std::vector<EntryPoint> make_table() {
    constexpr auto level = Level::physical_device;
    constexpr auto properties2 = VK_KHR_GET_PHYSICAL_DEVICE_PROPERTIES_2_EXTENSION_NAME;
    std::vector<EntryPoint> table{
        entry_point<PFN_vkGetPhysicalDeviceFeatures, get_features>("vkGetPhysicalDeviceFeatures",
                                                                   level),
        entry_point<PFN_vkGetPhysicalDeviceProperties, get_properties>(
            "vkGetPhysicalDeviceProperties", level),
        entry_point<PFN_vkGetPhysicalDeviceQueueFamilyProperties, get_queue_families>(
            "vkGetPhysicalDeviceQueueFamilyProperties", level),
        entry_point<PFN_vkGetPhysicalDeviceMemoryProperties, get_memory_properties>(
            "vkGetPhysicalDeviceMemoryProperties", level),
        entry_point<PFN_vkEnumerateDeviceExtensionProperties, enumerate_device_extensions>(
            "vkEnumerateDeviceExtensionProperties", level),
        entry_point<PFN_vkEnumerateDeviceLayerProperties, enumerate_device_layers>(
            "vkEnumerateDeviceLayerProperties", level),
    };
    add_pair<PFN_vkGetPhysicalDeviceFeatures2, get_features2>(
        table, "vkGetPhysicalDeviceFeatures2", "vkGetPhysicalDeviceFeatures2KHR", properties2);
    add_pair<PFN_vkGetPhysicalDeviceProperties2, get_properties2>(
        table, "vkGetPhysicalDeviceProperties2", "vkGetPhysicalDeviceProperties2KHR", properties2);
    add_pair<PFN_vkGetPhysicalDeviceQueueFamilyProperties2, get_queue_families2>(
        table, "vkGetPhysicalDeviceQueueFamilyProperties2",
        "vkGetPhysicalDeviceQueueFamilyProperties2KHR", properties2);
    add_pair<PFN_vkGetPhysicalDeviceMemoryProperties2, get_memory_properties2>(
        table, "vkGetPhysicalDeviceMemoryProperties2", "vkGetPhysicalDeviceMemoryProperties2KHR",
        properties2);
    add_pair<PFN_vkGetPhysicalDeviceExternalSemaphoreProperties, get_external_semaphore>(
        table, "vkGetPhysicalDeviceExternalSemaphoreProperties",
        "vkGetPhysicalDeviceExternalSemaphorePropertiesKHR",
        VK_KHR_EXTERNAL_SEMAPHORE_CAPABILITIES_EXTENSION_NAME);
    add_pair<PFN_vkGetPhysicalDeviceExternalFenceProperties, get_external_fence>(
        table, "vkGetPhysicalDeviceExternalFenceProperties",
        "vkGetPhysicalDeviceExternalFencePropertiesKHR",
        VK_KHR_EXTERNAL_FENCE_CAPABILITIES_EXTENSION_NAME);
    add_pair<PFN_vkGetPhysicalDeviceExternalBufferProperties, get_external_buffer>(
        table, "vkGetPhysicalDeviceExternalBufferProperties",
        "vkGetPhysicalDeviceExternalBufferPropertiesKHR",
        VK_KHR_EXTERNAL_MEMORY_CAPABILITIES_EXTENSION_NAME);
    return table;
}

} // namespace

std::span<const EntryPoint> physical_device_entry_points() {
    static const std::vector<EntryPoint> table = make_table();
    return table;
}

} // namespace fencebridge::fake_driver
