// SPDX-License-Identifier: MIT
#include "core/timing_results.hpp"

#include <gtest/gtest.h>

namespace fencebridge::core {
namespace {

constexpr VkPresentStageFlagsEXT queue_end = VK_PRESENT_STAGE_QUEUE_OPERATIONS_END_BIT_EXT;
constexpr VkPresentStageFlagsEXT pixel_out = VK_PRESENT_STAGE_IMAGE_FIRST_PIXEL_OUT_BIT_EXT;
constexpr VkPresentStageFlagsEXT visible = VK_PRESENT_STAGE_IMAGE_FIRST_PIXEL_VISIBLE_BIT_EXT;
constexpr VkPastPresentationTimingFlagsEXT partial =
    VK_PAST_PRESENTATION_TIMING_ALLOW_PARTIAL_RESULTS_BIT_EXT;
constexpr VkPastPresentationTimingFlagsEXT any_order =
    VK_PAST_PRESENTATION_TIMING_ALLOW_OUT_OF_ORDER_RESULTS_BIT_EXT;

TimingQuery query(uint64_t number, VkPresentStageFlagsEXT stages = queue_end | visible) {
    return {.serial = PresentSerial{number},
            .present_id = 10 * number,
            .target_time = 100 * number,
            .time_domain = 1000 * number,
            .stages = stages};
}

/// A queue with the requests 1, 2 and 3, which query the end of the queue's operations and the
/// first visible pixel.
TimingResults three_requests() {
    TimingResults results;
    EXPECT_TRUE(results.resize(3));
    for (uint64_t number : {1, 2, 3})
        EXPECT_TRUE(results.add(query(number)));
    return results;
}

std::vector<uint64_t> numbers(const std::vector<TimingReport>& reports) {
    std::vector<uint64_t> all;
    for (const TimingReport& report : reports)
        all.push_back(static_cast<uint64_t>(report.query.serial));
    return all;
}

std::vector<std::pair<VkPresentStageFlagsEXT, uint64_t>> stages(const TimingReport& report) {
    std::vector<std::pair<VkPresentStageFlagsEXT, uint64_t>> all;
    for (const auto& [stage, time] : report.stages)
        all.emplace_back(stage, time);
    return all;
}

using Numbers = std::vector<uint64_t>;
using Stages = std::vector<std::pair<VkPresentStageFlagsEXT, uint64_t>>;

TEST(TimingResults, HasNoSlotsAtFirst) {
    TimingResults results;
    EXPECT_FALSE(results.add(query(1)));
}

TEST(TimingResults, ASlotIsInUseUntilItsCompleteReportIsTaken) {
    TimingResults results;
    ASSERT_TRUE(results.resize(1));
    ASSERT_TRUE(results.add(query(1)));
    EXPECT_FALSE(results.add(query(2)));
    results.set(PresentSerial{1}, queue_end, 5);
    ASSERT_EQ(numbers(results.take(partial, 1)), Numbers{1});
    EXPECT_FALSE(results.add(query(2))) << "the report was not complete";
    results.set(PresentSerial{1}, visible, 6);
    EXPECT_FALSE(results.add(query(2))) << "the report has not been taken";
    ASSERT_EQ(numbers(results.take(0, 1)), Numbers{1});
    EXPECT_TRUE(results.add(query(2)));
}

TEST(TimingResults, KeepsEnoughSlotsForTheRequestsThatUseThem) {
    TimingResults results = three_requests();
    EXPECT_FALSE(results.resize(2));
    EXPECT_FALSE(results.add(query(4))) << "the size is the old one";
    EXPECT_TRUE(results.resize(3));
    EXPECT_TRUE(results.resize(4));
    EXPECT_TRUE(results.add(query(4)));
}

TEST(TimingResults, AFailedRequestLeavesItsSlot) {
    TimingResults results = three_requests();
    results.remove(PresentSerial{2});
    EXPECT_TRUE(results.add(query(4)));
    results.set(PresentSerial{1}, queue_end | visible, 1);
    results.set(PresentSerial{3}, queue_end | visible, 3);
    EXPECT_EQ(numbers(results.take(0, 9)), (Numbers{1, 3}));
}

TEST(TimingResults, AReportHasWhatTheApplicationGave) {
    TimingResults results = three_requests();
    results.set(PresentSerial{1}, visible, 7);
    results.set(PresentSerial{1}, queue_end, 5);
    const auto reports = results.take(0, 9);
    ASSERT_EQ(reports.size(), 1u);
    EXPECT_EQ(reports[0].query.present_id, 10u);
    EXPECT_EQ(reports[0].query.target_time, 100u);
    EXPECT_EQ(reports[0].query.time_domain, 1000u);
    EXPECT_EQ(stages(reports[0]), (Stages{{queue_end, 5}, {visible, 7}})) << "in their order";
    EXPECT_TRUE(reports[0].complete);
}

TEST(TimingResults, OnlyQueriedStagesAreReportedAndOnlyOnce) {
    TimingResults results;
    ASSERT_TRUE(results.resize(1));
    ASSERT_TRUE(results.add(query(1, visible)));
    EXPECT_FALSE(results.expects(PresentSerial{1}, queue_end | pixel_out));
    EXPECT_TRUE(results.expects(PresentSerial{1}, queue_end | visible));
    results.set(PresentSerial{1}, queue_end | pixel_out, 5);
    EXPECT_EQ(results.count(partial), 0u);
    results.set(PresentSerial{1}, visible, 6);
    EXPECT_FALSE(results.expects(PresentSerial{1}, visible));
    results.set(PresentSerial{1}, visible, 7);
    EXPECT_EQ(stages(results.take(0, 1).at(0)), (Stages{{visible, 6}}));
}

TEST(TimingResults, StagesThatAreNeverKnownCompleteAReport) {
    TimingResults results;
    ASSERT_TRUE(results.resize(1));
    constexpr VkPresentStageFlagsEXT unknown = 0x80000000;
    ASSERT_TRUE(results.add(query(1, unknown | visible)));
    results.set(PresentSerial{1}, unknown, 0);
    results.set(PresentSerial{1}, visible, 0);
    EXPECT_EQ(stages(results.take(0, 1).at(0)), (Stages{{visible, 0}, {unknown, 0}}));
}

TEST(TimingResults, NoneIsAvailableBehindOneThatIsNot) {
    TimingResults results = three_requests();
    results.set(PresentSerial{2}, queue_end | visible, 2);
    results.set(PresentSerial{3}, queue_end, 3);
    EXPECT_EQ(results.count(0), 0u);
    EXPECT_EQ(results.count(partial), 0u);
    EXPECT_EQ(numbers(results.take(0, 9)), Numbers{});
    results.set(PresentSerial{1}, queue_end, 1);
    EXPECT_EQ(results.count(0), 0u);
    EXPECT_EQ(results.count(partial), 3u);
    results.set(PresentSerial{1}, visible, 1);
    EXPECT_EQ(results.count(0), 2u);
    EXPECT_EQ(numbers(results.take(0, 9)), (Numbers{1, 2}));
}

TEST(TimingResults, OutOfOrderReportsAreAvailableAtOnce) {
    TimingResults results = three_requests();
    results.set(PresentSerial{2}, queue_end | visible, 2);
    results.set(PresentSerial{3}, queue_end, 3);
    EXPECT_EQ(results.count(any_order), 1u);
    EXPECT_EQ(results.count(any_order | partial), 2u);
    const auto reports = results.take(any_order | partial, 9);
    EXPECT_EQ(numbers(reports), (Numbers{2, 3}));
    EXPECT_TRUE(reports[0].complete);
    EXPECT_FALSE(reports[1].complete);
    EXPECT_EQ(stages(reports[1]), (Stages{{queue_end, 3}}));
}

TEST(TimingResults, APartialReportIsRepeatedUntilItIsComplete) {
    TimingResults results = three_requests();
    results.set(PresentSerial{1}, queue_end, 1);
    for (int i = 0; i < 3; ++i)
        EXPECT_EQ(stages(results.take(partial, 9).at(0)), (Stages{{queue_end, 1}}));
    EXPECT_EQ(results.count(0), 0u);
    results.set(PresentSerial{1}, visible, 2);
    EXPECT_EQ(stages(results.take(partial, 9).at(0)), (Stages{{queue_end, 1}, {visible, 2}}));
    EXPECT_EQ(results.count(partial | any_order), 0u);
}

TEST(TimingResults, TakesNoMoreThanTheApplicationHasRoomFor) {
    TimingResults results = three_requests();
    for (uint64_t number : {1, 2, 3})
        results.set(PresentSerial{number}, queue_end | visible, number);
    EXPECT_EQ(numbers(results.take(0, 2)), (Numbers{1, 2}));
    EXPECT_EQ(results.count(0), 1u);
    EXPECT_EQ(numbers(results.take(0, 0)), Numbers{});
    EXPECT_EQ(numbers(results.take(any_order, 2)), Numbers{3});
    EXPECT_EQ(results.count(0), 0u);
}

// A search of the queue for each report would take many minutes.
TEST(TimingResults, ALongQueueIsTakenAtOnce) {
    constexpr uint32_t requests = 1 << 18;
    TimingResults results;
    ASSERT_TRUE(results.resize(requests));
    for (uint64_t number = 1; number <= requests; ++number)
        ASSERT_TRUE(results.add(query(number)));
    for (uint64_t number = 1; number <= requests; ++number)
        results.set(PresentSerial{number}, number % 2 == 0 ? queue_end | visible : queue_end, 1);
    EXPECT_EQ(results.take(any_order, requests).size(), requests / 2);
    EXPECT_EQ(results.take(partial, requests).size(), requests / 2);
    EXPECT_EQ(results.count(partial), requests / 2);
}

} // namespace
} // namespace fencebridge::core
