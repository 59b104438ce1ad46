// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>
#include <vulkan/vulkan.h>

namespace fencebridge::vk {

/// A structure of features in the chain of a VkDeviceCreateInfo, some of which a driver lacks.
struct ReducedFeatures {
    const VkBaseInStructure* structure;
    std::vector<VkBool32> kept; ///< all of the structure's features; empty: leave it out
};

/// The chain of a VkDeviceCreateInfo without some of its features. The application's structures
/// cannot be changed: those before the last one that is reduced are copied. The copies are shallow.
class ReducedChain {
public:
    /// @param chain    VkDeviceCreateInfo::pNext; must outlive this
    /// @param reduced  structures of the chain
    ReducedChain(const void* chain, std::span<const ReducedFeatures> reduced);

    /// The chain to use instead.
    [[nodiscard]] const void* first() const { return first_; }
    /// The type of a structure whose size is unknown, so that a later one could not be reduced;
    /// VK_STRUCTURE_TYPE_MAX_ENUM if all were.
    [[nodiscard]] VkStructureType obstacle() const { return obstacle_; }

private:
    std::vector<std::unique_ptr<std::byte[]>> copies_;
    const void* first_;
    VkStructureType obstacle_ = VK_STRUCTURE_TYPE_MAX_ENUM;
};

} // namespace fencebridge::vk
