// SPDX-License-Identifier: MIT
// Finds structures in pNext chains.
#pragma once

#include <vulkan/vulkan_core.h>

namespace fencebridge::mask {

template <class Structure>
[[nodiscard]] const Structure* find_in(const void* next, VkStructureType type) {
    for (auto* link = static_cast<const VkBaseInStructure*>(next); link != nullptr;
         link = link->pNext)
        if (link->sType == type)
            return reinterpret_cast<const Structure*>(link);
    return nullptr;
}

template <class Structure>
[[nodiscard]] Structure* find_out(void* next, VkStructureType type) {
    return const_cast<Structure*>(find_in<Structure>(next, type));
}

} // namespace fencebridge::mask
