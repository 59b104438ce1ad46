// SPDX-License-Identifier: MIT
#include "image/copied.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "image/image_copy.hpp"
#include "image/memory.hpp"
#include "image/unshared.hpp"
#include "util/log.hpp"
#include "vk/format.hpp"

namespace fencebridge::image {

namespace {

/// The alignment of rows that the importers known so far accept (amdgpu's is the largest).
constexpr uint32_t row_alignment = 256;

/// The rows of a copy, in bytes. A whole number of texels, as vkCmdCopyImageToBuffer demands.
uint32_t pitch_of(uint32_t width, uint32_t texel) {
    const uint32_t unit = std::lcm(row_alignment, texel);
    return (width * texel + unit - 1) / unit * unit;
}

std::expected<vk::Buffer, VkResult> create_buffer(const vk::Device& device, VkDeviceSize size,
                                                  VkExternalMemoryHandleTypeFlagBits handle) {
    const VkExternalMemoryBufferCreateInfo external = {
        .sType = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_BUFFER_CREATE_INFO,
        .handleTypes = static_cast<VkExternalMemoryHandleTypeFlags>(handle),
    };
    const VkBufferCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
        .pNext = &external,
        .size = size,
        .usage = VK_BUFFER_USAGE_TRANSFER_DST_BIT,
    };
    VkBuffer buffer = VK_NULL_HANDLE;
    const VkResult result = device.next.CreateBuffer(device.handle, &info, nullptr, &buffer);
    if (result != VK_SUCCESS)
        return std::unexpected(result);
    return vk::Buffer(device, buffer);
}

VkResult bind(const vk::Device& device, const vk::Buffer& buffer, const vk::Memory& memory) {
    return device.next.BindBufferMemory(device.handle, buffer.get(), memory.get(), 0);
}

/// Memory that is a dma-buf.
struct DmaBufMemory {
    Fd dma_buf;
    vk::Memory memory;
    vk::ImplicitFences implicit_fences; ///< SwapchainImage's
};

std::expected<DmaBufMemory, VkResult> export_memory(const vk::Device& device,
                                                    const MemoryRequirements& requirements) {
    // Memory of the system, which every device can read.
    auto memory = allocate_exportable(device, requirements, VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT);
    if (!memory)
        return std::unexpected(memory.error());
    auto dma_buf = export_dma_buf(device, memory->get());
    if (!dma_buf)
        return std::unexpected(dma_buf.error());
    return DmaBufMemory{std::move(*dma_buf), std::move(*memory),
                        device.facts.implicit_fences_on_exports};
}

std::expected<DmaBufMemory, VkResult> import_memory(const vk::Device& device,
                                                    const MemoryRequirements& requirements,
                                                    const DmaBufImport& source) {
    // v3dv may want the dma-buf to be larger than what it says, by 64 bytes.
    constexpr size_t more = 64;
    const auto required = addressable(requirements.size);
    if (!required)
        return std::unexpected(required.error());
    auto dma_buf = source.create_dma_buf(device, *required + more);
    if (!dma_buf)
        return std::unexpected(dma_buf.error());
    auto memory = import_dma_buf(device, requirements, *dma_buf);
    if (!memory)
        return std::unexpected(memory.error());
    return DmaBufMemory{std::move(*dma_buf), std::move(*memory),
                        device.facts.implicit_fences_on_imports};
}

} // namespace

vk::ImageParameters with_copies(vk::ImageParameters parameters) {
    parameters.usage |= VK_IMAGE_USAGE_TRANSFER_SRC_BIT;
    return parameters;
}

std::expected<std::vector<vk::ImageLayout>, VkResult>
Copied::layouts(const vk::PhysicalDevice& physical, const vk::ImageParameters& parameters) const {
    if (obstacle(physical))
        return {};
    const auto found = vk::find_optimal_layout(physical, with_copies(parameters));
    if (!found)
        return std::unexpected(found.error());
    return *found ? std::vector{**found} : std::vector<vk::ImageLayout>();
}

