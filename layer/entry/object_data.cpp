// SPDX-License-Identifier: MIT
#include "entry/entry_points.hpp"
#include "entry/guard.hpp"
#include "entry/registry.hpp"

// Names and tags for debuggers, and private data, which an application may attach to any object. A
// driver would mistake the handle of one of the layer's swapchains for one of its own. So the layer
// ignores names and tags of its swapchains, and keeps their private data itself.

namespace fencebridge::entry {

namespace {

/// The layer's record of an object that is one of its swapchains, or null for any other object.
std::shared_ptr<SwapchainRecord> find_ours(Device& device, VkObjectType type, uint64_t handle) {
    if (type != VK_OBJECT_TYPE_SWAPCHAIN_KHR)
        return nullptr;
    // The handle is a pointer on 64-bit machines and a number on others: this cast does both.
    return device.find_record((VkSwapchainKHR)handle);
}

/// VK_EXT_debug_marker names object types by the enumeration of VK_EXT_debug_report, not by
/// VkObjectType.
VkObjectType object_type(VkDebugReportObjectTypeEXT type) {
    return type == VK_DEBUG_REPORT_OBJECT_TYPE_SWAPCHAIN_KHR_EXT ? VK_OBJECT_TYPE_SWAPCHAIN_KHR
                                                                 : VK_OBJECT_TYPE_UNKNOWN;
}

/// Passes a name or a tag to the driver, unless the object is one of the layer's swapchains.
template <class Info>
VkResult annotate(VkDevice handle, const Info* info, VkObjectType type, uint64_t object,
                  VkResult (*vk::DeviceDispatch::*next)(VkDevice, const Info*)) {
    return guarded([&] {
        const auto device = find_device(handle);
        const auto next_function = device->vk.next.*next;
        // The loader implements VK_EXT_debug_utils; the driver may not.
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
        // Private data that was never set is 0 (vkGetPrivateData).
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
        // The driver may reuse the handle for a new slot, whose data must be 0.
        device->swapchains.with([&](const auto& all) {
            for (const auto& [swapchain, record] : all)
                record->private_data.with([&](auto& data) { data.erase(slot); });
        });
        device->vk.next.DestroyPrivateDataSlot(handle, slot, allocator);
    });
}

} // namespace fencebridge::entry
