// SPDX-License-Identifier: MIT
#pragma once

#include <compare>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <vector>
#include <vulkan/vulkan.h>

#include "core/image_source.hpp"
#include "core/layout_choice.hpp"
#include "image/swapchain_image.hpp"
#include "vk/device.hpp"
#include "vk/image_layout.hpp"
#include "vk/physical_device.hpp"

namespace fencebridge::image {

/// A source of a swapchain's images. Each has a file of its own, and is one constant object. To add
/// one, write the file and add it to allocators(); docs/finding-your-way.md has the rest.
class ImageAllocator {
public:
    [[nodiscard]] virtual core::ImageSource source() const = 0;
    /// The name in the settings and in the log.
    [[nodiscard]] const char* name() const { return core::name(source()).data(); }

    /// Why it can make no images at all on this device, for the log; nothing if it may be able to.
    [[nodiscard]] virtual std::optional<std::string>
    obstacle(const vk::PhysicalDevice& physical) const = 0;

    /// Whether only a trial shows that a window system accepts its images: the driver does not know
    /// the layouts of window systems, or did not allocate the memory.
    [[nodiscard]] virtual bool needs_trial(const vk::PhysicalDevice&) const { return true; }

    /// How the memory of its images reaches the window system.
    [[nodiscard]] virtual core::Placement placement() const = 0;

    /// Every layout in which it can make such images on this device.
    /// @return the error is lack of memory
    [[nodiscard]] virtual std::expected<std::vector<vk::ImageLayout>, VkResult>
    layouts(const vk::PhysicalDevice& physical, const vk::ImageParameters& parameters) const = 0;

    /// Makes an image, bound to its memory.
    /// @param layouts  to choose from; all are in layouts() of these parameters
    /// @return the error is the driver's; or VK_ERROR_INITIALIZATION_FAILED if the driver chose an
    ///         unusable layout, VK_ERROR_OUT_OF_DEVICE_MEMORY if no memory type is allowed
    [[nodiscard]] virtual std::expected<SwapchainImage, VkResult>
    allocate(const vk::Device& device, const vk::ImageParameters& parameters,
             std::span<const vk::ImageLayout> layouts) const = 0;

protected:
    ~ImageAllocator() = default;
};

/// What the order of the allocators depends on, beside the device: who reads the images.
struct Reader {
    bool foreign = false;         ///< Window::is_foreign() of the device
    bool attached_fences = false; ///< it needs to wait for fences, which are attached to the images
    auto operator<=>(const Reader&) const = default;
};

/// All allocators, in the order in which they are tried: the requested one, then the others, best
/// first.
using Allocators = std::vector<const ImageAllocator*>;
[[nodiscard]] Allocators allocators(const vk::PhysicalDevice& physical, const Reader& reader,
                                    std::optional<core::ImageSource> requested);

} // namespace fencebridge::image
