// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>

#include "vk/present_timing_headers.hpp"

namespace fencebridge::core {

/// The result of a vkQueuePresentKHR to several swapchains: the worst of their results, so that an
/// application that does not check pResults learns the most serious one.
[[nodiscard]] constexpr VkResult worse(VkResult a, VkResult b) {
    constexpr std::array from_worst = {VK_ERROR_DEVICE_LOST, VK_ERROR_SURFACE_LOST_KHR,
                                       VK_ERROR_OUT_OF_DATE_KHR,
                                       VK_ERROR_PRESENT_TIMING_QUEUE_FULL_EXT};
    for (const VkResult bad : from_worst) {
        if (a == bad || b == bad)
            return bad;
    }
    if (a < 0 || b < 0)
        return std::min(a, b);
    return std::max(a, b); // VK_SUBOPTIMAL_KHR before VK_SUCCESS
}

/// Whether vkQueuePresentKHR with this result has changed nothing.
[[nodiscard]] constexpr bool is_out_of_memory(VkResult result) {
    return result == VK_ERROR_OUT_OF_HOST_MEMORY || result == VK_ERROR_OUT_OF_DEVICE_MEMORY;
}

/// Whether a result of vkQueuePresentKHR applies to the whole call and not to one swapchain.
[[nodiscard]] constexpr bool is_of_whole_call(VkResult result) {
    return is_out_of_memory(result) || result == VK_ERROR_DEVICE_LOST;
}

/// Whether a present with this result is the last of its swapchain.
[[nodiscard]] constexpr bool ends_presents(VkResult result) {
    return result == VK_ERROR_OUT_OF_DATE_KHR || result == VK_ERROR_SURFACE_LOST_KHR ||
           result == VK_ERROR_DEVICE_LOST;
}

} // namespace fencebridge::core
