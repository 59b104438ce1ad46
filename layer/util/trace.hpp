// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <pthread.h>
#include <string>
#include <string_view>

#include "util/deadline.hpp"
#include "util/trace_event.hpp"
#include "util/trace_ring.hpp"

namespace fencebridge::trace {

/// Nanoseconds of CLOCK_MONOTONIC.
[[nodiscard]] inline int64_t time_of(Clock::time_point time) {
    return std::chrono::nanoseconds(time.time_since_epoch()).count();
}
[[nodiscard]] inline int64_t now() { return time_of(Clock::now()); }

/// The trace of this process: its ring, and the tracks of its threads.
class Tracer {
public:
    /// @param path  `%p` in it stands for the process id
    /// @return the error is for the log. May throw std::bad_alloc
    [[nodiscard]] static std::expected<std::unique_ptr<Tracer>, std::string>
    create(std::string path);
    ~Tracer();
    Tracer(const Tracer&) = delete;
    Tracer& operator=(const Tracer&) = delete;

    [[nodiscard]] uint32_t pid() const { return pid_; }
    [[nodiscard]] const std::string& path() const { return path_; }
    [[nodiscard]] uint64_t events() const { return ring_->events(); }

    void record(const Event& event) noexcept;
    /// Describes a track of this process. A description is overwritten as events are.
    void describe(uint64_t track, std::string_view name) noexcept;
    /// The track of the calling thread. Describes it at its first call.
    [[nodiscard]] uint64_t thread_track() noexcept;
    [[nodiscard]] uint64_t track(TrackKind kind, uint32_t swapchain, uint32_t image = 0) const {
        return track_id(pid_, kind, swapchain, image);
    }

private:
    Tracer(std::unique_ptr<Ring> ring, std::string path);
    void describe_process() noexcept;
    void describe_thread(uint32_t tid) noexcept;

    const std::unique_ptr<Ring> ring_;
    const std::string path_;
    const uint32_t pid_;
    /// Its value is the thread's id. Not thread_local: the memory of a loaded library's
    /// thread_local variables is allocated at their first use, and glibc ends the process if that
    /// fails.
    pthread_key_t key_ = 0;
    bool has_key_ = false;
};

/// Null while nothing is traced. Never destroyed once it is set: threads use it without a lock.
extern std::atomic<Tracer*> active;
[[nodiscard]] inline Tracer* tracer() { return active.load(std::memory_order_acquire); }

/// Begins to trace, for an instance with the setting `trace_file`. The first instance of a process
/// chooses the file. Logs if no trace can be made. May throw std::bad_alloc.
/// @param path  empty: the instance does not trace
void open(const std::string& path);

/// Records how long a step or a wait of the calling thread took.
class Span {
public:
    /// @param step    of trace::event, or a literal
    /// @param reason  what a wait waits for; a literal
    explicit Span(std::string_view step, std::string_view reason = {}) {
        if (Tracer* const active_tracer = tracer()) [[unlikely]]
            open_.emplace(active_tracer, now(), step, reason);
    }
    ~Span() {
        if (open_) [[unlikely]]
            record(*open_);
    }
    Span(const Span&) = delete;
    Span& operator=(const Span&) = delete;

    [[nodiscard]] bool is_traced() const { return open_.has_value(); }
    /// What a wait waits for. Only if is_traced(). The texts must outlive the span.
    void set_fence(std::string_view driver, std::string_view timeline) {
        open_->driver = driver;
        open_->timeline = timeline;
    }

private:
    struct Open {
        Open(Tracer* to, int64_t time, std::string_view what, std::string_view why) :
            tracer(to), begin(time), step(what), reason(why) {}

        Tracer* tracer;
        int64_t begin;
        std::string_view step;
        std::string_view reason;
        std::string_view driver = {};
        std::string_view timeline = {};
    };

    static void record(const Open& span) noexcept;

    std::optional<Open> open_; ///< nothing is stored here if nothing is traced
};

} // namespace fencebridge::trace
