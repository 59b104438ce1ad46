// SPDX-License-Identifier: MIT
#include "core/unread_commits.hpp"

#include <gtest/gtest.h>

namespace fencebridge::core {
namespace {

using TimePoint = UnreadCommits::TimePoint;
constexpr uint32_t max = UnreadCommits::max_unanswered;

// One commit with a request, and `more` without.
UnreadCommits after_commits(TimePoint requested, uint32_t more) {
    UnreadCommits commits;
    commits.requested_answer(requested);
    for (uint32_t i = 0; i < more; ++i)
        commits.requested_none();
    return commits;
}

TEST(UnreadCommits, TheFirstCommitRequestsAnAnswerAndOthersNoneUntilItCame) {
    UnreadCommits commits;
    EXPECT_TRUE(commits.wants_answer());
    commits.requested_answer(TimePoint());
    EXPECT_FALSE(commits.wants_answer());
    commits.answered();
    EXPECT_TRUE(commits.wants_answer());
}

TEST(UnreadCommits, APresentWaitsAfterTheMostCommitsWithoutAnAnswer) {
    const TimePoint requested(std::chrono::seconds(5));
    EXPECT_EQ(after_commits(requested, max - 2).wait_limit(), std::nullopt);
    UnreadCommits commits = after_commits(requested, max - 1);
    EXPECT_EQ(commits.wait_limit(), requested + UnreadCommits::answer_timeout);
    commits.answered();
    EXPECT_EQ(commits.wait_limit(), std::nullopt);
}

// Memory for a request may be short again and again: a present cannot wait for what it did not ask.
TEST(UnreadCommits, WithoutARequestNoPresentWaits) {
    UnreadCommits commits;
    for (uint32_t i = 0; i < 2 * max; ++i)
        commits.requested_none();
    EXPECT_EQ(commits.wait_limit(), std::nullopt);
}

TEST(UnreadCommits, OnlyTheCommitBeforeAWaitMayBeTheLast) {
    EXPECT_FALSE(after_commits(TimePoint(), max - 3).next_may_be_last());
    EXPECT_TRUE(after_commits(TimePoint(), max - 2).next_may_be_last());
}

} // namespace
} // namespace fencebridge::core
