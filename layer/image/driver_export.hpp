// SPDX-License-Identifier: MIT
#pragma once

#include "image/allocator.hpp"

namespace fencebridge::image {

/// Images in memory that the driver allocates and exports as a dma-buf
/// (VK_EXT_external_memory_dma_buf).
class DriverExport final : public ImageAllocator {
public:
    core::ImageSource source() const override { return core::ImageSource::driver_export; }
    std::optional<std::string> obstacle(const vk::PhysicalDevice& physical) const override {
        if (!physical.memory.dma_buf)
            return "the driver lacks VK_EXT_external_memory_dma_buf";
        return std::nullopt;
    }
    bool needs_trial(const vk::PhysicalDevice& physical) const override {
        return !physical.memory.modifiers;
    }
    core::Placement placement() const override { return core::Placement::dma_buf; }
    std::expected<std::vector<vk::ImageLayout>, VkResult>
    layouts(const vk::PhysicalDevice& physical,
            const vk::ImageParameters& parameters) const override {
        return vk::find_layouts(physical, parameters, vk::exported_dma_buf);
    }
    std::expected<SwapchainImage, VkResult>
    allocate(const vk::Device& device, const vk::ImageParameters& parameters,
             std::span<const vk::ImageLayout> layouts) const override;
};

} // namespace fencebridge::image
