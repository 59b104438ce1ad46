// SPDX-License-Identifier: MIT
#include "vk/dispatch.hpp"

#include <array>
#include <cstdio>

namespace fencebridge::vk {

namespace {

template <class Owner, class Get>
struct Resolver {
    Owner owner;
    Get get;
    uint32_t api_version;

    template <class Function>
    void operator()(Function& out, const char* name) const {
        out = reinterpret_cast<Function>(get(owner, name));
    }

    /// Resolves a function of an extension that became part of Vulkan in version `since`. With an
    /// older api_version only the extension's name is valid to look up, with any other only
    /// Vulkan's.
    template <class Function>
    void promoted(Function& out, const char* name, uint32_t since = VK_API_VERSION_1_1,
                  const char* suffix = "KHR") const {
        std::array<char, 80> with_suffix;
        std::snprintf(with_suffix.data(), with_suffix.size(), "%s%s", name, suffix);
        (*this)(out, api_version >= since ? name : with_suffix.data());
    }
};

} // namespace

InstanceDispatch::InstanceDispatch(VkInstance instance, PFN_vkGetInstanceProcAddr next,
                                   uint32_t api_version) :
    GetInstanceProcAddr(next) {
    const Resolver resolve{instance, next, api_version};
    resolve(DestroyInstance, "vkDestroyInstance");
    resolve(EnumerateDeviceExtensionProperties, "vkEnumerateDeviceExtensionProperties");
    resolve.promoted(GetPhysicalDeviceFeatures2, "vkGetPhysicalDeviceFeatures2");
    // Null here: the instance has neither Vulkan 1.1 nor VK_KHR_get_physical_device_properties2.
    // The application must not call this command then. If the next vkGetInstanceProcAddr finds it
    // all the same, the layer's returns entry::GetPhysicalDeviceFeatures2(), which calls the
    // function resolved here.
    if (GetPhysicalDeviceFeatures2 == nullptr)
        resolve(GetPhysicalDeviceFeatures2, "vkGetPhysicalDeviceFeatures2");
    resolve(GetPhysicalDeviceProperties, "vkGetPhysicalDeviceProperties");
    resolve.promoted(GetPhysicalDeviceProperties2, "vkGetPhysicalDeviceProperties2");
    resolve(GetPhysicalDeviceMemoryProperties, "vkGetPhysicalDeviceMemoryProperties");
    resolve(GetPhysicalDeviceQueueFamilyProperties, "vkGetPhysicalDeviceQueueFamilyProperties");
    resolve.promoted(GetPhysicalDeviceFormatProperties2, "vkGetPhysicalDeviceFormatProperties2");
    resolve.promoted(GetPhysicalDeviceImageFormatProperties2,
                     "vkGetPhysicalDeviceImageFormatProperties2");
    resolve.promoted(GetPhysicalDeviceExternalBufferProperties,
                     "vkGetPhysicalDeviceExternalBufferProperties");
    resolve.promoted(GetPhysicalDeviceExternalSemaphoreProperties,
                     "vkGetPhysicalDeviceExternalSemaphoreProperties");
    resolve.promoted(GetPhysicalDeviceExternalFenceProperties,
                     "vkGetPhysicalDeviceExternalFenceProperties");

    resolve(DestroySurfaceKHR, "vkDestroySurfaceKHR");
    resolve(GetPhysicalDeviceSurfaceSupportKHR, "vkGetPhysicalDeviceSurfaceSupportKHR");
    resolve(GetPhysicalDeviceSurfaceCapabilitiesKHR, "vkGetPhysicalDeviceSurfaceCapabilitiesKHR");
    resolve(GetPhysicalDeviceSurfaceFormatsKHR, "vkGetPhysicalDeviceSurfaceFormatsKHR");
    resolve(GetPhysicalDeviceSurfacePresentModesKHR, "vkGetPhysicalDeviceSurfacePresentModesKHR");
    resolve(GetPhysicalDeviceSurfaceCapabilities2KHR, "vkGetPhysicalDeviceSurfaceCapabilities2KHR");
    resolve(GetPhysicalDeviceSurfaceCapabilities2EXT, "vkGetPhysicalDeviceSurfaceCapabilities2EXT");
    resolve(GetPhysicalDeviceSurfaceFormats2KHR, "vkGetPhysicalDeviceSurfaceFormats2KHR");
    resolve(GetPhysicalDevicePresentRectanglesKHR, "vkGetPhysicalDevicePresentRectanglesKHR");
    resolve(GetPhysicalDeviceCalibrateableTimeDomainsKHR,
            "vkGetPhysicalDeviceCalibrateableTimeDomainsKHR");
    resolve(GetPhysicalDeviceCalibrateableTimeDomainsEXT,
            "vkGetPhysicalDeviceCalibrateableTimeDomainsEXT");
    resolve(CreateDebugUtilsMessengerEXT, "vkCreateDebugUtilsMessengerEXT");
    resolve(DestroyDebugUtilsMessengerEXT, "vkDestroyDebugUtilsMessengerEXT");
}

DeviceDispatch::DeviceDispatch(VkDevice device, PFN_vkGetDeviceProcAddr next,
                               uint32_t api_version) :
    GetDeviceProcAddr(next),
    GetDeviceQueue2(nullptr) {
    const Resolver resolve{device, next, api_version};
    resolve(DestroyDevice, "vkDestroyDevice");
    resolve(GetDeviceQueue, "vkGetDeviceQueue");
    if (api_version >= VK_API_VERSION_1_1)
        resolve(GetDeviceQueue2, "vkGetDeviceQueue2");

    resolve(CreateImage, "vkCreateImage");
    resolve(DestroyImage, "vkDestroyImage");
    resolve.promoted(GetImageMemoryRequirements2, "vkGetImageMemoryRequirements2");
    resolve(GetImageSubresourceLayout, "vkGetImageSubresourceLayout");
    resolve.promoted(GetDeviceImageSubresourceLayout, "vkGetDeviceImageSubresourceLayout",
                     VK_MAKE_API_VERSION(0, 1, 4, 0));
    resolve(GetImageDrmFormatModifierPropertiesEXT, "vkGetImageDrmFormatModifierPropertiesEXT");
    resolve(CreateBuffer, "vkCreateBuffer");
    resolve(DestroyBuffer, "vkDestroyBuffer");
    resolve.promoted(GetBufferMemoryRequirements2, "vkGetBufferMemoryRequirements2");
    resolve(BindBufferMemory, "vkBindBufferMemory");
    resolve(CreateCommandPool, "vkCreateCommandPool");
    resolve(DestroyCommandPool, "vkDestroyCommandPool");
    resolve(AllocateCommandBuffers, "vkAllocateCommandBuffers");
    resolve(BeginCommandBuffer, "vkBeginCommandBuffer");
    resolve(EndCommandBuffer, "vkEndCommandBuffer");
    resolve(CmdPipelineBarrier, "vkCmdPipelineBarrier");
    resolve(CmdCopyImageToBuffer, "vkCmdCopyImageToBuffer");
    resolve(AllocateMemory, "vkAllocateMemory");
    resolve(FreeMemory, "vkFreeMemory");
    resolve(BindImageMemory, "vkBindImageMemory");
    resolve.promoted(BindImageMemory2, "vkBindImageMemory2");
    resolve(GetMemoryFdKHR, "vkGetMemoryFdKHR");
    resolve(GetMemoryFdPropertiesKHR, "vkGetMemoryFdPropertiesKHR");
    resolve(GetMemoryHostPointerPropertiesEXT, "vkGetMemoryHostPointerPropertiesEXT");

    resolve(CreateSemaphore, "vkCreateSemaphore");
    resolve(DestroySemaphore, "vkDestroySemaphore");
    resolve(GetSemaphoreFdKHR, "vkGetSemaphoreFdKHR");
    resolve(ImportSemaphoreFdKHR, "vkImportSemaphoreFdKHR");
    resolve(ImportFenceFdKHR, "vkImportFenceFdKHR");
    resolve(CreateFence, "vkCreateFence");
    resolve(DestroyFence, "vkDestroyFence");
    resolve(GetFenceFdKHR, "vkGetFenceFdKHR");
    resolve(GetFenceStatus, "vkGetFenceStatus");
    resolve(WaitForFences, "vkWaitForFences");
    resolve(ResetFences, "vkResetFences");
    resolve(QueueSubmit, "vkQueueSubmit");
    resolve.promoted(QueueSubmit2, "vkQueueSubmit2", VK_API_VERSION_1_3);
    resolve(QueueBindSparse, "vkQueueBindSparse");
    resolve(QueueWaitIdle, "vkQueueWaitIdle");
    resolve(DeviceWaitIdle, "vkDeviceWaitIdle");

    resolve(CreateSwapchainKHR, "vkCreateSwapchainKHR");
    resolve(DestroySwapchainKHR, "vkDestroySwapchainKHR");
    resolve(GetSwapchainImagesKHR, "vkGetSwapchainImagesKHR");
    resolve(SetHdrMetadataEXT, "vkSetHdrMetadataEXT");
    resolve(ReleaseSwapchainImages, "vkReleaseSwapchainImagesKHR");
    if (ReleaseSwapchainImages == nullptr)
        resolve(ReleaseSwapchainImages, "vkReleaseSwapchainImagesEXT");
    resolve(AcquireNextImageKHR, "vkAcquireNextImageKHR");
    resolve(AcquireNextImage2KHR, "vkAcquireNextImage2KHR");
    resolve(QueuePresentKHR, "vkQueuePresentKHR");
    resolve(GetSwapchainStatusKHR, "vkGetSwapchainStatusKHR");
    resolve(WaitForPresentKHR, "vkWaitForPresentKHR");
    resolve(WaitForPresent2KHR, "vkWaitForPresent2KHR");
    resolve(SetSwapchainPresentTimingQueueSizeEXT, "vkSetSwapchainPresentTimingQueueSizeEXT");
    resolve(GetSwapchainTimingPropertiesEXT, "vkGetSwapchainTimingPropertiesEXT");
    resolve(GetSwapchainTimeDomainPropertiesEXT, "vkGetSwapchainTimeDomainPropertiesEXT");
    resolve(GetPastPresentationTimingEXT, "vkGetPastPresentationTimingEXT");
    resolve(GetRefreshCycleDurationGOOGLE, "vkGetRefreshCycleDurationGOOGLE");
    resolve(GetPastPresentationTimingGOOGLE, "vkGetPastPresentationTimingGOOGLE");
    resolve(GetDeviceGroupPresentCapabilitiesKHR, "vkGetDeviceGroupPresentCapabilitiesKHR");
    resolve(GetDeviceGroupSurfacePresentModesKHR, "vkGetDeviceGroupSurfacePresentModesKHR");

    resolve(GetCalibratedTimestamps, "vkGetCalibratedTimestampsKHR");
    if (GetCalibratedTimestamps == nullptr)
        resolve(GetCalibratedTimestamps, "vkGetCalibratedTimestampsEXT");
    resolve(SetDebugUtilsObjectNameEXT, "vkSetDebugUtilsObjectNameEXT");
    resolve(SetDebugUtilsObjectTagEXT, "vkSetDebugUtilsObjectTagEXT");
    resolve(DebugMarkerSetObjectNameEXT, "vkDebugMarkerSetObjectNameEXT");
    resolve(DebugMarkerSetObjectTagEXT, "vkDebugMarkerSetObjectTagEXT");
    resolve.promoted(SetPrivateData, "vkSetPrivateData", VK_API_VERSION_1_3, "EXT");
    resolve.promoted(GetPrivateData, "vkGetPrivateData", VK_API_VERSION_1_3, "EXT");
    resolve.promoted(DestroyPrivateDataSlot, "vkDestroyPrivateDataSlot", VK_API_VERSION_1_3, "EXT");
}

} // namespace fencebridge::vk
