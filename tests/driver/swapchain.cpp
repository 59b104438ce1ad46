// SPDX-License-Identifier: MIT
#include "swapchain.hpp"

#include <gtest/gtest.h>

#include <array>

namespace fencebridge::test {
namespace {

VkSemaphore make_semaphore(VkDevice device) {
    const VkSemaphoreCreateInfo info{
        .sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO, .pNext = nullptr, .flags = 0};
    VkSemaphore semaphore = VK_NULL_HANDLE;
    EXPECT_EQ(vkCreateSemaphore(device, &info, nullptr, &semaphore), VK_SUCCESS);
    return semaphore;
}

VkFence make_fence(VkDevice device) {
    const VkFenceCreateInfo info{
        .sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO, .pNext = nullptr, .flags = 0};
    VkFence fence = VK_NULL_HANDLE;
    EXPECT_EQ(vkCreateFence(device, &info, nullptr, &fence), VK_SUCCESS);
    return fence;
}

} // namespace

Swapchain::Swapchain(const Device& device, VkSurfaceKHR surface, const SwapchainRequest& request) :
    device_{device} {
    VkSwapchainCreateInfoKHR info{};
    info.sType = VK_STRUCTURE_TYPE_SWAPCHAIN_CREATE_INFO_KHR;
    info.pNext = request.next;
    info.flags = request.flags;
    info.surface = surface;
    info.minImageCount = request.min_images;
    info.imageFormat = request.format;
    info.imageColorSpace = VK_COLOR_SPACE_SRGB_NONLINEAR_KHR;
    info.imageExtent = request.extent;
    info.imageArrayLayers = 1;
    info.imageUsage = VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT;
    info.preTransform = VK_SURFACE_TRANSFORM_IDENTITY_BIT_KHR;
    info.compositeAlpha = VK_COMPOSITE_ALPHA_OPAQUE_BIT_KHR;
    info.presentMode = request.mode;
    info.clipped = VK_TRUE;
    info.oldSwapchain = request.old;
    result_ = vkCreateSwapchainKHR(device, &info, nullptr, &handle_);
    if (result_ != VK_SUCCESS)
        handle_ = VK_NULL_HANDLE;
}

void Swapchain::destroy() {
    if (handle_ != VK_NULL_HANDLE)
        vkDestroySwapchainKHR(device_, std::exchange(handle_, VK_NULL_HANDLE), nullptr);
}

uint32_t Swapchain::image_count() const {
    uint32_t count = 0;
    EXPECT_EQ(vkGetSwapchainImagesKHR(device_, handle_, &count, nullptr), VK_SUCCESS);
    return count;
}

Frame::Frame(const Device& device) :
    device_{device}, acquired_{make_semaphore(device)}, rendered_{make_semaphore(device)},
    acquired_fence_{make_fence(device)}, done_{make_fence(device)} {}

Frame::~Frame() {
    vkDestroySemaphore(device_, acquired_, nullptr);
    vkDestroySemaphore(device_, rendered_, nullptr);
    vkDestroyFence(device_, acquired_fence_, nullptr);
    vkDestroyFence(device_, done_, nullptr);
}

VkResult Frame::acquire(const Swapchain& swapchain, uint64_t timeout) {
    return vkAcquireNextImageKHR(device_, swapchain, timeout, acquired_, acquired_fence_, &index_);
}

VkResult Frame::submit(VkCommandBuffer commands) {
    static constexpr VkPipelineStageFlags stage = VK_PIPELINE_STAGE_ALL_COMMANDS_BIT;
    const VkSubmitInfo info{.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                            .pNext = nullptr,
                            .waitSemaphoreCount = 1,
                            .pWaitSemaphores = &acquired_,
                            .pWaitDstStageMask = &stage,
                            .commandBufferCount = commands == VK_NULL_HANDLE ? 0U : 1U,
                            .pCommandBuffers = &commands,
                            .signalSemaphoreCount = 1,
                            .pSignalSemaphores = &rendered_};
    return vkQueueSubmit(device_.queue(), 1, &info, done_);
}

VkResult Frame::present(const Swapchain& swapchain, VkFence fence, const void* next) {
    const VkSwapchainKHR handle = swapchain;
    const VkSwapchainPresentFenceInfoEXT fences{
        .sType = VK_STRUCTURE_TYPE_SWAPCHAIN_PRESENT_FENCE_INFO_EXT,
        .pNext = const_cast<void*>(next),
        .swapchainCount = 1,
        .pFences = &fence};
    const VkPresentInfoKHR info{.sType = VK_STRUCTURE_TYPE_PRESENT_INFO_KHR,
                                .pNext = fence != VK_NULL_HANDLE ? &fences : next,
                                .waitSemaphoreCount = 1,
                                .pWaitSemaphores = &rendered_,
                                .swapchainCount = 1,
                                .pSwapchains = &handle,
                                .pImageIndices = &index_,
                                .pResults = nullptr};
    return vkQueuePresentKHR(device_.queue(), &info);
}

VkResult Frame::finish() {
    const std::array fences{acquired_fence_, done_};
    const VkResult result =
        vkWaitForFences(device_, fences.size(), fences.data(), VK_TRUE, patience_ns);
    return result == VK_SUCCESS ? vkResetFences(device_, fences.size(), fences.data()) : result;
}

VkResult show_frame(const Device& device, const Swapchain& swapchain) {
    Frame frame{device};
    for (const auto& step : {+[](Frame&f, const Swapchain&s) { return f.acquire(s); },
                             +[](Frame&f, const Swapchain&) { return f.submit(); },
                             +[](Frame&f, const Swapchain&s) { return f.present(s); },
                             +[](Frame&f, const Swapchain&) { return f.finish(); }})
        if (const VkResult result = step(frame, swapchain); result != VK_SUCCESS)
            return result;
    // The layer may have submitted batches that use the semaphores, which are destroyed next.
    return vkQueueWaitIdle(device.queue());
}

void expect_frames(const Device& device, const Swapchain& swapchain) {
    for (uint32_t i = 0; i < 2 * swapchain.image_count(); ++i)
        ASSERT_EQ(show_frame(device, swapchain), VK_SUCCESS);
}

} // namespace fencebridge::test
