// SPDX-License-Identifier: MIT
#pragma once

#include "image/allocator.hpp"

namespace fencebridge::image {

/// An image in the driver's own best layout, bound to memory that nobody else reads.
struct UnsharedImage {
    vk::Memory memory;
    vk::Image image;
    bool dedicated; ///< SwapchainImage::dedicated
};
[[nodiscard]] std::expected<UnsharedImage, VkResult>
create_unshared(const vk::Device& device, const vk::ImageParameters& parameters);

/// Such images, for a window system that reads none. Works with every driver.
class Unshared final : public ImageAllocator {
public:
    core::ImageSource source() const override { return core::ImageSource::unshared; }
    std::optional<std::string> obstacle(const vk::PhysicalDevice& physical) const override {
        if (!physical.may_be_unshared)
            return "the window system reads the images";
        return std::nullopt;
    }
    bool needs_trial(const vk::PhysicalDevice&) const override { return false; }
    core::Placement placement() const override { return core::Placement::unshared; }
    std::expected<std::vector<vk::ImageLayout>, VkResult>
    layouts(const vk::PhysicalDevice& physical,
            const vk::ImageParameters& parameters) const override;
    std::expected<SwapchainImage, VkResult>
    allocate(const vk::Device& device, const vk::ImageParameters& parameters,
             std::span<const vk::ImageLayout> layouts) const override;
};

} // namespace fencebridge::image
