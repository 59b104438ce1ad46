// SPDX-License-Identifier: MIT
#include "vk/chain_copy.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <vulkan/vk_layer.h>

namespace fencebridge::vk {

namespace {

struct WordsOfStructure {
    uint32_t type;
    uint32_t words;
};
constexpr WordsOfStructure words_of_structures[] = {
#include "vk/device_create_sizes.inc"
};
static_assert(std::ranges::is_sorted(words_of_structures, {}, &WordsOfStructure::type));

/// The size in bytes of a structure that may extend VkDeviceCreateInfo; 0 if it is unknown.
size_t size_of(VkStructureType type) {
    switch (type) {
    case VK_STRUCTURE_TYPE_LOADER_DEVICE_CREATE_INFO:
        return sizeof(VkLayerDeviceCreateInfo);
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2:
        return sizeof(VkPhysicalDeviceFeatures2);
    case VK_STRUCTURE_TYPE_DEVICE_GROUP_DEVICE_CREATE_INFO:
        return sizeof(VkDeviceGroupDeviceCreateInfo);
    case VK_STRUCTURE_TYPE_DEVICE_DEVICE_MEMORY_REPORT_CREATE_INFO_EXT:
        return sizeof(VkDeviceDeviceMemoryReportCreateInfoEXT);
    default:
        break;
    }
    const auto number = static_cast<uint32_t>(type);
    const auto* const found =
        std::ranges::lower_bound(words_of_structures, number, {}, &WordsOfStructure::type);
    if (found == std::end(words_of_structures) || found->type != number)
        return 0;
    const size_t size = sizeof(VkBaseInStructure) + found->words * sizeof(uint32_t);
    constexpr size_t alignment = alignof(VkBaseInStructure);
    return (size + alignment - 1) / alignment * alignment;
}

} // namespace

ReducedChain::ReducedChain(const void* chain, std::span<const ReducedFeatures> reduced) :
    first_(chain) {
    VkBaseInStructure* last_copy = nullptr;
    const auto append = [&](const VkBaseInStructure* next) {
        if (last_copy == nullptr)
            first_ = next;
        else
            last_copy->pNext = next;
    };
    const auto* node = static_cast<const VkBaseInStructure*>(chain);
    for (size_t left = reduced.size(); left > 0; node = node->pNext) {
        const auto found = std::ranges::find(reduced, node, &ReducedFeatures::structure);
        if (found != reduced.end()) {
            --left;
            if (found->kept.empty()) {
                append(node->pNext);
                continue;
            }
        }
        const size_t size = size_of(node->sType);
        if (size == 0) {
            obstacle_ = node->sType;
            return;
        }
        auto& copy = copies_.emplace_back(std::make_unique_for_overwrite<std::byte[]>(size));
        std::memcpy(copy.get(), node, size);
        append(reinterpret_cast<const VkBaseInStructure*>(copy.get()));
        last_copy = reinterpret_cast<VkBaseInStructure*>(copy.get());
        if (found != reduced.end())
            std::ranges::copy(found->kept, reinterpret_cast<VkBool32*>(last_copy + 1));
    }
}

} // namespace fencebridge::vk
