// SPDX-License-Identifier: MIT
#include "image/driver_export.hpp"

#include <utility>

#include "image/memory.hpp"
#include "image/shared_image.hpp"

namespace fencebridge::image {

std::expected<SwapchainImage, VkResult>
DriverExport::allocate(const vk::Device& device, const vk::ImageParameters& parameters,
                       std::span<const vk::ImageLayout> layouts) const {
    auto unbound = create_unbound(device, parameters, layouts, vk::exported_dma_buf.handle);
    if (!unbound)
        return std::unexpected(unbound.error());
    auto memory = allocate_exportable(device, unbound->requirements);
    if (!memory)
        return std::unexpected(memory.error());
    auto image = bind_shared(device, placement(), std::move(*unbound), std::move(*memory));
    if (!image)
        return image;
    auto dma_buf = export_dma_buf(device, image->memory.get());
    if (!dma_buf)
        return std::unexpected(dma_buf.error());
    image->dma_buf = std::move(*dma_buf);
    image->implicit_fences = device.facts.implicit_fences_on_exports;
    return image;
}

} // namespace fencebridge::image
