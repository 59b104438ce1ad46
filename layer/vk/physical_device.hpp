// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>
#include <vulkan/vulkan.h>

#include "core/modifier_choice.hpp"
#include "core/transport_choice.hpp"
#include "vk/dispatch.hpp"
#include "vk/driver_facts.hpp"

namespace fencebridge::vk {

/// A physical device as the layer sees it from above the driver.
struct PhysicalDevice {
    VkPhysicalDevice handle;
    const InstanceDispatch* next;
    std::string name;
    /// What application and driver both speak: the lower of the two versions.
    uint32_t api_version;
    uint32_t max_image_extent;
    std::vector<VkExtensionProperties> extensions; ///< the driver's own list
    bool extensions_known;                         ///< false: the driver could not tell this time
    core::DrmNodes drm_nodes;
    DriverFacts facts;
    core::DriverSyncFd sync_fd;
    /// A semaphore that can be exported as SYNC_FD is as good as another: it may have been imported
    /// in any way, and can still be exported.
    bool semaphores_export_freely;
    std::vector<VkQueueFamilyProperties> queue_families;
    /// What the layer needs and the driver lacks, by name; empty: the layer can serve this device.
    std::vector<std::string> lacks;

    [[nodiscard]] bool has_extension(const char* extension) const;
    /// Whether the layer must signal the application's semaphores or fences by submissions, for
    /// which it needs a queue of its own.
    [[nodiscard]] bool needs_queue() const {
        return !sync_fd.import_semaphore || !sync_fd.import_fence;
    }
    [[nodiscard]] bool is_served() const { return lacks.empty(); }
};

/// Asks the driver for all of the above.
/// @param instance_version  the version that the instance was created with
[[nodiscard]] PhysicalDevice describe(VkPhysicalDevice handle, const InstanceDispatch& next,
                                      uint32_t instance_version);

/// The instance extensions that the layer calls a driver of Vulkan 1.0 through, whatever version
/// the application asks for. The loader takes them away from drivers that do not have them.
[[nodiscard]] std::span<const char* const> required_instance_extensions();

/// The device extensions that the layer uses where the driver has them.
[[nodiscard]] std::vector<const char*> optional_device_extensions(const PhysicalDevice& device);

/// The device extensions that the layer needs where `api_version` does not include them.
[[nodiscard]] std::vector<const char*> required_device_extensions(uint32_t api_version);

/// What a swapchain image is to be, but for its memory layout.
struct ImageParameters {
    VkFormat format;
    VkExtent2D extent;
    VkImageUsageFlags usage;
    VkImageCreateFlags flags;
    std::vector<VkFormat> view_formats; ///< with VK_IMAGE_CREATE_MUTABLE_FORMAT_BIT
    VkSharingMode sharing = VK_SHARING_MODE_EXCLUSIVE;
    std::vector<uint32_t> queue_families; ///< with VK_SHARING_MODE_CONCURRENT
};

/// A memory layout in which the driver can make and export such an image.
struct DriverModifier {
    uint64_t modifier;
    uint32_t planes; ///< memory planes
    VkFormatFeatureFlags features;
    bool dedicated_only; ///< it can only be exported from memory of its own
};

/// Every modifier with which the driver can create the image, with exactly this usage, and export
/// its memory as a dma-buf.
[[nodiscard]] std::vector<DriverModifier> find_modifiers(const PhysicalDevice& device,
                                                         const ImageParameters& image);

} // namespace fencebridge::vk
