// SPDX-License-Identifier: MIT
#include "masks.hpp"

#include <algorithm>
#include <cstdio>
#include <span>

namespace fencebridge::mask {
namespace {

constexpr struct {
    std::string_view name;
    bool Masks::*mask;
} names[]{
    {"modifiers", &Masks::modifiers},
    {"dma-buf", &Masks::dma_buf},
    {"dma-buf-export", &Masks::dma_buf_export},
    {"dma-buf-import", &Masks::dma_buf_import},
    {"memory-fd", &Masks::memory_fd},
    {"external-memory-host", &Masks::external_memory_host},
    {"sync-fd", &Masks::sync_fd},
    {"wsi", &Masks::wsi},
    {"format-linear-color", &Masks::format_linear_color},
    {"drm-nodes", &Masks::drm_nodes},
    {"queue-family-foreign", &Masks::queue_family_foreign},
    {"render-node", &Masks::render_node},
};

constexpr struct {
    std::string_view extension;
    bool Masks::*mask;
} extensions[]{
    {"VK_EXT_image_drm_format_modifier", &Masks::modifiers},
    {"VK_EXT_external_memory_dma_buf", &Masks::dma_buf},
    {"VK_EXT_external_memory_dma_buf", &Masks::memory_fd}, // it requires the next one
    {"VK_KHR_external_memory_fd", &Masks::memory_fd},
    {"VK_EXT_external_memory_host", &Masks::external_memory_host},
    {"VK_EXT_physical_device_drm", &Masks::drm_nodes},
    {"VK_EXT_queue_family_foreign", &Masks::queue_family_foreign},
    // VK_KHR_swapchain, and what requires it
    {"VK_KHR_swapchain", &Masks::wsi},
    {"VK_AMD_display_native_hdr", &Masks::wsi},
    {"VK_EXT_display_control", &Masks::wsi},
    {"VK_EXT_full_screen_exclusive", &Masks::wsi},
    {"VK_EXT_hdr_metadata", &Masks::wsi},
    {"VK_EXT_image_compression_control_swapchain", &Masks::wsi},
    {"VK_EXT_present_mode_fifo_latest_ready", &Masks::wsi},
    {"VK_EXT_present_timing", &Masks::wsi},
    {"VK_EXT_swapchain_maintenance1", &Masks::wsi},
    {"VK_GOOGLE_display_timing", &Masks::wsi},
    {"VK_KHR_display_swapchain", &Masks::wsi},
    {"VK_KHR_incremental_present", &Masks::wsi},
    {"VK_KHR_present_id", &Masks::wsi},
    {"VK_KHR_present_id2", &Masks::wsi},
    {"VK_KHR_present_mode_fifo_latest_ready", &Masks::wsi},
    {"VK_KHR_present_wait", &Masks::wsi},
    {"VK_KHR_present_wait2", &Masks::wsi},
    {"VK_KHR_shared_presentable_image", &Masks::wsi},
    {"VK_KHR_swapchain_maintenance1", &Masks::wsi},
    {"VK_KHR_swapchain_mutable_format", &Masks::wsi},
    {"VK_NV_present_barrier", &Masks::wsi},
};

/// Output structures of masked extensions. The types are numbers because the headers may be older.
/// `features` is the number of VkBool32 in a structure of features, and 0 for another structure.
constexpr struct {
    uint32_t type;
    bool Masks::*mask;
    uint32_t features{0};
} structure_rows[]{
    {1000158000, &Masks::modifiers},            // VkDrmFormatModifierPropertiesListEXT
    {1000158006, &Masks::modifiers},            // VkDrmFormatModifierPropertiesList2EXT
    {1000178002, &Masks::external_memory_host}, // VkPhysicalDeviceExternalMemoryHostPropertiesEXT
    {1000353000, &Masks::drm_nodes},            // VkPhysicalDeviceDrmPropertiesEXT
    {1000437000, &Masks::wsi, 1}, // VkPhysicalDeviceImageCompressionControlSwapchain...
    {1000361000, &Masks::wsi, 1}, // VkPhysicalDevicePresentModeFifoLatestReady...
    {1000208000, &Masks::wsi, 3}, // VkPhysicalDevicePresentTimingFeaturesEXT
    {1000275000, &Masks::wsi, 1}, // VkPhysicalDeviceSwapchainMaintenance1Features...
    {1000294001, &Masks::wsi, 1}, // VkPhysicalDevicePresentIdFeaturesKHR
    {1000479002, &Masks::wsi, 1}, // VkPhysicalDevicePresentId2FeaturesKHR
    {1000248000, &Masks::wsi, 1}, // VkPhysicalDevicePresentWaitFeaturesKHR
    {1000480001, &Masks::wsi, 1}, // VkPhysicalDevicePresentWait2FeaturesKHR
    {1000292000, &Masks::wsi, 1}, // VkPhysicalDevicePresentBarrierFeaturesNV
};

} // namespace

std::optional<Masks> Masks::parse(std::string_view list) {
    Masks result;
    while (!list.empty()) {
        const size_t comma = std::min(list.find(','), list.size());
        const std::string_view name = list.substr(0, comma);
        list.remove_prefix(std::min(comma + 1, list.size()));
        const auto row = std::ranges::find(names, name, [](const auto& each) { return each.name; });
        if (row == std::end(names)) {
            std::fprintf(stderr, "mask: FENCEBRIDGE_TEST_MASK: no such mask: %.*s\n",
                         static_cast<int>(name.size()), name.data());
            return std::nullopt;
        }
        result.*row->mask = true;
    }
    return result;
}

bool Masks::hides(std::string_view device_extension) const {
    return std::ranges::any_of(extensions, [&](const auto& row) {
        return this->*row.mask && row.extension == device_extension;
    });
}

std::set<VkStructureType> Masks::structures() const {
    std::set<VkStructureType> result;
    for (const auto& row : structure_rows)
        if (this->*row.mask)
            result.insert(static_cast<VkStructureType>(row.type));
    return result;
}

bool Masks::hides_feature_in(const void* chain) const {
    for (auto* link = static_cast<const VkBaseInStructure*>(chain); link != nullptr;
         link = link->pNext)
        for (const auto& row : structure_rows) {
            if (static_cast<uint32_t>(link->sType) != row.type || !(this->*row.mask))
                continue;
            const std::span features{reinterpret_cast<const VkBool32*>(link + 1), row.features};
            if (std::ranges::find(features, VK_TRUE) != features.end())
                return true;
        }
    return false;
}

VkExternalMemoryHandleTypeFlags Masks::handle_types() const {
    VkExternalMemoryHandleTypeFlags types = 0;
    if (dma_buf || memory_fd)
        types |= VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT;
    if (memory_fd)
        types |= VK_EXTERNAL_MEMORY_HANDLE_TYPE_OPAQUE_FD_BIT;
    if (external_memory_host)
        types |= VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT |
                 VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_MAPPED_FOREIGN_MEMORY_BIT_EXT;
    return types;
}

VkExternalMemoryHandleTypeFlags Masks::not_exported() const {
    return handle_types() | (dma_buf_export ? VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT : 0);
}

VkExternalMemoryHandleTypeFlags Masks::not_imported() const {
    return handle_types() | (dma_buf_import ? VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT : 0);
}

} // namespace fencebridge::mask
