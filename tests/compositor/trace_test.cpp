// SPDX-License-Identifier: MIT
// The trace of frames (setting `trace_file`): which events a frame has, in which order, and with
// which fences. The first instance of a process chooses the file, so all tests here share it.
#include "fake_module.hpp"
#include "fixture.hpp"
#include "who_waits.hpp"

#include "decode.hpp"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <optional>

namespace fencebridge::test {
namespace {

using trace::Record;
using trace::TrackKind;

int64_t now() {
    timespec time{};
    clock_gettime(CLOCK_MONOTONIC, &time);
    return int64_t(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

// The records of one swapchain.
class Records {
public:
    explicit Records(std::vector<Record> all) : all_(std::move(all)) {}

    std::vector<Record> of(TrackKind kind, uint64_t frame, std::string_view name = {}) const {
        std::vector<Record> found;
        std::ranges::copy_if(all_, std::back_inserter(found), [&](const Record& record) {
            return record.kind == kind && record.frame == frame &&
                   (name.empty() || record.name == name);
        });
        return found;
    }
    // The only one of these.
    Record one(TrackKind kind, uint64_t frame, std::string_view name = {}) const {
        const auto found = of(kind, frame, name);
        EXPECT_EQ(found.size(), 1u) << "frame " << frame << " " << name;
        return found.empty() ? Record() : found.front();
    }

private:
    std::vector<Record> all_;
};

class TraceTest : public CompositorTest {
protected:
    static void SetUpTestSuite() {
        path_ = testing::TempDir() + "fencebridge-test-" + std::to_string(getpid()) + ".trace";
        setenv("FENCEBRIDGE_TRACE_FILE", path_.c_str(), 1);
        const auto first = make_instance(); // opens the file
    }
    static void TearDownTestSuite() { unlink(path_.c_str()); }
    void SetUp() override {
        CompositorTest::SetUp();
        setenv("FENCEBRIDGE_SYNC", "module", 1);
        module_.emplace();
        module_->tell_signal_times(1);
        first_ = read().empty() ? 0 : read_last();
    }
    void TearDown() override {
        module_.reset();
        unsetenv("FENCEBRIDGE_SYNC");
        CompositorTest::TearDown();
    }

    // All that has been recorded since the start of the test.
    std::vector<Record> read() const {
        std::vector<std::byte> file(trace::file_size);
        const int fd = open(path_.c_str(), O_RDONLY | O_CLOEXEC);
        EXPECT_EQ(pread(fd, file.data(), file.size(), 0), ssize_t(file.size()));
        close(fd);
        auto records = trace::decode(file).value().records;
        std::erase_if(records, [&](const Record& record) { return record.number <= first_; });
        return records;
    }
    Records records() const { return Records(read()); }

    std::optional<FakeModule> module_;

private:
    uint64_t read_last() const { return std::ranges::max(read(), {}, &Record::number).number; }

    static inline std::string path_;
    uint64_t first_ = 0;
};

// With three images, the fourth frame has the image of the first.
TEST_F(TraceTest, AFrameHasItsStepsInTheirOrder) {
    Client client(start({.globals = {.presentation = 1},
                         .release = Release::at_once,
                         .presentation = Presentation::presented}));
    {
        const Swapchain swapchain = client.swapchain();
        for (size_t i = 0; i < 2 * swapchain.images.size(); ++i) {
            ASSERT_EQ(client.frame(swapchain), VK_SUCCESS);
            client.app.round_trip();
        }
        vkDeviceWaitIdle(client.device);
    }
    const Records all = records();
    const Record acquire = all.one(TrackKind::thread, 1, trace::event::acquire);
    const Record import = all.one(TrackKind::thread, 1, trace::event::import_fences);
    const Record present = all.one(TrackKind::thread, 1, trace::event::present);
    const Record attach = all.one(TrackKind::thread, 1, trace::event::attach);
    const Record commit = all.one(TrackKind::thread, 1, trace::event::commit);
    const Record held = all.one(TrackKind::compositor, 1, "frame 1");
    const Record release = all.one(TrackKind::compositor, 1, trace::event::release);
    const Record shown = all.one(TrackKind::display, 1);

    EXPECT_EQ(acquire.owner, uint32_t(gettid()));
    EXPECT_EQ(acquire.previous, 0u);
    EXPECT_GE(import.begin, acquire.begin);
    EXPECT_LE(*import.end, *acquire.end);
    EXPECT_GE(present.begin, *acquire.end);
    EXPECT_GE(attach.begin, present.begin);
    EXPECT_GE(commit.begin, *attach.end);
    EXPECT_LE(*commit.end, *present.end);
    EXPECT_EQ(held.begin, commit.begin);
    EXPECT_GE(release.begin, *held.end);
    EXPECT_EQ(shown.refresh, 16'666'667);
    EXPECT_GE(shown.begin, commit.begin);
    EXPECT_FALSE(shown.end);

    // The next frame with this image.
    const auto events = read();
    const auto next = std::ranges::find_if(events, [&](const Record& record) {
        return record.name == trace::event::acquire && record.previous == 1;
    });
    ASSERT_NE(next, events.end());
    EXPECT_EQ(next->image, acquire.image);
    EXPECT_GE(*next->end, release.begin);
}

// The semaphores of vkQueuePresentKHR are exported before the swapchain's part.
TEST_F(TraceTest, TheExportIsRecorded) {
    Client client(start());
    {
        const Swapchain swapchain = client.swapchain();
        ASSERT_EQ(client.frame(swapchain), VK_SUCCESS);
        vkDeviceWaitIdle(client.device);
    }
    const auto all = read();
    const auto has_name = [](std::string_view name) {
        return [=](const Record& record) { return record.name == name; };
    };
    const auto exported = std::ranges::find_if(all, has_name(trace::event::export_fences));
    const auto present = std::ranges::find_if(all, has_name(trace::event::present));
    ASSERT_NE(exported, all.end());
    ASSERT_NE(present, all.end());
    EXPECT_LE(*exported->end, present->begin);
}

TEST_F(TraceTest, ARenderingHasTheNamesAndTheTimeOfItsFence) {
    Client client(start());
    int64_t signalled = 0;
    {
        const Swapchain swapchain = client.swapchain();
        fake_driver().hold_rendering(VK_TRUE);
        ASSERT_EQ(client.frame(swapchain), VK_SUCCESS);
        signalled = now();
        module_->tell_signal_times(uint64_t(signalled));
        fake_driver().hold_rendering(VK_FALSE);
        vkDeviceWaitIdle(client.device);
    }
    const Records all = records();
    const Record rendering = all.one(TrackKind::gpu, 1);
    EXPECT_EQ(rendering.driver, "fake-driver");
    EXPECT_EQ(rendering.timeline, "fake-timeline");
    EXPECT_EQ(rendering.begin, all.one(TrackKind::thread, 1, trace::event::present).begin);
    EXPECT_EQ(rendering.end, signalled);
    EXPECT_FALSE(rendering.pending);
}

// The compositor still reads the image of the first frame when it is acquired again.
TEST_F(TraceTest, AReadAfterTheReleaseHasTheNamesAndTheTimeOfItsFence) {
    Client client(start({.release = Release::at_once}));
    int64_t signalled = 0;
    {
        const Swapchain swapchain = client.swapchain();
        ASSERT_EQ(client.show_every_image(swapchain), VK_SUCCESS);
        client.app.round_trip();
        const int fence = eventfd(0, EFD_CLOEXEC);
        module_->export_fence(Fd(fcntl(fence, F_DUPFD_CLOEXEC, 0)));
        const auto semaphore = make_semaphore(client.device);
        const auto [result, index] = acquire(client.device, swapchain, forever, semaphore);
        ASSERT_EQ(result, VK_SUCCESS);
        signalled = now();
        module_->tell_signal_times(uint64_t(signalled));
        eventfd_write(fence, 1);
        ::close(fence);
        client.renderer.submit_no_work({semaphore}, VK_NULL_HANDLE);
        vkDeviceWaitIdle(client.device);
    }
    const Record read = records().one(TrackKind::reads, 1);
    EXPECT_EQ(read.driver, "fake-driver");
    EXPECT_EQ(read.timeline, "fake-timeline");
    EXPECT_EQ(read.end, signalled);
    EXPECT_LE(read.begin, signalled);
}

// No frame was released of which a fence on a new image could be a read.
TEST_F(TraceTest, ANewImageHasNoReads) {
    Client client(start());
    {
        const Swapchain swapchain = client.swapchain();
        const int fence = eventfd(0, EFD_CLOEXEC);
        module_->export_fence(Fd(fcntl(fence, F_DUPFD_CLOEXEC, 0)));
        const auto semaphore = make_semaphore(client.device);
        ASSERT_EQ(acquire(client.device, swapchain, forever, semaphore).result, VK_SUCCESS);
        module_->tell_signal_times(uint64_t(now()));
        eventfd_write(fence, 1);
        ::close(fence);
        client.renderer.submit_no_work({semaphore}, VK_NULL_HANDLE);
        vkDeviceWaitIdle(client.device);
    }
    EXPECT_TRUE(records().of(TrackKind::reads, 0).empty());
}

// With `cpu`, vkQueuePresentKHR waits for the rendering.
TEST_F(TraceTest, AWaitNamesItsFence) {
    setenv("FENCEBRIDGE_SYNC", "cpu", 1);
    Client client(start());
    {
        const Swapchain swapchain = client.swapchain();
        const auto rendered = make_semaphore(client.device);
        fake_driver().hold_rendering(VK_TRUE);
        const uint32_t index = client.acquire_and_render(swapchain, rendered);
        EXPECT_TRUE(run_and_see_whether_it_waits(
            [&] { EXPECT_EQ(client.present_after(swapchain, index, {rendered}), VK_SUCCESS); },
            [] { fake_driver().hold_rendering(VK_FALSE); }));
        vkDeviceWaitIdle(client.device);
    }
    const auto all = read();
    const auto wait = std::ranges::find_if(
        all, [](const Record& record) { return record.name == trace::event::wait; });
    ASSERT_NE(wait, all.end());
    EXPECT_EQ(wait->reason, "fence");
    EXPECT_EQ(wait->driver, "fake-driver");
    EXPECT_EQ(wait->timeline, "fake-timeline");
    EXPECT_TRUE(wait->end);
}

TEST_F(TraceTest, AnAcquireThatWaitsSaysSo) {
    Compositor& compositor = start({.release = Release::manual});
    Client client(compositor);
    {
        const Swapchain swapchain = client.swapchain();
        for (size_t i = 0; i < swapchain.images.size(); ++i)
            ASSERT_EQ(client.frame(swapchain), VK_SUCCESS);
        EXPECT_EQ(client.acquire(swapchain, 1).result, VK_TIMEOUT);
        vkDeviceWaitIdle(client.device);
    }
    const auto all = read();
    EXPECT_TRUE(std::ranges::any_of(all, [](const Record& record) {
        return record.name == trace::event::wait && record.reason == "release of an image";
    }));
}

} // namespace
} // namespace fencebridge::test
