// SPDX-License-Identifier: MIT
#include "image/dma_buf_import.hpp"

#include <algorithm>
#include <drm_fourcc.h>
#include <utility>

#include "image/memory.hpp"
#include "image/shared_image.hpp"
#include "util/log.hpp"

namespace fencebridge::image {

namespace {

/// A size that is enough for drivers that align the height of an image to the rows of a tile.
size_t padded(size_t size) { return size + size / 4 + 65536; }

} // namespace

std::optional<std::string> DmaBufImport::obstacle(const vk::PhysicalDevice& physical) const {
    if (!physical.memory.dma_buf)
        return "the driver lacks VK_EXT_external_memory_dma_buf";
    if (!is_available())
        return std::string("no access to ") + path();
    return std::nullopt;
}

std::expected<std::vector<vk::ImageLayout>, VkResult>
DmaBufImport::layouts(const vk::PhysicalDevice& physical,
                      const vk::ImageParameters& parameters) const {
    if (obstacle(physical))
        return {};
    auto found = vk::find_layouts(physical, parameters, vk::imported_dma_buf);
    if (found)
        std::erase_if(*found, [](const vk::ImageLayout& layout) {
            return layout.tiling != VK_IMAGE_TILING_LINEAR &&
                   layout.modifier != DRM_FORMAT_MOD_LINEAR;
        });
    return found;
}

std::expected<Fd, VkResult> DmaBufImport::create_dma_buf(const vk::Device& device,
                                                         size_t size) const {
    auto dma_buf = create(device, size);
    if (dma_buf)
        return std::move(*dma_buf);
    log::warning("image allocator %s: no dma-buf of %zu bytes: %s", name(), size,
                 ioctl::text(dma_buf.error()).c_str());
    return std::unexpected(allocation_error(dma_buf.error()));
}

std::expected<SwapchainImage, VkResult>
DmaBufImport::allocate(const vk::Device& device, const vk::ImageParameters& parameters,
                       std::span<const vk::ImageLayout> layouts) const {
    auto parts = create_parts(device, parameters, layouts, Size::as_required);
    if (!parts)
        return std::unexpected(parts.error());
    auto made = import_parts(device, std::move(*parts));
    if (made || (made.error() != VK_ERROR_INVALID_EXTERNAL_HANDLE &&
                 made.error() != VK_ERROR_OUT_OF_DEVICE_MEMORY))
        return made;
    // v3dv imports only dma-bufs that are larger than what it says. It notices that at the import
    // or, if the memory is not dedicated to the image, when it binds the image.
    parts = create_parts(device, parameters, layouts, Size::padded);
    if (!parts)
        return std::unexpected(parts.error());
    return import_parts(device, std::move(*parts));
}

std::expected<DmaBufImport::Parts, VkResult>
DmaBufImport::create_parts(const vk::Device& device, const vk::ImageParameters& parameters,
                           std::span<const vk::ImageLayout> layouts, Size size) const {
    auto unbound = create_unbound(device, parameters, layouts, vk::imported_dma_buf.handle);
    if (!unbound)
        return std::unexpected(unbound.error());
    const auto required = addressable(unbound->requirements.size);
    if (!required)
        return std::unexpected(required.error());
    auto dma_buf = create_dma_buf(device, size == Size::padded ? padded(*required) : *required);
    if (!dma_buf)
        return std::unexpected(dma_buf.error());
    return Parts{std::move(*unbound), std::move(*dma_buf)};
}

std::expected<SwapchainImage, VkResult> DmaBufImport::import_parts(const vk::Device& device,
                                                                   Parts parts) const {
    auto memory = import_dma_buf(device, parts.image.requirements, parts.dma_buf);
    if (!memory)
        return std::unexpected(memory.error());
    auto image = bind_shared(device, placement(), std::move(parts.image), std::move(*memory));
    if (!image)
        return image;
    image->dma_buf = std::move(parts.dma_buf);
    image->implicit_fences = device.facts.implicit_fences_on_imports;
    return image;
}

} // namespace fencebridge::image
