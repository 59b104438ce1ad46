// SPDX-License-Identifier: MIT
// fencebridge-trace: what it makes of a trace, and that no file can harm it.
#include "arguments.hpp"
#include "decode.hpp"
#include "frames.hpp"
#include "page.hpp"
#include "report.hpp"
#include "util/trace_event.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <sstream>

namespace fencebridge::trace {
namespace {

constexpr uint32_t pid = 42;
constexpr int64_t ms = 1'000'000;

// A file like the layer's, of few slots.
class File {
public:
    File() {
        Encoder process;
        process.message(field::packet, [&] {
            process.message(field::track_descriptor, [&] {
                process.number(field::uuid, track_id(pid, TrackKind::process, 0));
                process.message(field::process, [&] {
                    process.number(field::pid, pid);
                    process.text(field::process_name, "</script>\x1b[2J\"\\");
                });
            });
        });
        add(process, 0);
    }
    void add(const Event& event) {
        Encoder encoder;
        encode(encoder, event, pid);
        add(encoder, ++events_);
    }
    std::span<const std::byte> bytes() const { return bytes_; }

private:
    void add(const Encoder& encoder, uint64_t number) {
        const auto packets = encoder.bytes();
        const SlotWord word = slot_word(Padding::of_slot, packets.size());
        bytes_.resize(bytes_.size() + slot_size);
        std::byte* const slot = bytes_.data() + bytes_.size() - slot_size;
        std::memcpy(slot, &word, sizeof word);
        std::memcpy(slot + sizeof word, &number, sizeof number);
        std::memcpy(slot + slot_size - packets.size(), packets.data(), packets.size());
    }

