// SPDX-License-Identifier: MIT
#include "util/trace.hpp"

#include <array>
#include <ctime>
#include <new>
#include <unistd.h>
#include <utility>

#include "util/log.hpp"

namespace fencebridge::trace {

std::atomic<Tracer*> active = nullptr;

namespace {

uint64_t clock_now(clockid_t clock) {
    timespec time = {};
    ::clock_gettime(clock, &time);
    return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(time.tv_nsec);
}

std::string with_pid(std::string path) {
    const std::string pid = std::to_string(::getpid());
    for (size_t at = path.find("%p"); at != std::string::npos; at = path.find("%p", at))
        path.replace(at, 2, pid);
    return path;
}

/// After fork(), the child does not write to its parent's trace. Called by one thread at a time.
void leave_trace_at_fork() {
    static bool has_handler = false;
    // The handler stays valid: the layer is never unloaded (-z nodelete).
    if (!has_handler && ::pthread_atfork(nullptr, nullptr, [] { active.store(nullptr); }) != 0)
        throw std::bad_alloc(); // its only failure
    has_handler = true;
}

} // namespace

std::expected<std::unique_ptr<Tracer>, std::string> Tracer::create(std::string path) {
    path = with_pid(std::move(path));
    auto ring = Ring::create(path);
    if (!ring)
        return std::unexpected(std::move(ring.error()));
    return std::unique_ptr<Tracer>(new Tracer(std::move(*ring), std::move(path)));
}

Tracer::Tracer(std::unique_ptr<Ring> ring, std::string path) :
    ring_(std::move(ring)), path_(std::move(path)), pid_(static_cast<uint32_t>(::getpid())),
    has_key_(::pthread_key_create(&key_, nullptr) == 0) {
    describe_process();
}

Tracer::~Tracer() {
    if (has_key_)
        ::pthread_key_delete(key_);
}

void Tracer::record(const Event& event) noexcept {
    Encoder encoder;
    encode(encoder, event, pid_);
    if (!encoder.has_overflowed())
        ring_->write(encoder.bytes());
}

void Tracer::describe(uint64_t track, std::string_view name) noexcept {
    Encoder encoder;
    encode_track(encoder, track, this->track(TrackKind::process, 0), name, pid_);
    if (!encoder.has_overflowed())
        ring_->write(encoder.bytes());
}

/// The process's track, and the clocks: Perfetto converts the times of other traces by them.
void Tracer::describe_process() noexcept {
    Encoder encoder;
    encoder.message(field::packet, [&] {
        encoder.message(field::clock_snapshot, [&] {
            for (const auto& [id, clock] : {std::pair(realtime_clock, CLOCK_REALTIME),
                                            std::pair(monotonic_clock, CLOCK_MONOTONIC),
                                            std::pair(boottime_clock, CLOCK_BOOTTIME)})
                encoder.message(field::clock, [&] {
                    encoder.number(field::clock_id, id);
                    encoder.number(field::clock_time, clock_now(clock));
                });
            encoder.number(field::primary_clock, monotonic_clock);
        });
    });
    encoder.message(field::packet, [&] {
        encoder.number(field::sequence, pid_);
        encoder.message(field::track_descriptor, [&] {
            encoder.number(field::uuid, track(TrackKind::process, 0));
            encoder.message(field::process, [&] {
                encoder.number(field::pid, pid_);
                encoder.text(field::process_name,
                             std::string_view(::program_invocation_short_name).substr(0, 64));
            });
        });
    });
    ring_->write_to_head(encoder.bytes());
}

void Tracer::describe_thread(uint32_t tid) noexcept {
    std::array<char, 16> name = {};
    static_cast<void>(::pthread_getname_np(::pthread_self(), name.data(), name.size()));
    Encoder encoder;
    encoder.message(field::packet, [&] {
        encoder.number(field::sequence, pid_);
        encoder.message(field::track_descriptor, [&] {
            encoder.number(field::uuid, track(TrackKind::thread, tid));
            encoder.message(field::thread, [&] {
                encoder.number(field::pid, pid_);
                encoder.number(field::tid, tid);
                encoder.text(field::thread_name, name.data());
            });
        });
    });
    ring_->write_to_head(encoder.bytes());
}

uint64_t Tracer::thread_track() noexcept {
    auto tid = has_key_ ? reinterpret_cast<uintptr_t>(::pthread_getspecific(key_)) : 0;
    if (tid == 0) {
        tid = static_cast<uintptr_t>(::gettid());
        // If the id cannot be kept, each event of the thread asks for it, and the thread has no
        // name.
        if (has_key_ && ::pthread_setspecific(key_, reinterpret_cast<void*>(tid)) == 0)
            describe_thread(static_cast<uint32_t>(tid));
    }
    return track(TrackKind::thread, static_cast<uint32_t>(tid));
}

void open(const std::string& path) {
    if (path.empty())
        return;
    // After fork(), the child's instances have a trace of their own.
    static std::atomic<pid_t> opened_by = 0;
    if (opened_by.exchange(::getpid()) == ::getpid())
        return; // by another instance, or another thread is about to
    try {
        leave_trace_at_fork();
        auto made = Tracer::create(path);
        if (made) {
            log::info("trace_file: %s", (*made)->path().c_str());
            active.store(made->release(), std::memory_order_release);
            return;
        }
        log::error("trace_file: %s; nothing is traced", made.error().c_str());
    } catch (const std::bad_alloc&) {
        opened_by = 0; // a later instance may succeed
        throw;
    }
    opened_by = 0;
}

void Span::record(const Open& span) noexcept {
    const std::array arguments = {Argument{.name = key::reason, .text = span.reason},
                                  Argument{.name = key::driver, .text = span.driver},
                                  Argument{.name = key::timeline, .text = span.timeline}};
    const size_t count = span.reason.empty() ? 0 : span.driver.empty() ? 1 : arguments.size();
    span.tracer->record({.name = span.step,
                         .track = span.tracer->thread_track(),
                         .begin = span.begin,
                         .end = now(),
                         .arguments = std::span(arguments).first(count)});
}

} // namespace fencebridge::trace
