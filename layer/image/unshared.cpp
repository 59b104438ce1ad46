// SPDX-License-Identifier: MIT
#include "image/unshared.hpp"

#include <drm_fourcc.h>
#include <utility>

#include "image/memory.hpp"
#include "image/shared_image.hpp"

namespace fencebridge::image {

std::expected<UnsharedImage, VkResult> create_unshared(const vk::Device& device,
                                                       const vk::ImageParameters& parameters) {
    ImageInfo info(parameters, std::nullopt);
    VkImage handle = VK_NULL_HANDLE;
    const VkResult created = device.next.CreateImage(
        device.handle, info.tiled(VK_IMAGE_TILING_OPTIMAL), nullptr, &handle);
    if (created != VK_SUCCESS)
        return std::unexpected(created);
    vk::Image image(device, handle);
    MemoryRequirements requirements = image_requirements(device, handle);
    // Aliases are bound to the same memory, since it cannot be exported.
    requirements.dedicated = requirements.must_be_dedicated;
    auto memory = allocate_memory(device, requirements);
    if (!memory)
        return std::unexpected(memory.error());
    const VkResult bound = device.next.BindImageMemory(device.handle, handle, memory->get(), 0);
    if (bound != VK_SUCCESS)
        return std::unexpected(bound);
    return UnsharedImage{std::move(*memory), std::move(image), requirements.dedicated};
}

std::expected<std::vector<vk::ImageLayout>, VkResult>
Unshared::layouts(const vk::PhysicalDevice& physical, const vk::ImageParameters& parameters) const {
    if (obstacle(physical))
        return {};
    auto found = vk::find_optimal_layout(physical, parameters);
    if (!found)
        return std::unexpected(found.error());
    if (!*found)
        return {};
    (*found)->modifier = DRM_FORMAT_MOD_INVALID; // only the driver knows the layout
    return std::vector{**found};
}

std::expected<SwapchainImage, VkResult>
Unshared::allocate(const vk::Device& device, const vk::ImageParameters& parameters,
                   std::span<const vk::ImageLayout> layouts) const {
    auto made = create_unshared(device, parameters);
    if (!made)
        return std::unexpected(made.error());
    return SwapchainImage{.placement = placement(),
                          .dma_buf = {},
                          .implicit_fences = vk::ImplicitFences::ignored,
                          .host = {},
                          .memory = std::move(made->memory),
                          .image = std::move(made->image),
                          .layout = {.modifier = layouts.front().modifier,
                                     .tiling = VK_IMAGE_TILING_OPTIMAL,
                                     .plane_count = 0,
                                     .planes = {}},
                          .dedicated = made->dedicated};
}

} // namespace fencebridge::image