    std::vector<std::byte> bytes_;
    uint64_t events_ = 0;
};

// One frame's times, in ms. Negative: not recorded.
struct Times {
    int64_t present;
    int64_t rendered;
    int64_t shown;
    int64_t released = -1;
    int64_t reusable = -1;
};

// The events of frames of one swapchain with three images, at 100 Hz.
File file_of(const std::vector<Times>& frames) {
    File file;
    for (uint64_t i = 0; i < frames.size(); ++i) {
        const Times& times = frames[i];
        const uint64_t frame = i + 1;
        const auto image = static_cast<uint32_t>(i % 3);
        const uint64_t thread = track_id(pid, TrackKind::thread, 77);
        const uint64_t previous = frame > 3 ? frame - 3 : 0;
        const std::array arguments = {
            Argument{.name = key::swapchain, .number = 1},
            Argument{.name = key::frame, .number = frame},
            Argument{.name = key::image, .number = image},
            Argument{.name = key::previous, .number = previous},
            Argument{.name = key::driver, .text = "gpu-driver"},
            Argument{.name = key::timeline, .text = "gfx"},
            Argument{.name = key::refresh, .number = 10 * ms},
        };
        const auto record = [&](std::string_view name, uint64_t track, int64_t begin,
                                std::optional<int64_t> end, int64_t has) {
            if (has >= 0)
                file.add({.name = name,
                          .track = track,
                          .begin = begin * ms,
                          .end = end ? std::optional(*end * ms) : std::nullopt,
                          .arguments = arguments});
        };
        record(event::acquire, thread, times.present - 3, times.present - 2, 0);
        record(event::present, thread, times.present, times.present + 1, 0);
        record("frame", track_id(pid, TrackKind::gpu, 1, image), times.present, times.rendered,
               times.rendered);
        record("frame", track_id(pid, TrackKind::display, 1), times.shown, std::nullopt,
               times.shown);
        record("frame", track_id(pid, TrackKind::compositor, 1, image), times.present,
               times.released, times.released);
        record("frame", track_id(pid, TrackKind::reads, 1, image), times.released, times.reusable,
               times.reusable);
    }
    return file;
}

Frames frames_of(const File& file) { return find_frames(decode(file.bytes()).value()); }

TEST(TraceFrames, LatenciesAreThoseBetweenTheEvents) {
    const Frames frames =
        frames_of(file_of({{10, 14, 20, 30, 32}, {20, 24, 30}, {30, 34, 40}, {33, 44, 50}}));
    ASSERT_EQ(frames.all.size(), 4u);
    EXPECT_EQ(frames.all[0].rendered_to_shown(), 6 * ms);
    EXPECT_EQ(frames.all[0].released_to_reusable(), 2 * ms);
    EXPECT_EQ(frames.all[0].acquire_to_payload(), 0);
    // Its acquire ended at 31 ms, and the compositor's read of the image's last frame at 32 ms.
    EXPECT_EQ(frames.all[3].acquire_to_payload(), 1 * ms);
    EXPECT_EQ(frames.all[1].released_to_reusable(), std::nullopt);
    EXPECT_TRUE(frames.missed.empty());
    EXPECT_EQ(frames.refreshes, 3u);
}

struct BlameCase {
    const char* name;
    Times late;
    Culprit culprit;
};
class TraceBlame : public testing::TestWithParam<BlameCase> {};

// The image before is shown at 20 ms, so this one could be shown at 30 ms.
TEST_P(TraceBlame, AMissedRefreshIsBlamedOnWhoWasLate) {
    const Frames frames = frames_of(file_of({{10, 14, 20}, GetParam().late}));
    ASSERT_EQ(frames.missed.size(), 1u);
    EXPECT_EQ(frames.missed[0].refreshes, 2u);
    EXPECT_EQ(frames.missed[0].frame, 2u);
    EXPECT_EQ(frames.missed[0].culprit, GetParam().culprit);
}

INSTANTIATE_TEST_SUITE_P(
    , TraceBlame,
    testing::Values(BlameCase{"Application", {31, 32, 50}, Culprit::application},
                    BlameCase{"Gpu", {25, 31, 50}, Culprit::gpu},
                    BlameCase{"Compositor", {25, 29, 50}, Culprit::compositor}),
    [](const auto& each) { return each.param.name; });

TEST(TraceFrames, AWaitBelongsToItsCall) {
    File file = file_of({{10, 14, 20}});
    const std::array arguments = {Argument{.name = key::reason, .text = "release of an image"}};
    file.add({.name = event::wait,
              .track = track_id(pid, TrackKind::thread, 77),
              .begin = 7 * ms + 1,
              .end = 7 * ms + 500'000,
              .arguments = arguments});
    const Frames frames = frames_of(file);
    ASSERT_TRUE(frames.waits.contains("acquire <- release of an image"));
    EXPECT_EQ(frames.all[0].acquire_waits, 499'999);
    // Longer than that wait was the one of the display for the rendering.
    EXPECT_EQ(frames.all[0].longest_wait, "gpu-driver gfx");
}

TEST(TraceFrames, PercentilesAreNearestRanks) {
    const std::vector<Nanoseconds> values = {5, 1, 4, 2, 3};
    EXPECT_EQ(percentile(values, 0), 1);
    EXPECT_EQ(percentile(values, 0.5), 3);
    EXPECT_EQ(percentile(values, 0.8), 4);
    EXPECT_EQ(percentile(values, 0.99), 5);
    EXPECT_EQ(percentile({7}, 0.5), 7);
}

TEST(TraceReport, FitsInto80Columns) {
    File file = file_of({{10, 14, 20, 30, 32}, {20, 24, 50}});
    const std::string name(60, 'n');
    const std::array arguments = {Argument{.name = key::driver, .text = name}};
    file.add({.name = event::wait,
              .track = track_id(pid, TrackKind::thread, 77),
              .begin = 8 * ms,
              .end = int64_t{1} << 60,
              .arguments = arguments});
    const Trace trace = decode(file.bytes()).value();
    std::istringstream lines(report(trace, find_frames(trace), 100));
    for (std::string line; std::getline(lines, line);)
        EXPECT_LE(line.size(), 80u) << line;
}

TEST(TraceReport, SaysWhatItFound) {
    const Trace trace = decode(file_of({{10, 14, 20}, {25, 31, 50}}).bytes()).value();
    const Frames frames = find_frames(trace);
    const std::string text = report(trace, frames, 1);
    EXPECT_NE(text.find("Missed refreshes: 2 of 3"), std::string::npos) << text;
    EXPECT_NE(text.find("2 rendered too late, by the GPU"), std::string::npos) << text;
    EXPECT_NE(text.find("1:2"), std::string::npos) << text;
    EXPECT_EQ(text.find("1:1 "), std::string::npos) << text;
    EXPECT_EQ(text.find('\x1b'), std::string::npos); // names of the trace reach a terminal
    EXPECT_EQ(summary(frames, 0, 1000 * ms).find("   2.0 frames a second"), 0u);
    EXPECT_EQ(summary(frames, 100 * ms, 1100 * ms).find("   0.0 frames a second"), 0u);
}

TEST(TracePage, NoNameEndsTheScript) {
    const Trace trace = decode(file_of({{10, 14, 20}}).bytes()).value();
    const std::string text = page(trace, find_frames(trace));
    EXPECT_NE(text.find(R"("process":"\u003c/script>?[2J\"\\")"), std::string::npos);
    const size_t end = text.find("</script>");
    EXPECT_EQ(text.find("</script>", end + 1), std::string::npos);
    EXPECT_EQ(text.find("http"), std::string::npos); // nothing is loaded
}

TEST(TracePage, MarksFencesThatHaveNotSignalled) {
    const auto page_of = [](bool pending) {
        Trace trace;
        trace.records.push_back(
            {.name = "frame", .kind = TrackKind::gpu, .end = 5, .frame = 1, .pending = pending});
        return page(trace, find_frames(trace));
    };
    EXPECT_NE(page_of(true).find(R"(["gpu",0,"frame",0,5,0,1,0,"",0,true])"), std::string::npos);
    EXPECT_NE(page_of(false).find(R"(["gpu",0,"frame",0,5,0,1,0,"",0,false])"), std::string::npos);
}

// --- hostile files ---

void use(std::span<const std::byte> file) {
    const auto trace = decode(file);
    if (!trace)
        return;
    const Frames frames = find_frames(*trace);
    EXPECT_FALSE(report(*trace, frames, 1000).empty());
    EXPECT_FALSE(page(*trace, frames).empty());
    EXPECT_FALSE(summary(frames, 0, ms).empty());
}

TEST(HostileTrace, AFileThatIsNoTraceIsRefused) {
    EXPECT_FALSE(decode({}));
    EXPECT_FALSE(decode(std::vector<std::byte>(file_size)));
    EXPECT_FALSE(decode(std::vector<std::byte>(slot_size, std::byte{0x0a})));
    EXPECT_FALSE(decode(std::vector<std::byte>(slot_size, std::byte{0xff})));
}

TEST(HostileTrace, AFileMayEndAnywhere) {
    const File file = file_of({{10, 14, 20, 30, 32}, {20, 24, 30}});
    for (size_t size = 0; size <= file.bytes().size(); ++size) {
        // A copy of this size, so that a sanitizer sees reads beyond it.
        const auto part = file.bytes().first(size);
        use(std::vector<std::byte>(part.begin(), part.end()));
    }
}

TEST(HostileTrace, AnyByteMayBeWrong) {
    const File file = file_of({{10, 14, 20, 30, 32}, {20, 24, 30}, {30, 34, 60}});
    std::mt19937 random(1); // the same numbers in each run
    for (int round = 0; round < 3000; ++round) {
        std::vector<std::byte> bytes(file.bytes().begin(), file.bytes().end());
        for (int i = 0; i < 1 + round % 8; ++i)
            bytes[slot_size / 2 + random() % (bytes.size() - slot_size / 2)] =
                static_cast<std::byte>(random());
        use(bytes);
    }
}

TEST(HostileTrace, ExtremeTimesAndNumbersDoNotOverflow) {
    File file;
    for (const uint64_t extreme : {uint64_t{0}, uint64_t{1}, uint64_t{INT64_MAX}, UINT64_MAX}) {
        const std::array arguments = {Argument{.name = key::frame, .number = extreme},
                                      Argument{.name = key::swapchain, .number = extreme},
                                      Argument{.name = key::previous, .number = extreme},
                                      Argument{.name = key::image, .number = extreme},
                                      Argument{.name = key::refresh, .number = extreme}};
        for (const TrackKind kind : {TrackKind::thread, TrackKind::gpu, TrackKind::compositor,
                                     TrackKind::reads, TrackKind::display})
            for (const std::string_view name : {event::acquire, event::present, event::wait})
                for (const int64_t end : {int64_t{0}, int64_t{INT64_MAX / 4}, INT64_MAX})
                    file.add({.name = name,
                              .track = track_id(UINT32_MAX, kind, UINT32_MAX, UINT32_MAX),
                              .begin = static_cast<int64_t>(extreme),
                              .end = end,
                              .arguments = arguments});
    }
    use(file.bytes());
}

// --- the command line ---

std::expected<Arguments, std::string> arguments(const std::vector<const char*>& words) {
    return read_arguments(words);
}

TEST(TraceArguments, AreRead) {
    using Action = Arguments::Action;
    EXPECT_EQ(arguments({"a"})->action, Action::report);
    EXPECT_EQ(arguments({"--frames", "7", "a"})->frames, 7u);
    EXPECT_EQ(arguments({"a", "--html", "b"})->html, "b");
    EXPECT_EQ(arguments({"--follow", "a"})->action, Action::follow);
    EXPECT_EQ(arguments({"--", "--follow"})->file, "--follow");
    EXPECT_EQ(arguments({"--help"})->action, Action::help);
    EXPECT_EQ(arguments({"--version"})->action, Action::version);
}

TEST(TraceArguments, WrongOnesAreRefused) {
    for (const std::vector<const char*>& wrong :
         std::vector<std::vector<const char*>>{{},
                                               {"a", "b"},
                                               {"--html"},
                                               {"--html", "a"},
                                               {"--frames", "x", "a"},
                                               {"--frames"},
                                               {"--frames", "-1", "a"},
                                               {"--unknown", "a"}})
        EXPECT_FALSE(arguments(wrong));
}

} // namespace
} // namespace fencebridge::trace
