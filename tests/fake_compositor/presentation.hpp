// SPDX-License-Identifier: MIT
// The wp_presentation_feedback objects of committed content updates, and their answers.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

struct wl_resource;

namespace fencebridge::test {

// How the compositor answers the feedback objects of a commit when a refresh shows it.
enum class Presentation {
    manual,    // not at all: the test calls Scene::present() or Scene::discard()
    presented, // with `presented` and Script::presented
    discarded, // with `discarded`
};

// The arguments of wp_presentation_feedback.presented.
struct PresentedEvent {
    // On the clock that wp_presentation announces. If empty, what this clock shows when the event
    // is sent.
    std::optional<std::chrono::nanoseconds> time;
    std::chrono::nanoseconds refresh{16'666'667};
    std::optional<uint64_t> sequence; // if empty, how often the compositor has refreshed
    uint32_t flags = 0x7;             // vsync, hw_clock and hw_completion
    bool sync_output = true;          // names every wl_output that the client has bound
};

// All commits are counted from 0, over all surfaces.
class PresentationFeedbacks {
public:
    void add(size_t commit, wl_resource* surface, std::vector<wl_resource*> objects);
    // Both are false if no object of the commit waits for an answer. `presented` has time and
    // sequence.
    bool present(size_t commit, const PresentedEvent& presented,
                 const std::vector<wl_resource*>& outputs);
    bool discard(size_t commit);
    void discard_all(wl_resource* surface);
    void forget(wl_resource* object);
    bool has(size_t commit) const { return waiting_.contains(commit); }
    // The commits whose objects wait for an answer, in their order.
    std::vector<size_t> unanswered() const;

private:
    struct Waiting {
        wl_resource* surface;
        std::vector<wl_resource*> objects;
    };
    std::map<size_t, Waiting> waiting_;
};

// Answers and destroys the objects.
void discard_presentation(const std::vector<wl_resource*>& objects);

} // namespace fencebridge::test
