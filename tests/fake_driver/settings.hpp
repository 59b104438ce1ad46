// SPDX-License-Identifier: MIT
// The settings of the driver. A test or the environment sets them, and the entry points read them.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "control.h"

namespace fencebridge::fake_driver {

struct LinearLayout {
    uint32_t pitch_alignment{1};
    VkDeviceSize padding{0};
};

struct DeviceSettings {
    uint32_t api_version{VK_API_VERSION_1_3};
    std::vector<std::string> extensions;
    VkExternalSemaphoreFeatureFlags semaphore_features{};
    VkExternalFenceFeatureFlags fence_features{};
    bool exports_imported_semaphores{true};
    bool opaque_fds{false};
    uint32_t queue_count{2};
    std::vector<VkQueueFlags> queue_families{VK_QUEUE_GRAPHICS_BIT | VK_QUEUE_COMPUTE_BIT |
                                             VK_QUEUE_TRANSFER_BIT};
    VkPhysicalDeviceType type{VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU};
    std::map<VkFormat, std::vector<FakeDriverModifier>> formats;
    bool prefers_dedicated{false};
    bool requires_dedicated{false};
    VkExternalMemoryFeatureFlags dma_buf_features{};
    bool shares_buffers{true};
    std::optional<LinearLayout> linear_layout;
    std::optional<VkFormatFeatureFlags> linear_features;
    VkDeviceSize import_padding{0};
    VkBool32 swapchain_features{VK_TRUE};
    VkDeviceSize host_pointer_alignment{FAKE_DRIVER_HOST_POINTER_ALIGNMENT};
    VkDriverId driver_id{};
    uint32_t driver_version{1};
    std::set<uint32_t> families_without_present;
    uint64_t primary_node{0};
    uint64_t render_node{0};

    /// The entry of a modifier; none if the format does not have it.
    [[nodiscard]] std::optional<FakeDriverModifier> modifier(VkFormat format,
                                                             uint64_t modifier) const;
    [[nodiscard]] bool has_extension(std::string_view name) const;
    /// The features of dma-bufs; 0 if the driver does not know the handle type.
    [[nodiscard]] VkExternalMemoryFeatureFlags dma_bufs() const;
    /// The handle types of memory that the driver knows.
    [[nodiscard]] VkExternalMemoryHandleTypeFlags handle_types() const;
};

struct CreateFailure {
    std::string extension;
    VkResult result{VK_SUCCESS};
};

struct Settings {
    uint32_t instance_version{VK_API_VERSION_1_3};
    std::vector<std::string> instance_extensions;
    std::array<DeviceSettings, FAKE_DRIVER_MAX_DEVICES> devices;
    uint32_t device_count{1};
    FakeDriverMemory memory{FAKE_DRIVER_MEMORY_MEMFD};
    FakeDriverSync sync{FAKE_DRIVER_SYNC_EVENTFD};
    bool native_wsi{true};
    bool export_signalled_as_minus_one{true};
    bool keep_log{true};
    bool executes_commands{false};
    std::optional<CreateFailure> instance_failure;
    std::optional<CreateFailure> device_failure;

    /// The defaults, changed by the environment.
    [[nodiscard]] static Settings initial();

    /// The instance extensions that are enumerated: without native WSI, those of the window system
    /// are left out.
    [[nodiscard]] std::vector<std::string> visible_instance_extensions() const;
    [[nodiscard]] std::vector<std::string> visible_device_extensions(uint32_t device) const;
};

} // namespace fencebridge::fake_driver
