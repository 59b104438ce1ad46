// SPDX-License-Identifier: MIT
#include "image/alias.hpp"

#include <optional>

#include "image/copied.hpp"
#include "image/shared_image.hpp"

namespace fencebridge::image {

namespace {

std::expected<vk::Memory, VkResult> import_again(const vk::Device& device,
                                                 const SwapchainImage& image, VkImage alias) {
    MemoryRequirements requirements = image_requirements(device, alias);
    requirements.dedicated = true;
    return image.placement == core::Placement::shared_memory
               ? import_host_memory(device, requirements, image.host)
               : import_dma_buf(device, requirements, image.dma_buf);
}

} // namespace

std::expected<vk::Memory, VkResult> import_for_alias(const vk::Device& device,
                                                     const SwapchainImage& image, VkImage alias) {
    if (is_unshared(image)) // its memory cannot be imported
        return std::unexpected(VK_ERROR_OUT_OF_DEVICE_MEMORY);
    auto memory = import_again(device, image, alias);
    // vkBindImageMemory2 has no other errors.
    if (!memory && memory.error() != VK_ERROR_OUT_OF_HOST_MEMORY)
        return std::unexpected(VK_ERROR_OUT_OF_DEVICE_MEMORY);
    return memory;
}

VkResult create_alias(const vk::Device& device, const vk::ImageParameters& parameters,
                      const SwapchainImage& like, const VkAllocationCallbacks* allocator,
                      VkImage* image) {
    if (is_unshared(like)) {
        const vk::ImageParameters copied = like.is_copied ? with_copies(parameters) : parameters;
        ImageInfo info(copied, std::nullopt);
        return device.next.CreateImage(device.handle, info.tiled(VK_IMAGE_TILING_OPTIMAL),
                                       allocator, image);
    }
    ExplicitModifier same(like.layout);
    ImageInfo info(parameters, like.placement == core::Placement::dma_buf
                                   ? VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT
                                   : VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT);
    const bool linear = like.layout.tiling == VK_IMAGE_TILING_LINEAR;
    return device.next.CreateImage(
        device.handle, linear ? info.tiled(VK_IMAGE_TILING_LINEAR) : info.with(same.info),
        allocator, image);
}

} // namespace fencebridge::image
