// SPDX-License-Identifier: MIT
// Command pools and buffers. The commands are in recording.cpp.
#include "chain.hpp"
#include "entry_points.hpp"
#include "sync_state.hpp"

namespace fencebridge::fake_driver {
namespace {

VkResult create_pool(VkDevice handle, const VkCommandPoolCreateInfo* info,
                     const VkAllocationCallbacks*, VkCommandPool* result) {
    if (const auto failure = enter("vkCreateCommandPool"))
        return *failure;
    *result = objects().command_pools.add({.device = from_handle<Device>(handle),
                                           .flags = info->flags,
                                           .family = info->queueFamilyIndex,
                                           .buffers = {}});
    return VK_SUCCESS;
}

void destroy_pool(VkDevice, VkCommandPool handle, const VkAllocationCallbacks*) {
    note("vkDestroyCommandPool");
    const auto pool = objects().command_pools.remove(handle);
    if (pool == nullptr)
        return;
    for (const auto& entry : pool->buffers)
        require_unused(entry.second->use, "vkDestroyCommandPool");
    objects().command_buffers -= pool->buffers.size();
}

void make_initial(CommandBuffer& buffer, const char* function) {
    require_unused(buffer.use, function);
    buffer.state = CommandBuffer::State::initial;
    buffer.commands.clear();
    buffer.uses.clear();
}

VkResult reset_pool(VkDevice, VkCommandPool handle, VkCommandPoolResetFlags) {
    if (const auto failure = enter("vkResetCommandPool"))
        return *failure;
    const auto pool = objects().command_pools.find(handle);
    if (pool == nullptr)
        return VK_ERROR_OUT_OF_DEVICE_MEMORY;
    for (const auto& entry : pool->buffers)
        make_initial(*entry.second, "vkResetCommandPool");
    return VK_SUCCESS;
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
        buffer->family = pool->family;
        buffer->may_reset = (pool->flags & VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT) != 0;
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
    for (const VkCommandBuffer buffer : std::span{buffers, count}) {
        const auto entry = pool->buffers.find(buffer);
        if (entry == pool->buffers.end())
            continue;
        require_unused(entry->second->use, "vkFreeCommandBuffers");
        pool->buffers.erase(entry);
        --objects().command_buffers;
    }
}

/// VUID-vkBeginCommandBuffer-commandBuffer-00049 and -00050
VkResult begin(VkCommandBuffer handle, const VkCommandBufferBeginInfo* info) {
    if (const auto failure = enter("vkBeginCommandBuffer"))
        return *failure;
    auto& buffer = *from_handle<CommandBuffer>(handle);
    if (buffer.state == CommandBuffer::State::recording)
        misuse("vkBeginCommandBuffer: the command buffer is being recorded");
    if (buffer.state != CommandBuffer::State::initial && !buffer.may_reset)
        misuse("vkBeginCommandBuffer: resets a command buffer, which its pool does not allow");
    make_initial(buffer, "vkBeginCommandBuffer");
    buffer.state = CommandBuffer::State::recording;
    buffer.usage = info->flags;
    return VK_SUCCESS;
}

VkResult end(VkCommandBuffer handle) {
    if (const auto failure = enter("vkEndCommandBuffer"))
        return *failure;
    auto& buffer = *from_handle<CommandBuffer>(handle);
    if (buffer.state != CommandBuffer::State::recording)
        misuse("vkEndCommandBuffer: the command buffer is not being recorded");
    buffer.state = CommandBuffer::State::executable;
    return VK_SUCCESS;
}

/// VUID-vkResetCommandBuffer-commandBuffer-00046
VkResult reset(VkCommandBuffer handle, VkCommandBufferResetFlags) {
    if (const auto failure = enter("vkResetCommandBuffer"))
        return *failure;
    auto& buffer = *from_handle<CommandBuffer>(handle);
    if (!buffer.may_reset)
        misuse("vkResetCommandBuffer: the pool does not allow it");
    make_initial(buffer, "vkResetCommandBuffer");
    return VK_SUCCESS;
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
    };
    return table;
}

} // namespace fencebridge::fake_driver
