// SPDX-License-Identifier: MIT
#pragma once

#include <expected>
#include <vulkan/vulkan.h>

#include "util/fd.hpp"
#include "vk/chain.hpp"
#include "vk/device.hpp"
#include "vk/physical_device.hpp"

namespace fencebridge::image {

/// The VkImageCreateInfo of an image whose memory is a dma-buf, with its pNext chain. Points into
/// itself and into the parameters.
class DmaBufImageInfo {
public:
    /// @param parameters  must outlive this
    explicit DmaBufImageInfo(const vk::ImageParameters& parameters);
    DmaBufImageInfo(const DmaBufImageInfo&) = delete;
    DmaBufImageInfo& operator=(const DmaBufImageInfo&) = delete;

    /// Adds the structure that says which DRM format modifiers are allowed.
    /// @param modifiers  must outlive this
    template <class Modifiers>
    const VkImageCreateInfo* with(Modifiers& modifiers) {
        vk::push_next(info_, modifiers);
        return &info_;
    }

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

/// Allocates memory of an allowed type, device-local if there is such a type.
/// @param next  VkMemoryAllocateInfo::pNext
/// @return the error is VK_ERROR_OUT_OF_DEVICE_MEMORY if no type is allowed, else the driver's
[[nodiscard]] std::expected<vk::Memory, VkResult>
allocate_memory(const vk::Device& device, const MemoryRequirements& requirements, const void* next);

/// @param memory  allocated for this export (VkExportMemoryAllocateInfo)
/// @return the error is the driver's
[[nodiscard]] std::expected<Fd, VkResult> export_dma_buf(const vk::Device& device,
                                                         VkDeviceMemory memory);

} // namespace fencebridge::image
