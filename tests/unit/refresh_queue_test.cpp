// SPDX-License-Identifier: MIT
#include "core/refresh_queue.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace fencebridge::core {
namespace {

constexpr auto fifo = VK_PRESENT_MODE_FIFO_KHR;
constexpr auto relaxed = VK_PRESENT_MODE_FIFO_RELAXED_KHR;
constexpr auto latest = present_mode_fifo_latest_ready;
constexpr auto mailbox = VK_PRESENT_MODE_MAILBOX_KHR;
constexpr auto immediate = VK_PRESENT_MODE_IMMEDIATE_KHR;
constexpr auto shared = VK_PRESENT_MODE_SHARED_DEMAND_REFRESH_KHR;

using std::chrono::nanoseconds;

/// A display that refreshes at the times 0, 10, 20, and so on.
class RefreshQueueTest : public testing::Test {
protected:
    auto record() {
        return [this](const RefreshQueue::Event& event) {
            events_ += events_.empty() ? "" : " ";
            events_ += event.shown ? "" : "-";
            events_ += std::to_string(static_cast<uint32_t>(event.frame.image)) + "@" +
                       std::to_string(event.at.time_since_epoch().count());
            if (event.released)
                events_ += " +" + std::to_string(static_cast<uint32_t>(*event.released));
        };
    }

    /// A present at this time.
    void present(int64_t now, uint32_t image, VkPresentModeKHR mode = fifo,
                 int64_t not_before = 0) {
        advance(now);
        const PresentSerial serial{++last_};
        due_ = queue_.queue({.image = ImageIndex{image},
                             .mode = mode,
                             .serial = serial,
                             .not_before = time(not_before)},
                            ends_.contains(last_), time(now), record());
        advance(now);
    }
    void advance(int64_t now) {
        queue_.advance(
            time(now),
            [&](PresentSerial serial) -> std::optional<PresentationTime> {
                const auto end = ends_.at(static_cast<uint64_t>(serial));
                return end <= now ? std::optional(time(end)) : std::nullopt;
            },
            record());
    }
    /// What has happened until this time, since the last call: "0@10" image 0 was shown at 10,
    /// "-0@10" it never will be, "+0" image 0 was released.
    std::string until(int64_t now) {
        advance(now);
        return std::exchange(events_, "");
    }
    /// The rendering of the nth present, from 1, ends at this time.
    void ends(uint64_t present, int64_t at) { ends_[present] = at; }

    static PresentationTime time(int64_t count) { return PresentationTime(nanoseconds(count)); }

