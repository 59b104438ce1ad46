// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstring>
#include <span>
#include <vector>
#include <vulkan/vk_layer.h>

namespace fencebridge::entry {

/// Finds a structure of the loader's, by its function, in the pNext chain of VkInstanceCreateInfo
/// or VkDeviceCreateInfo. The link to the next layer (VK_LAYER_LINK_INFO) is the only structure of
/// the chain that a layer writes: it must advance the link before it calls the next layer.
template <class LayerCreateInfo, VkStructureType type>
LayerCreateInfo* find_loader_info(const void* chain,
                                  VkLayerFunction function = VK_LAYER_LINK_INFO) {
    for (const auto* node = static_cast<const VkBaseInStructure*>(chain); node != nullptr;
         node = node->pNext) {
        if (node->sType != type)
            continue;
        auto* link = reinterpret_cast<LayerCreateInfo*>(const_cast<VkBaseInStructure*>(node));
        if (link->function == function)
            return link;
    }
    return nullptr;
}

/// The loader's function that sets the dispatch table of a queue that a layer requested. The layers
/// below need the table to find their device. Null if the loader has no such function.
inline PFN_vkSetDeviceLoaderData find_set_device_loader_data(const void* chain) {
    const auto* link =
        find_loader_info<VkLayerDeviceCreateInfo, VK_STRUCTURE_TYPE_LOADER_DEVICE_CREATE_INFO>(
            chain, VK_LOADER_DATA_CALLBACK);
    return link == nullptr ? nullptr : link->u.pfnSetDeviceLoaderData;
}

/// The loader's functions with which a layer makes a VkDevice of its own. The layers below and the
/// driver see that device.
struct LoaderDevices {
    PFN_vkLayerCreateDevice create = nullptr;
    PFN_vkLayerDestroyDevice destroy = nullptr;
};

/// Null functions if the loader has none: before 1.1.
inline LoaderDevices find_loader_devices(const void* chain) {
    const auto* link =
        find_loader_info<VkLayerInstanceCreateInfo, VK_STRUCTURE_TYPE_LOADER_INSTANCE_CREATE_INFO>(
            chain, VK_LOADER_LAYER_CREATE_DEVICE_CALLBACK);
    if (link == nullptr)
        return {};
    return {link->u.layerDevice.pfnLayerCreateDevice, link->u.layerDevice.pfnLayerDestroyDevice};
}

/// The application's list of extension names, with the missing ones of `added` appended.
inline std::vector<const char*> with_extensions(const char* const* names, uint32_t count,
                                                std::span<const char* const> added) {
    std::vector<const char*> all(names, names + count);
    for (const char* extension : added) {
        if (std::ranges::none_of(all,
                                 [&](const char* has) { return std::strcmp(has, extension) == 0; }))
            all.push_back(extension);
    }
    return all;
}

inline bool contains(const char* const* names, uint32_t count, const char* extension) {
    return std::any_of(names, names + count,
                       [&](const char* has) { return std::strcmp(has, extension) == 0; });
}

} // namespace fencebridge::entry
