// SPDX-License-Identifier: MIT
// Images of the application that are bound to the memory of a swapchain image.
#pragma once

#include "fixture.hpp"

namespace fencebridge::test {

// @param options  of the swapchain: VkImageSwapchainCreateInfoKHR wants equal parameters
inline Owned<VkImage> create_alias(VkDevice device, const Swapchain& swapchain,
                                   const SwapchainOptions& options = {}) {
    VkImageSwapchainCreateInfoKHR of_swapchain{VK_STRUCTURE_TYPE_IMAGE_SWAPCHAIN_CREATE_INFO_KHR};
    of_swapchain.swapchain = swapchain;
    VkImageCreateInfo info{VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO};
    info.pNext = &of_swapchain;
    info.imageType = VK_IMAGE_TYPE_2D;
    info.format = options.format;
    info.extent = {options.extent.width, options.extent.height, 1};
    info.mipLevels = 1;
    info.arrayLayers = 1;
    info.samples = VK_SAMPLE_COUNT_1_BIT;
    info.tiling = VK_IMAGE_TILING_OPTIMAL;
    info.usage = options.usage;
    info.sharingMode = VK_SHARING_MODE_EXCLUSIVE;
    VkImage image = VK_NULL_HANDLE;
    EXPECT_EQ(vkCreateImage(device, &info, nullptr, &image), VK_SUCCESS);
    return {image, [device](VkImage dying) { vkDestroyImage(device, dying, nullptr); }};
}

inline VkResult bind_alias(VkDevice device, const Swapchain& swapchain, uint32_t index,
                           VkImage alias) {
    VkBindImageMemorySwapchainInfoKHR to_swapchain{
        VK_STRUCTURE_TYPE_BIND_IMAGE_MEMORY_SWAPCHAIN_INFO_KHR};
    to_swapchain.swapchain = swapchain;
    to_swapchain.imageIndex = index;
    VkBindImageMemoryInfo bind{VK_STRUCTURE_TYPE_BIND_IMAGE_MEMORY_INFO};
    bind.pNext = &to_swapchain;
    bind.image = alias;
    return vkBindImageMemory2(device, 1, &bind);
}

inline Owned<VkImage> make_alias(VkDevice device, const Swapchain& swapchain, uint32_t index,
                                 const SwapchainOptions& options = {}) {
    auto alias = create_alias(device, swapchain, options);
    EXPECT_EQ(bind_alias(device, swapchain, index, alias), VK_SUCCESS);
    return alias;
}

} // namespace fencebridge::test
