// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "core/frame_pacing.hpp"

namespace fencebridge::core {

/// Decides which presents of a shared image are merged with the one before, that is, make no
/// commit.
///
/// The application keeps a shared image. So no release of the image limits its commits, and those
/// to a compositor that does not read would fill the socket. libwayland then ends the connection.
/// One commit in `most` requests an answer of the compositor (wl_display.sync). When `most` commits
/// were made and the answer has not come, a present waits for it. If the compositor has not
/// answered hidden_after after the request, presents are merged with the last commit: the
/// compositor reads the image when it reads that commit, and sees what was drawn meanwhile.
class UnreadCommits {
public:
    using TimePoint = std::chrono::steady_clock::time_point;

    /// The next commit is to request an answer.
    [[nodiscard]] bool wants_answer() const { return !requested_; }

    /// Until when the next present waits for the answer, possibly in the past. Then it is merged.
    /// Nothing: it is committed at once.
    [[nodiscard]] std::optional<TimePoint> turn() const {
        return requested_ && commits_ >= most ? std::optional(*requested_ + hidden_after)
                                              : std::nullopt;
    }

    /// Whether presents may be merged with the next commit, which then has to damage all of the
    /// image.
    [[nodiscard]] bool is_last() const { return commits_ + 1 >= most; }

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

    static constexpr uint32_t most = 16;

private:
    std::optional<TimePoint> requested_; ///< the answer that has not come
    uint32_t commits_ = 0;               ///< since the last request, whose commit counts
};

} // namespace fencebridge::core
