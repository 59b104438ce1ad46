// SPDX-License-Identifier: MIT
#pragma once

#include "image/allocator.hpp"

namespace fencebridge::image {

/// Images in memory of this process (VK_EXT_external_memory_host), which the window system maps as
/// well. Works without dma-bufs and without a DRM node. The layout is LINEAR.
class HostPointer final : public ImageAllocator {
public:
    core::ImageSource source() const override { return core::ImageSource::host_pointer; }
    std::optional<std::string> obstacle(const vk::PhysicalDevice& physical) const override {
        if (!physical.memory.host_pointer)
            return "the driver lacks VK_EXT_external_memory_host";
        return std::nullopt;
    }
    core::Placement placement() const override { return core::Placement::shared_memory; }
    std::expected<std::vector<vk::ImageLayout>, VkResult>
    layouts(const vk::PhysicalDevice& physical,
            const vk::ImageParameters& parameters) const override;
    std::expected<SwapchainImage, VkResult>
    allocate(const vk::Device& device, const vk::ImageParameters& parameters,
             std::span<const vk::ImageLayout> layouts) const override;
};

} // namespace fencebridge::image
