// SPDX-License-Identifier: MIT
#include "everything.hpp"

#include "vk/newer_headers.hpp"
#include "vk/present_timing_headers.hpp"

#include <gtest/gtest.h>

#include <time.h>

#include <algorithm>
#include <array>

namespace fencebridge::test {
namespace {

// The stages that a window system with wp_presentation reports.
constexpr VkPresentStageFlagsEXT stages = VK_PRESENT_STAGE_QUEUE_OPERATIONS_END_BIT_EXT |
                                          VK_PRESENT_STAGE_IMAGE_FIRST_PIXEL_VISIBLE_BIT_EXT;

uint64_t now() {
    timespec time{};
    clock_gettime(CLOCK_MONOTONIC, &time);
    return uint64_t(time.tv_sec) * 1'000'000'000 + uint64_t(time.tv_nsec);
}

bool has_hdr(const Device& device, VkSurfaceKHR surface) {
    uint32_t count = 0;
    vkGetPhysicalDeviceSurfaceFormatsKHR(device.physical, surface, &count, nullptr);
    std::vector<VkSurfaceFormatKHR> all(count);
    vkGetPhysicalDeviceSurfaceFormatsKHR(device.physical, surface, &count, all.data());
    return std::ranges::any_of(all, [](const VkSurfaceFormatKHR& one) {
        return one.format == VK_FORMAT_B8G8R8A8_UNORM &&
               one.colorSpace == VK_COLOR_SPACE_HDR10_ST2084_EXT;
    });
}

// FIFO is the first.
std::vector<VkPresentModeKHR> modes_of(const Device& device, VkSurfaceKHR surface) {
    uint32_t count = 0;
    vkGetPhysicalDeviceSurfacePresentModesKHR(device.physical, surface, &count, nullptr);
    std::vector<VkPresentModeKHR> offered(count);
    vkGetPhysicalDeviceSurfacePresentModesKHR(device.physical, surface, &count, offered.data());
    std::vector modes{VK_PRESENT_MODE_FIFO_KHR};
    for (const auto mode : {VK_PRESENT_MODE_MAILBOX_KHR, VK_PRESENT_MODE_IMMEDIATE_KHR})
        if (std::ranges::find(offered, mode) != offered.end())
            modes.push_back(mode);
    return modes;
}

VkCompositeAlphaFlagBitsKHR alpha_of(const Device& device, VkSurfaceKHR surface) {
    VkSurfaceCapabilitiesKHR capabilities{};
    vkGetPhysicalDeviceSurfaceCapabilitiesKHR(device.physical, surface, &capabilities);
    return capabilities.supportedCompositeAlpha & VK_COMPOSITE_ALPHA_POST_MULTIPLIED_BIT_KHR
               ? VK_COMPOSITE_ALPHA_POST_MULTIPLIED_BIT_KHR
               : VK_COMPOSITE_ALPHA_OPAQUE_BIT_KHR;
}

Swapchain make_swapchain(const Device& device, VkSurfaceKHR surface,
                         const std::vector<VkPresentModeKHR>& modes, bool is_hdr) {
    VkSwapchainPresentModesCreateInfoEXT listed{
        VK_STRUCTURE_TYPE_SWAPCHAIN_PRESENT_MODES_CREATE_INFO_EXT};
    listed.presentModeCount = uint32_t(modes.size());
    listed.pPresentModes = modes.data();
    return Swapchain(
        device, surface,
        {.space = is_hdr ? VK_COLOR_SPACE_HDR10_ST2084_EXT : VK_COLOR_SPACE_SRGB_NONLINEAR_KHR,
         .mode = modes.front(),
         .alpha = alpha_of(device, surface),
         .flags = VK_SWAPCHAIN_CREATE_PRESENT_TIMING_BIT_EXT |
                  VK_SWAPCHAIN_CREATE_PRESENT_ID_2_BIT_KHR |
                  VK_SWAPCHAIN_CREATE_PRESENT_WAIT_2_BIT_KHR,
         .next = &listed});
}

} // namespace

Script script_of_everything() {
    Script script{.presentation = Presentation::presented, .discard_superseded = false};
    script.globals.fifo = 1;
    script.globals.commit_timing = 1;
    script.globals.presentation = 2;
    script.globals.tearing = 1;
    script.globals.fixes = 1;
    script.globals.color = 1;
    script.globals.color_representation = 1;
    script.globals.syncobj = 1;
    return script;
}

std::vector<const char*> extensions_of_everything() {
    return {VK_KHR_SWAPCHAIN_EXTENSION_NAME,
            VK_KHR_INCREMENTAL_PRESENT_EXTENSION_NAME,
            VK_KHR_PRESENT_ID_EXTENSION_NAME,
            VK_KHR_PRESENT_WAIT_EXTENSION_NAME,
            VK_KHR_PRESENT_ID_2_EXTENSION_NAME,
            VK_KHR_PRESENT_WAIT_2_EXTENSION_NAME,
            VK_KHR_CALIBRATED_TIMESTAMPS_EXTENSION_NAME,
            VK_EXT_PRESENT_TIMING_EXTENSION_NAME,
            VK_GOOGLE_DISPLAY_TIMING_EXTENSION_NAME,
            VK_EXT_SWAPCHAIN_MAINTENANCE_1_EXTENSION_NAME,
            VK_EXT_HDR_METADATA_EXTENSION_NAME};
}

InstanceOptions options_of_everything() {
    InstanceOptions options;
    options.extensions.push_back(VK_EXT_SWAPCHAIN_COLOR_SPACE_EXTENSION_NAME);
    return options;
}

EverythingSwapchain::EverythingSwapchain(const Device& device, VkSurfaceKHR surface) :
    device_(device), is_hdr_(has_hdr(device, surface)), modes_(modes_of(device, surface)),
    swapchain_(make_swapchain(device, surface, modes_, is_hdr_)), acquired_(make_semaphore(device)),
    rendered_(make_semaphore(device)), fence_(make_fence(device)) {}

Acquired EverythingSwapchain::acquire() {
    return test::acquire(device_, swapchain_, forever, acquired_);
}

void EverythingSwapchain::render(Renderer& renderer) { renderer.submit({acquired_}, {rendered_}); }

VkResult EverythingSwapchain::present(uint32_t index) {
    const VkFence fence = fence_;
    VkSwapchainPresentFenceInfoEXT fences{VK_STRUCTURE_TYPE_SWAPCHAIN_PRESENT_FENCE_INFO_EXT};
    fences.swapchainCount = 1;
    fences.pFences = &fence;
    VkSwapchainPresentModeInfoEXT modes{VK_STRUCTURE_TYPE_SWAPCHAIN_PRESENT_MODE_INFO_EXT};
    modes.pNext = &fences;
    modes.swapchainCount = 1;
    modes.pPresentModes = &mode_;
    ++id_;
    const VkPresentId2KHR ids{.sType = VK_STRUCTURE_TYPE_PRESENT_ID_2_KHR,
                              .pNext = &modes,
                              .swapchainCount = 1,
                              .pPresentIds = &id_};
    const VkPresentTimingInfoEXT timing{.sType = VK_STRUCTURE_TYPE_PRESENT_TIMING_INFO_EXT,
                                        .pNext = nullptr,
                                        .flags = 0,
                                        .targetTime = now(),
                                        .timeDomainId = 0,
                                        .presentStageQueries = stages,
                                        .targetTimeDomainPresentStage = 0};
    const VkPresentTimingsInfoEXT timings{.sType = VK_STRUCTURE_TYPE_PRESENT_TIMINGS_INFO_EXT,
                                          .pNext = &ids,
                                          .swapchainCount = 1,
                                          .pTimingInfos = &timing};
    const VkPresentTimeGOOGLE time{.presentID = uint32_t(id_), .desiredPresentTime = 0};
    const VkPresentTimesInfoGOOGLE times{.sType = VK_STRUCTURE_TYPE_PRESENT_TIMES_INFO_GOOGLE,
                                         .pNext = &timings,
                                         .swapchainCount = 1,
                                         .pTimes = &time};
    const VkRectLayerKHR rectangle{{1, 2}, {3, 4}, 0};
    const VkPresentRegionKHR region{1, &rectangle};
    const VkPresentRegionsKHR regions{VK_STRUCTURE_TYPE_PRESENT_REGIONS_KHR, &times, 1, &region};
    return test::present(device_.queue, swapchain_, index, {rendered_}, &regions);
}

void EverythingSwapchain::set_mode(Mode mode) {
    mode_ = mode == Mode::fifo ? modes_.front() : modes_.back();
}

void EverythingSwapchain::change_metadata() {
    VkHdrMetadataEXT metadata{VK_STRUCTURE_TYPE_HDR_METADATA_EXT};
    metadata.maxContentLightLevel = ++light_;
    const VkSwapchainKHR handle = swapchain_;
    find<PFN_vkSetHdrMetadataEXT>("vkSetHdrMetadataEXT")(device_, 1, &handle, &metadata);
}

bool EverythingSwapchain::finish() {
    return wait_and_reset(device_, fence_) && vkDeviceWaitIdle(device_) == VK_SUCCESS;
}

VkResult EverythingSwapchain::wait_for_present(uint64_t timeout) const {
    return find<PFN_vkWaitForPresentKHR>("vkWaitForPresentKHR")(device_, swapchain_, id_, timeout);
}

VkResult EverythingSwapchain::wait_for_next_present(uint64_t timeout) const {
    return find<PFN_vkWaitForPresentKHR>("vkWaitForPresentKHR")(device_, swapchain_, id_ + 1,
                                                                timeout);
}

VkResult EverythingSwapchain::set_size(uint32_t size) const {
    return find<PFN_vkSetSwapchainPresentTimingQueueSizeEXT>(
        "vkSetSwapchainPresentTimingQueueSizeEXT")(device_, swapchain_, size);
}

VkResult EverythingSwapchain::take_reports(size_t* count) const {
    constexpr size_t room = 16;
    std::array<std::array<VkPresentStageTimeEXT, 4>, room> times{};
    std::array<VkPastPresentationTimingEXT, room> reports{};
    for (size_t i = 0; i < room; ++i) {
        reports[i].sType = VK_STRUCTURE_TYPE_PAST_PRESENTATION_TIMING_EXT;
        reports[i].presentStageCount = uint32_t(times[i].size());
        reports[i].pPresentStages = times[i].data();
    }
    const VkPastPresentationTimingInfoEXT info{
        .sType = VK_STRUCTURE_TYPE_PAST_PRESENTATION_TIMING_INFO_EXT,
        .pNext = nullptr,
        .flags = 0,
        .swapchain = swapchain_};
    VkPastPresentationTimingPropertiesEXT properties{};
    properties.sType = VK_STRUCTURE_TYPE_PAST_PRESENTATION_TIMING_PROPERTIES_EXT;
    properties.presentationTimingCount = room;
    properties.pPresentationTimings = reports.data();
    VkResult result = find<PFN_vkGetPastPresentationTimingEXT>("vkGetPastPresentationTimingEXT")(
        device_, &info, &properties);
    if (result < 0)
        return result;
    if (count)
        *count += properties.presentationTimingCount;
    std::array<VkPastPresentationTimingGOOGLE, room> google{};
    uint32_t google_count = room;
    return find<PFN_vkGetPastPresentationTimingGOOGLE>("vkGetPastPresentationTimingGOOGLE")(
        device_, swapchain_, &google_count, google.data());
}

VkResult EverythingSwapchain::frame(Renderer& renderer) {
    const Acquired acquired = acquire();
    if (acquired.result < 0)
        return acquired.result;
    render(renderer);
    const VkResult presented = present(acquired.index);
    if (presented < 0)
        return presented;
    return finish() ? VK_SUCCESS : VK_ERROR_DEVICE_LOST;
}

} // namespace fencebridge::test
