// SPDX-License-Identifier: MIT
#include "image/host_pointer.hpp"

#include <algorithm>
#include <drm_fourcc.h>
#include <utility>

#include "image/memory.hpp"
#include "image/shared_image.hpp"

namespace fencebridge::image {

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
    auto host = create_host_memory(device, unbound->requirements.size);
    if (!host)
        return std::unexpected(host.error());
    auto memory = import_host_memory(device, unbound->requirements, *host);
    if (!memory)
        return std::unexpected(memory.error());
    // Memory that need not be dedicated is that of the aliases, too: a driver need not import it
    // twice.
    unbound->requirements.dedicated = unbound->requirements.must_be_dedicated;
    auto image = bind_shared(device, placement(), std::move(*unbound), std::move(*memory));
    if (image)
        image->host = std::move(*host);
    return image;
}

} // namespace fencebridge::image
