// SPDX-License-Identifier: MIT
// VK_KHR_calibrated_timestamps and its older name. The driver's clocks stand still, so that a test
// knows who answered.
#include <array>

#include "chain.hpp"
#include "control.h"
#include "entry_points.hpp"
#include "objects.hpp"
#include "state.hpp"

namespace fencebridge::fake_driver {
namespace {

constexpr std::array domains{VK_TIME_DOMAIN_DEVICE_EXT, VK_TIME_DOMAIN_CLOCK_MONOTONIC_EXT};

VkResult get_domains(VkPhysicalDevice, uint32_t* count, VkTimeDomainEXT* result) {
    if (const auto failure = enter_query("vkGetPhysicalDeviceCalibrateableTimeDomainsKHR"))
        return *failure;
    return enumerate(std::span<const VkTimeDomainEXT>{domains}, count, result);
}

/// VkSwapchainCalibratedTimestampInfoEXT, which older headers lack, without its other members. It
/// is the only structure that extends a VkCalibratedTimestampInfoEXT.
struct NamedSwapchain {
    VkStructureType type;
    const void* next;
    VkSwapchainKHR swapchain;
};

VkResult get_timestamps(VkDevice, uint32_t count, const VkCalibratedTimestampInfoEXT* infos,
                        uint64_t* timestamps, uint64_t* max_deviation) {
    if (const auto failure = enter("vkGetCalibratedTimestampsKHR"))
        return *failure;
    for (uint32_t i = 0; i < count; ++i) {
        if (const auto* const named = static_cast<const NamedSwapchain*>(infos[i].pNext))
            (void)objects().swapchains.find(named->swapchain);
        timestamps[i] = FAKE_DRIVER_TIMESTAMP + infos[i].timeDomain;
    }
    *max_deviation = FAKE_DRIVER_MAX_DEVIATION;
    return VK_SUCCESS;
}

} // namespace

std::span<const EntryPoint> calibrated_timestamps_entry_points() {
    constexpr auto khr = "VK_KHR_calibrated_timestamps";
    constexpr auto ext = VK_EXT_CALIBRATED_TIMESTAMPS_EXTENSION_NAME;
    using GetDomains = PFN_vkGetPhysicalDeviceCalibrateableTimeDomainsEXT;
    using GetTimestamps = PFN_vkGetCalibratedTimestampsEXT;
    static const EntryPoint table[]{
        // Physical devices' commands of device extensions exist without the extension.
        entry_point<GetDomains, get_domains>("vkGetPhysicalDeviceCalibrateableTimeDomainsKHR",
                                             Level::physical_device),
        entry_point<GetDomains, get_domains>("vkGetPhysicalDeviceCalibrateableTimeDomainsEXT",
                                             Level::physical_device),
        entry_point<GetTimestamps, get_timestamps>("vkGetCalibratedTimestampsKHR", Level::device,
                                                   never_core, khr),
        entry_point<GetTimestamps, get_timestamps>("vkGetCalibratedTimestampsEXT", Level::device,
                                                   never_core, ext),
    };
    return table;
}

} // namespace fencebridge::fake_driver
