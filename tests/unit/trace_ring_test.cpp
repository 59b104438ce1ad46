// SPDX-License-Identifier: MIT
// The trace file, as the layer writes it. posix_fallocate() is the one of this file, for full
// disks.
#include "decode.hpp"
#include "util/trace.hpp"

#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <thread>

namespace {
std::atomic<int> disk_error = 0; // of posix_fallocate()
std::atomic<int> signals = 0;    // that interrupt it before
} // namespace

extern "C" int posix_fallocate(int fd, off_t, off_t length) {
    if (signals > 0) {
        --signals;
        return EINTR;
    }
    if (disk_error != 0)
        return disk_error;
    return ::ftruncate(fd, length) == 0 ? 0 : errno;
}

namespace fencebridge::trace {
namespace {

// A new folder, which is removed at the end.
class Folder {
public:
    Folder() {
        std::string name = testing::TempDir() + "trace-XXXXXX";
        path_ = ::mkdtemp(name.data());
    }
    ~Folder() { std::filesystem::remove_all(path_); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    std::string file(const std::string& name) const { return path_ + "/" + name; }
    std::vector<std::string> names() const {
        std::vector<std::string> all;
        for (const auto& entry : std::filesystem::directory_iterator(path_))
            all.push_back(entry.path().filename());
        return all;
    }

private:
    std::string path_;
};

std::vector<std::byte> read_file(const std::string& path) {
    std::vector<std::byte> bytes(file_size);
    const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    const ssize_t size = ::pread(file.get(), bytes.data(), bytes.size(), 0);
    bytes.resize(static_cast<size_t>(std::max<ssize_t>(size, 0)));
    return bytes;
}

// Whether the file is nothing but packets, as a reader of Perfetto's sees it: each has a tag and a
// length, and the last one ends at the end of the file.
bool is_all_packets(std::span<const std::byte> file) {
    size_t at = 0;
    while (at < file.size()) {
        if (file[at++] != std::byte{0x0a})
            return false;
        uint64_t length = 0;
        for (int shift = 0;; shift += 7) {
            if (at == file.size() || shift > 21)
                return false;
            const auto byte = std::to_integer<uint64_t>(file[at++]);
            length |= (byte & 0x7f) << shift;
            if (byte < 0x80)
                break;
        }
        if (length > file.size() - at)
            return false;
        at += length;
    }
    return true;
}

class TraceRing : public testing::Test {
protected:
    void TearDown() override { disk_error = 0; }
    std::unique_ptr<Tracer> make() {
        auto made = Tracer::create(path());
        EXPECT_TRUE(made) << made.error();
        return made ? std::move(*made) : nullptr;
    }
    std::string path() const { return folder_.file("a.trace"); }
    Trace decoded() const { return decode(read_file(path())).value(); }

