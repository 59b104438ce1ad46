// SPDX-License-Identifier: MIT
// Layout changes of an image with one layer and one level.
#pragma once

#include <vulkan/vulkan_core.h>

namespace fencebridge::still {

inline constexpr VkImageSubresourceRange whole_image{VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1};

struct LayoutChange {
    VkImageLayout from;
    VkImageLayout to;
    VkAccessFlags access_before;
    VkAccessFlags access_after;
    VkPipelineStageFlags stage_after;
};

// Before an acquired image is copied to or cleared. All of its former contents are overwritten.
// The submission must wait for the acquire semaphore at the transfer stage. The first scope of this
// barrier is the same stage, so the layout does not change before the window system has stopped
// using the image.
inline constexpr LayoutChange to_be_written{
    VK_IMAGE_LAYOUT_UNDEFINED, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL, 0,
    VK_ACCESS_TRANSFER_WRITE_BIT, VK_PIPELINE_STAGE_TRANSFER_BIT};

// Between two writes of one image.
inline constexpr LayoutChange to_be_written_again{
    VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL,
    VK_ACCESS_TRANSFER_WRITE_BIT, VK_ACCESS_TRANSFER_WRITE_BIT, VK_PIPELINE_STAGE_TRANSFER_BIT};

// vkQueuePresentKHR itself makes the writes visible to the window system, so this barrier needs no
// second access mask and no later stage.
inline constexpr LayoutChange to_be_presented{
    VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL, VK_IMAGE_LAYOUT_PRESENT_SRC_KHR,
    VK_ACCESS_TRANSFER_WRITE_BIT, 0, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT};

inline void change_layout(VkCommandBuffer commands, VkImage image, const LayoutChange& change) {
    VkImageMemoryBarrier barrier{};
    barrier.sType = VK_STRUCTURE_TYPE_IMAGE_MEMORY_BARRIER;
    barrier.srcAccessMask = change.access_before;
    barrier.dstAccessMask = change.access_after;
    barrier.oldLayout = change.from;
    barrier.newLayout = change.to;
    barrier.srcQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED;
    barrier.dstQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED;
    barrier.image = image;
    barrier.subresourceRange = whole_image;
    vkCmdPipelineBarrier(commands, VK_PIPELINE_STAGE_TRANSFER_BIT, change.stage_after, 0, 0,
                         nullptr, 0, nullptr, 1, &barrier);
}

} // namespace fencebridge::still
