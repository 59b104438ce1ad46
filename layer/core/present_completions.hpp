// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <variant>

namespace fencebridge::core {

/// Names one present request of a swapchain, in the order of the requests.
enum class PresentId : uint64_t {};

/// The image of a request was shown for the first time at this moment.
struct Presented {
    std::chrono::steady_clock::time_point at;
    bool operator==(const Presented&) const = default;
};
/// The image of a request was never shown: a later one took its place, or the window was hidden.
struct Discarded {
    bool operator==(const Discarded&) const = default;
};
using Completion = std::variant<Presented, Discarded>;

/// What became of the present requests of one swapchain. A request is recorded only if the
/// application asked for its outcome; the presenter reports each outcome once. Not thread-safe:
/// kept inside a lock.
class PresentCompletions {
public:
    /// The application will ask for the outcome of this request. Requests are expected in ascending
    /// order.
    void expect(PresentId id) { all_.push_back({id, std::nullopt}); }

    /// The presenter's report. Ignored for a request that is not expected.
    void report(PresentId id, const Completion& completion) {
        for (Entry& entry : all_) {
            if (entry.id == id && !entry.completion)
                entry.completion = completion;
        }
    }

    /// Whether the outcome of any expected request is still unknown.
    [[nodiscard]] bool is_pending() const {
        for (const Entry& entry : all_) {
            if (!entry.completion)
                return true;
        }
        return false;
    }

    struct Entry {
        PresentId id;
        std::optional<Completion> completion; ///< nothing until the presenter has reported it
    };
    /// Removes the oldest request once its outcome is known.
    /// @return the request and its outcome; nothing if there is no request, or no outcome yet
    [[nodiscard]] std::optional<Entry> take_oldest() {
        if (all_.empty() || !all_.front().completion)
            return std::nullopt;
        const Entry oldest = all_.front();
        all_.pop_front();
        return oldest;
    }

    [[nodiscard]] bool empty() const { return all_.empty(); }

private:
    std::deque<Entry> all_;
};

} // namespace fencebridge::core
