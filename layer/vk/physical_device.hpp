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
    /// which it needs a queue of its own.
    [[nodiscard]] bool needs_queue() const {
        return !sync_fd.import_semaphore || !sync_fd.import_fence;
    }
    [[nodiscard]] bool can_be_taken_over() const { return lacks.empty(); }
};

/// @param instance_version  the version of Vulkan that the application requested
[[nodiscard]] PhysicalDevice describe_physical_device(VkPhysicalDevice handle,
                                                      const InstanceDispatch& next,
                                                      uint32_t instance_version);

/// The instance extensions that the layer needs for a driver of Vulkan 1.0. The layer enables them
/// whatever version the application requests. The loader removes them for drivers that do not have
/// them.
[[nodiscard]] std::span<const char* const> required_instance_extensions();

/// The device extensions that the layer uses if the driver has them.
[[nodiscard]] std::vector<const char*> optional_device_extensions(const PhysicalDevice& device);

/// The device extensions that the layer needs and that `api_version` does not include.
[[nodiscard]] std::vector<const char*> required_device_extensions(uint32_t api_version);

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

/// A memory layout in which the driver can make and export an image.
struct DriverModifier {
    uint64_t modifier;
    uint32_t planes; ///< memory planes
    VkFormatFeatureFlags features;
    bool dedicated_only; ///< the image's memory must be dedicated to it to be exported
};

/// Whether the driver accepts VK_IMAGE_LAYOUT_SHARED_PRESENT_KHR, the layout of images that an
/// application draws to while the window system reads them.
[[nodiscard]] bool knows_shared_present_layout(const PhysicalDevice& device);

/// Whether an application may use the format on this device, as far as versions and extensions say.
[[nodiscard]] bool knows_format(const PhysicalDevice& device, const Format& format);

/// Whether the driver can render to images of the format with VK_IMAGE_TILING_OPTIMAL.
[[nodiscard]] bool is_color_renderable(const PhysicalDevice& device, VkFormat format);

/// Every modifier with which the driver can create the image, with exactly this usage, and export
/// its memory as a dma-buf.
/// @return the error is lack of memory
[[nodiscard]] std::expected<std::vector<DriverModifier>, VkResult>
find_modifiers(const PhysicalDevice& device, const ImageParameters& image);

} // namespace fencebridge::vk
