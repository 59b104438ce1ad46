// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>
#include <vector>
#include <vulkan/vulkan.h>

namespace fencebridge::vk {

/// The chain of a VkDeviceCreateInfo without some of its structures. The application's structures
/// cannot be changed: those before the last one that is left out are copied. The copies are
/// shallow.
class ChainWithout {
public:
    /// @param chain     VkDeviceCreateInfo::pNext; must outlive this
    /// @param left_out  structures of the chain
    ChainWithout(const void* chain, const std::vector<const VkBaseInStructure*>& left_out);

    /// The chain to use instead.
    [[nodiscard]] const void* first() const { return first_; }
    /// The type of a structure whose size is unknown, so that a later one could not be left out;
    /// VK_STRUCTURE_TYPE_MAX_ENUM if everything was left out.
    [[nodiscard]] VkStructureType obstacle() const { return obstacle_; }

private:
    std::vector<std::unique_ptr<std::byte[]>> copies_;
    const void* first_;
    VkStructureType obstacle_ = VK_STRUCTURE_TYPE_MAX_ENUM;
};

} // namespace fencebridge::vk
