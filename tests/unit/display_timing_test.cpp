// SPDX-License-Identifier: MIT
#include "core/display_timing.hpp"

#include <gtest/gtest.h>

namespace fencebridge::core {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

constexpr auto refresh = 10ms;
constexpr PresentationTime start{1h};

/// One request, which is queued at `start`, and what becomes of it.
struct Request {
    std::optional<PresentationTime> desired = std::nullopt;
    bool immediate = false;
    std::optional<PresentationTime> rendered = std::nullopt;
    PresentationTime shown;
    DisplayTimings::Refresh known_refresh = refresh;
    std::optional<PresentationTime> previous = std::nullopt;
};

DisplayTiming result_of(const Request& request) {
    DisplayTimings timings;
    if (request.previous)
        timings.shown(PresentSerial{1}, *request.previous, refresh);
    timings.add({.serial = PresentSerial{2},
                 .id = 7,
                 .desired_time = 70,
                 .desired = request.desired,
                 .queued = start,
                 .immediate = request.immediate});
    timings.rendered(PresentSerial{2}, request.rendered);
    timings.shown(PresentSerial{2}, request.shown, request.known_refresh);
    const auto results = timings.take(1);
    return results.at(0);
}

TEST(DisplayTiming, WithoutADesiredTimeAnImageIsShownAsEarlyAsPossible) {
    const auto result = result_of({.shown = start + 35ms});
    EXPECT_EQ(result.query.id, 7u);
    EXPECT_EQ(result.query.desired_time, 70u);
    EXPECT_EQ(result.actual, start + 35ms);
    EXPECT_EQ(result.earliest, start + 35ms);
    EXPECT_EQ(result.margin, 25ms) << "one refresh to compose";
}

TEST(DisplayTiming, TheMarginStartsWhenTheRenderingHasEnded) {
    EXPECT_EQ(result_of({.rendered = start + 5ms, .shown = start + 35ms}).margin, 20ms);
    EXPECT_EQ(result_of({.rendered = start - 5ms, .shown = start + 35ms}).margin, 25ms);
    EXPECT_EQ(result_of({.rendered = start + 30ms, .shown = start + 35ms}).margin, 0ms);
}

TEST(DisplayTiming, ADesiredTimeDelaysAnImageByWholeRefreshes) {
    const PresentationTime desired = start + 50ms;
    const auto late = result_of({.desired = desired, .shown = start + 55ms});
    EXPECT_EQ(late.actual, start + 55ms);
    EXPECT_EQ(late.earliest, start + 15ms) << "the first refresh after the time to compose";
    EXPECT_EQ(late.margin, 5ms);
    const auto rendered =
        result_of({.desired = desired, .rendered = start + 26ms, .shown = start + 55ms});
    EXPECT_EQ(rendered.earliest, start + 45ms);
    EXPECT_EQ(rendered.margin, 9ms);
    const auto just =
        result_of({.desired = desired, .rendered = start + 49ms, .shown = start + 55ms});
    EXPECT_EQ(just.earliest, start + 55ms);
    EXPECT_EQ(just.margin, 0ms);
}

TEST(DisplayTiming, AnImageIsNotShownBeforeTheOneBeforeIt) {
    const PresentationTime desired = start + 50ms;
    const auto result =
        result_of({.desired = desired, .shown = start + 55ms, .previous = start + 25ms});
    EXPECT_EQ(result.earliest, start + 35ms);
    EXPECT_EQ(result.margin, 25ms);
}

TEST(DisplayTiming, ADesiredTimeThatWasMissedHasDelayedNothing) {
    const PresentationTime desired = start + 20ms;
    const auto result = result_of({.desired = desired, .shown = start + 55ms});
    EXPECT_EQ(result.earliest, start + 55ms);
}

TEST(DisplayTiming, WithoutARefreshTheActualTimeIsTheEarliest) {
    const PresentationTime desired = start + 50ms;
    const auto result =
        result_of({.desired = desired, .shown = start + 55ms, .known_refresh = std::nullopt});
    EXPECT_EQ(result.earliest, start + 55ms);
    EXPECT_EQ(result.margin, 55ms);
}

TEST(DisplayTiming, ImmediateImagesHaveOneTime) {
    const PresentationTime desired = start + 50ms;
    const auto result = result_of({.desired = desired, .immediate = true, .shown = start + 55ms});
    EXPECT_EQ(result.earliest, start + 55ms);
    EXPECT_EQ(result.margin, 55ms);
}

DisplayTimingQuery query(uint64_t number) {
    return {.serial = PresentSerial{number},
            .id = static_cast<uint32_t>(number),
            .desired_time = 0,
            .desired = std::nullopt,
            .queued = start,
            .immediate = false};
}

std::vector<uint32_t> ids(const std::vector<DisplayTiming>& results) {
    std::vector<uint32_t> all;
    for (const DisplayTiming& result : results)
        all.push_back(result.query.id);
    return all;
}
using Ids = std::vector<uint32_t>;

TEST(DisplayTimings, AResultIsAvailableOnceShownAndRendered) {
    DisplayTimings timings;
    timings.add(query(1));
    EXPECT_EQ(timings.count(), 0u);
    timings.shown(PresentSerial{1}, start + 20ms, refresh);
    EXPECT_EQ(timings.count(), 0u);
    EXPECT_EQ(ids(timings.take(9)), Ids{});
    timings.rendered(PresentSerial{1}, std::nullopt);
    EXPECT_EQ(timings.count(), 1u);
}

TEST(DisplayTimings, EachResultIsTakenOnceTheOldestFirst) {
    DisplayTimings timings;
    for (uint64_t number : {1, 2, 3}) {
        timings.add(query(number));
        timings.rendered(PresentSerial{number}, std::nullopt);
        timings.shown(PresentSerial{number}, start + 20ms, refresh);
    }
    EXPECT_EQ(ids(timings.take(0)), Ids{});
    EXPECT_EQ(ids(timings.take(2)), (Ids{1, 2}));
    EXPECT_EQ(timings.count(), 1u);
    EXPECT_EQ(ids(timings.take(2)), Ids{3});
    EXPECT_EQ(timings.count(), 0u);
}

TEST(DisplayTimings, AnImageThatIsNotShownHasNoResult) {
    DisplayTimings timings;
    timings.add(query(1));
    timings.remove(PresentSerial{1});
    timings.rendered(PresentSerial{1}, std::nullopt);
    timings.shown(PresentSerial{1}, start, refresh);
    EXPECT_EQ(timings.count(), 0u);
}

TEST(DisplayTimings, OnlyTheNewestAreKept) {
    DisplayTimings timings;
    for (uint64_t number = 1; number <= DisplayTimings::most_kept + 2; ++number) {
        timings.add(query(number));
        timings.rendered(PresentSerial{number}, std::nullopt);
        timings.shown(PresentSerial{number}, start, refresh);
    }
    EXPECT_EQ(timings.count(), DisplayTimings::most_kept);
    EXPECT_EQ(ids(timings.take(1)), Ids{3});
}

} // namespace
} // namespace fencebridge::core
