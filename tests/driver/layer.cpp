// SPDX-License-Identifier: MIT
#include "layer.hpp"

#include <algorithm>

#include <dlfcn.h>
#include <gtest/gtest.h>

#include "fixture.hpp"

namespace fencebridge::test {

LayerLibrary::LayerLibrary() : library_{dlopen(LAYER_LIBRARY, RTLD_NOW | RTLD_LOCAL)} {
    if (library_ == nullptr)
        ADD_FAILURE() << dlerror();
}

LayerLibrary::~LayerLibrary() {
    if (library_ != nullptr)
        dlclose(library_);
}

VkResult LayerLibrary::negotiate(uint32_t version) {
    const auto negotiate = reinterpret_cast<PFN_vkNegotiateLoaderLayerInterfaceVersion>(
        dlsym(library_, "vkNegotiateLoaderLayerInterfaceVersion"));
    interface_ = {};
    interface_.sType = LAYER_NEGOTIATE_INTERFACE_STRUCT;
    interface_.loaderLayerInterfaceVersion = version;
    return negotiate(&interface_);
}

VkResult create_device_from_above(VkInstance instance, const std::vector<const char*>& extensions) {
    LayerLibrary library; // which the loader has loaded already
    EXPECT_EQ(library.negotiate(), VK_SUCCESS);
    const auto create = library.function<PFN_vkCreateDevice>(VK_NULL_HANDLE, "vkCreateDevice");
    // The loader gives layers other handles of a physical device than applications.
    const auto enumerate =
        library.function<PFN_vkEnumeratePhysicalDevices>(instance, "vkEnumeratePhysicalDevices");
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
    return create(physical_device, &info, nullptr, &device);
}

void expect_that_only_the_layer_has_swapchains(const Instance& instance) {
    const auto names = device_extensions(instance.physical_device());
    EXPECT_EQ(std::ranges::count(names, "VK_KHR_swapchain"), 1);
    const Device device{instance.physical_device()};
    ASSERT_EQ(device.result(), VK_SUCCESS);
    EXPECT_TRUE(is_taken_over(device));
    EXPECT_FALSE(as_set(extensions_of(last_device_create())).contains("VK_KHR_swapchain"));
}

bool is_from_layer(const Device& device, const char* function) {
    const auto pointer = device.function<PFN_vkVoidFunction>(function);
    Dl_info info{};
    if (pointer == nullptr || dladdr(reinterpret_cast<void*>(pointer), &info) == 0)
        return false;
    return std::string{info.dli_fname}.ends_with("/libVkLayer_FENCEBRIDGE_wsi.so");
}

} // namespace fencebridge::test
