// SPDX-License-Identifier: MIT
// Command pools and buffers. Commands are checked and not recorded.
#include "chain.hpp"
#include "entry_points.hpp"
#include "objects.hpp"

namespace fencebridge::fake_driver {
namespace {

VkResult create_pool(VkDevice handle, const VkCommandPoolCreateInfo*, const VkAllocationCallbacks*,
                     VkCommandPool* result) {
    if (const auto failure = enter("vkCreateCommandPool"))
        return *failure;
    *result = objects().command_pools.add({.device = from_handle<Device>(handle), .buffers = {}});
    return VK_SUCCESS;
}

void destroy_pool(VkDevice, VkCommandPool handle, const VkAllocationCallbacks*) {
    note("vkDestroyCommandPool");
    if (const auto pool = objects().command_pools.remove(handle))
        objects().command_buffers -= pool->buffers.size();
}

VkResult reset_pool(VkDevice, VkCommandPool handle, VkCommandPoolResetFlags) {
    if (const auto failure = enter("vkResetCommandPool"))
        return *failure;
    return objects().command_pools.find(handle) != nullptr ? VK_SUCCESS
                                                           : VK_ERROR_OUT_OF_DEVICE_MEMORY;
}

VkResult allocate_buffers(VkDevice handle, const VkCommandBufferAllocateInfo* info,
                          VkCommandBuffer* result) {
    if (const auto failure = enter("vkAllocateCommandBuffers"))
        return *failure;
    const auto pool = objects().command_pools.find(info->commandPool);
    if (pool == nullptr)
        return VK_ERROR_OUT_OF_DEVICE_MEMORY;
    for (VkCommandBuffer& out : std::span{result, info->commandBufferCount}) {
        auto buffer = std::make_unique<CommandBuffer>();
        set_loader_magic_value(buffer.get());
        buffer->device = from_handle<Device>(handle);
        buffer->pool = info->commandPool;
        out = to_handle<VkCommandBuffer>(buffer.get());
        pool->buffers.emplace(out, std::move(buffer));
        ++objects().command_buffers;
    }
    return VK_SUCCESS;
}

void free_buffers(VkDevice, VkCommandPool handle, uint32_t count, const VkCommandBuffer* buffers) {
    note("vkFreeCommandBuffers");
    const auto pool = objects().command_pools.find(handle);
    if (pool == nullptr)
        return;
    for (const VkCommandBuffer buffer : std::span{buffers, count})
        objects().command_buffers -= pool->buffers.erase(buffer);
}

VkResult begin(VkCommandBuffer, const VkCommandBufferBeginInfo*) {
    return enter("vkBeginCommandBuffer").value_or(VK_SUCCESS);
}
VkResult end(VkCommandBuffer) { return enter("vkEndCommandBuffer").value_or(VK_SUCCESS); }
VkResult reset(VkCommandBuffer, VkCommandBufferResetFlags) {
    return enter("vkResetCommandBuffer").value_or(VK_SUCCESS);
}

void pipeline_barrier(VkCommandBuffer, VkPipelineStageFlags, VkPipelineStageFlags,
                      VkDependencyFlags, uint32_t, const VkMemoryBarrier*, uint32_t buffer_count,
                      const VkBufferMemoryBarrier* buffer_barriers, uint32_t count,
                      const VkImageMemoryBarrier* barriers) {
    note("vkCmdPipelineBarrier");
    for (const VkBufferMemoryBarrier& barrier : std::span{buffer_barriers, buffer_count})
        (void)objects().buffers.find(barrier.buffer);
    for (const VkImageMemoryBarrier& barrier : std::span{barriers, count})
        (void)find_image(barrier.image);
}

void clear_image(VkCommandBuffer, VkImage image, VkImageLayout, const VkClearColorValue*, uint32_t,
                 const VkImageSubresourceRange*) {
    note("vkCmdClearColorImage");
    (void)find_image(image);
}

void copy_image(VkCommandBuffer, VkImage from, VkImageLayout, VkImage to, VkImageLayout, uint32_t,
                const VkImageCopy*) {
    note("vkCmdCopyImage");
    (void)find_image(from);
    (void)find_image(to);
}

void copy_to_image(VkCommandBuffer, VkBuffer from, VkImage to, VkImageLayout, uint32_t,
                   const VkBufferImageCopy*) {
    note("vkCmdCopyBufferToImage");
    (void)objects().buffers.find(from);
    (void)find_image(to);
}

} // namespace

std::span<const EntryPoint> command_entry_points() {
    constexpr auto level = Level::device;
    static const EntryPoint table[]{
        entry_point<PFN_vkCreateCommandPool, create_pool>("vkCreateCommandPool", level),
        entry_point<PFN_vkDestroyCommandPool, destroy_pool>("vkDestroyCommandPool", level),
        entry_point<PFN_vkResetCommandPool, reset_pool>("vkResetCommandPool", level),
        entry_point<PFN_vkAllocateCommandBuffers, allocate_buffers>("vkAllocateCommandBuffers",
                                                                    level),
        entry_point<PFN_vkFreeCommandBuffers, free_buffers>("vkFreeCommandBuffers", level),
        entry_point<PFN_vkBeginCommandBuffer, begin>("vkBeginCommandBuffer", level),
        entry_point<PFN_vkEndCommandBuffer, end>("vkEndCommandBuffer", level),
        entry_point<PFN_vkResetCommandBuffer, reset>("vkResetCommandBuffer", level),
        entry_point<PFN_vkCmdPipelineBarrier, pipeline_barrier>("vkCmdPipelineBarrier", level),
        entry_point<PFN_vkCmdClearColorImage, clear_image>("vkCmdClearColorImage", level),
        entry_point<PFN_vkCmdCopyImage, copy_image>("vkCmdCopyImage", level),
        entry_point<PFN_vkCmdCopyBufferToImage, copy_to_image>("vkCmdCopyBufferToImage", level),
    };
    return table;
}

} // namespace fencebridge::fake_driver
