// SPDX-License-Identifier: MIT
#include "renderer.hpp"

#include <algorithm>
#include <limits>

#include "failure.hpp"

namespace fencebridge::still {

Renderer::Renderer(const Gpu& gpu, std::span<Canvas> canvases) :
    gpu_(gpu), canvases_(canvases), stale_(canvases.size(), true),
    pool_(gpu.create_command_pool(VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT)) {
    for (FrameSlot& slot : slots_) {
        slot.done = gpu_.create_signalled_fence();
        for (size_t index = 0; index < canvases_.size(); ++index)
            slot.acquired.push_back(gpu_.create_semaphore());
        slot.commands = gpu_.allocate_commands(pool_);
    }
}

Renderer::~Renderer() {
    vkDeviceWaitIdle(gpu_.device()); // a lost device is idle too
}

bool Renderer::render(std::span<const Size> sizes, uint32_t shift) {
    FrameSlot& slot = slots_[next_slot_];
    next_slot_ = (next_slot_ + 1) % slots_.size();
    // When the slot's last submission has ended, its command buffer can be reused, and so can its
    // acquire semaphores, which that submission waited for.
    check(vkWaitForFences(gpu_.device(), 1, slot.done.address(), VK_TRUE,
                          std::numeric_limits<uint64_t>::max()),
          "vkWaitForFences");
    acquire(slot, sizes);
    record(slot, shift);
    submit(slot);
    return present();
}

void Renderer::acquire(FrameSlot& slot, std::span<const Size> sizes) {
    for (size_t index = 0; index < canvases_.size(); ++index) {
        Canvas& canvas = canvases_[index];
        bool stale = stale_[index] || canvas.size() != sizes[index];
        do {
            if (stale)
                canvas.resize(sizes[index]);
            stale = canvas.acquire(slot.acquired[index].get()) == VK_ERROR_OUT_OF_DATE_KHR;
        } while (stale);
        stale_[index] = false;
    }
}

void Renderer::record(FrameSlot& slot, uint32_t shift) {
    VkCommandBufferBeginInfo begin{};
    begin.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO;
    begin.flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT;
    check(vkBeginCommandBuffer(slot.commands, &begin), "vkBeginCommandBuffer");
    for (const Canvas& canvas : canvases_)
        canvas.record(slot.commands, shift % canvas.size().width);
    check(vkEndCommandBuffer(slot.commands), "vkEndCommandBuffer");
}

void Renderer::submit(FrameSlot& slot) {
    std::vector<VkSemaphore> acquired;
    std::vector<VkSemaphore> drawn;
    for (size_t index = 0; index < canvases_.size(); ++index) {
        acquired.push_back(slot.acquired[index].get());
        drawn.push_back(canvases_[index].drawn());
    }
    // Only the copy has to wait for the window system.
    std::vector<VkPipelineStageFlags> stages(acquired.size(), VK_PIPELINE_STAGE_TRANSFER_BIT);
    VkSubmitInfo info{};
    info.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO;
    info.waitSemaphoreCount = uint32_t(acquired.size());
    info.pWaitSemaphores = acquired.data();
    info.pWaitDstStageMask = stages.data();
    info.commandBufferCount = 1;
    info.pCommandBuffers = &slot.commands;
    info.signalSemaphoreCount = uint32_t(drawn.size());
    info.pSignalSemaphores = drawn.data();
    // The fence is reset only now, directly before the submission that signals it: after a failure
    // between the reset and the submission, it would never signal.
    check(vkResetFences(gpu_.device(), 1, slot.done.address()), "vkResetFences");
    check(vkQueueSubmit(gpu_.queue(), 1, &info, slot.done.get()), "vkQueueSubmit");
}

bool Renderer::present() {
    std::vector<VkSemaphore> drawn;
    std::vector<VkSwapchainKHR> swapchains;
    std::vector<uint32_t> images;
    for (const Canvas& canvas : canvases_) {
        drawn.push_back(canvas.drawn());
        swapchains.push_back(canvas.swapchain());
        images.push_back(canvas.image_index());
    }
    std::vector<VkResult> results(canvases_.size(), VK_SUCCESS);
    VkPresentInfoKHR info{};
    info.sType = VK_STRUCTURE_TYPE_PRESENT_INFO_KHR;
    info.waitSemaphoreCount = uint32_t(drawn.size());
    info.pWaitSemaphores = drawn.data();
    info.swapchainCount = uint32_t(swapchains.size());
    info.pSwapchains = swapchains.data();
    info.pImageIndices = images.data();
    info.pResults = results.data();
    // The call returns the worst result of all swapchains. pResults has the result of each.
    VkResult worst = vkQueuePresentKHR(gpu_.queue(), &info);
    if (worst != VK_ERROR_OUT_OF_DATE_KHR)
        check(worst, "vkQueuePresentKHR");

    bool presented = true;
    for (size_t index = 0; index < results.size(); ++index) {
        if (results[index] == VK_ERROR_OUT_OF_DATE_KHR)
            presented = false;
        else
            check(results[index], "vkQueuePresentKHR");
        stale_[index] = results[index] != VK_SUCCESS;
    }
    return presented;
}

} // namespace fencebridge::still
