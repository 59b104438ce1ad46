// SPDX-License-Identifier: MIT
#include <algorithm>

#include "scenarios.hpp"
#include "still/failure.hpp"

namespace fencebridge::screen {

using still::check;

namespace {

constexpr uint64_t ten_seconds = 10'000'000'000;

still::Fence create_fence(VkDevice device) {
    VkFenceCreateInfo info{};
    info.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO;
    VkFence handle;
    check(vkCreateFence(device, &info, nullptr, &handle), "vkCreateFence");
    return {device, handle};
}

std::vector<VkPresentModeKHR> compatible_modes(const Application& application) {
    VkSurfacePresentModeKHR of_mode{};
    of_mode.sType = VK_STRUCTURE_TYPE_SURFACE_PRESENT_MODE_KHR;
    of_mode.presentMode = VK_PRESENT_MODE_FIFO_KHR;
    VkSurfacePresentModeCompatibilityKHR compatible{};
    compatible.sType = VK_STRUCTURE_TYPE_SURFACE_PRESENT_MODE_COMPATIBILITY_KHR;
    application.capabilities(&compatible, &of_mode);
    std::vector<VkPresentModeKHR> modes(compatible.presentModeCount);
    compatible.pPresentModes = modes.data();
    application.capabilities(&compatible, &of_mode);
    return modes;
}

// Each present has a fence, and a mode that may differ from the last one's.
void change_modes(Application& application, Problems& problems) {
    VkDevice device = application.device();
    const auto modes = compatible_modes(application);
    expect(problems, modes.size() > 1, "no mode is compatible with FIFO");
    VkSwapchainPresentModesCreateInfoKHR all{};
    all.sType = VK_STRUCTURE_TYPE_SWAPCHAIN_PRESENT_MODES_CREATE_INFO_KHR;
    all.presentModeCount = uint32_t(modes.size());
    all.pPresentModes = modes.data();
    // Enough for each mode.
    Chain chain(application, {.min_images = 4,
                              .flags = VK_SWAPCHAIN_CREATE_DEFERRED_MEMORY_ALLOCATION_BIT_KHR,
                              .next = &all});
    const still::Fence fence = create_fence(device);
    std::vector<size_t> fifo;
    for (int round = 0; round < 3; ++round) {
        for (VkPresentModeKHR mode : modes) {
            for (int frame = 0; frame < 4; ++frame) {
                VkSwapchainPresentModeInfoKHR of_frame{};
                of_frame.sType = VK_STRUCTURE_TYPE_SWAPCHAIN_PRESENT_MODE_INFO_KHR;
                of_frame.swapchainCount = 1;
                of_frame.pPresentModes = &mode;
                VkSwapchainPresentFenceInfoKHR with_fence{};
                with_fence.sType = VK_STRUCTURE_TYPE_SWAPCHAIN_PRESENT_FENCE_INFO_KHR;
                with_fence.pNext = &of_frame;
                with_fence.swapchainCount = 1;
                with_fence.pFences = fence.address();
                const size_t commit = chain.frame(&with_fence);
                if (mode == VK_PRESENT_MODE_FIFO_KHR)
                    fifo.push_back(commit);
                expect(problems,
                       vkWaitForFences(device, 1, fence.address(), VK_TRUE, ten_seconds) ==
                           VK_SUCCESS,
                       "a present's fence did not signal");
                check(vkResetFences(device, 1, fence.address()), "vkResetFences");
            }
        }
    }
    for (const size_t commit : fifo)
        expect(problems, application.judge().wait_for(commit).shown, "a FIFO frame was discarded");
}

uint32_t acquire(Application& application, const Chain& chain, const still::Fence& fence) {
    uint32_t image = 0;
    check(vkAcquireNextImageKHR(application.device(), chain.handle(), ten_seconds, VK_NULL_HANDLE,
                                fence.get(), &image),
          "vkAcquireNextImageKHR");
    check(vkWaitForFences(application.device(), 1, fence.address(), VK_TRUE, ten_seconds),
          "vkWaitForFences");
    check(vkResetFences(application.device(), 1, fence.address()), "vkResetFences");
    return image;
}

// Released images can be acquired again, and shown.
void release_images(Application& application, Problems& problems, const char* command) {
    VkDevice device = application.device();
    const auto release = application.find<PFN_vkReleaseSwapchainImagesKHR>(command);
    const still::Fence fence = create_fence(device);
    Chain chain(application, {.min_images = 4});
    for (int round = 0; round < 5; ++round) {
        chain.frame();
        const std::vector images = {acquire(application, chain, fence),
                                    acquire(application, chain, fence)};
        VkReleaseSwapchainImagesInfoKHR info{};
        info.sType = VK_STRUCTURE_TYPE_RELEASE_SWAPCHAIN_IMAGES_INFO_KHR;
        info.swapchain = chain.handle();
        info.imageIndexCount = uint32_t(images.size());
        info.pImageIndices = images.data();
        expect(problems, release(device, &info) == VK_SUCCESS, std::string(command) + " failed");
    }
    expect(problems, application.judge().wait_for(chain.frame()).shown,
           std::string(command) + ": a later frame was not shown");
}

} // namespace

void maintenance1(Application& application, Problems& problems) {
    change_modes(application, problems);
    release_images(application, problems, "vkReleaseSwapchainImagesKHR");
    release_images(application, problems, "vkReleaseSwapchainImagesEXT");
}

} // namespace fencebridge::screen
