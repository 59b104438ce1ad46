// SPDX-License-Identifier: MIT
// Submission. A batch is done when its wait semaphores, all batches before it on its queue, and its
// gate (held rendering) have signalled, and then its commands are executed, if that is on.
#include "chain.hpp"
#include "entry_points.hpp"
#include "execution.hpp"
#include "sync_state.hpp"

namespace fencebridge::fake_driver {
namespace {

struct Batch {
    std::vector<VkSemaphore> waits;
    std::vector<VkSemaphore> signals;
    std::vector<CommandBuffer*> buffers;
};

/// What holds a batch back. Created before the submission, because a failure must not leave a part
/// of the batches submitted.
struct Gates {
    Payload held;                 // empty unless rendering is held
    std::optional<Gate> executed; // if commands are executed
};

void wait_on(Semaphore& semaphore, Payload& batch) {
    std::optional<Payload>& payload = semaphore.current();
    if (!payload) {
        misuse("vkQueueSubmit: wait on a semaphore that nothing signals");
        return;
    }
    batch.add(*payload);
    payload.reset();
}

void signal(Semaphore& semaphore, const Payload& batch) {
    std::optional<Payload>& payload = semaphore.current();
    if (payload)
        misuse("vkQueueSubmit: signals a semaphore that is signalled or about to be");
    payload = batch;
}

std::optional<Gates> make_gates(const Batch& batch) {
    Gates gates;
    if (batch.buffers.empty())
        return gates;
    const auto held = gate_for_rendering();
    if (!held)
        return std::nullopt;
    gates.held = *held;
    const Settings settings = current_settings();
    if (!settings.executes_commands)
        return gates;
    gates.executed = Gate::make(settings.sync);
    return gates.executed ? std::optional{std::move(gates)} : std::nullopt;
}

/// VUID-vkQueueSubmit-pCommandBuffers-00070, -00071 and -00074. The caller holds payload_mutex().
void check(const Queue& queue, CommandBuffer& buffer) {
    using State = CommandBuffer::State;
    if (buffer.family != queue.family)
        misuse("vkQueueSubmit: a command buffer for another queue family");
    if (buffer.state != State::executable)
        misuse("vkQueueSubmit: a command buffer that is not recorded, or was for one submission");
    if (!buffer.use->last.signalled() &&
        (buffer.usage & VK_COMMAND_BUFFER_USAGE_SIMULTANEOUS_USE_BIT) == 0)
        misuse("vkQueueSubmit: a command buffer of a batch that has not finished");
    if ((buffer.usage & VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT) != 0)
        buffer.state = State::invalid;
}

/// Executes the commands after everything that was submitted, and adds that to the payload of the
/// queue. The caller holds payload_mutex().
void execute(Queue& queue, const Batch& batch, std::optional<Gate> done) {
    if (done) {
        Commands commands;
        for (const CommandBuffer* const buffer : batch.buffers)
            commands.insert(commands.end(), buffer->commands.begin(), buffer->commands.end());
        const Payload before = queue.submitted;
        queue.submitted.add(Payload{done->leaf()});
        execute_after(*queue.device, before, std::move(commands), std::move(*done));
    }
    for (const CommandBuffer* const buffer : batch.buffers) {
        buffer->use->last = queue.submitted;
        for (const std::shared_ptr<Use>& use : buffer->uses)
            use->last.add(queue.submitted);
    }
}

/// Adds the batch to the payload of the queue.
void submit_batch(Queue& queue, const Batch& batch, Gates gates) {
    std::vector<std::shared_ptr<Semaphore>> used;
    const auto find = [&](VkSemaphore handle) {
        auto semaphore = objects().semaphores.find(handle);
        if (semaphore != nullptr)
            used.push_back(semaphore);
        return semaphore;
    };
    const std::lock_guard lock{payload_mutex()};
    for (CommandBuffer* const buffer : batch.buffers)
        check(queue, *buffer);
    queue.submitted.add(gates.held);
    for (const VkSemaphore handle : batch.waits)
        if (const auto semaphore = find(handle))
            wait_on(*semaphore, queue.submitted);
    execute(queue, batch, std::move(gates.executed));
    for (const VkSemaphore handle : batch.signals)
        if (const auto semaphore = find(handle))
            signal(*semaphore, queue.submitted);
    for (const auto& semaphore : used)
        semaphore->last_use = queue.submitted;
}

void submit_fence(Queue& queue, VkFence handle) {
    if (handle == VK_NULL_HANDLE)
        return;
    const auto fence = objects().fences.find(handle);
    if (fence == nullptr)
        return;
    const std::lock_guard lock{payload_mutex()};
    if (fence->current())
        misuse("vkQueueSubmit: the fence is signalled or about to be");
    if (!fence->last_use.signalled())
        misuse("vkQueueSubmit: a batch that signals the fence has not finished");
    fence->current() = queue.submitted;
    fence->last_use = queue.submitted;
}

VkResult submit_batches(VkQueue handle, std::span<const Batch> batches, VkFence fence) {
    Queue& queue = *from_handle<Queue>(handle);
    std::vector<Gates> gates;
    for (const Batch& batch : batches) {
        auto made = make_gates(batch);
        if (!made)
            return VK_ERROR_OUT_OF_HOST_MEMORY;
        gates.push_back(std::move(*made));
    }
    for (size_t i = 0; i < batches.size(); ++i)
        submit_batch(queue, batches[i], std::move(gates[i]));
    submit_fence(queue, fence);
    return VK_SUCCESS;
}

void add(Batch& batch, VkCommandBuffer commands) {
    require_live(commands);
    batch.buffers.push_back(from_handle<CommandBuffer>(commands));
}

VkResult queue_submit(VkQueue handle, uint32_t count, const VkSubmitInfo* infos, VkFence fence) {
    if (const auto failure = enter("vkQueueSubmit"))
        return *failure;
    std::vector<Batch> batches;
    for (const VkSubmitInfo& info : std::span{infos, count}) {
        Batch& batch = batches.emplace_back();
        batch.waits.assign(info.pWaitSemaphores, info.pWaitSemaphores + info.waitSemaphoreCount);
        batch.signals.assign(info.pSignalSemaphores,
                             info.pSignalSemaphores + info.signalSemaphoreCount);
        for (const VkCommandBuffer commands :
             std::span{info.pCommandBuffers, info.commandBufferCount})
            add(batch, commands);
    }
    return submit_batches(handle, batches, fence);
}

VkResult queue_submit2(VkQueue handle, uint32_t count, const VkSubmitInfo2* infos, VkFence fence) {
    if (const auto failure = enter("vkQueueSubmit2"))
        return *failure;
    std::vector<Batch> batches;
    for (const VkSubmitInfo2& info : std::span{infos, count}) {
        Batch& batch = batches.emplace_back();
        for (const auto& wait : std::span{info.pWaitSemaphoreInfos, info.waitSemaphoreInfoCount})
            batch.waits.push_back(wait.semaphore);
        for (const auto& signalled :
             std::span{info.pSignalSemaphoreInfos, info.signalSemaphoreInfoCount})
            batch.signals.push_back(signalled.semaphore);
        for (const auto& commands :
             std::span{info.pCommandBufferInfos, info.commandBufferInfoCount})
            add(batch, commands.commandBuffer);
    }
    return submit_batches(handle, batches, fence);
}

VkResult wait_idle(Queue& queue) {
    Payload all;
    {
        const std::lock_guard lock{payload_mutex()};
        all = queue.submitted;
    }
    (void)wait_for(all, std::nullopt);
    return VK_SUCCESS;
}

VkResult queue_wait_idle(VkQueue handle) {
    if (const auto failure = enter("vkQueueWaitIdle"))
        return *failure;
    return wait_idle(*from_handle<Queue>(handle));
}

VkResult device_wait_idle(VkDevice handle) {
    if (const auto failure = enter("vkDeviceWaitIdle"))
        return *failure;
    for (const auto& queue : from_handle<Device>(handle)->queues)
        wait_idle(*queue);
    return VK_SUCCESS;
}

} // namespace

std::span<const EntryPoint> queue_entry_points() {
    constexpr auto level = Level::device;
    static const EntryPoint table[]{
        entry_point<PFN_vkQueueSubmit, queue_submit>("vkQueueSubmit", level),
        entry_point<PFN_vkQueueSubmit2, queue_submit2>("vkQueueSubmit2", level, VK_API_VERSION_1_3),
        entry_point<PFN_vkQueueSubmit2, queue_submit2>("vkQueueSubmit2KHR", level, never_core,
                                                       VK_KHR_SYNCHRONIZATION_2_EXTENSION_NAME),
        entry_point<PFN_vkQueueWaitIdle, queue_wait_idle>("vkQueueWaitIdle", level),
        entry_point<PFN_vkDeviceWaitIdle, device_wait_idle>("vkDeviceWaitIdle", level),
    };
    return table;
}

} // namespace fencebridge::fake_driver
