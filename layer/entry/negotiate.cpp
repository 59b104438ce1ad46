// SPDX-License-Identifier: MIT
#include <vulkan/vk_layer.h>

#include "entry/entry_points.hpp"
#include "entry/extensions.hpp"
#include "entry/guard.hpp"

/// The one symbol that the library exports. The loader calls it first (Vulkan-Loader,
/// docs/LoaderLayerInterface.md, "Layer Interface Versioning").
extern "C" __attribute__((visibility("default"))) VKAPI_ATTR VkResult VKAPI_CALL
vkNegotiateLoaderLayerInterfaceVersion(VkNegotiateLayerInterface* interface) {
    // Version 2 introduced this function.
    constexpr uint32_t version = 2;
    if (interface == nullptr || interface->sType != LAYER_NEGOTIATE_INTERFACE_STRUCT ||
        interface->loaderLayerInterfaceVersion < version)
        return VK_ERROR_INITIALIZATION_FAILED;
    // The table is built here, where lack of memory can be returned: vkGetInstanceProcAddr returns
    // no VkResult.
    const VkResult built = fencebridge::entry::guarded([] {
        static_cast<void>(fencebridge::entry::extensions());
        return VK_SUCCESS;
    });
    if (built != VK_SUCCESS)
        return built;
    interface->loaderLayerInterfaceVersion = version;
    interface->pfnGetInstanceProcAddr = fencebridge::entry::GetInstanceProcAddr;
    interface->pfnGetDeviceProcAddr = fencebridge::entry::GetDeviceProcAddr;
    interface->pfnGetPhysicalDeviceProcAddr = fencebridge::entry::GetPhysicalDeviceProcAddr;
    return VK_SUCCESS;
}
