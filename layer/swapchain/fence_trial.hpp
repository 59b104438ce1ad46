// SPDX-License-Identifier: MIT
#pragma once

#include <compare>
#include <expected>
#include <map>
#include <optional>
#include <utility>
#include <vector>
#include <vulkan/vulkan.h>

#include "core/layout_choice.hpp"
#include "core/takeover_choice.hpp"
#include "image/allocator.hpp"
#include "swapchain/candidates.hpp"
#include "swapchain/window.hpp"
#include "sync/bridge.hpp"
#include "util/locked.hpp"
#include "vk/device.hpp"
#include "vk/physical_device.hpp"

namespace fencebridge {

/// Makes one image of the first candidate that can be made, and tries on it what the kernel and the
/// layer's transports do with fences. The image is not shown to the window system.
/// @return the error is VK_ERROR_INITIALIZATION_FAILED if no image can be made, or one of
///         find_candidates() and ImageAllocator::allocate()
[[nodiscard]] std::expected<core::TriedFences, VkResult>
try_fences(const Requested& requested, const vk::Device& device, const vk::PhysicalDevice& physical,
           Window& window, VkFormat format);

/// What the result of try_fences() depends on, for one instance.
struct FenceTrial {
    VkPhysicalDevice device;
    image::Reader reader;
    VkFormat format;
    std::vector<core::LayoutRank> accepted; ///< by the window system
    std::optional<sync::TimelineSupport> timelines;
    auto operator<=>(const FenceTrial&) const = default;
};
/// The trial on a window, as the window is now.
/// @return the error is VK_ERROR_SURFACE_LOST_KHR
[[nodiscard]] std::expected<FenceTrial, VkResult> describe_trial(const Requested& requested,
                                                                 const vk::PhysicalDevice& physical,
                                                                 Window& window, VkFormat format);

/// The results of the trials of an instance. Windows of one compositor have the same trials, so
/// only the first of them needs a VkDevice.
class FenceTrials {
public:
    /// Nothing: no image could be tried.
    using Result = std::optional<core::TriedFences>;

    /// @param run  makes the trial, if it has no result yet. Called without a lock; returns an
    ///             std::expected<Result, VkResult>
    /// @return the error is that of `run`; the next call runs it again
    template <class Run>
    [[nodiscard]] std::expected<Result, VkResult> find_or_run(const FenceTrial& trial, Run&& run) {
        const auto known = known_.with([&](const auto& all) -> std::optional<Result> {
            const auto found = all.find(trial);
            if (found == all.end())
                return std::nullopt;
            return std::optional<Result>(std::in_place, found->second);
        });
        if (known)
            return *known;
        // If two threads try at the same time, the first result is kept.
        const std::expected<Result, VkResult> result = run();
        if (!result)
            return result;
        return known_.with(
            [&](auto& all) { return all.try_emplace(trial, *result).first->second; });
    }

private:
    Locked<std::map<FenceTrial, Result>> known_;
};

} // namespace fencebridge
