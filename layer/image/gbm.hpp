// SPDX-License-Identifier: MIT
#pragma once

#include "image/allocator.hpp"

namespace fencebridge::image {

/// Images in memory that libgbm allocates on the driver's own GPU, and that the driver imports.
/// libgbm uses the GPU's OpenGL driver, so a compositor on the same GPU knows the layouts, and
/// the kernel treats the memory like that of OpenGL.
class Gbm final : public ImageAllocator {
public:
    /// For which images.
    enum class Use {
        everywhere,
        without_exports, ///< those that the driver does not export; if there are none, libgbm is
                         ///< not loaded
    };
    explicit constexpr Gbm(Use use) : use_(use) {}

    core::ImageSource source() const override { return core::ImageSource::gbm; }
    /// Loads libgbm.
    std::optional<std::string> obstacle(const vk::PhysicalDevice& physical) const override;
    core::Placement placement() const override { return core::Placement::dma_buf; }
    std::expected<std::vector<vk::ImageLayout>, VkResult>
    layouts(const vk::PhysicalDevice& physical,
            const vk::ImageParameters& parameters) const override;
    std::expected<SwapchainImage, VkResult>
    allocate(const vk::Device& device, const vk::ImageParameters& parameters,
             std::span<const vk::ImageLayout> layouts) const override;

private:
    const Use use_;
};

} // namespace fencebridge::image
