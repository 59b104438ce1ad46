// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <vector>
#include <vulkan/vulkan.h>

#include "core/layout_choice.hpp"
#include "core/transport_choice.hpp"
#include "vk/dispatch.hpp"
#include "vk/driver_facts.hpp"
#include "vk/format.hpp"

namespace fencebridge::vk {

/// The kinds of memory that a driver shares with other processes, as far as its extensions say.
struct MemoryKinds {
    bool dma_buf = false;        ///< VK_EXT_external_memory_dma_buf
    bool modifiers = false;      ///< VK_EXT_image_drm_format_modifier, for dma-bufs
    bool foreign_queues = false; ///< VK_EXT_queue_family_foreign, for dma-bufs
    bool host_pointer = false;   ///< VK_EXT_external_memory_host
};

/// A physical device, as the next layer or driver describes it.
struct PhysicalDevice {
    VkPhysicalDevice handle;
    const InstanceDispatch* next;
    std::string name;
    /// The version of Vulkan to use: the lower of the application's and the driver's.
    uint32_t api_version;
    uint32_t max_image_extent;
    std::vector<VkExtensionProperties> extensions; ///< the driver's own list
    bool extensions_known;                         ///< false: the query failed
    bool has_own_memory;                           ///< VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU
    MemoryKinds memory;
    bool image_aliases;                  ///< knows VK_IMAGE_CREATE_ALIAS_BIT
    bool may_be_unshared;                ///< a window system of the application's reads no images
    VkDeviceSize host_pointer_alignment; ///< minImportedHostPointerAlignment; 1 without it
    core::DrmNodes drm_nodes;
    DriverFacts facts;
    core::DriverSyncFd sync_fd;
    /// Whether a semaphore can be exported as SYNC_FD whatever payload was imported into it. If so,
    /// vkCreateSemaphore makes binary semaphores exportable, unless the application has chosen the
    /// handle types itself.
    bool semaphores_export_freely;
    std::vector<VkQueueFamilyProperties> queue_families;
    /// What the layer needs and the driver lacks. Empty: the layer can take the device over.
    std::vector<std::string> lacks;

    [[nodiscard]] bool has_extension(const char* extension) const;
    /// Whether the layer must signal the application's semaphores or fences by submissions, for
    /// which it wants a queue of its own.
    [[nodiscard]] bool needs_queue() const {
        return !sync_fd.import_semaphore || !sync_fd.import_fence;
    }
    [[nodiscard]] bool can_be_taken_over() const { return lacks.empty(); }
    [[nodiscard]] std::string obstacle() const; ///< what it lacks, in words; empty: nothing
    /// Whether the layer can present from queues of the family. Any queue can wait for semaphores,
    /// but an image may have to be copied, for which the family needs graphics, compute or transfer
    /// operations.
    [[nodiscard]] bool can_present_from(uint32_t queue_family) const {
        constexpr VkQueueFlags copying =
            VK_QUEUE_GRAPHICS_BIT | VK_QUEUE_COMPUTE_BIT | VK_QUEUE_TRANSFER_BIT;
        return queue_family < queue_families.size() &&
               (queue_families[queue_family].queueFlags & copying) != 0;
    }
};

/// @param instance_version  the version of Vulkan that the application requested
/// @param may_be_unshared   PhysicalDevice::may_be_unshared
[[nodiscard]] PhysicalDevice describe_physical_device(VkPhysicalDevice handle,
                                                      const InstanceDispatch& next,
                                                      uint32_t instance_version,
                                                      bool may_be_unshared);

/// The instance extensions that the layer needs for a driver of Vulkan 1.0. The layer enables them
/// whatever version the application requests. The loader removes them for drivers that do not have
/// them.
[[nodiscard]] std::span<const char* const> required_instance_extensions();

/// The device extensions that the layer enables: those that it needs and that
/// PhysicalDevice::api_version does not include, and those that it uses because the driver has
/// them.
[[nodiscard]] std::vector<const char*> used_device_extensions(const PhysicalDevice& device);

/// The parameters of a swapchain image, without its memory layout.
struct ImageParameters {
    VkFormat format;
    VkExtent2D extent;
    VkImageUsageFlags usage;
    VkImageCreateFlags flags;
    std::vector<VkFormat> view_formats; ///< with VK_IMAGE_CREATE_MUTABLE_FORMAT_BIT
    VkSharingMode sharing = VK_SHARING_MODE_EXCLUSIVE;
    std::vector<uint32_t> queue_families; ///< with VK_SHARING_MODE_CONCURRENT
};

/// Whether the driver accepts VK_IMAGE_LAYOUT_SHARED_PRESENT_KHR, the layout of images that an
/// application draws to while the window system reads them.
[[nodiscard]] bool knows_shared_present_layout(const PhysicalDevice& device);

/// Whether an application may use the format on this device, as far as versions and extensions say.
[[nodiscard]] bool knows_format(const PhysicalDevice& device, const Format& format);

/// Whether the driver can render to images of the format with VK_IMAGE_TILING_OPTIMAL.
[[nodiscard]] bool is_color_renderable(const PhysicalDevice& device, VkFormat format);

} // namespace fencebridge::vk
