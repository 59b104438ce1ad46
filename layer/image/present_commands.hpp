// SPDX-License-Identifier: MIT
#pragma once

#include <expected>
#include <map>
#include <vulkan/vulkan.h>

#include "util/locked.hpp"
#include "vk/device.hpp"

namespace fencebridge::image {

/// The commands after which the window system may read a swapchain image. They are submitted at
/// each present, on the queue of the present.
class PresentCommands {
public:
    PresentCommands(const PresentCommands&) = delete;
    PresentCommands& operator=(const PresentCommands&) = delete;
    virtual ~PresentCommands() = default;

    /// The commands for the queues of a family. The first call for a family records them. They may
    /// be submitted again while an earlier submission is pending.
    /// @param presented  the image's layout, before and after the commands
    /// @return the error is the driver's
    [[nodiscard]] std::expected<VkCommandBuffer, VkResult> of(uint32_t queue_family,
                                                              VkImageLayout presented);

protected:
    explicit PresentCommands(const vk::Device& device) : device_(device) {}

    const vk::Device& device_;

private:
    /// @param commands  being recorded
    virtual void record(VkCommandBuffer commands, uint32_t queue_family,
                        VkImageLayout presented) const = 0;

    struct Recorded {
        vk::CommandPool pool; ///< owns the command buffer
        VkCommandBuffer buffer;
    };
    std::expected<Recorded, VkResult> make(uint32_t queue_family, VkImageLayout presented) const;

    Locked<std::map<uint32_t, Recorded>> of_family_;
};

} // namespace fencebridge::image
