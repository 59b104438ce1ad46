// SPDX-License-Identifier: MIT
#include "entry/intercepts.hpp"

#include <algorithm>
#include <array>

#include "entry/extensions.hpp"
#include "entry/registry.hpp"

namespace fencebridge::entry {

namespace {

struct Intercept {
    std::string_view name;
    PFN_vkVoidFunction function;
};

template <class Function>
Intercept intercept(std::string_view name, Function* function) {
    return {name, reinterpret_cast<PFN_vkVoidFunction>(function)};
}

PFN_vkVoidFunction find(const auto& intercepts, std::string_view name) {
    const auto found = std::ranges::find(intercepts, name, &Intercept::name);
    return found == intercepts.end() ? nullptr : found->function;
}

} // namespace

PFN_vkVoidFunction find_instance_intercept(std::string_view name) {
    static const std::array all = {
        intercept("vkGetInstanceProcAddr", GetInstanceProcAddr),
        intercept("vkCreateInstance", CreateInstance),
        intercept("vkDestroyInstance", DestroyInstance),
        intercept("vkCreateDevice", CreateDevice),
        intercept("vkEnumerateDeviceExtensionProperties", EnumerateDeviceExtensionProperties),
        intercept("vkGetPhysicalDeviceFeatures2", GetPhysicalDeviceFeatures2),
        intercept("vkGetPhysicalDeviceFeatures2KHR", GetPhysicalDeviceFeatures2),
        intercept("vkCreateWaylandSurfaceKHR", CreateWaylandSurfaceKHR),
        intercept("vkDestroySurfaceKHR", DestroySurfaceKHR),
        intercept("vkGetPhysicalDeviceWaylandPresentationSupportKHR",
                  GetPhysicalDeviceWaylandPresentationSupportKHR),
        intercept("vkGetPhysicalDeviceSurfaceSupportKHR", GetPhysicalDeviceSurfaceSupportKHR),
        intercept("vkGetPhysicalDeviceSurfaceCapabilitiesKHR",
                  GetPhysicalDeviceSurfaceCapabilitiesKHR),
        intercept("vkGetPhysicalDeviceSurfaceCapabilities2KHR",
                  GetPhysicalDeviceSurfaceCapabilities2KHR),
        intercept("vkGetPhysicalDeviceSurfaceCapabilities2EXT",
                  GetPhysicalDeviceSurfaceCapabilities2EXT),
        intercept("vkGetPhysicalDeviceSurfaceFormatsKHR", GetPhysicalDeviceSurfaceFormatsKHR),
        intercept("vkGetPhysicalDeviceSurfaceFormats2KHR", GetPhysicalDeviceSurfaceFormats2KHR),
        intercept("vkGetPhysicalDeviceSurfacePresentModesKHR",
                  GetPhysicalDeviceSurfacePresentModesKHR),
        intercept("vkGetPhysicalDevicePresentRectanglesKHR", GetPhysicalDevicePresentRectanglesKHR),
    };
    return find(all, name);
}

PFN_vkVoidFunction find_device_intercept(std::string_view name) {
    static const std::array all = {
        intercept("vkGetDeviceProcAddr", GetDeviceProcAddr),
        intercept("vkDestroyDevice", DestroyDevice),
        intercept("vkCreateSwapchainKHR", CreateSwapchainKHR),
        intercept("vkDestroySwapchainKHR", DestroySwapchainKHR),
        intercept("vkGetSwapchainImagesKHR", GetSwapchainImagesKHR),
        intercept("vkAcquireNextImageKHR", AcquireNextImageKHR),
        intercept("vkAcquireNextImage2KHR", AcquireNextImage2KHR),
        intercept("vkQueuePresentKHR", QueuePresentKHR),
        intercept("vkGetDeviceGroupPresentCapabilitiesKHR", GetDeviceGroupPresentCapabilitiesKHR),
        intercept("vkGetDeviceGroupSurfacePresentModesKHR", GetDeviceGroupSurfacePresentModesKHR),
        intercept("vkCreateSemaphore", CreateSemaphore),
        intercept("vkDestroySemaphore", DestroySemaphore),
        intercept("vkCreateImage", CreateImage),
        intercept("vkGetDeviceImageSubresourceLayout", GetDeviceImageSubresourceLayout),
        intercept("vkGetDeviceImageSubresourceLayoutKHR", GetDeviceImageSubresourceLayout),
        intercept("vkBindImageMemory2", BindImageMemory2),
        intercept("vkBindImageMemory2KHR", BindImageMemory2),
        intercept("vkSetDebugUtilsObjectNameEXT", SetDebugUtilsObjectNameEXT),
        intercept("vkSetDebugUtilsObjectTagEXT", SetDebugUtilsObjectTagEXT),
        intercept("vkDebugMarkerSetObjectNameEXT", DebugMarkerSetObjectNameEXT),
        intercept("vkDebugMarkerSetObjectTagEXT", DebugMarkerSetObjectTagEXT),
        intercept("vkSetPrivateData", SetPrivateData),
        intercept("vkSetPrivateDataEXT", SetPrivateData),
        intercept("vkGetPrivateData", GetPrivateData),
        intercept("vkGetPrivateDataEXT", GetPrivateData),
        intercept("vkDestroyPrivateDataSlot", DestroyPrivateDataSlot),
        intercept("vkDestroyPrivateDataSlotEXT", DestroyPrivateDataSlot),
    };
    return find(all, name);
}

VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL GetInstanceProcAddr(VkInstance handle, const char* name) {
    const PFN_vkVoidFunction ours = find_instance_intercept(name);
    if (handle == VK_NULL_HANDLE)
        return ours;
    const auto instance = find_instance(handle);
    if (!instance)
        return ours;
    const PFN_vkVoidFunction next = instance->next.GetInstanceProcAddr(handle, name);
    // What the instance has not enabled stays absent. The device functions that this may be asked
    // for find out themselves whether their device is served.
    if (next == nullptr || !instance->active)
        return ours != nullptr && next != nullptr ? ours : next;
    if (ours != nullptr)
        return ours;
    const PFN_vkVoidFunction device_function = find_device_intercept(name);
    return device_function != nullptr ? device_function : next;
}

VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL GetDeviceProcAddr(VkDevice handle, const char* name) {
    const auto device = find_device(handle);
    if (!device)
        return nullptr;
    const std::string_view wanted = name;
    // vkCreateDevice has refused the extension, but not every driver then lacks its commands.
    if (device->hides_extensions && is_hidden_command(wanted))
        return nullptr;
    const PFN_vkVoidFunction ours = find_device_intercept(wanted);
    const PFN_vkVoidFunction next = device->vk.next.GetDeviceProcAddr(handle, name);
    if (ours == nullptr)
        return next;
    // A device that is not served needs the layer only to find the way, and when it goes.
    if (!device->served && wanted != "vkGetDeviceProcAddr" && wanted != "vkDestroyDevice")
        return next;
    // VK_KHR_swapchain is the layer's on a served device, and need not be the driver's. Any other
    // command is there if the driver has it.
    return next != nullptr || is_provided_command(wanted) ? ours : nullptr;
}

} // namespace fencebridge::entry
