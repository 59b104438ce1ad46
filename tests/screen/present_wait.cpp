// SPDX-License-Identifier: MIT
#include <chrono>

#include "scenarios.hpp"

namespace fencebridge::screen {

namespace {

constexpr uint64_t ten_seconds = 10'000'000'000;
constexpr uint64_t frames = 30;

// A wait ends only when the compositor has reported that frame, or a later one.
template <class Number, class Wait>
void check_waits(Application& application, Problems& problems, const std::string& name,
                 VkSwapchainCreateFlagsKHR flags, Wait&& wait) {
    // vkWaitForPresent2KHR must be given a number that was presented.
    const bool any_number = flags == 0;
    for (const VkPresentModeKHR mode : {VK_PRESENT_MODE_FIFO_KHR, VK_PRESENT_MODE_MAILBOX_KHR}) {
        Chain chain(application, {.mode = mode, .flags = flags});
        for (uint64_t id = 1; id <= frames; ++id) {
            const Number number(id);
            const size_t commit = chain.frame(number.chain());
            expect(problems, wait(chain, id, ten_seconds) == VK_SUCCESS,
                   name + ": a wait did not end with VK_SUCCESS");
            expect(problems, application.judge().outcome_of(commit).has_value(),
                   name + ": a wait ended before the compositor's report");
        }
        if (!any_number)
            continue;
        using Clock = std::chrono::steady_clock;
        const auto timeout = std::chrono::milliseconds(20);
        const auto start = Clock::now();
        expect(problems,
               wait(chain, frames + 1, std::chrono::nanoseconds(timeout).count()) == VK_TIMEOUT,
               name + ": a wait for a frame that was not presented did not time out");
        expect(problems, Clock::now() - start >= timeout, name + ": a timeout was too short");
        expect(problems, wait(chain, frames + 1, 0) == VK_TIMEOUT,
               name + ": a timeout of 0 did not end with VK_TIMEOUT");
    }
}

} // namespace

void present_wait(Application& application, Problems& problems) {
    VkDevice device = application.device();
    const auto wait1 = application.find<PFN_vkWaitForPresentKHR>("vkWaitForPresentKHR");
    check_waits<Number1>(application, problems, "VK_KHR_present_wait", 0,
                         [&](const Chain& chain, uint64_t id, uint64_t timeout) {
                             return wait1(device, chain.handle(), id, timeout);
                         });
    const auto wait2 = application.find<PFN_vkWaitForPresent2KHR>("vkWaitForPresent2KHR");
    check_waits<Number2>(application, problems, "VK_KHR_present_wait2",
                         VK_SWAPCHAIN_CREATE_PRESENT_ID_2_BIT_KHR |
                             VK_SWAPCHAIN_CREATE_PRESENT_WAIT_2_BIT_KHR,
                         [&](const Chain& chain, uint64_t id, uint64_t timeout) {
                             VkPresentWait2InfoKHR info{};
                             info.sType = VK_STRUCTURE_TYPE_PRESENT_WAIT_2_INFO_KHR;
                             info.presentId = id;
                             info.timeout = timeout;
                             return wait2(device, chain.handle(), &info);
                         });
}

} // namespace fencebridge::screen
