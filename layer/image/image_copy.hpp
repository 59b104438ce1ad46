// SPDX-License-Identifier: MIT
#pragma once

#include <vulkan/vulkan.h>

#include "image/present_commands.hpp"
#include "vk/device.hpp"

namespace fencebridge::image {

/// The copy that the window system reads of a swapchain image: a buffer whose memory it imports,
/// and the commands that copy the image there.
class ImageCopy final : public PresentCommands {
public:
    /// @param memory  what `buffer` is bound to
    /// @param row     VkBufferImageCopy::bufferRowLength, in texels
    /// @param reader  the queue family to which the ownership of the buffer goes after the copy;
    ///                VK_QUEUE_FAMILY_IGNORED for the CPU
    ImageCopy(const vk::Device& device, vk::Memory memory, vk::Buffer buffer, VkImage image,
              VkExtent2D extent, uint32_t row, uint32_t reader) :
        PresentCommands(device),
        memory_(std::move(memory)), buffer_(std::move(buffer)), image_(image), extent_(extent),
        row_(row), reader_(reader) {}

private:
    void record(VkCommandBuffer commands, uint32_t queue_family,
                VkImageLayout presented) const override;

    const vk::Memory memory_; ///< outlives the buffer
    const vk::Buffer buffer_;
    const VkImage image_; ///< the swapchain image, which outlives this
    const VkExtent2D extent_;
    const uint32_t row_;
    const uint32_t reader_;
};

} // namespace fencebridge::image
