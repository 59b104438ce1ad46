// SPDX-License-Identifier: MIT
#include "image/image_copy.hpp"

namespace fencebridge::image {

namespace {

VkImageMemoryBarrier transition(VkImage image, VkImageLayout from, VkImageLayout to) {
    return {
        .sType = VK_STRUCTURE_TYPE_IMAGE_MEMORY_BARRIER,
        .srcAccessMask = VK_ACCESS_MEMORY_WRITE_BIT,
        .dstAccessMask = VK_ACCESS_TRANSFER_READ_BIT,
        .oldLayout = from,
        .newLayout = to,
        .srcQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
        .dstQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
        .image = image,
        .subresourceRange = {.aspectMask = VK_IMAGE_ASPECT_COLOR_BIT,
                             .baseMipLevel = 0,
                             .levelCount = 1,
                             .baseArrayLayer = 0,
                             .layerCount = 1},
    };
}

} // namespace

void ImageCopy::record(VkCommandBuffer commands, uint32_t queue_family,
                       VkImageLayout presented) const {
    // An image that the application keeps while it is shown stays in its layout, which copies may
    // read (VK_KHR_shared_presentable_image).
    const bool keeps_layout = presented == VK_IMAGE_LAYOUT_SHARED_PRESENT_KHR;
    const VkImageLayout read = keeps_layout ? presented : VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL;
    const VkImageMemoryBarrier to_copy = transition(image_, presented, read);
    device_.next.CmdPipelineBarrier(commands, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT,
                                    VK_PIPELINE_STAGE_TRANSFER_BIT, 0, 0, nullptr, 0, nullptr, 1,
                                    &to_copy);
    const VkBufferImageCopy all = {
        .bufferOffset = 0,
        .bufferRowLength = row_,
        .bufferImageHeight = 0,
        .imageSubresource = {.aspectMask = VK_IMAGE_ASPECT_COLOR_BIT,
                             .mipLevel = 0,
                             .baseArrayLayer = 0,
                             .layerCount = 1},
        .imageOffset = {},
        .imageExtent = {extent_.width, extent_.height, 1},
    };
    device_.next.CmdCopyImageToBuffer(commands, image_, read, buffer_.get(), 1, &all);
    VkImageMemoryBarrier back = transition(image_, read, presented);
    back.srcAccessMask = 0; // the copy has only read
    back.dstAccessMask = 0; // the application's next use waits for a semaphore or fence
    VkBufferMemoryBarrier to_window_system = {
        .sType = VK_STRUCTURE_TYPE_BUFFER_MEMORY_BARRIER,
        .srcAccessMask = VK_ACCESS_TRANSFER_WRITE_BIT,
        .dstAccessMask = VK_ACCESS_HOST_READ_BIT,
        .srcQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
        .dstQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
        .buffer = buffer_.get(),
        .offset = 0,
        .size = VK_WHOLE_SIZE,
    };
    VkPipelineStageFlags reading = VK_PIPELINE_STAGE_HOST_BIT;
    if (reader_ != VK_QUEUE_FAMILY_IGNORED) {
        // The release of an ownership transfer. The next copy does not read what is there, so it
        // need not acquire the buffer ("Queue Family Ownership Transfer").
        to_window_system.srcQueueFamilyIndex = queue_family;
        to_window_system.dstQueueFamilyIndex = reader_;
        to_window_system.dstAccessMask = 0;
        reading = VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT;
    }
    device_.next.CmdPipelineBarrier(commands, VK_PIPELINE_STAGE_TRANSFER_BIT,
                                    reading | VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, 0, 0, nullptr,
                                    1, &to_window_system, 1, &back);
}

} // namespace fencebridge::image
