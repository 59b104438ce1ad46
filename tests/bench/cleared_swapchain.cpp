// SPDX-License-Identifier: MIT
#include "cleared_swapchain.hpp"

#include <algorithm>
#include <limits>

#include <unistd.h>

#include "still/failure.hpp"
#include "still/layout.hpp"

namespace fencebridge::bench {
namespace {

using still::check;

constexpr uint64_t forever = std::numeric_limits<uint64_t>::max();
} // namespace

void Marks::set(const char* name) const {
    if (on_)
        static_cast<void>(access(name, F_OK));
}

ClearedSwapchain::ClearedSwapchain(const still::Gpu& gpu, wl_display* display, wl_surface* surface,
                                   VkPresentModeKHR mode, Size size,
                                   const still::CommandPool& pool) :
    gpu_(gpu),
    surface_(gpu.create_surface(display, surface)) {
    create(mode, size);
    for (VkImage image : gpu_.images_of(swapchain_))
        add_image(image, pool);
    for (Slot& slot : slots_)
        slot = {gpu_.create_semaphore(), gpu_.create_signalled_fence()};
}

void ClearedSwapchain::create(VkPresentModeKHR mode, Size size) {
    if (std::ranges::none_of(gpu_.formats_of(surface_), [](const VkSurfaceFormatKHR& offered) {
            return offered.format == VK_FORMAT_B8G8R8A8_UNORM;
        }))
        throw still::Unsupported("the surface lacks VK_FORMAT_B8G8R8A8_UNORM");
    swapchain_ =
        gpu_.create_swapchain(surface_, {.format = VK_FORMAT_B8G8R8A8_UNORM,
                                         .extent = {size.width, size.height},
                                         .min_images = gpu_.capabilities_of(surface_).minImageCount,
                                         .alpha = VK_COMPOSITE_ALPHA_OPAQUE_BIT_KHR,
                                         .mode = mode});
}

void ClearedSwapchain::add_image(VkImage image, const still::CommandPool& pool) {
    VkCommandBuffer commands = gpu_.allocate_commands(pool);
    VkCommandBufferBeginInfo begin{};
    begin.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO;
    check(vkBeginCommandBuffer(commands, &begin), "vkBeginCommandBuffer");
    still::change_layout(commands, image, still::to_be_written);
    // Each image has a shade of its own, so that successive frames differ visibly.
    const float shade = float(images_.size() + 1) / 8;
    const VkClearColorValue colour{.float32 = {shade, shade, 0.5f, 1}};
    vkCmdClearColorImage(commands, image, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL, &colour, 1,
                         &still::whole_image);
    still::change_layout(commands, image, still::to_be_presented);
    check(vkEndCommandBuffer(commands), "vkEndCommandBuffer");
    images_.push_back({commands, gpu_.create_semaphore()});
}

void ClearedSwapchain::frame(const Marks& marks) {
    Slot& slot = slots_[next_slot_];
    next_slot_ = (next_slot_ + 1) % slots_.size();
    check(vkWaitForFences(gpu_.device(), 1, slot.done.address(), VK_TRUE, forever),
          "vkWaitForFences");
    check(vkResetFences(gpu_.device(), 1, slot.done.address()), "vkResetFences");

    marks.set("bench:acquire");
    uint32_t index = 0;
    check(vkAcquireNextImageKHR(gpu_.device(), swapchain_.get(), forever, slot.acquired.get(),
                                VK_NULL_HANDLE, &index),
          "vkAcquireNextImageKHR");

    marks.set("bench:submit");
    const Image& image = images_[index];
    const VkPipelineStageFlags stage = VK_PIPELINE_STAGE_TRANSFER_BIT;
    VkSubmitInfo submission{};
    submission.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO;
    submission.waitSemaphoreCount = 1;
    submission.pWaitSemaphores = slot.acquired.address();
    submission.pWaitDstStageMask = &stage;
    submission.commandBufferCount = 1;
    submission.pCommandBuffers = &image.clear;
    submission.signalSemaphoreCount = 1;
    submission.pSignalSemaphores = image.drawn.address();
    check(vkQueueSubmit(gpu_.queue(), 1, &submission, slot.done.get()), "vkQueueSubmit");

    marks.set("bench:present");
    const VkSwapchainKHR swapchain = swapchain_.get();
    VkPresentInfoKHR present{};
    present.sType = VK_STRUCTURE_TYPE_PRESENT_INFO_KHR;
    present.waitSemaphoreCount = 1;
    present.pWaitSemaphores = image.drawn.address();
    present.swapchainCount = 1;
    present.pSwapchains = &swapchain;
    present.pImageIndices = &index;
    check(vkQueuePresentKHR(gpu_.queue(), &present), "vkQueuePresentKHR");
    marks.set("bench:between");
}

} // namespace fencebridge::bench
