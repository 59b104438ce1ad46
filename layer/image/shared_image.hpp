// SPDX-License-Identifier: MIT
#pragma once

#include <expected>
#include <span>
#include <vulkan/vulkan.h>

#include "image/swapchain_image.hpp"
#include "util/fd.hpp"
#include "vk/chain.hpp"
#include "vk/device.hpp"
#include "vk/image_layout.hpp"
#include "vk/physical_device.hpp"

// What allocators have in common: an image in shared memory is created without memory, the driver
// tells its layout and what memory it needs, and such memory is bound to it.

namespace fencebridge::image {

/// The VkImageCreateInfo of an image in shared memory, with its pNext chain. Points into itself and
/// into the parameters.
class SharedImageInfo {
public:
    /// @param parameters  must outlive this
    SharedImageInfo(const vk::ImageParameters& parameters,
                    VkExternalMemoryHandleTypeFlagBits handle);
    SharedImageInfo(const SharedImageInfo&) = delete;
    SharedImageInfo& operator=(const SharedImageInfo&) = delete;

    /// An image with one of the DRM format modifiers that a structure lists.
    /// @param modifiers  must outlive this
    template <class Modifiers>
    const VkImageCreateInfo* with(Modifiers& modifiers) {
        info_.tiling = VK_IMAGE_TILING_DRM_FORMAT_MODIFIER_EXT;
        vk::push_next(info_, modifiers);
        return &info_;
    }
    /// An image with VK_IMAGE_TILING_LINEAR.
    const VkImageCreateInfo* linear() { return &info_; }

private:
    VkImageCreateInfo info_;
    VkExternalMemoryImageCreateInfo external_;
    VkImageFormatListCreateInfo views_;
};

/// What the memory of an image has to be.
struct MemoryRequirements {
    VkDeviceSize size;
    uint32_t memory_types; ///< VkMemoryRequirements::memoryTypeBits
    bool dedicated;        ///< the driver prefers or requires memory for this image only
};
[[nodiscard]] MemoryRequirements query_requirements(const vk::Device& device, VkImage image);

/// An image without memory.
struct UnboundImage {
    vk::Image image;
    Layout layout;
    MemoryRequirements requirements;
};
/// @param layouts  the driver may choose among these. Not empty, and all of the same tiling
/// @return the error is the driver's; or VK_ERROR_INITIALIZATION_FAILED if the driver chose an
///         unusable layout
[[nodiscard]] std::expected<UnboundImage, VkResult>
create_unbound(const vk::Device& device, const vk::ImageParameters& parameters,
               std::span<const vk::ImageLayout> layouts, VkExternalMemoryHandleTypeFlagBits handle);

/// Allocates memory of an allowed type, device-local if there is such a type.
/// @param next  VkMemoryAllocateInfo::pNext
/// @return the error is VK_ERROR_OUT_OF_DEVICE_MEMORY if no type is allowed, else the driver's
[[nodiscard]] std::expected<vk::Memory, VkResult>
allocate_memory(const vk::Device& device, const MemoryRequirements& requirements, const void* next);

/// @param memory  allocated for this export (VkExportMemoryAllocateInfo)
/// @return the error is the driver's
[[nodiscard]] std::expected<Fd, VkResult> export_dma_buf(const vk::Device& device,
                                                         VkDeviceMemory memory);

/// Imports a dma-buf as memory for an image.
/// @param dma_buf       stays the caller's
/// @param requirements  of the image. The memory is dedicated to the image if they say so
/// @return the error is the driver's; VK_ERROR_OUT_OF_DEVICE_MEMORY if no memory type is allowed;
///         VK_ERROR_OUT_OF_HOST_MEMORY if descriptors ran out
[[nodiscard]] std::expected<vk::Memory, VkResult> import_dma_buf(const vk::Device& device,
                                                                 VkImage image,
                                                                 MemoryRequirements requirements,
                                                                 const Fd& dma_buf);

} // namespace fencebridge::image
