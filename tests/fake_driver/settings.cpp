// SPDX-License-Identifier: MIT
#include "settings.hpp"

#include <algorithm>
#include <cstdlib>

#include <vulkan/vulkan.h>

namespace fencebridge::fake_driver {
namespace {

constexpr VkFormatFeatureFlags all_features =
    VK_FORMAT_FEATURE_SAMPLED_IMAGE_BIT | VK_FORMAT_FEATURE_STORAGE_IMAGE_BIT |
    VK_FORMAT_FEATURE_COLOR_ATTACHMENT_BIT | VK_FORMAT_FEATURE_COLOR_ATTACHMENT_BLEND_BIT |
    VK_FORMAT_FEATURE_BLIT_SRC_BIT | VK_FORMAT_FEATURE_BLIT_DST_BIT |
    VK_FORMAT_FEATURE_SAMPLED_IMAGE_FILTER_LINEAR_BIT | VK_FORMAT_FEATURE_TRANSFER_SRC_BIT |
    VK_FORMAT_FEATURE_TRANSFER_DST_BIT;

constexpr std::array instance_window_system{
    "VK_KHR_surface",
    "VK_KHR_wayland_surface",
    "VK_KHR_get_surface_capabilities2",
};
constexpr std::array device_window_system{"VK_KHR_swapchain"};

const std::vector<std::string> all_instance_extensions{
    "VK_KHR_get_physical_device_properties2",
    "VK_KHR_device_group_creation",
    "VK_KHR_external_memory_capabilities",
    "VK_KHR_external_semaphore_capabilities",
    "VK_KHR_external_fence_capabilities",
    "VK_KHR_surface",
    "VK_KHR_wayland_surface",
    "VK_KHR_get_surface_capabilities2",
};

const std::vector<std::string> all_device_extensions{
    "VK_KHR_maintenance1",
    "VK_KHR_device_group",
    "VK_KHR_bind_memory2",
    "VK_KHR_get_memory_requirements2",
    "VK_KHR_dedicated_allocation",
    "VK_KHR_image_format_list",
    "VK_KHR_sampler_ycbcr_conversion",
    "VK_KHR_external_memory",
    "VK_KHR_external_memory_fd",
    "VK_EXT_external_memory_dma_buf",
    "VK_EXT_image_drm_format_modifier",
    "VK_EXT_queue_family_foreign",
    "VK_KHR_external_semaphore",
    "VK_KHR_external_semaphore_fd",
    "VK_KHR_external_fence",
    "VK_KHR_external_fence_fd",
    "VK_KHR_swapchain",
};

DeviceSettings default_device() {
    DeviceSettings device;
    device.extensions = all_device_extensions;
    device.semaphore_features =
        VK_EXTERNAL_SEMAPHORE_FEATURE_EXPORTABLE_BIT | VK_EXTERNAL_SEMAPHORE_FEATURE_IMPORTABLE_BIT;
    device.fence_features =
        VK_EXTERNAL_FENCE_FEATURE_EXPORTABLE_BIT | VK_EXTERNAL_FENCE_FEATURE_IMPORTABLE_BIT;
    device.dma_buf_features =
        VK_EXTERNAL_MEMORY_FEATURE_EXPORTABLE_BIT | VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT;
    const FakeDriverModifier linear{.modifier = 0, // DRM_FORMAT_MOD_LINEAR
                                    .plane_count = 1,
                                    .pitch_alignment = 256,
                                    .pitch_shift = {},
                                    .features = all_features,
                                    .importable = VK_TRUE,
                                    .exportable = VK_TRUE,
                                    .dedicated_only = VK_FALSE,
                                    .aliasable = VK_TRUE};
    for (const VkFormat format : {VK_FORMAT_B8G8R8A8_UNORM, VK_FORMAT_B8G8R8A8_SRGB,
                                  VK_FORMAT_R8G8B8A8_UNORM, VK_FORMAT_R8G8B8A8_SRGB})
        device.formats[format] = {linear};
    return device;
}

std::string_view environment(const char* name) {
    const char* const value = std::getenv(name);
    return value != nullptr ? value : "";
}

template <class Action>
void for_each_name(std::string_view list, Action&& action) {
    while (!list.empty()) {
        const size_t comma = std::min(list.find(','), list.size());
        if (comma > 0)
            action(list.substr(0, comma));
        list.remove_prefix(std::min(comma + 1, list.size()));
    }
}

void apply_environment(Settings& settings) {
    if (environment("FAKE_DRIVER_MEMORY") == "udmabuf") {
        settings.memory = FAKE_DRIVER_MEMORY_UDMABUF;
        settings.sync = FAKE_DRIVER_SYNC_SW_SYNC;
    }
    if (environment("FAKE_DRIVER_SYNC") == "sw_sync")
        settings.sync = FAKE_DRIVER_SYNC_SW_SYNC;
    else if (environment("FAKE_DRIVER_SYNC") == "eventfd")
        settings.sync = FAKE_DRIVER_SYNC_EVENTFD;
    settings.native_wsi = environment("FAKE_DRIVER_NATIVE_WSI") != "0";
    for_each_name(environment("FAKE_DRIVER_HIDE_EXTENSIONS"), [&](std::string_view name) {
        std::erase(settings.instance_extensions, name);
        for (DeviceSettings& device : settings.devices)
            std::erase(device.extensions, name);
    });
}

template <class Names>
std::vector<std::string> without(std::vector<std::string> list, const Names& names) {
    for (const char* const name : names)
        std::erase(list, name);
    return list;
}

} // namespace

std::optional<FakeDriverModifier> DeviceSettings::modifier(VkFormat format, uint64_t wanted) const {
    const auto entry = formats.find(format);
    if (entry == formats.end() || !has_extension(VK_EXT_IMAGE_DRM_FORMAT_MODIFIER_EXTENSION_NAME))
        return std::nullopt;
    for (const FakeDriverModifier& candidate : entry->second)
        if (candidate.modifier == wanted)
            return candidate;
    return std::nullopt;
}

bool DeviceSettings::has_extension(std::string_view name) const {
    return std::ranges::find(extensions, name) != extensions.end();
}

VkExternalMemoryFeatureFlags DeviceSettings::dma_bufs() const {
    return has_extension(VK_EXT_EXTERNAL_MEMORY_DMA_BUF_EXTENSION_NAME) ? dma_buf_features : 0;
}

VkExternalMemoryHandleTypeFlags DeviceSettings::handle_types() const {
    VkExternalMemoryHandleTypeFlags types = 0;
    if (dma_bufs() != 0)
        types |= VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT;
    if (has_extension(VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME))
        types |= VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT;
    return types;
}

Settings Settings::initial() {
    Settings settings;
    settings.instance_extensions = all_instance_extensions;
    settings.devices.fill(default_device());
    apply_environment(settings);
    return settings;
}

std::vector<std::string> Settings::visible_instance_extensions() const {
    return native_wsi ? instance_extensions : without(instance_extensions, instance_window_system);
}

std::vector<std::string> Settings::visible_device_extensions(uint32_t device) const {
    const std::vector<std::string>& list = devices.at(device).extensions;
    return native_wsi ? list : without(list, device_window_system);
}

} // namespace fencebridge::fake_driver
