// SPDX-License-Identifier: MIT
#include "image/gbm.hpp"

#include <algorithm>
#include <drm_fourcc.h>
#include <utility>

#include "image/gbm_node.hpp"
#include "image/memory.hpp"
#include "image/shared_image.hpp"
#include "util/log.hpp"
#include "vk/format.hpp"

namespace fencebridge::image {

namespace {

/// Why the driver cannot import buffers of libgbm's.
const char* drivers_obstacle(const vk::PhysicalDevice& physical) {
    if (!physical.memory.dma_buf)
        return "the driver lacks VK_EXT_external_memory_dma_buf";
    if (!physical.memory.modifiers)
        return "the driver lacks VK_EXT_image_drm_format_modifier";
    if (!physical.facts.imports_gbm)
        return "the driver cannot import buffers of libgbm's";
    if (!physical.drm_nodes.render)
        return "the driver names no DRM render node (VK_EXT_physical_device_drm)";
    return nullptr;
}

/// The layout that libgbm has chosen, if the driver imports it.
/// @return the error is VK_ERROR_INITIALIZATION_FAILED
std::expected<Layout, VkResult> known_layout(const Gbm& self, const GbmBuffer& buffer,
                                             std::span<const vk::ImageLayout> layouts) {
    const auto known = std::ranges::find(layouts, buffer.modifier, &vk::ImageLayout::modifier);
    if (known == layouts.end() || known->planes != buffer.planes.size()) {
        log::warning("image allocator %s: the driver does not import modifier 0x%llx with %zu "
                     "planes",
                     self.name(), static_cast<unsigned long long>(buffer.modifier),
                     buffer.planes.size());
        return std::unexpected(VK_ERROR_INITIALIZATION_FAILED);
    }
    Layout layout = {.modifier = buffer.modifier,
                     .tiling = VK_IMAGE_TILING_DRM_FORMAT_MODIFIER_EXT,
                     .plane_count = known->planes,
                     .planes = {}};
    std::ranges::copy(buffer.planes, layout.planes.begin());
    return layout;
}

} // namespace

std::optional<std::string> Gbm::obstacle(const vk::PhysicalDevice& physical) const {
    if (const char* const lack = drivers_obstacle(physical))
        return lack;
    return GbmNode::obstacle();
}

std::expected<std::vector<vk::ImageLayout>, VkResult>
Gbm::layouts(const vk::PhysicalDevice& physical, const vk::ImageParameters& parameters) const {
    if (drivers_obstacle(physical) != nullptr)
        return {};
    if (use_ == Use::without_exports) {
        const auto exported = vk::find_layouts(physical, parameters, vk::exported_dma_buf);
        if (!exported)
            return exported;
        if (!exported->empty())
            return {};
    }
    if (GbmNode::obstacle())
        return {};
    return vk::find_layouts(physical, parameters, vk::imported_dma_buf);
}

std::expected<SwapchainImage, VkResult>
Gbm::allocate(const vk::Device& device, const vk::ImageParameters& parameters,
              std::span<const vk::ImageLayout> layouts) const {
    std::vector<uint64_t> modifiers(layouts.size());
    std::ranges::transform(layouts, modifiers.begin(), &vk::ImageLayout::modifier);
    auto node = GbmNode::get(*device.drm_nodes.render);
    auto buffer = node->create_buffer(parameters.extent.width, parameters.extent.height,
                                      vk::find_format(parameters.format)->fourcc_opaque, modifiers);
    if (!buffer) {
        log::warning("image allocator %s: %s: %s", name(), buffer.error().call,
                     ioctl::text(buffer.error().error).c_str());
        return std::unexpected(allocation_error(buffer.error().error));
    }
    const auto layout = known_layout(*this, *buffer, layouts);
    if (!layout)
        return std::unexpected(layout.error());
    auto unbound = create_unbound(device, parameters, *layout, layouts);
    if (!unbound)
        return std::unexpected(unbound.error());
    auto memory = import_dma_buf(device, unbound->requirements, buffer->dma_buf);
    if (!memory)
        return std::unexpected(memory.error());
    auto image = bind_shared(device, placement(), std::move(*unbound), std::move(*memory));
    if (!image)
        return image;
    image->dma_buf = std::move(buffer->dma_buf);
    image->implicit_fences = device.facts.implicit_fences_on_imports;
    image->source = std::move(node);
    return image;
}

} // namespace fencebridge::image
