// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <span>
#include <time.h>
#include <vector>

#include "entry/entry_points.hpp"
#include "entry/guard.hpp"
#include "entry/registry.hpp"
#include "vk/chain.hpp"
#include "vk/enumerate.hpp"

// VK_KHR_calibrated_timestamps, which VK_EXT_present_timing depends on, and its older name,
// VK_EXT_calibrated_timestamps. The layer adds the time domains of its swapchains to the driver's.
// If the driver has neither extension, there are the host's clocks.

namespace fencebridge::entry {

namespace {

constexpr std::array swapchain_domains = {VK_TIME_DOMAIN_PRESENT_STAGE_LOCAL_EXT,
                                          VK_TIME_DOMAIN_SWAPCHAIN_LOCAL_EXT};
constexpr std::array host_domains = {VK_TIME_DOMAIN_CLOCK_MONOTONIC_KHR,
                                     VK_TIME_DOMAIN_CLOCK_MONOTONIC_RAW_KHR};

uint64_t read(clockid_t clock) {
    timespec time = {};
    ::clock_gettime(clock, &time);
    return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(time.tv_nsec);
}

/// The driver's query, by the name that the driver has; null if it has neither extension.
PFN_vkGetPhysicalDeviceCalibrateableTimeDomainsKHR find_query(Instance& instance,
                                                              VkPhysicalDevice handle) {
    const auto driver = instance.physical(handle);
    if (driver->has_extension(VK_KHR_CALIBRATED_TIMESTAMPS_EXTENSION_NAME))
        return instance.next.GetPhysicalDeviceCalibrateableTimeDomainsKHR;
    if (driver->has_extension(VK_EXT_CALIBRATED_TIMESTAMPS_EXTENSION_NAME))
        return instance.next.GetPhysicalDeviceCalibrateableTimeDomainsEXT;
    return nullptr;
}

/// The swapchain of the layer's that a timestamp names; null if there is none.
std::shared_ptr<Swapchain> named_swapchain(Device& device,
                                           const VkCalibratedTimestampInfoKHR& info) {
    const auto* named = vk::find<VkSwapchainCalibratedTimestampInfoEXT>(info.pNext);
    return named == nullptr ? nullptr : device.find_swapchain(named->swapchain);
}

bool is_of_a_swapchain(VkTimeDomainKHR domain) {
    return std::ranges::find(swapchain_domains, domain) != swapchain_domains.end();
}

VkResult get_timestamps(Device& device, std::span<const VkCalibratedTimestampInfoKHR> infos,
                        uint64_t* timestamps, uint64_t* max_deviation) {
    const auto drivers = device.vk.next.GetCalibratedTimestamps;
    std::vector<VkCalibratedTimestampInfoKHR> driver_infos;
    std::vector<std::shared_ptr<Swapchain>> ours; // null: not the clock of one of them
    for (const VkCalibratedTimestampInfoKHR& info : infos) {
        auto swapchain = named_swapchain(device, info);
        // The driver must not see a swapchain of the layer's, which no clock of the host needs.
        // Only structures that name a swapchain extend this one.
        const void* const next = swapchain ? nullptr : info.pNext;
        ours.push_back(is_of_a_swapchain(info.timeDomain) ? std::move(swapchain) : nullptr);
        if (!ours.back() && drivers != nullptr)
            driver_infos.push_back({info.sType, next, info.timeDomain});
    }
    std::vector<uint64_t> driver_times(driver_infos.size());
    uint64_t driver_deviation = 0;
    const uint64_t start = read(CLOCK_MONOTONIC);
    if (!driver_infos.empty()) {
        const VkResult result =
            drivers(device.vk.handle, static_cast<uint32_t>(driver_infos.size()),
                    driver_infos.data(), driver_times.data(), &driver_deviation);
        if (result != VK_SUCCESS)
            return result;
    }
    auto next = driver_times.begin();
    for (size_t i = 0; i < infos.size(); ++i) {
        if (ours[i])
            timestamps[i] = ours[i]->timing() == nullptr ? 0 : ours[i]->timing()->calibrate();
        else if (drivers != nullptr)
            timestamps[i] = *next++;
        else
            timestamps[i] = read(infos[i].timeDomain == VK_TIME_DOMAIN_CLOCK_MONOTONIC_RAW_KHR
                                     ? CLOCK_MONOTONIC_RAW
                                     : CLOCK_MONOTONIC);
    }
    // All were read in this time. "The strictly positive maximum deviation".
    *max_deviation = driver_deviation + (read(CLOCK_MONOTONIC) - start) + 1;
    return VK_SUCCESS;
}

} // namespace

VKAPI_ATTR VkResult VKAPI_CALL GetPhysicalDeviceCalibrateableTimeDomains(VkPhysicalDevice handle,
                                                                         uint32_t* count,
                                                                         VkTimeDomainKHR* domains) {
    return guarded([&] {
        const auto instance = find_instance(handle);
        const auto drivers = find_query(*instance, handle);
        if (drivers != nullptr && !instance->hides_extensions(handle))
            return drivers(handle, count, domains);
        std::vector<VkTimeDomainKHR> all(host_domains.begin(), host_domains.end());
        if (drivers != nullptr) {
            auto given =
                vk::enumerate<VkTimeDomainKHR>([&](uint32_t* room, VkTimeDomainKHR* array) {
                    return drivers(handle, room, array);
                });
            if (!given)
                return given.error();
            all = std::move(*given);
        }
        for (const VkTimeDomainKHR ours : swapchain_domains) {
            if (std::ranges::find(all, ours) == all.end())
                all.push_back(ours);
        }
        return vk::write_array(std::span<const VkTimeDomainKHR>(all), count, domains);
    });
}

VKAPI_ATTR VkResult VKAPI_CALL GetCalibratedTimestamps(VkDevice handle, uint32_t count,
                                                       const VkCalibratedTimestampInfoKHR* infos,
                                                       uint64_t* timestamps,
                                                       uint64_t* max_deviation) {
    return guarded([&] {
        const auto device = find_device(handle);
        return get_timestamps(*device, std::span(infos, count), timestamps, max_deviation);
    });
}

} // namespace fencebridge::entry
