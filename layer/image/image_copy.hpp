// SPDX-License-Identifier: MIT
#pragma once

#include <expected>
#include <map>
#include <vulkan/vulkan.h>

#include "util/locked.hpp"
#include "vk/device.hpp"

namespace fencebridge::image {

/// The copy that the window system reads of a swapchain image: a buffer whose memory it imports,
/// and the commands that copy the image there. The commands are submitted at each present, on the
/// queue of the present.
class ImageCopy {
public:
    /// @param memory  what `buffer` is bound to
    /// @param row     VkBufferImageCopy::bufferRowLength, in texels
    /// @param reader  the queue family to which the ownership of the buffer goes after the copy;
    ///                VK_QUEUE_FAMILY_IGNORED for the CPU
    ImageCopy(const vk::Device& device, vk::Memory memory, vk::Buffer buffer, VkImage image,
              VkExtent2D extent, uint32_t row, uint32_t reader) :
        device_(device),
        memory_(std::move(memory)), buffer_(std::move(buffer)), image_(image), extent_(extent),
        row_(row), reader_(reader) {}

    /// The commands for the queues of a family. The first call for a family records them. They may
    /// be submitted again while an earlier submission is pending.
    /// @param presented  the image's layout, before and after the commands
    /// @return the error is the driver's
    [[nodiscard]] std::expected<VkCommandBuffer, VkResult> commands(uint32_t queue_family,
                                                                    VkImageLayout presented);

private:
    struct Commands {
        vk::CommandPool pool; ///< owns the command buffer
        VkCommandBuffer buffer;
    };
    std::expected<Commands, VkResult> record(uint32_t queue_family, VkImageLayout presented) const;

    const vk::Device& device_;
    const vk::Memory memory_; ///< outlives the buffer
    const vk::Buffer buffer_;
    const VkImage image_; ///< the swapchain image, which outlives this
    const VkExtent2D extent_;
    const uint32_t row_;
    const uint32_t reader_;
    Locked<std::map<uint32_t, Commands>> of_family_;
};

} // namespace fencebridge::image