    const Folder folder_;
};

Event event_at(int64_t time) { return {.name = "event", .track = 0, .begin = time}; }

TEST_F(TraceRing, ANewTraceIsWhole) {
    const auto tracer = make();
    const auto file = read_file(path());
    EXPECT_EQ(file.size(), file_size);
    EXPECT_TRUE(is_all_packets(file));
    const Trace trace = decoded();
    EXPECT_EQ(trace.pid, static_cast<uint32_t>(::getpid()));
    EXPECT_EQ(trace.process, "unit");
    EXPECT_TRUE(trace.records.empty());
    EXPECT_EQ(folder_.names(), std::vector<std::string>{"a.trace"});
}

TEST_F(TraceRing, AnEventComesBackAsItWas) {
    const auto tracer = make();
    const std::array arguments = {Argument{.name = key::frame, .number = 12},
                                  Argument{.name = key::image, .number = 3},
                                  Argument{.name = key::driver, .text = "a-driver"},
                                  Argument{.name = key::timeline, .text = "a-timeline"}};
    tracer->record({.name = "frame 12",
                    .track = tracer->track(TrackKind::gpu, 5, 3),
                    .begin = 1000,
                    .end = 3000,
                    .frame = 12,
                    .flows = {1, 2},
                    .arguments = arguments});
    const Trace trace = decoded();
    ASSERT_EQ(trace.records.size(), 1u);
    const Record& record = trace.records[0];
    EXPECT_EQ(record.number, 1u);
    EXPECT_EQ(record.name, "frame 12");
    EXPECT_EQ(record.kind, TrackKind::gpu);
    EXPECT_EQ(record.swapchain, 5u);
    EXPECT_EQ(record.track, 3u);
    EXPECT_EQ(record.image, 3u);
    EXPECT_EQ(record.begin, 1000);
    EXPECT_EQ(record.end, 3000);
    EXPECT_EQ(record.frame, 12u);
    EXPECT_EQ(record.driver, "a-driver");
    EXPECT_EQ(record.timeline, "a-timeline");
    EXPECT_TRUE(is_all_packets(read_file(path())));
}

// Texts of drivers have any length. The end of an event is never what does not fit.
TEST_F(TraceRing, WhatDoesNotFitIsLeftOut) {
    const auto tracer = make();
    const std::string text(100, 'x');
    const std::array arguments = {Argument{.name = key::driver, .text = text},
                                  Argument{.name = key::timeline, .text = text},
                                  Argument{.name = key::frame, .number = 7}};
    tracer->record({.name = "long", .track = 0, .begin = 1, .end = 2, .arguments = arguments});
    const Trace trace = decoded();
    ASSERT_EQ(trace.records.size(), 1u);
    EXPECT_EQ(trace.records[0].driver, text);
    EXPECT_EQ(trace.records[0].timeline, "");
    EXPECT_EQ(trace.records[0].frame, 7u);
    EXPECT_EQ(trace.records[0].end, 2);
}

TEST_F(TraceRing, TheOldestEventsAreOverwritten) {
    const auto tracer = make();
    constexpr size_t events = slot_count + 10;
    for (size_t i = 1; i <= events; ++i)
        tracer->record(event_at(static_cast<int64_t>(i)));
    const Trace trace = decoded();
    constexpr size_t kept = slot_count - head_slots;
    ASSERT_EQ(trace.records.size(), kept);
    EXPECT_EQ(trace.records.front().begin, static_cast<int64_t>(events - kept + 1));
    EXPECT_EQ(trace.records.back().begin, static_cast<int64_t>(events));
    EXPECT_EQ(trace.lost, events - kept);
    EXPECT_EQ(trace.process, "unit");
    EXPECT_TRUE(is_all_packets(read_file(path())));
}

// The process may end at any moment of a write.
TEST_F(TraceRing, ASlotThatIsBeingWrittenIsPadding) {
    const auto tracer = make();
    tracer->record(event_at(1));
    tracer->record(event_at(2));
    auto file = read_file(path());
    std::byte* const slot = file.data() + head_slots * slot_size;
    std::memcpy(slot, &slot_being_written, sizeof slot_being_written);
    std::fill(slot + sizeof(SlotWord), slot + slot_size, std::byte{0xff});
    EXPECT_TRUE(is_all_packets(file));
    const Trace trace = decode(file).value();
    ASSERT_EQ(trace.records.size(), 1u);
    EXPECT_EQ(trace.records[0].begin, 2);
    EXPECT_EQ(trace.lost, 1u);
}

// Readers see whole packets while threads write, and every event of each thread afterwards.
TEST_F(TraceRing, ThreadsWriteAtTheSameTime) {
    const auto tracer = make();
    constexpr int64_t threads = 4, events = 10000;
    std::atomic<int64_t> running = threads;
    std::vector<std::thread> all;
    for (int64_t thread = 0; thread < threads; ++thread)
        all.emplace_back([&, thread] {
            for (int64_t i = 0; i < events; ++i)
                tracer->record({.name = "event",
                                .track = tracer->thread_track(),
                                .begin = 1 + thread * events + i});
            --running;
        });
    while (running > 0)
        EXPECT_TRUE(is_all_packets(read_file(path())));
    for (std::thread& thread : all)
        thread.join();
    const Trace trace = decoded();
    ASSERT_EQ(trace.records.size(), static_cast<size_t>(threads * events));
    for (int64_t i = 0; i < threads * events; ++i)
        ASSERT_EQ(trace.records[static_cast<size_t>(i)].begin, i + 1);
    EXPECT_EQ(trace.threads.size(), static_cast<size_t>(threads));
    EXPECT_EQ(trace.threads.begin()->second, "unit");
}

// Each step of a resize may bring a thread.
TEST_F(TraceRing, ThreadsBeyondTheHeadAreDescribedToo) {
    const auto tracer = make();
    constexpr size_t threads = head_slots + 10;
    for (size_t i = 0; i < threads; ++i)
        std::thread([&] { static_cast<void>(tracer->thread_track()); }).join();
    const Trace trace = decoded();
    EXPECT_EQ(trace.threads.size(), threads);
    EXPECT_EQ(trace.process, "unit");
    EXPECT_TRUE(is_all_packets(read_file(path())));
}

// In processes of their own, since a trace that is open stays so.
TEST_F(TraceRing, AChildHasATraceOfItsOwn) {
    const auto is_as_wanted_in_child = [&] {
        const Tracer* const parents = tracer();
        const pid_t child = ::fork();
        if (child == 0) {
            const bool begins_without = tracer() == nullptr;
            open(folder_.file("%p.trace"));
            const bool has_own = tracer() != nullptr && tracer() != parents &&
                                 tracer()->pid() == static_cast<uint32_t>(::getpid());
            ::_exit(begins_without && has_own ? 0 : 1);
        }
        int status = 0;
        return parents != nullptr && ::waitpid(child, &status, 0) == child && status == 0 &&
               tracer() == parents;
    };
    EXPECT_EXIT(
        {
            open(folder_.file("%p.trace"));
            ::_exit(is_as_wanted_in_child() ? 0 : 1);
        },
        testing::ExitedWithCode(0), "");
    EXPECT_EQ(folder_.names().size(), 2u);
}

// --- the file ---

TEST_F(TraceRing, TheProcessIdReplacesItsMark) {
    const auto tracer = Tracer::create(folder_.file("%p-a-%p"));
    ASSERT_TRUE(tracer);
    const std::string pid = std::to_string(::getpid());
    EXPECT_EQ(folder_.names(), std::vector<std::string>{pid + "-a-" + pid});
}

// A process that writes to the old file must not get SIGBUS.
TEST_F(TraceRing, AnOlderTraceIsReplacedAndStaysWritable) {
    const auto old = make();
    const auto young = make();
    for (size_t i = 0; i < slot_count; ++i)
        old->record(event_at(1));
    EXPECT_TRUE(decoded().records.empty());
    young->record(event_at(2));
    EXPECT_EQ(decoded().records.size(), 1u);
}

TEST_F(TraceRing, AnEmptyFileIsReplaced) {
    std::ofstream(path()).flush();
    EXPECT_NE(make(), nullptr);
}

TEST_F(TraceRing, AnotherFileStays) {
    std::ofstream(path()) << "a letter";
    const auto refused = Tracer::create(path());
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().find(path()), std::string::npos);
    std::string text;
    std::getline(std::ifstream(path()), text);
    EXPECT_EQ(text, "a letter");
}

TEST_F(TraceRing, AFileOfTheSameSizeStays) {
    std::ofstream(path()).flush();
    ASSERT_EQ(::truncate(path().c_str(), file_size), 0);
    EXPECT_FALSE(Tracer::create(path()));
}

TEST_F(TraceRing, AFullDiskIsAnError) {
    disk_error = ENOSPC;
    const auto refused = Tracer::create(path());
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().find("No space left"), std::string::npos);
    EXPECT_TRUE(folder_.names().empty());
}

TEST_F(TraceRing, ASignalDuringTheAllocationIsNoError) {
    signals = 2;
    EXPECT_NE(make(), nullptr);
    EXPECT_EQ(signals, 0);
}

// The kernel would end the process with SIGXFSZ.
TEST_F(TraceRing, ALimitForFilesIsAnError) {
    rlimit before = {};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
    const rlimit lower = {.rlim_cur = 1 << 20, .rlim_max = before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &lower), 0);
    EXPECT_FALSE(Tracer::create(path()));
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
    EXPECT_TRUE(folder_.names().empty());
}

TEST_F(TraceRing, AMissingFolderIsAnError) {
    EXPECT_FALSE(Tracer::create(folder_.file("missing/a.trace")));
}

// fencebridge-trace --follow sees by the lock when the process ends.
TEST_F(TraceRing, TheFileIsLockedWhileItIsWritten) {
    auto tracer = make();
    const Fd file(::open(path().c_str(), O_RDONLY | O_CLOEXEC));
    EXPECT_NE(::flock(file.get(), LOCK_EX | LOCK_NB), 0);
    tracer.reset();
    EXPECT_EQ(::flock(file.get(), LOCK_EX | LOCK_NB), 0);
}

} // namespace
} // namespace fencebridge::trace
