// SPDX-License-Identifier: MIT
#include "image/driver_export.hpp"

#include "image/memory.hpp"
#include "image/shared_image.hpp"

namespace fencebridge::image {

std::expected<SwapchainImage, VkResult>
DriverExport::allocate(const vk::Device& device, const vk::ImageParameters& parameters,
                       std::span<const vk::ImageLayout> layouts) const {
    auto unbound = create_unbound(device, parameters, layouts, vk::exported_dma_buf.handle);
    if (!unbound)
        return std::unexpected(unbound.error());
    const VkImage image = unbound->image.get();
    auto memory = allocate_exportable(device, unbound->requirements);
    if (!memory)
        return std::unexpected(memory.error());
    const VkResult bound = device.next.BindImageMemory(device.handle, image, memory->get(), 0);
    if (bound != VK_SUCCESS)
        return std::unexpected(bound);
    auto dma_buf = export_dma_buf(device, memory->get());
    if (!dma_buf)
        return std::unexpected(dma_buf.error());
    return SwapchainImage{.placement = placement(),
                          .dma_buf = std::move(*dma_buf),
                          .implicit_fences = device.facts.implicit_fences_on_exports,
                          .host = {},
                          .memory = std::move(*memory),
                          .image = std::move(unbound->image),
                          .layout = unbound->layout,
                          .dedicated = unbound->requirements.dedicated};
}

} // namespace fencebridge::image
