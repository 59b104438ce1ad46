// SPDX-License-Identifier: MIT
#include "image/host_pointer.hpp"

#include <algorithm>
#include <drm_fourcc.h>
#include <utility>

#include "image/shared_image.hpp"

namespace fencebridge::image {

namespace {

/// Host memory with the size and alignment that VK_EXT_external_memory_host demands.
std::expected<HostMemory, VkResult> create_importable(const vk::Device& device, VkDeviceSize size) {
    const auto unit = static_cast<size_t>(device.host_pointer_alignment);
    const size_t pages = whole_pages(static_cast<size_t>(size));
    return HostMemory::create(whole_pages((pages + unit - 1) / unit * unit));
}

std::expected<vk::Memory, VkResult> import_host(const vk::Device& device, VkImage image,
                                                MemoryRequirements requirements,
                                                const HostMemory& host) {
    constexpr auto handle = VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT;
    VkMemoryHostPointerPropertiesEXT importable = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_HOST_POINTER_PROPERTIES_EXT};
    const VkResult result = device.next.GetMemoryHostPointerPropertiesEXT(
        device.handle, handle, host.address(), &importable);
    if (result != VK_SUCCESS)
        return std::unexpected(result);
    requirements.size = host.size();
    requirements.memory_types &= importable.memoryTypeBits;
    VkImportMemoryHostPointerInfoEXT import = {
        .sType = VK_STRUCTURE_TYPE_IMPORT_MEMORY_HOST_POINTER_INFO_EXT,
        .handleType = handle,
        .pHostPointer = host.address(),
    };
    VkMemoryDedicatedAllocateInfo for_image = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO, .image = image};
    if (requirements.dedicated)
        vk::push_next(import, for_image);
    return allocate_memory(device, requirements, &import);
}

} // namespace

std::expected<std::vector<vk::ImageLayout>, VkResult>
HostPointer::layouts(const vk::PhysicalDevice& physical,
                     const vk::ImageParameters& parameters) const {
    auto found = vk::find_layouts(physical, parameters, vk::imported_host_pointer);
    if (found)
        std::erase_if(*found, [](const vk::ImageLayout& layout) {
            return layout.modifier != DRM_FORMAT_MOD_LINEAR;
        });
    return found;
}

std::expected<SwapchainImage, VkResult>
HostPointer::allocate(const vk::Device& device, const vk::ImageParameters& parameters,
                      std::span<const vk::ImageLayout> layouts) const {
    auto unbound = create_unbound(device, parameters, layouts, vk::imported_host_pointer.handle);
    if (!unbound)
        return std::unexpected(unbound.error());
    const VkImage image = unbound->image.get();
    auto host = create_importable(device, unbound->requirements.size);
    if (!host)
        return std::unexpected(host.error());
    auto memory = import_host(device, image, unbound->requirements, *host);
    if (!memory)
        return std::unexpected(memory.error());
    const VkResult bound = device.next.BindImageMemory(device.handle, image, memory->get(), 0);
    if (bound != VK_SUCCESS)
        return std::unexpected(bound);
    return SwapchainImage{.dma_buf = {},
                          .host = std::move(*host),
                          .memory = std::move(*memory),
                          .image = std::move(unbound->image),
                          .layout = unbound->layout,
                          .dedicated = unbound->requirements.dedicated};
}

} // namespace fencebridge::image
