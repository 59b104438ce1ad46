// SPDX-License-Identifier: MIT
#include "layer.hpp"

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <vulkan/vk_layer.h>

namespace fencebridge::test {

VkResult create_device_from_above(VkInstance instance, const std::vector<const char*>& extensions) {
    // The library that the loader has loaded.
    void* const library = dlopen(LAYER_LIBRARY, RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD);
    EXPECT_NE(library, nullptr);
    const auto negotiate = reinterpret_cast<PFN_vkNegotiateLoaderLayerInterfaceVersion>(
        dlsym(library, "vkNegotiateLoaderLayerInterfaceVersion"));
    VkNegotiateLayerInterface interface {};
    interface.sType = LAYER_NEGOTIATE_INTERFACE_STRUCT;
    interface.loaderLayerInterfaceVersion = CURRENT_LOADER_LAYER_INTERFACE_VERSION;
    EXPECT_EQ(negotiate(&interface), VK_SUCCESS);
    const auto create = reinterpret_cast<PFN_vkCreateDevice>(
        interface.pfnGetInstanceProcAddr(VK_NULL_HANDLE, "vkCreateDevice"));
    // The loader gives layers other handles of a physical device than applications.
    const auto enumerate = reinterpret_cast<PFN_vkEnumeratePhysicalDevices>(
        interface.pfnGetInstanceProcAddr(instance, "vkEnumeratePhysicalDevices"));
    VkPhysicalDevice physical_device = VK_NULL_HANDLE;
    uint32_t count = 1;
    EXPECT_EQ(enumerate(instance, &count, &physical_device), VK_SUCCESS);

    VkLayerDeviceLink below{};
    below.pfnNextGetInstanceProcAddr = [](VkInstance, const char*) -> PFN_vkVoidFunction {
        static constexpr PFN_vkCreateDevice too_far =
            [](VkPhysicalDevice, const VkDeviceCreateInfo*, const VkAllocationCallbacks*,
               VkDevice*) { return VK_ERROR_UNKNOWN; };
        return reinterpret_cast<PFN_vkVoidFunction>(too_far);
    };
    VkLayerDeviceCreateInfo link{};
    link.sType = VK_STRUCTURE_TYPE_LOADER_DEVICE_CREATE_INFO;
    link.function = VK_LAYER_LINK_INFO;
    link.u.pLayerInfo = &below;
    VkDeviceCreateInfo info{};
    info.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO;
    info.pNext = &link;
    info.enabledExtensionCount = static_cast<uint32_t>(extensions.size());
    info.ppEnabledExtensionNames = extensions.data();
    VkDevice device = VK_NULL_HANDLE;
    const VkResult result = create(physical_device, &info, nullptr, &device);
    dlclose(library);
    return result;
}

bool is_from_layer(const Device& device, const char* function) {
    const auto pointer = device.function<PFN_vkVoidFunction>(function);
    Dl_info info{};
    if (pointer == nullptr || dladdr(reinterpret_cast<void*>(pointer), &info) == 0)
        return false;
    return std::string{info.dli_fname}.ends_with("/libVkLayer_FENCEBRIDGE_wsi.so");
}

} // namespace fencebridge::test
