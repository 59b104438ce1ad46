// SPDX-License-Identifier: MIT
#include "core/commit_plan.hpp"

#include <array>
#include <gtest/gtest.h>
#include <string>
#include <utility>

namespace fencebridge::core {
namespace {

constexpr VkPresentModeKHR fifo = VK_PRESENT_MODE_FIFO_KHR;
constexpr VkPresentModeKHR relaxed = VK_PRESENT_MODE_FIFO_RELAXED_KHR;
constexpr VkPresentModeKHR latest_ready = present_mode_fifo_latest_ready;
constexpr VkPresentModeKHR mailbox = VK_PRESENT_MODE_MAILBOX_KHR;
constexpr VkPresentModeKHR immediate = VK_PRESENT_MODE_IMMEDIATE_KHR;
constexpr VkPresentModeKHR shared = VK_PRESENT_MODE_SHARED_DEMAND_REFRESH_KHR;

std::vector<std::pair<VkPresentModeKHR, uint32_t>> modes_with(PresentProtocols protocols) {
    std::vector<std::pair<VkPresentModeKHR, uint32_t>> modes;
    for (const PresentModeLimits& offered : offered_modes(protocols))
        modes.emplace_back(offered.mode, offered.min_images);
    return modes;
}

TEST(OfferedModes, DependOnTheCompositorsProtocols) {
    using Modes = std::vector<std::pair<VkPresentModeKHR, uint32_t>>;
    EXPECT_EQ(modes_with({}), (Modes{{fifo, 2}, {mailbox, 4}, {shared, 1}}));
    EXPECT_EQ(modes_with({.fifo = true}),
              (Modes{{fifo, 2}, {mailbox, 4}, {latest_ready, 3}, {shared, 1}}));
    EXPECT_EQ(modes_with({.tearing = true}),
              (Modes{{fifo, 2}, {mailbox, 4}, {immediate, 3}, {shared, 1}}));
    EXPECT_EQ(modes_with({.fifo = true, .tearing = true}), (Modes{{fifo, 2},
                                                                  {mailbox, 4},
                                                                  {immediate, 3},
                                                                  {relaxed, 2},
                                                                  {latest_ready, 3},
                                                                  {shared, 1}}));
}

/// A letter for each member that is set: callbacks are waited for before each commit (c) or beside
/// barriers (b), requested (r); the barrier is waited for (w), set (s); the frame may tear (t).
std::string letters(const CommitPlan& plan) {
    std::string text;
    if (plan.throttle == Pacing::frame_callback)
        text += 'c';
    if (plan.throttle == Pacing::barrier)
        text += 'b';
    if (plan.requests_callbacks)
        text += 'r';
    if (plan.waits_for_barrier)
        text += 'w';
    if (plan.sets_barrier)
        text += 's';
    if (plan.may_tear)
        text += 't';
    return text.empty() ? "-" : text;
}

/// The plans after each mode, in the order of `modes` below.
struct Row {
    VkPresentModeKHR last;
    std::array<const char*, 5> plans;
};
constexpr std::array modes = {fifo, relaxed, latest_ready, mailbox, immediate};

void expect_plans(PresentProtocols protocols, const std::array<Row, 5>& rows) {
    for (const Row& row : rows) {
        for (size_t i = 0; i < modes.size(); ++i)
            EXPECT_EQ(letters(plan_commit(row.last, modes[i], protocols)), row.plans[i])
                << "from mode " << row.last << " to " << modes[i];
    }
}

TEST(CommitPlan, WithBothProtocols) {
    expect_plans({.fifo = true, .tearing = true},
                 {{{fifo, {"brws", "brwst", "ws", "w", "wt"}},
                   {relaxed, {"brws", "brwst", "ws", "w", "wt"}},
                   {latest_ready, {"brws", "brwst", "s", "w", "wt"}},
                   {mailbox, {"brws", "brwst", "s", "-", "t"}},
                   {immediate, {"brws", "brwst", "s", "-", "t"}}}});
}

TEST(CommitPlan, WithFifoV1Alone) {
    expect_plans({.fifo = true}, {{{fifo, {"brws", "brws", "ws", "w", "w"}},
                                   {relaxed, {"brws", "brws", "ws", "w", "w"}},
                                   {latest_ready, {"brws", "brws", "s", "w", "w"}},
                                   {mailbox, {"brws", "brws", "s", "-", "-"}},
                                   {immediate, {"brws", "brws", "s", "-", "-"}}}});
}

TEST(CommitPlan, WithTearingControlAlone) {
    expect_plans({.tearing = true}, {{{fifo, {"cr", "cr", "c", "c", "ct"}},
                                      {relaxed, {"cr", "cr", "c", "c", "ct"}},
                                      {latest_ready, {"cr", "cr", "-", "-", "t"}},
                                      {mailbox, {"cr", "cr", "-", "-", "t"}},
                                      {immediate, {"cr", "cr", "-", "-", "t"}}}});
}

TEST(CommitPlan, WithNeitherProtocol) {
    expect_plans({}, {{{fifo, {"cr", "cr", "c", "c", "c"}},
                       {relaxed, {"cr", "cr", "c", "c", "c"}},
                       {latest_ready, {"cr", "cr", "-", "-", "-"}},
                       {mailbox, {"cr", "cr", "-", "-", "-"}},
                       {immediate, {"cr", "cr", "-", "-", "-"}}}});
}

} // namespace
} // namespace fencebridge::core
