// SPDX-License-Identifier: MIT
#include "chain.hpp"

#include <algorithm>
#include <limits>

#include <unistd.h>

#include "still/enumerate.hpp"
#include "still/failure.hpp"

namespace fencebridge::bench {
namespace {

using still::check;

constexpr uint64_t forever = std::numeric_limits<uint64_t>::max();
constexpr VkImageSubresourceRange whole_image{VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1};

void transition(VkCommandBuffer commands, VkImage image, VkImageLayout from, VkImageLayout to) {
    VkImageMemoryBarrier barrier{};
    barrier.sType = VK_STRUCTURE_TYPE_IMAGE_MEMORY_BARRIER;
    barrier.srcAccessMask = from == VK_IMAGE_LAYOUT_UNDEFINED ? 0 : VK_ACCESS_TRANSFER_WRITE_BIT;
    barrier.dstAccessMask = from == VK_IMAGE_LAYOUT_UNDEFINED ? VK_ACCESS_TRANSFER_WRITE_BIT : 0;
    barrier.oldLayout = from;
    barrier.newLayout = to;
    barrier.srcQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED;
    barrier.dstQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED;
    barrier.image = image;
    barrier.subresourceRange = whole_image;
    vkCmdPipelineBarrier(commands, VK_PIPELINE_STAGE_TRANSFER_BIT, VK_PIPELINE_STAGE_TRANSFER_BIT,
                         0, 0, nullptr, 0, nullptr, 1, &barrier);
}

} // namespace

void Marks::set(const char* name) const {
    if (on_)
        static_cast<void>(access(name, F_OK));
}

Chain::Chain(const still::Gpu& gpu, wl_display* display, wl_surface* surface, VkPresentModeKHR mode,
             Size size, VkCommandPool pool) :
    gpu_(gpu),
    surface_(gpu.create_surface(display, surface)) {
    create(mode, size);
    auto images =
        still::enumerate<VkImage>("vkGetSwapchainImagesKHR", [&](uint32_t* count, VkImage* all) {
            return vkGetSwapchainImagesKHR(gpu_.device(), swapchain_.get(), count, all);
        });
    for (VkImage image : images)
        add_image(image, pool);
    for (Slot& slot : slots_)
        slot = {gpu_.create_semaphore(), gpu_.create_signalled_fence()};
}

void Chain::create(VkPresentModeKHR mode, Size size) {
    VkSurfaceCapabilitiesKHR capabilities;
    check(vkGetPhysicalDeviceSurfaceCapabilitiesKHR(gpu_.physical_device(), surface_.get(),
                                                    &capabilities),
          "vkGetPhysicalDeviceSurfaceCapabilitiesKHR");
    auto formats = still::enumerate<VkSurfaceFormatKHR>(
        "vkGetPhysicalDeviceSurfaceFormatsKHR", [&](uint32_t* count, VkSurfaceFormatKHR* all) {
            return vkGetPhysicalDeviceSurfaceFormatsKHR(gpu_.physical_device(), surface_.get(),
                                                        count, all);
        });
    if (std::ranges::none_of(formats, [](const VkSurfaceFormatKHR& offered) {
            return offered.format == VK_FORMAT_B8G8R8A8_UNORM;
        }))
        throw still::Unsupported("the surface lacks VK_FORMAT_B8G8R8A8_UNORM");
    VkSwapchainCreateInfoKHR info{};
    info.sType = VK_STRUCTURE_TYPE_SWAPCHAIN_CREATE_INFO_KHR;
    info.surface = surface_.get();
    info.minImageCount = capabilities.minImageCount;
    info.imageFormat = VK_FORMAT_B8G8R8A8_UNORM;
    info.imageColorSpace = VK_COLOR_SPACE_SRGB_NONLINEAR_KHR;
    info.imageExtent = {size.width, size.height};
    info.imageArrayLayers = 1;
    info.imageUsage = VK_IMAGE_USAGE_TRANSFER_DST_BIT;
    info.imageSharingMode = VK_SHARING_MODE_EXCLUSIVE;
    info.preTransform = capabilities.currentTransform;
    info.compositeAlpha = VK_COMPOSITE_ALPHA_OPAQUE_BIT_KHR;
    info.presentMode = mode;
    info.clipped = VK_TRUE;
    VkSwapchainKHR handle;
    check(vkCreateSwapchainKHR(gpu_.device(), &info, nullptr, &handle), "vkCreateSwapchainKHR");
    swapchain_ = still::Swapchain(gpu_.device(), handle);
}

void Chain::add_image(VkImage image, VkCommandPool pool) {
    VkCommandBufferAllocateInfo allocation{};
    allocation.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO;
    allocation.commandPool = pool;
    allocation.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY;
    allocation.commandBufferCount = 1;
    VkCommandBuffer commands;
    check(vkAllocateCommandBuffers(gpu_.device(), &allocation, &commands),
          "vkAllocateCommandBuffers");
    VkCommandBufferBeginInfo begin{};
    begin.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO;
    check(vkBeginCommandBuffer(commands, &begin), "vkBeginCommandBuffer");
    transition(commands, image, VK_IMAGE_LAYOUT_UNDEFINED, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL);
    // Each image in a shade of its own, so that one who looks sees them change.
    const float shade = float(images_.size() + 1) / 8;
    const VkClearColorValue colour{.float32 = {shade, shade, 0.5f, 1}};
    vkCmdClearColorImage(commands, image, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL, &colour, 1,
                         &whole_image);
    transition(commands, image, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL,
               VK_IMAGE_LAYOUT_PRESENT_SRC_KHR);
    check(vkEndCommandBuffer(commands), "vkEndCommandBuffer");
    images_.push_back({commands, gpu_.create_semaphore()});
}

void Chain::frame(const Marks& marks) {
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
