// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstring>
#include <span>
#include <vector>
#include <vulkan/vk_layer.h>

namespace fencebridge::entry {

/// The loader's link to the next layer in a VkInstanceCreateInfo's or VkDeviceCreateInfo's chain.
/// It is the loader's own structure, and the one thing in the chain that a layer has to write: it
/// must be moved on before the call down.
template <class LayerCreateInfo, VkStructureType type>
LayerCreateInfo* find_link(const void* chain) {
    for (const auto* node = static_cast<const VkBaseInStructure*>(chain); node != nullptr;
         node = node->pNext) {
        if (node->sType != type)
            continue;
        auto* link = reinterpret_cast<LayerCreateInfo*>(const_cast<VkBaseInStructure*>(node));
        if (link->function == VK_LAYER_LINK_INFO)
            return link;
    }
    return nullptr;
}

/// The application's list of extension names with those added that it lacks.
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
