// SPDX-License-Identifier: MIT
#include "core/refresh_tracker.hpp"

#include <gtest/gtest.h>

namespace fencebridge::core {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

constexpr nanoseconds at_60_hz = 16'666'667ns;

/// A tracker with the display that reports to it.
struct Display {
    RefreshTracker tracker;
    PresentationTime now{1h};
    nanoseconds refresh = at_60_hz;
    uint32_t version = 2;
    bool by_hardware = true;

    /// Shows images, each so long after the last.
    void show(nanoseconds interval, uint32_t images = 1) {
        for (uint32_t i = 0; i < images; ++i) {
            now += interval;
            tracker.shown({now, refresh, version, by_hardware});
        }
    }
};

TEST(RefreshTracker, KnowsNothingBeforeTheFirstReport) {
    const RefreshTracker tracker;
    EXPECT_FALSE(tracker.has_reports());
    EXPECT_EQ(tracker.duration(), std::nullopt);
    EXPECT_EQ(tracker.kind(), RefreshKind::unknown);
    EXPECT_EQ(tracker.changes(), 0u);
}

TEST(RefreshTracker, TheFirstReportHasTheDuration) {
    Display display;
    display.show(0ns);
    EXPECT_TRUE(display.tracker.has_reports());
    EXPECT_EQ(display.tracker.duration(), at_60_hz);
    EXPECT_EQ(display.tracker.kind(), RefreshKind::unknown) << "version 2 does not say";
    EXPECT_EQ(display.tracker.changes(), 1u);
}

TEST(RefreshTracker, AReportWithoutRefreshHasNoDuration) {
    Display display;
    display.refresh = 0ns;
    display.show(0ns);
    EXPECT_TRUE(display.tracker.has_reports());
    EXPECT_EQ(display.tracker.duration(), std::nullopt);
    EXPECT_EQ(display.tracker.kind(), RefreshKind::unknown);
    EXPECT_EQ(display.tracker.changes(), 0u);
}

TEST(RefreshTracker, VersionOneReportsConstantRatesOnly) {
    Display display;
    display.version = 1;
    display.show(0ns);
    EXPECT_EQ(display.tracker.kind(), RefreshKind::fixed);
    display.show(at_60_hz * 3 / 2, 2 * RefreshTracker::misfits_for_variable);
    EXPECT_EQ(display.tracker.kind(), RefreshKind::fixed) << "nothing has to be measured";
    display.refresh = 0ns;
    display.show(at_60_hz);
    EXPECT_EQ(display.tracker.kind(), RefreshKind::unknown);
    EXPECT_EQ(display.tracker.duration(), std::nullopt);
    EXPECT_EQ(display.tracker.changes(), 2u);
}

TEST(RefreshTracker, IntervalsThatFitShowAConstantRate) {
    Display display;
    display.show(0ns);
    display.show(3 * at_60_hz + 100us);
    display.show(at_60_hz - 100us, RefreshTracker::fitting_for_fixed - 2);
    EXPECT_EQ(display.tracker.kind(), RefreshKind::unknown);
    display.show(2 * at_60_hz);
    EXPECT_EQ(display.tracker.kind(), RefreshKind::fixed);
    EXPECT_EQ(display.tracker.changes(), 2u);
    display.show(at_60_hz, 100);
    EXPECT_EQ(display.tracker.changes(), 2u) << "nothing has changed";
}

TEST(RefreshTracker, IntervalsThatDoNotFitShowAVariableRate) {
    Display display;
    display.show(0ns);
    display.show(20ms, RefreshTracker::misfits_for_variable - 1);
    EXPECT_EQ(display.tracker.kind(), RefreshKind::unknown);
    display.show(20ms);
    EXPECT_EQ(display.tracker.kind(), RefreshKind::variable);
    EXPECT_EQ(display.tracker.duration(), at_60_hz) << "the shortest";
    display.show(at_60_hz, RefreshTracker::fitting_after_variable - 1);
    EXPECT_EQ(display.tracker.kind(), RefreshKind::variable);
    display.show(at_60_hz);
    EXPECT_EQ(display.tracker.kind(), RefreshKind::fixed);
    display.show(20ms, RefreshTracker::misfits_for_variable);
    EXPECT_EQ(display.tracker.kind(), RefreshKind::variable);
}

TEST(RefreshTracker, OneMisfitChangesNothing) {
    Display display;
    display.show(0ns);
    display.show(at_60_hz, RefreshTracker::fitting_for_fixed);
    for (int i = 0; i < 10; ++i) {
        display.show(20ms, RefreshTracker::misfits_for_variable - 1);
        display.show(at_60_hz);
    }
    EXPECT_EQ(display.tracker.kind(), RefreshKind::fixed);
}

TEST(RefreshTracker, TimesThatTheHardwareDidNotMeasureShowNothing) {
    Display display;
    display.by_hardware = false;
    display.show(0ns);
    display.show(at_60_hz, 2 * RefreshTracker::fitting_for_fixed);
    display.show(20ms, 2 * RefreshTracker::misfits_for_variable);
    EXPECT_EQ(display.tracker.kind(), RefreshKind::unknown);
}

TEST(RefreshTracker, LongIntervalsShowNothing) {
    Display display;
    display.show(0ns);
    display.show(9 * at_60_hz + 8ms, 100);
    EXPECT_EQ(display.tracker.kind(), RefreshKind::unknown);
}

TEST(RefreshTracker, AnotherRateStartsAgain) {
    Display display;
    display.show(0ns);
    display.show(at_60_hz, RefreshTracker::fitting_for_fixed);
    ASSERT_EQ(display.tracker.kind(), RefreshKind::fixed);
    display.refresh = 6'944'444ns; // 144 Hz
    display.show(3ms);
    EXPECT_EQ(display.tracker.duration(), 6'944'444ns);
    EXPECT_EQ(display.tracker.kind(), RefreshKind::unknown);
    display.show(6'944'444ns, RefreshTracker::fitting_for_fixed - 1);
    EXPECT_EQ(display.tracker.kind(), RefreshKind::unknown) << "the intervals count anew";
}

TEST(RefreshTracker, JitterOfTheReportsIsNoChange) {
    Display display;
    display.show(0ns);
    display.refresh += 8us;
    display.show(at_60_hz);
    EXPECT_EQ(display.tracker.duration(), at_60_hz);
    EXPECT_EQ(display.tracker.changes(), 1u);
    display.refresh = 16'683'350ns; // 59.94 Hz
    display.show(at_60_hz);
    EXPECT_EQ(display.tracker.duration(), 16'683'350ns);
}

} // namespace
} // namespace fencebridge::core
