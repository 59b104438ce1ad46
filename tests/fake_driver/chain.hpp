// SPDX-License-Identifier: MIT
// Finds structures in pNext chains, and implements two-call enumeration.
#pragma once

#include <algorithm>
#include <span>

#include <vulkan/vulkan_core.h>

namespace fencebridge::fake_driver {

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

/// Fills the caller's array from `source`, element by element with `assign`. Returns VK_INCOMPLETE
/// if the array is too small, as the specification says in "Retrieving Arrays".
template <class Element, class Source, class Assign>
VkResult enumerate(std::span<const Source> source, uint32_t* count, Element* out, Assign&& assign) {
    const auto available = static_cast<uint32_t>(source.size());
    if (out == nullptr) {
        *count = available;
        return VK_SUCCESS;
    }
    *count = std::min(*count, available);
    for (uint32_t i = 0; i < *count; ++i)
        assign(out[i], source[i]);
    return *count < available ? VK_INCOMPLETE : VK_SUCCESS;
}

template <class Element>
VkResult enumerate(std::span<const Element> source, uint32_t* count, Element* out) {
    return enumerate(source, count, out, [](Element& to, const Element& from) { to = from; });
}

} // namespace fencebridge::fake_driver
