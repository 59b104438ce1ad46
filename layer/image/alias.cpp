// SPDX-License-Identifier: MIT
#include "image/alias.hpp"

#include <array>

#include "image/dma_buf_image.hpp"

namespace fencebridge::image {

std::expected<vk::Memory, VkResult> import_for_alias(const vk::Device& device,
                                                     const SwapchainImage& image, VkImage alias) {
    Fd dma_buf = image.dma_buf ? image.dma_buf.duplicate()
                               : export_dma_buf(device, image.memory.get()).value_or(Fd());
    if (!dma_buf)
        return std::unexpected(VK_ERROR_OUT_OF_HOST_MEMORY);
    VkMemoryFdPropertiesKHR importable = {.sType = VK_STRUCTURE_TYPE_MEMORY_FD_PROPERTIES_KHR};
    const VkResult result = device.next.GetMemoryFdPropertiesKHR(
        device.handle, VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT, dma_buf.get(), &importable);
    if (result != VK_SUCCESS)
        return std::unexpected(VK_ERROR_OUT_OF_DEVICE_MEMORY);

    MemoryRequirements requirements = query_requirements(device, alias);
    requirements.memory_types &= importable.memoryTypeBits;
    VkImportMemoryFdInfoKHR import = {
        .sType = VK_STRUCTURE_TYPE_IMPORT_MEMORY_FD_INFO_KHR,
        .handleType = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT,
        .fd = dma_buf.get(),
    };
    VkMemoryDedicatedAllocateInfo for_alias = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO, .image = alias};
    vk::push_next(import, for_alias);
    auto memory = allocate_memory(device, requirements, &import);
    // After a successful import the driver owns the descriptor.
    if (memory)
        static_cast<void>(dma_buf.release());
    return memory;
}

VkResult create_alias(const vk::Device& device, const vk::ImageParameters& parameters,
                      const Layout& layout, const VkAllocationCallbacks* allocator,
                      VkImage* image) {
    std::array<VkSubresourceLayout, 4> planes = {};
    for (uint32_t i = 0; i < layout.plane_count; ++i)
        planes[i] = {.offset = layout.planes[i].offset, .rowPitch = layout.planes[i].pitch};
    VkImageDrmFormatModifierExplicitCreateInfoEXT same = {
        .sType = VK_STRUCTURE_TYPE_IMAGE_DRM_FORMAT_MODIFIER_EXPLICIT_CREATE_INFO_EXT,
        .drmFormatModifier = layout.modifier,
        .drmFormatModifierPlaneCount = layout.plane_count,
        .pPlaneLayouts = planes.data(),
    };
    DmaBufImageInfo info(parameters);
    return device.next.CreateImage(device.handle, info.with(same), allocator, image);
}

} // namespace fencebridge::image
