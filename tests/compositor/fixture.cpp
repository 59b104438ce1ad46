// SPDX-License-Identifier: MIT
#include "fixture.hpp"

#include "fake_compositor/dma_buf.hpp"
#include "fake_driver/control.hpp"

#include <sys/mman.h>

#include <csignal>
#include <filesystem>
#include <sstream>
#include <string_view>

namespace fencebridge::test {

FakeDriverModifier driver_modifier(uint64_t modifier) {
    FakeDriverModifier m{};
    m.modifier = modifier;
    m.plane_count = 1;
    m.pitch_alignment = 256;
    m.features = VK_FORMAT_FEATURE_COLOR_ATTACHMENT_BIT | VK_FORMAT_FEATURE_SAMPLED_IMAGE_BIT |
                 VK_FORMAT_FEATURE_TRANSFER_SRC_BIT | VK_FORMAT_FEATURE_TRANSFER_DST_BIT |
                 VK_FORMAT_FEATURE_COLOR_ATTACHMENT_BLEND_BIT | VK_FORMAT_FEATURE_BLIT_DST_BIT |
                 VK_FORMAT_FEATURE_BLIT_SRC_BIT;
    m.importable = VK_TRUE;
    m.exportable = VK_TRUE;
    m.aliasable = VK_TRUE;
    return m;
}
namespace {

// A test that lasts longer than this hangs.
constexpr unsigned watchdog_seconds = 60;

void end_hanging_test(int) {
    constexpr char message[] = "watchdog: the test hangs\n";
    [[maybe_unused]] ssize_t written = write(STDERR_FILENO, message, sizeof message - 1);
    _exit(EXIT_FAILURE);
}

} // namespace

size_t open_fds() {
    size_t count = 0;
    for ([[maybe_unused]] auto& entry : std::filesystem::directory_iterator("/proc/self/fd"))
        ++count;
    return count;
}

std::string name_of_mode(const testing::TestParamInfo<VkPresentModeKHR>& tested) {
    switch (tested.param) {
    case VK_PRESENT_MODE_IMMEDIATE_KHR:
        return "Immediate";
    case VK_PRESENT_MODE_MAILBOX_KHR:
        return "Mailbox";
    case VK_PRESENT_MODE_FIFO_RELAXED_KHR:
        return "FifoRelaxed";
    default:
        return "Fifo";
    }
}

std::map<int, uint64_t> live_driver_objects() {
    std::map<int, uint64_t> live;
    for (int type = 0; type < FAKE_DRIVER_OBJECT_COUNT; ++type)
        if (uint64_t count = fake_driver().live_objects(FakeDriverObject(type)))
            live[type] = count;
    return live;
}

ErrorLog::ErrorLog() : file_(memfd_create("stderr", MFD_CLOEXEC)), original_(dup(STDERR_FILENO)) {
    dup2(file_.get(), STDERR_FILENO);
}

ErrorLog::~ErrorLog() {
    dup2(original_.get(), STDERR_FILENO);
    std::string seen = text();
    [[maybe_unused]] ssize_t written = write(STDERR_FILENO, seen.data(), seen.size());
}

std::string ErrorLog::text() const {
    std::string seen(size_t(lseek(file_.get(), 0, SEEK_CUR)), '\0');
    ssize_t size = pread(file_.get(), seen.data(), seen.size(), 0);
    seen.resize(size_t(std::max<ssize_t>(size, 0)));
    return seen;
}

std::vector<std::string> ErrorLog::lines_with(std::vector<std::string> words) const {
    std::vector<std::string> found;
    std::istringstream stream(text());
    for (std::string line; std::getline(stream, line);) {
        bool all = true;
        for (const std::string& word : words)
            all = all && line.find(word) != std::string::npos;
        if (all)
            found.push_back(line);
    }
    return found;
}

void CompositorTest::SetUp() {
    signal(SIGALRM, end_hanging_test);
    alarm(watchdog_seconds);
    fake_driver().reset();
    fds_before_ = open_fds();
}

void CompositorTest::TearDown() {
    fake_driver().hold_rendering(VK_FALSE);
    if (compositor_) {
        auto violations = compositor_->on_thread([](Scene& scene) { return scene.violations(); });
        EXPECT_EQ(violations, std::vector<std::string>{});
        EXPECT_TRUE(may_use_shm_ || compositor_->requests("wl_shm", "create_pool") == 0);
    }
    compositor_.reset();
    for (uint32_t i = 0; i < fake_driver().misuses(); ++i)
        ADD_FAILURE() << "misuse of the driver: " << fake_driver().misuse(i);
    EXPECT_EQ(live_driver_objects(), (std::map<int, uint64_t>{}));
    EXPECT_EQ(open_fds(), fds_before_);
    alarm(0);
}

Compositor& CompositorTest::start(Script script) {
    compositor_ = std::make_unique<Compositor>(std::move(script));
    return *compositor_;
}

void FencesTest::SetUp() {
    CompositorTest::SetUp();
    ASSERT_TRUE(FenceTimeline::available()) << "sw_sync of debugfs is needed";
    ASSERT_EQ(access("/dev/udmabuf", R_OK | W_OK), 0) << "/dev/udmabuf is needed";
    ASSERT_TRUE(transport() != "module" || access("/dev/fencebridge", R_OK | W_OK) == 0)
        << "/dev/fencebridge is needed";
    ASSERT_TRUE(!is_explicit() || DrmNode::find()) << "a node with timeline syncobjs is needed";
    fake_driver().set_memory(FAKE_DRIVER_MEMORY_UDMABUF);
    fake_driver().set_sync(FAKE_DRIVER_SYNC_SW_SYNC);
}

Compositor& FencesTest::start(Script script) {
    script.globals.syncobj = is_explicit() ? 1 : 0;
    return CompositorTest::start(std::move(script));
}

void FencesTest::release_with_readers(BufferId buffer, const std::vector<const Fd*>& fences) {
    bool by_points = compositor_->on_thread(
        [&](Scene& scene) { return !scene.buffer(buffer).release_points.empty(); });
    if (!by_points) {
        Fd dma_buf = compositor_->dma_buf_of(buffer);
        for (const Fd* fence : fences)
            ASSERT_TRUE(attach_read_fence(dma_buf.get(), fence->get()));
        compositor_->release(buffer);
        return;
    }
    Fd all;
    for (const Fd* fence : fences)
        all = all.get() < 0 ? fence->duplicate() : merge_sync_files(all, *fence);
    ASSERT_TRUE(compositor_->release_with_fence(buffer, all));
}

bool FencesTest::may_read(size_t commit) {
    Commit seen = compositor_->commit_at(commit);
    if (seen.acquire_point)
        return compositor_->acquire_signalled(commit);
    Fd dma_buf = compositor_->dma_buf_of(*seen.buffer);
    return write_fences_signalled(dma_buf.get());
}

bool FencesTest::might_read_at_once(size_t commit) {
    Commit seen = compositor_->commit_at(commit);
    return !seen.acquire_pending && !seen.write_fence_pending;
}

std::string FencesTest::transport() {
    const char* asked_for = getenv("FENCEBRIDGE_SYNC");
    return asked_for && std::string_view(asked_for) != "auto" ? asked_for : "kernel";
}

} // namespace fencebridge::test
