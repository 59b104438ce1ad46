// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>
#include <vulkan/vulkan.h>

namespace fencebridge::core {

/// The number that an application gives to a present request of a swapchain (VkPresentIdKHR,
/// VkPresentId2KHR). The numbers of a swapchain ascend.
enum class PresentId : uint64_t {};

/// Which numbered present requests of a swapchain are complete: their image, and those of all
/// earlier ones, were shown or never will be. For vkWaitForPresentKHR, a swapchain has one number
/// that ascends. Not thread-safe: kept inside a lock.
class PresentCompletions {
public:
    /// The window system will report the outcome of this request.
    void expect(PresentId id) { pending_.push_back(id); }

    /// The image of a request is on screen. So are, or were, those of all earlier requests that
    /// will ever be: images are shown in the order of their requests.
    void presented(PresentId id) {
        shown_ = std::max(shown_, id);
        finish(id);
    }
    /// The image of a request will not be shown. Those of earlier requests still may, and the
    /// request is complete when they are.
    void discarded(PresentId id) { finish(id); }

    /// An expected request could not be made.
    void withdraw(PresentId id) { std::erase(pending_, id); }

    /// No further request can be made.
    /// @param why  of which ends_presents() is true
    void end(VkResult why) { end_ = end_.value_or(why); }

    /// The result of a wait for this request, or for any later one (vkWaitForPresentKHR).
    /// @return VK_SUCCESS; why no such request can complete; or nothing: one may still do so
    [[nodiscard]] std::optional<VkResult> result_for(PresentId id) const {
        if (id <= shown_)
            return VK_SUCCESS;
        if (id > finished_ && (pending_.empty() || id > pending_.back()))
            return end_;
        const bool earlier_are_complete = std::ranges::none_of(
            pending_, [&](PresentId pending) { return shown_ < pending && pending <= id; });
        return earlier_are_complete && id <= finished_ ? std::optional(VK_SUCCESS) : std::nullopt;
    }

private:
    void finish(PresentId id) {
        finished_ = std::max(finished_, id);
        std::erase(pending_, id);
    }

    std::vector<PresentId> pending_; ///< ascending
    PresentId shown_ = PresentId{0};
    PresentId finished_ = PresentId{0}; ///< the last that was reported
    std::optional<VkResult> end_;
};

} // namespace fencebridge::core
