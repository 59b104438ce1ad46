// SPDX-License-Identifier: MIT
#include "image/host_pointer.hpp"

#include <algorithm>
#include <drm_fourcc.h>
#include <utility>

#include "image/memory.hpp"
#include "image/shared_image.hpp"

namespace fencebridge::image {

namespace {

/// Makes what was drawn visible to the CPU. A fence alone does not: "the access scope of a memory
/// dependency defined by a fence only includes device access" (VkFence).
class ReleaseToHost final : public PresentCommands {
public:
    explicit ReleaseToHost(const vk::Device& device) : PresentCommands(device) {}

private:
    void record(VkCommandBuffer commands, uint32_t, VkImageLayout) const override {
        const VkMemoryBarrier drawn = {.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
                                       .srcAccessMask = VK_ACCESS_MEMORY_WRITE_BIT,
                                       .dstAccessMask = VK_ACCESS_HOST_READ_BIT};
        device_.next.CmdPipelineBarrier(commands, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT,
                                        VK_PIPELINE_STAGE_HOST_BIT, 0, 1, &drawn, 0, nullptr, 0,
                                        nullptr);
    }
};

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
    if (!image)
        return image;
    image->host = std::move(*host);
    image->commands = std::make_unique<ReleaseToHost>(device);
    return image;
}

} // namespace fencebridge::image
