// SPDX-License-Identifier: MIT
// What the layer passes down in vkCreateInstance. The test acts as the loader and as the next
// layer.
#include <cstring>
#include <vector>

#include "fixture.hpp"
#include "layer.hpp"

namespace fencebridge::test {
namespace {

/// The value of *pInstance at every call of the next vkCreateInstance.
std::vector<VkInstance> handles_seen;

VKAPI_ATTR void VKAPI_CALL destroy_instance(VkInstance, const VkAllocationCallbacks*) {}

/// If more extensions are enabled than the two of the window system, clears *instance, as some
/// layers do, and fails.
VKAPI_ATTR VkResult VKAPI_CALL create_instance(const VkInstanceCreateInfo* info,
                                               const VkAllocationCallbacks*, VkInstance* instance) {
    handles_seen.push_back(*instance);
    if (info->enabledExtensionCount <= 2)
        return VK_SUCCESS;
    *instance = VK_NULL_HANDLE;
    return VK_ERROR_EXTENSION_NOT_PRESENT;
}

VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL next_function(VkInstance, const char* name) {
    if (std::strcmp(name, "vkCreateInstance") == 0)
        return reinterpret_cast<PFN_vkVoidFunction>(create_instance);
    if (std::strcmp(name, "vkDestroyInstance") == 0)
        return reinterpret_cast<PFN_vkVoidFunction>(destroy_instance);
    return nullptr;
}

// The loader's terminator_CreateInstance() expects the loader's own instance in *pInstance, in a
// second call as well. With anything else it crashes.
TEST(InstanceRetry, TheSecondVkCreateInstanceReceivesTheLoadersHandle) {
    LayerLibrary library;
    ASSERT_EQ(library.negotiate(), VK_SUCCESS);

    VkLayerInstanceLink link{};
    link.pfnNextGetInstanceProcAddr = next_function;
    VkLayerInstanceCreateInfo loader{};
    loader.sType = VK_STRUCTURE_TYPE_LOADER_INSTANCE_CREATE_INFO;
    loader.function = VK_LAYER_LINK_INFO;
    loader.u.pLayerInfo = &link;
    const std::array extensions{"VK_KHR_surface", "VK_KHR_wayland_surface"};
    VkInstanceCreateInfo info{};
    info.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO;
    info.pNext = &loader;
    info.enabledExtensionCount = extensions.size();
    info.ppEnabledExtensionNames = extensions.data();

    // A dispatchable object: its first word identifies it in the layer's tables.
    void* dispatch_table = nullptr;
    void* object = &dispatch_table;
    const auto given = reinterpret_cast<VkInstance>(&object);
    VkInstance instance = given;
    handles_seen.clear();
    const auto create = library.function<PFN_vkCreateInstance>(VK_NULL_HANDLE, "vkCreateInstance");
    ASSERT_EQ(create(&info, nullptr, &instance), VK_SUCCESS);
    EXPECT_EQ(handles_seen, (std::vector<VkInstance>{given, given}));
    ASSERT_EQ(instance, given);
    library.function<PFN_vkDestroyInstance>(instance, "vkDestroyInstance")(instance, nullptr);
}

} // namespace
} // namespace fencebridge::test
