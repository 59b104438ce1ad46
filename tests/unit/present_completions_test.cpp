// SPDX-License-Identifier: MIT
#include "core/present_completions.hpp"

#include <gtest/gtest.h>

namespace fencebridge::core {
namespace {

using namespace std::chrono_literals;

const auto shown_at = std::chrono::steady_clock::time_point(5s);

TEST(PresentCompletions, AReportThatNobodyAskedForIsNotKept) {
    PresentCompletions completions;
    completions.report(PresentId{1}, Presented{shown_at});
    EXPECT_TRUE(completions.empty());
    EXPECT_FALSE(completions.take_oldest());
}

TEST(PresentCompletions, AnExpectedRequestIsPendingUntilItsReport) {
    PresentCompletions completions;
    completions.expect(PresentId{1});
    EXPECT_TRUE(completions.is_pending());
    EXPECT_FALSE(completions.take_oldest());
    completions.report(PresentId{1}, Presented{shown_at});
    EXPECT_FALSE(completions.is_pending());
    const auto oldest = completions.take_oldest();
    ASSERT_TRUE(oldest);
    EXPECT_EQ(oldest->id, PresentId{1});
    EXPECT_EQ(oldest->completion, Completion(Presented{shown_at}));
    EXPECT_TRUE(completions.empty());
}

TEST(PresentCompletions, RequestsAreReturnedInTheirOrderWhateverTheOrderOfTheReports) {
    PresentCompletions completions;
    completions.expect(PresentId{1});
    completions.expect(PresentId{2});
    completions.report(PresentId{2}, Presented{shown_at});
    EXPECT_FALSE(completions.take_oldest()) << "the first is still pending";
    completions.report(PresentId{1}, Discarded{});
    ASSERT_EQ(completions.take_oldest()->completion, Completion(Discarded{}));
    ASSERT_EQ(completions.take_oldest()->id, PresentId{2});
}

} // namespace
} // namespace fencebridge::core
