// SPDX-License-Identifier: MIT
// Names, tags and private data of objects. A handle that is not the driver's is a misuse.
#include "chain.hpp"
#include "entry_points.hpp"
#include "objects.hpp"

namespace fencebridge::fake_driver {
namespace {

template <class Handle, class Object>
bool is_live(Pool<Handle, Object>& pool, uint64_t handle) {
    return pool.find_if_any((Handle)handle) != nullptr;
}

bool is_live(VkObjectType type, uint64_t handle) {
    const void* const pointer = reinterpret_cast<const void*>(static_cast<uintptr_t>(handle));
    Objects& all = objects();
    switch (type) {
    case VK_OBJECT_TYPE_INSTANCE:
        return Instance::is_live(pointer);
    case VK_OBJECT_TYPE_PHYSICAL_DEVICE:
        return PhysicalDevice::is_live(pointer);
    case VK_OBJECT_TYPE_DEVICE:
        return Device::is_live(pointer);
    case VK_OBJECT_TYPE_QUEUE:
        return Queue::is_live(pointer);
    case VK_OBJECT_TYPE_COMMAND_BUFFER:
        return CommandBuffer::is_live(pointer);
    case VK_OBJECT_TYPE_DEVICE_MEMORY:
        return is_live(all.memories, handle);
    case VK_OBJECT_TYPE_IMAGE:
        return is_live(all.images, handle) || is_live(all.native_images, handle);
    case VK_OBJECT_TYPE_IMAGE_VIEW:
        return is_live(all.image_views, handle);
    case VK_OBJECT_TYPE_BUFFER:
        return is_live(all.buffers, handle);
    case VK_OBJECT_TYPE_SEMAPHORE:
        return is_live(all.semaphores, handle);
    case VK_OBJECT_TYPE_FENCE:
        return is_live(all.fences, handle);
    case VK_OBJECT_TYPE_COMMAND_POOL:
        return is_live(all.command_pools, handle);
    case VK_OBJECT_TYPE_SURFACE_KHR:
        return is_live(all.surfaces, handle);
    case VK_OBJECT_TYPE_SWAPCHAIN_KHR:
        return is_live(all.swapchains, handle);
    case VK_OBJECT_TYPE_PRIVATE_DATA_SLOT:
        return is_live(all.private_data_slots, handle);
    default:
        return false;
    }
}

void check(const char* function, VkObjectType type, uint64_t handle) {
    if (!is_live(type, handle))
        misuse(std::string{function} + ": not a live object of type " + std::to_string(type));
}

VkResult set_name(VkDevice, const VkDebugUtilsObjectNameInfoEXT* info) {
    if (const auto failure = enter("vkSetDebugUtilsObjectNameEXT"))
        return *failure;
    check("vkSetDebugUtilsObjectNameEXT", info->objectType, info->objectHandle);
    return VK_SUCCESS;
}

VkResult set_tag(VkDevice, const VkDebugUtilsObjectTagInfoEXT* info) {
    if (const auto failure = enter("vkSetDebugUtilsObjectTagEXT"))
        return *failure;
    check("vkSetDebugUtilsObjectTagEXT", info->objectType, info->objectHandle);
    return VK_SUCCESS;
}

/// VkDebugReportObjectTypeEXT has the values of VkObjectType for the types of Vulkan 1.0.
VkObjectType object_type(VkDebugReportObjectTypeEXT type) {
    if (type == VK_DEBUG_REPORT_OBJECT_TYPE_SWAPCHAIN_KHR_EXT)
        return VK_OBJECT_TYPE_SWAPCHAIN_KHR;
    if (type == VK_DEBUG_REPORT_OBJECT_TYPE_SURFACE_KHR_EXT)
        return VK_OBJECT_TYPE_SURFACE_KHR;
    return static_cast<VkObjectType>(type);
}

VkResult set_marker_name(VkDevice, const VkDebugMarkerObjectNameInfoEXT* info) {
    if (const auto failure = enter("vkDebugMarkerSetObjectNameEXT"))
        return *failure;
    check("vkDebugMarkerSetObjectNameEXT", object_type(info->objectType), info->object);
    return VK_SUCCESS;
}

VkResult set_marker_tag(VkDevice, const VkDebugMarkerObjectTagInfoEXT* info) {
    if (const auto failure = enter("vkDebugMarkerSetObjectTagEXT"))
        return *failure;
    check("vkDebugMarkerSetObjectTagEXT", object_type(info->objectType), info->object);
    return VK_SUCCESS;
}

/// The slot that was destroyed last. The next one has the same handle.
std::atomic<VkPrivateDataSlot> last_slot = VK_NULL_HANDLE;

VkResult create_slot(VkDevice handle, const VkPrivateDataSlotCreateInfo*,
                     const VkAllocationCallbacks*, VkPrivateDataSlot* result) {
    if (const auto failure = enter("vkCreatePrivateDataSlot"))
        return *failure;
    PrivateDataSlot slot{.device = from_handle<Device>(handle)};
    if (const VkPrivateDataSlot again = last_slot.exchange(VK_NULL_HANDLE)) {
        objects().private_data_slots.add_again(again, std::move(slot));
        *result = again;
    } else {
        *result = objects().private_data_slots.add(std::move(slot));
    }
    return VK_SUCCESS;
}

void destroy_slot(VkDevice, VkPrivateDataSlot slot, const VkAllocationCallbacks*) {
    note("vkDestroyPrivateDataSlot");
    if (objects().private_data_slots.remove(slot) != nullptr)
        last_slot = slot;
}

VkResult set_private_data(VkDevice, VkObjectType type, uint64_t object, VkPrivateDataSlot handle,
                          uint64_t data) {
    if (const auto failure = enter("vkSetPrivateData"))
        return *failure;
    check("vkSetPrivateData", type, object);
    const auto slot = objects().private_data_slots.find(handle);
    if (slot == nullptr)
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    slot->data[{type, object}] = data;
    return VK_SUCCESS;
}

void get_private_data(VkDevice, VkObjectType type, uint64_t object, VkPrivateDataSlot handle,
                      uint64_t* data) {
    note_query("vkGetPrivateData");
    check("vkGetPrivateData", type, object);
    const auto slot = objects().private_data_slots.find(handle);
    const auto entry =
        slot == nullptr ? std::map<std::pair<VkObjectType, uint64_t>, uint64_t>{} : slot->data;
    const auto found = entry.find({type, object});
    *data = found == entry.end() ? 0 : found->second;
}

} // namespace

std::span<const EntryPoint> object_data_entry_points() {
    constexpr auto level = Level::device;
    constexpr auto utils = VK_EXT_DEBUG_UTILS_EXTENSION_NAME;
    constexpr auto marker = VK_EXT_DEBUG_MARKER_EXTENSION_NAME;
    constexpr auto private_data = VK_EXT_PRIVATE_DATA_EXTENSION_NAME;
    static const EntryPoint table[]{
        entry_point<PFN_vkSetDebugUtilsObjectNameEXT, set_name>("vkSetDebugUtilsObjectNameEXT",
                                                                level, never_core, utils),
        entry_point<PFN_vkSetDebugUtilsObjectTagEXT, set_tag>("vkSetDebugUtilsObjectTagEXT", level,
                                                              never_core, utils),
        entry_point<PFN_vkDebugMarkerSetObjectNameEXT, set_marker_name>(
            "vkDebugMarkerSetObjectNameEXT", level, never_core, marker),
        entry_point<PFN_vkDebugMarkerSetObjectTagEXT, set_marker_tag>(
            "vkDebugMarkerSetObjectTagEXT", level, never_core, marker),
        entry_point<PFN_vkCreatePrivateDataSlot, create_slot>("vkCreatePrivateDataSlot", level,
                                                              VK_API_VERSION_1_3),
        entry_point<PFN_vkDestroyPrivateDataSlot, destroy_slot>("vkDestroyPrivateDataSlot", level,
                                                                VK_API_VERSION_1_3),
        entry_point<PFN_vkSetPrivateData, set_private_data>("vkSetPrivateData", level,
                                                            VK_API_VERSION_1_3),
        entry_point<PFN_vkGetPrivateData, get_private_data>("vkGetPrivateData", level,
                                                            VK_API_VERSION_1_3),
        entry_point<PFN_vkCreatePrivateDataSlot, create_slot>("vkCreatePrivateDataSlotEXT", level,
                                                              never_core, private_data),
        entry_point<PFN_vkDestroyPrivateDataSlot, destroy_slot>("vkDestroyPrivateDataSlotEXT",
                                                                level, never_core, private_data),
        entry_point<PFN_vkSetPrivateData, set_private_data>("vkSetPrivateDataEXT", level,
                                                            never_core, private_data),
        entry_point<PFN_vkGetPrivateData, get_private_data>("vkGetPrivateDataEXT", level,
                                                            never_core, private_data),
    };
    return table;
}

} // namespace fencebridge::fake_driver
