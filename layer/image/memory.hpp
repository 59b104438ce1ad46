// SPDX-License-Identifier: MIT
#pragma once

#include <cerrno>
#include <expected>
#include <vulkan/vulkan.h>

#include "image/host_memory.hpp"
#include "ioctl/ioctl.hpp"
#include "util/fd.hpp"
#include "vk/device.hpp"

// Memory of images and buffers that is shared with the window system.

namespace fencebridge::image {

/// The result for a failed system call that allocates memory: VK_ERROR_OUT_OF_DEVICE_MEMORY if it
/// ran out; VK_ERROR_OUT_OF_HOST_MEMORY if descriptors did, which is every allocator's problem;
/// else VK_ERROR_INITIALIZATION_FAILED.
[[nodiscard]] inline VkResult allocation_error(ioctl::Errno error) {
    if (ioctl::means_unsupported(error))
        return VK_ERROR_INITIALIZATION_FAILED;
    return error == ioctl::Errno{ENOMEM} ? VK_ERROR_OUT_OF_DEVICE_MEMORY
                                         : VK_ERROR_OUT_OF_HOST_MEMORY;
}

/// What the memory of an image or buffer has to be.
struct MemoryRequirements {
    VkDeviceSize size;
    uint32_t memory_types;               ///< VkMemoryRequirements::memoryTypeBits
    bool dedicated;                      ///< to be used for this image or buffer only
    bool must_be_dedicated;              ///< the driver requires that
    VkMemoryDedicatedAllocateInfo owner; ///< the image or buffer
};
/// `dedicated` says whether the driver prefers or requires it.
[[nodiscard]] MemoryRequirements image_requirements(const vk::Device& device, VkImage image);
[[nodiscard]] MemoryRequirements buffer_requirements(const vk::Device& device, VkBuffer buffer);

/// Allocates memory that is not shared.
[[nodiscard]] std::expected<vk::Memory, VkResult>
allocate_memory(const vk::Device& device, const MemoryRequirements& requirements);

/// Allocates memory that can be exported as a dma-buf.
/// @param preferred  properties of the memory type, if an allowed type has them
/// @return the error is VK_ERROR_OUT_OF_DEVICE_MEMORY if no type is allowed, else the driver's. The
///         same for the other functions of this file, unless they say more
[[nodiscard]] std::expected<vk::Memory, VkResult>
allocate_exportable(const vk::Device& device, const MemoryRequirements& requirements,
                    VkMemoryPropertyFlags preferred = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT);

/// @param memory  allocated for this export (VkExportMemoryAllocateInfo)
[[nodiscard]] std::expected<Fd, VkResult> export_dma_buf(const vk::Device& device,
                                                         VkDeviceMemory memory);

/// @param dma_buf  stays the caller's
/// @return the error is also VK_ERROR_OUT_OF_HOST_MEMORY if descriptors ran out
[[nodiscard]] std::expected<vk::Memory, VkResult>
import_dma_buf(const vk::Device& device, MemoryRequirements requirements, const Fd& dma_buf);

/// Host memory of at least this size, with the size and alignment that the driver demands of
/// imported memory (VK_EXT_external_memory_host).
/// @param size  in bytes
[[nodiscard]] std::expected<HostMemory, VkResult> create_host_memory(const vk::Device& device,
                                                                     VkDeviceSize size);
/// @param host  made by create_host_memory(); must outlive the result
[[nodiscard]] std::expected<vk::Memory, VkResult>
import_host_memory(const vk::Device& device, MemoryRequirements requirements,
                   const HostMemory& host);

} // namespace fencebridge::image
