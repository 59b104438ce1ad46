// SPDX-License-Identifier: MIT
#include <algorithm>

#include "chain.hpp"
#include "entry_points.hpp"
#include "execution.hpp"
#include "merge.hpp"
#include "objects.hpp"

namespace fencebridge::fake_driver {
namespace {

/// Determines the result of vkCreateDevice before anything is created.
VkResult check_device(const PhysicalDevice& physical_device, const VkDeviceCreateInfo& info,
                      const Settings& settings) {
    const std::vector<std::string> known =
        settings.visible_device_extensions(physical_device.index);
    for (uint32_t i = 0; i < info.enabledExtensionCount; ++i) {
        const std::string_view name = info.ppEnabledExtensionNames[i];
        if (settings.device_failure && settings.device_failure->extension == name)
            return settings.device_failure->result;
        if (std::ranges::find(known, name) == known.end())
            return VK_ERROR_EXTENSION_NOT_PRESENT;
    }
    return wants_absent_feature(info.pNext, settings.devices.at(physical_device.index))
               ? VK_ERROR_FEATURE_NOT_PRESENT
               : VK_SUCCESS;
}

/// An extension, the extension that must be enabled with it, and the version in which the latter
/// became core (VUID-vkCreateDevice-ppEnabledExtensionNames-01387).
struct Dependency {
    std::string_view extension;
    std::string_view needs;
    uint32_t core_since;
};
constexpr Dependency dependencies[]{
    {"VK_KHR_external_memory_fd", "VK_KHR_external_memory", VK_API_VERSION_1_1},
    {"VK_EXT_external_memory_dma_buf", "VK_KHR_external_memory_fd", never_core},
    {"VK_EXT_external_memory_host", "VK_KHR_external_memory", VK_API_VERSION_1_1},
    {"VK_EXT_image_drm_format_modifier", "VK_KHR_image_format_list", VK_API_VERSION_1_2},
    {"VK_EXT_image_drm_format_modifier", "VK_KHR_bind_memory2", VK_API_VERSION_1_1},
    {"VK_EXT_image_drm_format_modifier", "VK_KHR_sampler_ycbcr_conversion", VK_API_VERSION_1_1},
    {"VK_KHR_sampler_ycbcr_conversion", "VK_KHR_maintenance1", VK_API_VERSION_1_1},
    {"VK_KHR_sampler_ycbcr_conversion", "VK_KHR_bind_memory2", VK_API_VERSION_1_1},
    {"VK_KHR_sampler_ycbcr_conversion", "VK_KHR_get_memory_requirements2", VK_API_VERSION_1_1},
    {"VK_KHR_dedicated_allocation", "VK_KHR_get_memory_requirements2", VK_API_VERSION_1_1},
    {"VK_KHR_external_semaphore_fd", "VK_KHR_external_semaphore", VK_API_VERSION_1_1},
    {"VK_KHR_external_fence_fd", "VK_KHR_external_fence", VK_API_VERSION_1_1},
    // extensions of the instance
    {"VK_KHR_external_memory", "VK_KHR_external_memory_capabilities", VK_API_VERSION_1_1},
    {"VK_KHR_external_semaphore", "VK_KHR_external_semaphore_capabilities", VK_API_VERSION_1_1},
    {"VK_KHR_external_fence", "VK_KHR_external_fence_capabilities", VK_API_VERSION_1_1},
    {"VK_KHR_sampler_ycbcr_conversion", "VK_KHR_get_physical_device_properties2",
     VK_API_VERSION_1_1},
    {"VK_KHR_swapchain", "VK_KHR_surface", never_core},
};

void check_dependencies(const Device& device) {
    for (const Dependency& rule : dependencies)
        if (device.has(rule.extension) && device.api_version < rule.core_since &&
            !device.has(rule.needs) &&
            !device.physical_device->instance->extensions.contains(rule.needs))
            misuse("vkCreateDevice: " + std::string{rule.extension} + " without " +
                   std::string{rule.needs});
}

void check_duplicates(const VkDeviceCreateInfo& info) {
    std::set<std::string_view> seen;
    for (uint32_t i = 0; i < info.enabledExtensionCount; ++i)
        if (!seen.insert(info.ppEnabledExtensionNames[i]).second)
            misuse(std::string{"vkCreateDevice: twice "} + info.ppEnabledExtensionNames[i]);
}

void make_queues(Device& device, const VkDeviceCreateInfo& info) {
    const DeviceSettings settings = current_device_settings(device.physical_device->index);
    // VUID-VkDeviceCreateInfo-pQueueCreateInfos-06755
    std::map<uint32_t, uint32_t> totals;
    // VUID-VkDeviceCreateInfo-queueFamilyIndex-02802
    std::set<std::pair<uint32_t, VkDeviceQueueCreateFlags>> kinds;
    for (uint32_t i = 0; i < info.queueCreateInfoCount; ++i) {
        const VkDeviceQueueCreateInfo& request = info.pQueueCreateInfos[i];
        totals[request.queueFamilyIndex] += request.queueCount;
        if (request.queueFamilyIndex >= settings.queue_families.size() ||
            totals[request.queueFamilyIndex] > settings.queue_count)
            misuse("vkCreateDevice: more queues than there are");
        if (!kinds.insert({request.queueFamilyIndex, request.flags}).second)
            misuse("vkCreateDevice: two requests for queues of the same kind");
        for (uint32_t index = 0; index < request.queueCount; ++index) {
            auto& queue = device.queues.emplace_back(std::make_unique<Queue>());
            set_loader_magic_value(queue.get());
            queue->device = &device;
            queue->flags = request.flags;
            queue->family = request.queueFamilyIndex;
            queue->index = index;
        }
    }
}

std::unique_ptr<Device> make_device(const PhysicalDevice& physical_device,
                                    const VkDeviceCreateInfo& info, const Settings& settings) {
    auto device = std::make_unique<Device>();
    set_loader_magic_value(device.get());
    device->physical_device = &physical_device;
    device->api_version =
        std::min(physical_device.instance->api_version,
                 settings.devices.at(physical_device.index).api_version | VK_VERSION_PATCH(~0U));
    for (uint32_t i = 0; i < info.enabledExtensionCount; ++i)
        device->extensions.emplace(info.ppEnabledExtensionNames[i]);
    make_queues(*device, info);
    return device;
}

VkResult create_device(VkPhysicalDevice parent, const VkDeviceCreateInfo* info,
                       const VkAllocationCallbacks*, VkDevice* handle) {
    const auto& physical_device = *from_handle<PhysicalDevice>(parent);
    CreateRecord record =
        make_record(info->enabledExtensionCount, info->ppEnabledExtensionNames, info->pNext);
    record.view.physical_device = physical_device.index;
    record.view.has_features = info->pEnabledFeatures != nullptr;
    const Settings settings = current_settings();
    const auto failure = enter("vkCreateDevice");
    record.view.result = failure ? *failure : check_device(physical_device, *info, settings);
    const VkResult result = record.view.result;
    store(&State::device_creates, std::move(record));
    if (result != VK_SUCCESS)
        return result;
    check_duplicates(*info);
    auto device = make_device(physical_device, *info, settings);
    check_dependencies(*device);
    *handle = to_handle<VkDevice>(device.release());
    ++objects().devices;
    return VK_SUCCESS;
}

/// All children must be destroyed before their device (VUID-vkDestroyDevice-device-05137).
template <class Pool>
void remove_children(Pool& pool, const Device* device) {
    const size_t left = pool.remove_if([&](const auto& child) { return child.device == device; });
    if (left > 0)
        misuse("vkDestroyDevice with " + std::to_string(left) + " of " + pool.name() + " left");
}

void destroy_device(VkDevice handle, const VkAllocationCallbacks*) {
    note("vkDestroyDevice");
    if (handle == VK_NULL_HANDLE)
        return;
    const std::unique_ptr<Device> device{from_handle<Device>(handle)};
    finish_executions(*device);
    Objects& all = objects();
    remove_children(all.swapchains, device.get());
    remove_children(all.image_views, device.get());
    remove_children(all.images, device.get());
    remove_children(all.native_images, device.get());
    remove_children(all.buffers, device.get());
    remove_children(all.memories, device.get());
    remove_children(all.semaphores, device.get());
    remove_children(all.fences, device.get());
    remove_children(all.command_pools, device.get());
    remove_children(all.private_data_slots, device.get());
    --all.devices;
    sweep_merges();
}

void get_queue2(VkDevice handle, const VkDeviceQueueInfo2* info, VkQueue* queue) {
    *queue = VK_NULL_HANDLE;
    for (const auto& candidate : from_handle<Device>(handle)->queues)
        if (candidate->flags == info->flags && candidate->family == info->queueFamilyIndex &&
            candidate->index == info->queueIndex)
            *queue = to_handle<VkQueue>(candidate.get());
    if (*queue == VK_NULL_HANDLE)
        misuse("vkGetDeviceQueue: the device was made without that queue");
}

void get_queue(VkDevice handle, uint32_t family, uint32_t index, VkQueue* queue) {
    const VkDeviceQueueInfo2 info{.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_INFO_2,
                                  .pNext = nullptr,
                                  .flags = 0,
                                  .queueFamilyIndex = family,
                                  .queueIndex = index};
    get_queue2(handle, &info, queue);
}

void get_group_peer_features(VkDevice, uint32_t, uint32_t, uint32_t,
                             VkPeerMemoryFeatureFlags* features) {
    *features = 0;
}

} // namespace

std::span<const EntryPoint> device_entry_points() {
    static const EntryPoint table[]{
        entry_point<PFN_vkCreateDevice, create_device>("vkCreateDevice", Level::physical_device),
        entry_point<PFN_vkGetDeviceProcAddr, get_device_function>("vkGetDeviceProcAddr",
                                                                  Level::device),
        entry_point<PFN_vkDestroyDevice, destroy_device>("vkDestroyDevice", Level::device),
        entry_point<PFN_vkGetDeviceQueue, get_queue>("vkGetDeviceQueue", Level::device),
        entry_point<PFN_vkGetDeviceQueue2, get_queue2>("vkGetDeviceQueue2", Level::device,
                                                       VK_API_VERSION_1_1),
        entry_point<PFN_vkGetDeviceGroupPeerMemoryFeatures, get_group_peer_features>(
            "vkGetDeviceGroupPeerMemoryFeatures", Level::device, VK_API_VERSION_1_1),
    };
    return table;
}

} // namespace fencebridge::fake_driver
