// SPDX-License-Identifier: MIT
#include "entry/guard.hpp"
#include "entry/intercepts.hpp"
#include "entry/registry.hpp"

// What an application attaches to any object: names and tags for debuggers, and private data. A
// driver that is given the handle of a swapchain of the layer's would take it for the address of
// its own object. Names and tags of those swapchains are dropped; private data is kept here.

namespace fencebridge::entry {

namespace {

/// The layer's own swapchain that a typed handle stands for, or null.
std::shared_ptr<SwapchainRecord> find_ours(Device& device, VkObjectType type, uint64_t handle) {
    if (type != VK_OBJECT_TYPE_SWAPCHAIN_KHR)
        return nullptr;
    // A cast for both kinds of handle: a pointer on 64-bit machines, a number on others.
    return device.find_record((VkSwapchainKHR)handle);
}

/// VK_EXT_debug_marker has numbers of its own for the types of objects.
VkObjectType object_type(VkDebugReportObjectTypeEXT type) {
    return type == VK_DEBUG_REPORT_OBJECT_TYPE_SWAPCHAIN_KHR_EXT ? VK_OBJECT_TYPE_SWAPCHAIN_KHR
                                                                 : VK_OBJECT_TYPE_UNKNOWN;
}

/// Passes a name or a tag on to the driver, unless it is for a swapchain of the layer's.
template <class Info>
VkResult annotate(VkDevice handle, const Info* info, VkObjectType type, uint64_t object,
                  VkResult (*vk::DeviceDispatch::*next)(VkDevice, const Info*)) {
    return guarded([&] {
        const auto device = find_device(handle);
        const auto next_function = device->vk.next.*next;
        // VK_EXT_debug_utils may be the loader's alone.
        if (find_ours(*device, type, object) || next_function == nullptr)
            return VK_SUCCESS;
        return next_function(handle, info);
    });
}

} // namespace

VKAPI_ATTR VkResult VKAPI_CALL
SetDebugUtilsObjectNameEXT(VkDevice handle, const VkDebugUtilsObjectNameInfoEXT* info) {
    return annotate(handle, info, info->objectType, info->objectHandle,
                    &vk::DeviceDispatch::SetDebugUtilsObjectNameEXT);
}

VKAPI_ATTR VkResult VKAPI_CALL SetDebugUtilsObjectTagEXT(VkDevice handle,
                                                         const VkDebugUtilsObjectTagInfoEXT* info) {
    return annotate(handle, info, info->objectType, info->objectHandle,
                    &vk::DeviceDispatch::SetDebugUtilsObjectTagEXT);
}

VKAPI_ATTR VkResult VKAPI_CALL
DebugMarkerSetObjectNameEXT(VkDevice handle, const VkDebugMarkerObjectNameInfoEXT* info) {
    return annotate(handle, info, object_type(info->objectType), info->object,
                    &vk::DeviceDispatch::DebugMarkerSetObjectNameEXT);
}

VKAPI_ATTR VkResult VKAPI_CALL
DebugMarkerSetObjectTagEXT(VkDevice handle, const VkDebugMarkerObjectTagInfoEXT* info) {
    return annotate(handle, info, object_type(info->objectType), info->object,
                    &vk::DeviceDispatch::DebugMarkerSetObjectTagEXT);
}

VKAPI_ATTR VkResult VKAPI_CALL SetPrivateData(VkDevice handle, VkObjectType type, uint64_t object,
                                              VkPrivateDataSlot slot, uint64_t data) {
    return guarded([&] {
        const auto device = find_device(handle);
        const auto ours = find_ours(*device, type, object);
        if (!ours)
            return device->vk.next.SetPrivateData(handle, type, object, slot, data);
        ours->private_data.with([&](auto& all) { all[slot] = data; });
        return VK_SUCCESS;
    });
}

VKAPI_ATTR void VKAPI_CALL GetPrivateData(VkDevice handle, VkObjectType type, uint64_t object,
                                          VkPrivateDataSlot slot, uint64_t* data) {
    guarded_void([&] {
        const auto device = find_device(handle);
        const auto ours = find_ours(*device, type, object);
        if (!ours)
            return device->vk.next.GetPrivateData(handle, type, object, slot, data);
        // Data that was never set reads 0 (vkGetPrivateData).
        *data = ours->private_data.with([&](const auto& all) {
            const auto found = all.find(slot);
            return found == all.end() ? uint64_t{0} : found->second;
        });
    });
}

VKAPI_ATTR void VKAPI_CALL DestroyPrivateDataSlot(VkDevice handle, VkPrivateDataSlot slot,
                                                  const VkAllocationCallbacks* allocator) {
    guarded_void([&] {
        const auto device = find_device(handle);
        // The driver may give the same handle to another slot, in which all data reads 0.
        device->swapchains.with([&](const auto& all) {
            for (const auto& [swapchain, record] : all)
                record->private_data.with([&](auto& data) { data.erase(slot); });
        });
        device->vk.next.DestroyPrivateDataSlot(handle, slot, allocator);
    });
}

} // namespace fencebridge::entry