    PresentationTime due_; ///< of the last present
    RefreshQueue queue_{RefreshGrid(time(0), nanoseconds(10)), 4};

private:
    uint64_t last_ = 0;
    std::map<uint64_t, int64_t> ends_;
    std::string events_;
};

TEST(RefreshGridTest, RefreshesAreMultiplesOfThePeriodAfterTheStart) {
    const auto time = [](int64_t count) { return PresentationTime(nanoseconds(count)); };
    const RefreshGrid grid(time(1003), nanoseconds(10));
    EXPECT_EQ(grid.first_after(time(0)), time(1003));
    EXPECT_EQ(grid.first_from(time(1003)), time(1003));
    EXPECT_EQ(grid.first_after(time(1003)), time(1013));
    EXPECT_EQ(grid.first_from(time(1004)), time(1013));
    EXPECT_EQ(grid.first_from(time(1013)), time(1013));
    EXPECT_EQ(grid.first_after(time(1012)), time(1013));
}

TEST_F(RefreshQueueTest, FifoShowsOneImageARefresh) {
    present(3, 0);
    present(3, 1);
    present(14, 2);
    EXPECT_EQ(due_, time(30));
    EXPECT_EQ(until(19), "0@10");
    EXPECT_EQ(until(100), "1@20 +0 2@30 +1");
}

TEST_F(RefreshQueueTest, APresentAtARefreshIsForTheNextOne) {
    present(10, 0);
    EXPECT_EQ(until(19), "");
    EXPECT_EQ(until(20), "0@20");
}

TEST_F(RefreshQueueTest, TheLastImageStaysOnScreen) {
    present(3, 0);
    EXPECT_EQ(until(1000), "0@10");
    present(1001, 1);
    EXPECT_EQ(until(2000), "1@1010 +0");
}

TEST_F(RefreshQueueTest, ATargetTimeDelaysAnImageAndThoseBehindIt) {
    present(3, 0, fifo, 35);
    present(4, 1);
    present(4, 2, fifo, 41);
    EXPECT_EQ(until(100), "0@40 1@50 +0 2@60 +1");
    present(101, 3, fifo, 120);
    EXPECT_EQ(until(200), "3@120 +2") << "a target that is a refresh";
}

TEST_F(RefreshQueueTest, ARenderingThatRunsAtTheRefreshDelaysAnImageAndThoseBehindIt) {
    ends(1, 23);
    present(3, 0);
    present(4, 1);
    EXPECT_EQ(until(22), "");
    ASSERT_TRUE(queue_.next());
    EXPECT_EQ(queue_.next()->due, time(10));
    EXPECT_TRUE(queue_.next()->renders);
    present(22, 2);
    EXPECT_EQ(until(29), "");
    EXPECT_EQ(queue_.next()->due, time(30));
    EXPECT_FALSE(queue_.next()->renders);
    EXPECT_EQ(until(100), "0@30 1@40 +0 2@50 +1");
}

TEST_F(RefreshQueueTest, TheTimeOfARenderingIsUsedHoweverLateItIsLookedAt) {
    ends(1, 10);
    ends(2, 41);
    present(3, 0);
    present(3, 1);
    EXPECT_EQ(until(100), "0@10 1@50 +0");
}

TEST_F(RefreshQueueTest, MailboxReplacesAnImageThatWaits) {
    present(3, 0, mailbox);
    present(4, 1, mailbox);
    EXPECT_EQ(until(9), "-0@4 +0") << "released at once";
    EXPECT_EQ(until(10), "1@10");
    present(12, 0, mailbox);
    present(13, 2, mailbox);
    EXPECT_EQ(until(100), "-0@13 +0 2@20 +1");
}

TEST_F(RefreshQueueTest, MailboxDoesNotWaitForARendering) {
    ends(1, 1000);
    present(3, 0, mailbox);
    EXPECT_EQ(until(10), "0@10");
}

TEST_F(RefreshQueueTest, ImmediateShowsAtOnce) {
    present(3, 0, immediate);
    EXPECT_EQ(until(3), "0@3");
    present(4, 1, immediate);
    EXPECT_EQ(until(4), "1@4 +0");
}

TEST_F(RefreshQueueTest, ImmediateComesAfterQueuedImages) {
    present(3, 0);
    present(3, 1);
    present(4, 2, immediate);
    present(5, 3, immediate);
    EXPECT_EQ(until(100), "-2@5 +2 0@10 1@20 +0 3@30 +1");
}

TEST_F(RefreshQueueTest, RelaxedShowsALateImageAtOnce) {
    present(3, 0, relaxed);
    EXPECT_EQ(until(10), "0@10") << "nothing is late yet";
    present(14, 1, relaxed);
    EXPECT_EQ(until(20), "1@20 +0") << "in time";
    present(34, 2, relaxed);
    EXPECT_EQ(until(34), "2@34 +1") << "late";
    present(36, 0, relaxed);
    EXPECT_EQ(until(40), "0@40 +2");
}

TEST_F(RefreshQueueTest, RelaxedShowsAnImageAtTheLateEndOfItsRendering) {
    ends(1, 17);
    present(3, 0, relaxed);
    present(4, 1, relaxed);
    EXPECT_EQ(until(100), "0@17 1@20 +0");
}

TEST_F(RefreshQueueTest, ALateRelaxedImageObeysItsTarget) {
    present(3, 0, relaxed);
    present(34, 1, relaxed, 51);
    EXPECT_EQ(until(100), "0@10 1@60 +0");
}

TEST_F(RefreshQueueTest, LatestReadyShowsTheLastImageOfARefresh) {
    present(3, 0, latest);
    present(4, 1, latest);
    present(5, 2, latest);
    EXPECT_EQ(until(9), "") << "nothing is released before the refresh";
    EXPECT_EQ(until(10), "-0@10 +0 -1@10 +1 2@10");
}

TEST_F(RefreshQueueTest, LatestReadyShowsTheLastImageWhoseTargetAndRenderingAllowIt) {
    ends(3, 12);
    present(3, 0, latest);
    present(3, 1, latest);
    present(3, 2, latest);
    present(3, 3, latest, 31);
    EXPECT_EQ(until(100), "-0@10 +0 1@10 2@20 +1 3@40 +2");
}

TEST_F(RefreshQueueTest, ImagesOfFifoModesAreShownBeforeThoseOfAnotherMode) {
    present(3, 0);
    present(3, 1, mailbox);
    present(4, 2, fifo);
    EXPECT_EQ(until(100), "-1@4 +1 0@10 2@20 +0");
    present(101, 0, latest);
    present(101, 1, fifo);
    EXPECT_EQ(until(200), "0@110 +2 1@120 +0");
}

TEST_F(RefreshQueueTest, ASharedImageIsNeverReleased) {
    present(3, 0, shared);
    present(4, 0, shared);
    EXPECT_EQ(until(10), "-0@4 0@10");
    present(11, 0, shared);
    EXPECT_EQ(until(20), "0@20");
}

} // namespace
} // namespace fencebridge::core