std::expected<SwapchainImage, VkResult>
Copied::allocate(const vk::Device& device, const vk::ImageParameters& parameters,
                 std::span<const vk::ImageLayout> layouts) const {
    const uint32_t texel = vk::pixel_size(*vk::find_format(parameters.format));
    const uint32_t pitch = pitch_of(parameters.extent.width, texel);
    auto target = create_target(device, VkDeviceSize{pitch} * parameters.extent.height);
    if (!target)
        return std::unexpected(target.error());
    auto made = create_unshared(device, with_copies(parameters));
    if (!made)
        return std::unexpected(made.error());
    const VkImage image = made->image.get();
    return SwapchainImage{
        .placement = placement(),
        .dma_buf = std::move(target->dma_buf),
        .implicit_fences = target->implicit_fences,
        .host = std::move(target->host),
        .memory = std::move(made->memory),
        .image = std::move(made->image),
        .layout = {.modifier = layouts.front().modifier,
                   .tiling = VK_IMAGE_TILING_OPTIMAL,
                   .plane_count = 1,
                   .planes = {Plane{.offset = 0, .pitch = pitch}}},
        .dedicated = made->dedicated,
        .is_copied = true,
        .commands = std::make_unique<ImageCopy>(device, std::move(target->memory),
                                                std::move(target->buffer), image, parameters.extent,
                                                pitch / texel, target->reader),
    };
}

std::optional<std::string> CopiedToDmaBuf::obstacle(const vk::PhysicalDevice& physical) const {
    if (vk::can_share_copies(physical, vk::exported_dma_buf))
        return std::nullopt;
    if (!vk::can_share_copies(physical, vk::imported_dma_buf))
        return "the driver neither exports nor imports dma-bufs for buffers";
    if (std::ranges::none_of(sources_, &DmaBufImport::is_available))
        return "the driver exports no dma-bufs, and nothing is there to import";
    return std::nullopt;
}

std::expected<Copied::Target, VkResult> CopiedToDmaBuf::create_target(const vk::Device& device,
                                                                      VkDeviceSize size) const {
    auto buffer = create_buffer(device, size, vk::exported_dma_buf.handle);
    if (!buffer)
        return std::unexpected(buffer.error());
    MemoryRequirements requirements = buffer_requirements(device, buffer->get());
    // Always allowed, and some drivers may demand it
    // (VK_EXTERNAL_MEMORY_FEATURE_DEDICATED_ONLY_BIT).
    requirements.dedicated = true;
    std::expected<DmaBufMemory, VkResult> made = std::unexpected(VK_ERROR_INITIALIZATION_FAILED);
    if (device.exports_copies)
        made = export_memory(device, requirements);
    for (const DmaBufImport* source : sources_) {
        if (made || !device.imports_copies)
            break;
        auto imported = import_memory(device, requirements, *source);
        // Of several errors, the first that says more is returned.
        if (imported || made.error() == VK_ERROR_INITIALIZATION_FAILED)
            made = std::move(imported);
    }
    if (!made)
        return std::unexpected(made.error());
    if (const VkResult bound = bind(device, *buffer, made->memory); bound != VK_SUCCESS)
        return std::unexpected(bound);
    return Target{.dma_buf = std::move(made->dma_buf),
                  .implicit_fences = made->implicit_fences,
                  .reader =
                      device.foreign_queues ? VK_QUEUE_FAMILY_FOREIGN_EXT : VK_QUEUE_FAMILY_IGNORED,
                  .host = {},
                  .memory = std::move(made->memory),
                  .buffer = std::move(*buffer)};
}

std::expected<Copied::Target, VkResult> CopiedToHost::create_target(const vk::Device& device,
                                                                    VkDeviceSize size) const {
    auto buffer = create_buffer(device, size, vk::imported_host_pointer.handle);
    if (!buffer)
        return std::unexpected(buffer.error());
    const MemoryRequirements requirements = buffer_requirements(device, buffer->get());
    auto host = create_host_memory(device, requirements.size);
    if (!host)
        return std::unexpected(host.error());
    auto memory = import_host_memory(device, requirements, *host);
    if (!memory)
        return std::unexpected(memory.error());
    if (const VkResult bound = bind(device, *buffer, *memory); bound != VK_SUCCESS)
        return std::unexpected(bound);
    return Target{.dma_buf = {},
                  .implicit_fences = vk::ImplicitFences::ignored,
                  .reader = VK_QUEUE_FAMILY_IGNORED,
                  .host = std::move(*host),
                  .memory = std::move(*memory),
                  .buffer = std::move(*buffer)};
}

} // namespace fencebridge::image
