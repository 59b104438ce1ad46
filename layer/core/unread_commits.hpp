// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace fencebridge::core {

/// Decides which presents of a shared image make no commit.
///
/// The application keeps a shared image. So no release of the image limits its commits, and those
/// to a compositor that does not read would fill the socket. libwayland then ends the connection.
/// One commit in `max_unanswered` requests an answer of the compositor (wl_display.sync). When
/// `max_unanswered` commits were made and the answer has not come, a present waits for it. If the
/// compositor has not answered `answer_timeout` after the request, presents make no commit: the
/// compositor reads the image when it reads the last commit, and sees what was drawn meanwhile.
class UnreadCommits {
public:
    using TimePoint = std::chrono::steady_clock::time_point;

    /// The next commit is to request an answer.
    [[nodiscard]] bool wants_answer() const { return !requested_; }

    /// Until when the next present waits for the answer, possibly in the past. Without the answer
    /// it makes no commit. Nothing: it commits at once.
    [[nodiscard]] std::optional<TimePoint> wait_limit() const {
        return requested_ && commits_ >= max_unanswered
                   ? std::optional(*requested_ + answer_timeout)
                   : std::nullopt;
    }

    /// Whether presents after the next commit may make none. The next one then has to damage all of
    /// the image, so that it shows what they draw.
    [[nodiscard]] bool next_may_be_last() const { return commits_ + 1 >= max_unanswered; }

    /// A commit with a request for an answer was made.
    void requested_answer(TimePoint now) {
        requested_ = now;
        commits_ = 1;
    }
    /// A commit without a request was made.
    void requested_none() { ++commits_; }
    /// The answer came.
    void answered() {
        requested_.reset();
        commits_ = 0;
    }

    static constexpr uint32_t max_unanswered = 16;
    static constexpr std::chrono::nanoseconds answer_timeout = std::chrono::seconds(1);

private:
    std::optional<TimePoint> requested_; ///< the answer that has not come
    uint32_t commits_ = 0;               ///< since the last request, whose commit counts
};

} // namespace fencebridge::core
