// SPDX-License-Identifier: MIT
#include "image/present_commands.hpp"

namespace fencebridge::image {

std::expected<VkCommandBuffer, VkResult> PresentCommands::of(uint32_t queue_family,
                                                             VkImageLayout presented) {
    const auto known = of_family_.with([&](const auto& all) -> VkCommandBuffer {
        const auto found = all.find(queue_family);
        return found == all.end() ? VK_NULL_HANDLE : found->second.buffer;
    });
    if (known != VK_NULL_HANDLE)
        return known;
    auto recorded = make(queue_family, presented);
    if (!recorded)
        return std::unexpected(recorded.error());
    return of_family_.with([&](auto& all) {
        return all.try_emplace(queue_family, std::move(*recorded)).first->second.buffer;
    });
}

std::expected<PresentCommands::Recorded, VkResult>
PresentCommands::make(uint32_t queue_family, VkImageLayout presented) const {
    const VkCommandPoolCreateInfo of_family = {.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
                                               .queueFamilyIndex = queue_family};
    VkCommandPool pool = VK_NULL_HANDLE;
    VkResult result = device_.next.CreateCommandPool(device_.handle, &of_family, nullptr, &pool);
    if (result != VK_SUCCESS)
        return std::unexpected(result);
    Recorded recorded = {vk::CommandPool(device_, pool), VK_NULL_HANDLE};
    const VkCommandBufferAllocateInfo one = {
        .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
        .commandPool = pool,
        .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
        .commandBufferCount = 1,
    };
    result = device_.next.AllocateCommandBuffers(device_.handle, &one, &recorded.buffer);
    // The loader sets the dispatch table only of command buffers that the application allocates.
    if (result == VK_SUCCESS && device_.set_loader_data != nullptr)
        result = device_.set_loader_data(device_.handle, recorded.buffer);
    const VkCommandBufferBeginInfo again = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
                                            .flags = VK_COMMAND_BUFFER_USAGE_SIMULTANEOUS_USE_BIT};
    if (result == VK_SUCCESS)
        result = device_.next.BeginCommandBuffer(recorded.buffer, &again);
    if (result == VK_SUCCESS) {
        record(recorded.buffer, queue_family, presented);
        result = device_.next.EndCommandBuffer(recorded.buffer);
    }
    if (result != VK_SUCCESS)
        return std::unexpected(result);
    return recorded;
}

} // namespace fencebridge::image
