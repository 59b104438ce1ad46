// SPDX-License-Identifier: MIT
// The transport `explicit` on real syncobjs: when it is used, which transport replaces it, how
// images are released, and what a frame costs.
#include "aliases.hpp"
#include "fixture.hpp"
#include "who_waits.hpp"

#include "fake_compositor/dma_buf.hpp"
#include "fake_driver/control.hpp"

#include <drm.h>
#include <drm_syncobj.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdarg>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string_view>
#include <thread>

namespace fencebridge::test {
namespace {

// What ioctl() below does with the DRM ioctls of this process. Constant-initialised, because
// ioctl() is called before any constructor runs.
struct Kernel {
    std::atomic<bool> has_points = true;     // DRM_SYNCOBJ_*_FLAGS_TIMELINE, Linux 6.16
    std::atomic<unsigned long> failing = 0;  // the ioctl that fails
    std::atomic<int> error = 0;              // its errno
    std::atomic<size_t> transfers = 0;       // calls of DRM_IOCTL_SYNCOBJ_TRANSFER
    std::atomic<size_t> syncobj_calls = 0;   // calls of any syncobj ioctl
    std::atomic<dev_t> first_created_on = 0; // the device of the first DRM_IOCTL_SYNCOBJ_CREATE
};
constinit Kernel kernel;
// On the compositor's thread every ioctl goes to the kernel, uncounted.
constinit thread_local bool is_compositor = false;

int refusal(int fd, unsigned long request, const void* argument) {
    if (is_compositor)
        return 0;
    struct stat status;
    if (request == DRM_IOCTL_SYNCOBJ_CREATE && kernel.first_created_on == 0 &&
        fstat(fd, &status) == 0)
        kernel.first_created_on = status.st_rdev;
    if (_IOC_TYPE(request) == DRM_IOCTL_BASE && _IOC_NR(request) >= 0xbf &&
        _IOC_NR(request) <= 0xcf)
        ++kernel.syncobj_calls;
    if (request == DRM_IOCTL_SYNCOBJ_TRANSFER)
        ++kernel.transfers;
    if (request == kernel.failing)
        return kernel.error;
    bool names_a_point = request == FENCEBRIDGE_SYNCOBJ_IOCTL_EXPORT_POINT ||
                         request == FENCEBRIDGE_SYNCOBJ_IOCTL_IMPORT_POINT;
    if (!kernel.has_points && names_a_point &&
        static_cast<const fencebridge_syncobj_point*>(argument)->flags & FENCEBRIDGE_SYNCOBJ_POINT)
        return EINVAL;
    return 0;
}

// The number of open descriptors of this process by the file that they refer to.
std::map<std::string, size_t> open_files() {
    std::map<std::string, size_t> files;
    for (auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
        std::error_code gone;
        ++files[std::filesystem::read_symlink(entry, gone).string()];
    }
    return files;
}

using namespace std::chrono_literals;

// The messages that the kernel logs from now on. Each read() of /dev/kmsg returns one.
class KernelLog {
public:
    KernelLog() : fd_(open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC)) {
        if (!fd_ || lseek(fd_.get(), 0, SEEK_END) != 0)
            ADD_FAILURE() << "cannot read /dev/kmsg";
    }
    std::string warnings() {
        std::string found;
        std::array<char, 8192> record;
        ssize_t size;
        // EPIPE: messages were overwritten before they were read.
        while ((size = read(fd_.get(), record.data(), record.size())) > 0 || errno == EPIPE) {
            std::string_view line(record.data(), size_t(std::max<ssize_t>(size, 0)));
            if (line.find("WARNING:") != line.npos || line.find("BUG:") != line.npos)
                found += line;
        }
        EXPECT_EQ(errno, EAGAIN);
        return found;
    }

private:
    Fd fd_;
};

class ExplicitTransport : public FencesTest {
protected:
    void SetUp() override {
        kernel.has_points = true;
        fail(0, 0);
        kernel.transfers = 0;
        kernel.first_created_on = 0;
        FencesTest::SetUp();
    }
    void TearDown() override {
        fail(0, 0);
        FencesTest::TearDown();
    }
    static void fail(unsigned long request, int error) {
        kernel.error = error;
        kernel.failing = request;
    }

    Compositor& start(Script script = {}) {
        Compositor& compositor = FencesTest::start(std::move(script));
        compositor.on_thread([](Scene&) { is_compositor = true; });
        kernel.first_created_on = 0; // forgets the one that the compositor created when it started
        return compositor;
    }

    // Creates a window whose images are all presented and, by default, not released.
    void present_all(Script script = {.release = Release::manual}) {
        Compositor& compositor = start(std::move(script));
        client_ = std::make_unique<Client>(compositor);
        swapchain_ = client_->swapchain();
        ASSERT_EQ(swapchain_.result, VK_SUCCESS);
        ASSERT_EQ(client_->show_every_image(swapchain_), VK_SUCCESS);
        ASSERT_EQ(compositor.commits(), swapchain_.images.size());
    }
    void close_window() {
        swapchain_ = {};
        client_.reset();
    }
    BufferId buffer(size_t commit) { return *compositor_->commit_at(commit).buffer; }

    // Creates a swapchain, and returns the line of the log that names its transport.
    std::string transport_of_new_swapchain(Client& client) {
        ErrorLog log;
        Swapchain swapchain = client.swapchain();
        EXPECT_EQ(swapchain.result, VK_SUCCESS);
        EXPECT_EQ(client.frame(swapchain), VK_SUCCESS);
        vkDeviceWaitIdle(client.device);
        auto lines = log.lines_with({"info: swapchain ", "transport="});
        return lines.size() == 1 ? lines.front() : log.text();
    }

    std::unique_ptr<Client> client_;
    Swapchain swapchain_;
};

// --- which transport is used ---

bool contains(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

// A compositor that cannot import a timeline sends a protocol error. The layer tries the same
// import first. To get the error nevertheless, the compositor of this test refuses a timeline that
// it could import.
TEST_F(ExplicitTransport, TheSurfaceIsLostIfTheCompositorRefusesATimeline) {
    Compositor& compositor = start();
    compositor.on_thread([](Scene& scene) { scene.set_refuse_timelines(true); });
    Client client(compositor);
    ErrorLog log;
    EXPECT_EQ(client.swapchain().result, VK_ERROR_SURFACE_LOST_KHR);
    EXPECT_EQ(log.lines_with({"error:", "wp_linux_drm_syncobj_manager_v1"}).size(), 1u)
        << log.text();
}

// The layer knows the protocol from the creation of the VkSurfaceKHR.
TEST_F(ExplicitTransport, ExplicitIsNotUsedIfTheCompositorHasRemovedTheProtocol) {
    Compositor& compositor = start();
    Client client(compositor);
    ASSERT_TRUE(compositor.on_thread(
        [](Scene& scene) { return scene.remove_global("wp_linux_drm_syncobj_manager_v1"); }));
    for (int i = 0; i < 2; ++i)
        EXPECT_TRUE(contains(transport_of_new_swapchain(client), "removed the protocol"));
    EXPECT_FALSE(compositor.last_commit().acquire_point);
}

TEST_F(ExplicitTransport, ExplicitIsNotUsedIfTheSettingAvoidNamesTheProtocol) {
    setenv("FENCEBRIDGE_AVOID", "linux-drm-syncobj-v1", 1);
    Compositor& compositor = start();
    Client client(compositor);
    unsetenv("FENCEBRIDGE_AVOID");
    EXPECT_TRUE(contains(transport_of_new_swapchain(client), "setting avoid"));
    EXPECT_FALSE(compositor.last_commit().acquire_point);
    EXPECT_EQ(compositor.requests("wp_linux_drm_syncobj_manager_v1", "import_timeline"), 0u);
}

// The compositor's socket has a path in one round, and in the other it has none.
TEST_F(ExplicitTransport, NoSecondConnectionToTheCompositorIsMade) {
    for (bool named : {true, false}) {
        Compositor& compositor = start();
        Client client(named ? compositor.connect() : compositor.connect_unnamed());
        std::string line = transport_of_new_swapchain(client);
        EXPECT_TRUE(contains(line, "transport=explicit ")) << line;
        EXPECT_EQ(compositor.on_thread([](Scene& scene) { return scene.clients_made(); }), 1u);
    }
}

// A symbolic link to /dev/null that is named like a render node, and sorts before the real ones.
class FalseRenderNode {
public:
    FalseRenderNode() { std::filesystem::create_symlink("/dev/null", path_); }
    ~FalseRenderNode() { std::filesystem::remove(path_); }
    FalseRenderNode(const FalseRenderNode&) = delete;
    FalseRenderNode& operator=(const FalseRenderNode&) = delete;

private:
    std::filesystem::path path_ = "/dev/dri/renderD100";
};

dev_t device_of(const char* node) {
    struct stat status = {};
    EXPECT_EQ(stat(node, &status), 0) << node;
    return status.st_rdev;
}

class DrmNodeChoice : public ExplicitTransport {
protected:
    // Creates a swapchain on a compositor with this main device, and returns the line of the log
    // that names its transport.
    std::string transport_with(dev_t main_device) {
        Script script;
        script.feedback.main_device = main_device;
        Client client(start(script));
        return transport_of_new_swapchain(client);
    }
    FalseRenderNode false_node_;
};

TEST_F(DrmNodeChoice, TheCompositorsMainDeviceIsTriedFirst) {
    const dev_t render_node = device_of("/dev/dri/renderD128");
    std::string line = transport_with(render_node);
    EXPECT_TRUE(contains(line, "transport=explicit ")) << line;
    EXPECT_EQ(kernel.first_created_on, render_node);
}

TEST_F(DrmNodeChoice, AnotherNodeIsUsedIfTheCompositorsMainDeviceHasNone) {
    std::string line = transport_with(device_of("/dev/zero"));
    EXPECT_TRUE(contains(line, "transport=explicit ")) << line;
}

// A compositor that works with this device could not import a timeline.
TEST_F(DrmNodeChoice, ExplicitIsNotUsedIfTheCompositorsMainDeviceHasNoSyncobjs) {
    std::string line = transport_with(device_of("/dev/null"));
    EXPECT_TRUE(contains(line, "transport=kernel ") && contains(line, "FD_TO_HANDLE")) << line;
    EXPECT_EQ(compositor_->requests("wp_linux_drm_syncobj_manager_v1", "import_timeline"), 0u);
}

struct FailingIoctl {
    const char* name; // as the log spells it
    unsigned long request;
};

class FailingSyncobjIoctl : public ExplicitTransport,
                            public testing::WithParamInterface<FailingIoctl> {};

// EOPNOTSUPP: the device will not support the ioctl later, either.
TEST_P(FailingSyncobjIoctl, APermanentFailureIsLoggedAndTheNextTransportUsed) {
    Client client(start());
    fail(GetParam().request, EOPNOTSUPP);
    std::string line = transport_of_new_swapchain(client);
    EXPECT_TRUE(contains(line, "transport=kernel ") && contains(line, GetParam().name)) << line;
}

// ENOMEM is transient, and a swapchain keeps its transport. So the layer chooses no other
// transport: the creation fails, and can be repeated.
TEST_P(FailingSyncobjIoctl, ATransientFailureFailsOneSwapchainButNotTheNext) {
    Client client(start());
    fail(GetParam().request, ENOMEM);
    EXPECT_EQ(client.swapchain().result, VK_ERROR_OUT_OF_HOST_MEMORY);
    fail(0, 0);
    std::string line = transport_of_new_swapchain(client);
    EXPECT_TRUE(contains(line, "transport=explicit ")) << line;
}

INSTANTIATE_TEST_SUITE_P(
    , FailingSyncobjIoctl,
    testing::Values(FailingIoctl{"SYNCOBJ_CREATE", DRM_IOCTL_SYNCOBJ_CREATE},
                    FailingIoctl{"TIMELINE_SIGNAL", DRM_IOCTL_SYNCOBJ_TIMELINE_SIGNAL},
                    FailingIoctl{"SYNCOBJ_EVENTFD", FENCEBRIDGE_SYNCOBJ_IOCTL_EVENTFD},
                    FailingIoctl{"SYNCOBJ_QUERY", DRM_IOCTL_SYNCOBJ_QUERY}),
    [](auto& tested) { return tested.param.name; });

// --- how images are released ---

TEST_F(ExplicitTransport, AWlBufferReleaseEventDoesNotReleaseAnImage) {
    present_all({.release = Release::manual, .release_events_too = true});
    // wl_buffer.release of a commit whose release point has no fence yet.
    BufferId first = buffer(0);
    compositor_->on_thread([=](Scene& scene) { scene.send_release_event(first); });
    EXPECT_EQ(client_->acquire(swapchain_, 0).result, VK_NOT_READY);
    compositor_->release(buffer(0));
    EXPECT_EQ(client_->acquire(swapchain_, 0).index, 0u);
    close_window();
}

TEST_F(ExplicitTransport, TheCompositorMayReleaseImagesInAnyOrder) {
    present_all();
    for (size_t image : {2, 0, 3, 1}) {
        compositor_->release(buffer(image));
        auto [result, index] = client_->acquire(swapchain_);
        ASSERT_EQ(result, VK_SUCCESS);
        EXPECT_EQ(index, image);
    }
    close_window();
}

TEST_F(ExplicitTransport, AcquireWaitsForItsWholeTimeout) {
    present_all();
    auto before = std::chrono::steady_clock::now();
    EXPECT_EQ(client_->acquire(swapchain_, 20'000'000).result, VK_TIMEOUT);
    EXPECT_GE(std::chrono::steady_clock::now() - before, 20ms);
    // After a wait that timed out, the next acquire must not see a release that did not happen.
    EXPECT_EQ(client_->acquire(swapchain_, 0).result, VK_NOT_READY);
    EXPECT_EQ(client_->acquire(swapchain_, 1'000'000).result, VK_TIMEOUT);
    close_window();
}

// An acquire waits for the image and times out. The image is released while no acquire waits.
TEST_F(ExplicitTransport, AnImageReleasedAfterATimedOutWaitIsAcquiredOnce) {
    present_all();
    EXPECT_EQ(client_->acquire(swapchain_, 1'000'000).result, VK_TIMEOUT);
    compositor_->release(buffer(0));
    EXPECT_EQ(client_->acquire(swapchain_, 0).index, 0u);
    ASSERT_EQ(client_->present(swapchain_, 0), VK_SUCCESS);
    EXPECT_EQ(client_->acquire(swapchain_, 1'000'000).result, VK_TIMEOUT);
    close_window();
}

// A query finds a released image before the eventfd is read. The eventfd still counts the image,
// which must not end a later wait early.
TEST_F(ExplicitTransport, AnImageThatAQueryFoundDoesNotEndALaterWaitThroughTheEventfd) {
    present_all();
    EXPECT_EQ(client_->acquire(swapchain_, 1'000'000).result, VK_TIMEOUT);
    // After a query that found nothing, one acquire makes no query. This is that acquire.
    EXPECT_EQ(client_->acquire(swapchain_, 0).result, VK_NOT_READY);
    compositor_->release(buffer(0));
    EXPECT_EQ(client_->acquire(swapchain_, 0).index, 0u);
    ASSERT_EQ(client_->present(swapchain_, 0), VK_SUCCESS);
    // One query, and one registration of the eventfd for the image that was presented again.
    size_t before = kernel.syncobj_calls;
    EXPECT_EQ(client_->acquire(swapchain_, 1'000'000).result, VK_TIMEOUT);
    EXPECT_EQ(kernel.syncobj_calls - before, 2u);
    close_window();
}

// While the application waits, the compositor puts a pending fence at the release point: the point
// materialises but does not signal.
TEST_F(ExplicitTransport, AWaitingAcquireReturnsWhenAReleasePointMaterialises) {
    present_all();
    Owned<VkFence> acquired = make_fence(client_->device);
    FenceTimeline timeline;
    for (size_t round = 0; round < 20; ++round) {
        Fd reader = timeline.fence();
        size_t image = round % swapchain_.images.size();
        std::thread compositor([&] { compositor_->release_with_fence(buffer(image), reader); });
        auto [result, index] =
            acquire(client_->device, swapchain_, forever, VK_NULL_HANDLE, acquired);
        compositor.join();
        ASSERT_EQ(result, VK_SUCCESS);
        EXPECT_EQ(index, image);
        EXPECT_EQ(vkGetFenceStatus(client_->device, acquired), VK_NOT_READY);
        timeline.advance();
        EXPECT_TRUE(wait_and_reset(client_->device, acquired));
        ASSERT_EQ(client_->present(swapchain_, index), VK_SUCCESS);
        compositor_->settle();
    }
    acquired.reset();
    close_window();
}

// All points count up the same eventfd, and one read() returns the sum.
TEST_F(ExplicitTransport, AllImagesWhoseReleasePointsMaterialiseDuringOneWaitAreAcquired) {
    present_all();
    FenceTimeline timeline;
    std::vector<Owned<VkFence>> acquired;
    for (size_t image = 0; image < swapchain_.images.size(); ++image)
        acquired.push_back(make_fence(client_->device));
    for (size_t round = 0; round < 5; ++round) {
        // The release point of image 3 signals at once, the others have pending fences.
        Fd readers[] = {timeline.fence(), timeline.fence(), timeline.fence()};
        Acquired first{};
        EXPECT_TRUE(run_and_see_whether_it_waits(
            [&] { first = acquire(client_->device, swapchain_, forever, {}, acquired[0]); },
            [&] {
                compositor_->on_thread([&](Scene& scene) {
                    for (size_t image = 0; image < 3; ++image)
                        scene.release_with_fence(*scene.commits().at(image).buffer, readers[image]);
                    scene.release(*scene.commits().at(3).buffer);
                });
            }));
        ASSERT_EQ(first.result, VK_SUCCESS);
        std::vector<uint32_t> indices = {first.index};
        for (size_t more = 1; more < swapchain_.images.size(); ++more) {
            auto [result, index] =
                acquire(client_->device, swapchain_, forever, {}, acquired[more]);
            ASSERT_EQ(result, VK_SUCCESS);
            indices.push_back(index);
        }
        for (int i = 0; i < 3; ++i)
            timeline.advance();
        for (Owned<VkFence>& fence : acquired)
            EXPECT_TRUE(wait_and_reset(client_->device, fence));
        std::ranges::sort(indices);
        for (uint32_t index : indices)
            ASSERT_EQ(client_->present(swapchain_, index), VK_SUCCESS);
        compositor_->settle();
    }
    acquired.clear();
    close_window();
}

TEST_F(ExplicitTransport, AWaitingAcquireFailsWhenTheCompositorDisconnects) {
    present_all();
    std::thread compositor([&] { compositor_->disconnect_clients(); });
    EXPECT_EQ(client_->acquire(swapchain_).result, VK_ERROR_SURFACE_LOST_KHR);
    compositor.join();
    close_window();
}

// A compositor may send wl_buffer.release for buffers with release points, too. It ends the
// connection of a client that does not read its events.
TEST_F(ExplicitTransport, ReleaseEventsThatNoCallWaitsForAreReadFromTheSocket) {
    Compositor& compositor = start({.release = Release::at_once, .release_events_too = true});
    Client client(compositor);
    Swapchain swapchain = client.swapchain();
    int most_unread = 0;
    for (int frame = 0; frame < 500; ++frame) {
        ASSERT_EQ(client.frame(swapchain), VK_SUCCESS);
        compositor.settle();
        int unread = 0;
        ASSERT_EQ(::ioctl(wl_display_get_fd(client.app.display()), FIONREAD, &unread), 0);
        most_unread = std::max(most_unread, unread);
    }
    vkDeviceWaitIdle(client.device);
    constexpr int release_event = 8; // bytes
    EXPECT_LE(most_unread, 64 * release_event);
}

// The release point of an image goes up by one with every commit.
TEST_F(ExplicitTransport, EveryCommitHasItsOwnReleasePoint) {
    present_all({.release = Release::at_once});
    for (int frame = 0; frame < 20; ++frame)
        ASSERT_EQ(client_->frame(swapchain_), VK_SUCCESS);
    vkDeviceWaitIdle(client_->device);
    std::map<BufferId, uint64_t> last;
    for (size_t i = 0; i < compositor_->commits(); ++i) {
        Commit commit = compositor_->commit_at(i);
        ASSERT_TRUE(commit.release_point && commit.acquire_point);
        EXPECT_EQ(*commit.release_point, last[*commit.buffer] + 1);
        last[*commit.buffer] = *commit.release_point;
    }
    close_window();
}

// The semaphore of acquire goes to present, so the fence of the release point comes to the acquire
// point. The kernel exports a timeline's point as a dma_fence_chain, and warns if a chain is put
// into another one.
TEST_F(ExplicitTransport, PresentingAnAcquiredImageWithoutRenderingCausesNoKernelWarning) {
    KernelLog log;
    present_all();
    FenceTimeline timeline;
    Fd reader = timeline.fence();
    release_with_readers(buffer(0), {&reader});
    Owned<VkSemaphore> acquired = make_semaphore(client_->device);
    auto [result, index] = acquire(client_->device, swapchain_, forever, acquired, VK_NULL_HANDLE);
    ASSERT_EQ(result, VK_SUCCESS);
    ASSERT_EQ(client_->present_after(swapchain_, index, {acquired}), VK_SUCCESS);
    const size_t commit = compositor_->commits() - 1;
    EXPECT_FALSE(may_read(commit));
    timeline.advance();
    EXPECT_TRUE(may_read(commit));
    EXPECT_EQ(log.warnings(), "");
    acquired.reset();
    close_window();
}

// --- kernels before 6.16 ---

TEST_F(ExplicitTransport, FencesAreTransferredOverAScratchSyncobjBeforeLinux616) {
    kernel.has_points = false;
    present_all();
    FenceTimeline timeline;
    Owned<VkFence> acquired = make_fence(client_->device);
    Owned<VkSemaphore> rendered = make_semaphore(client_->device);
    for (int round = 0; round < 10; ++round) {
        Fd reader = timeline.fence();
        size_t before = kernel.transfers;
        release_with_readers(buffer(0), {&reader});
        auto [result, index] =
            acquire(client_->device, swapchain_, forever, VK_NULL_HANDLE, acquired);
        ASSERT_EQ(result, VK_SUCCESS);
        EXPECT_GT(kernel.transfers, before);
        EXPECT_EQ(vkGetFenceStatus(client_->device, acquired), VK_NOT_READY);
        timeline.advance();
        EXPECT_TRUE(wait_and_reset(client_->device, acquired));
        fake_driver().hold_rendering(VK_TRUE);
        client_->renderer.submit({}, {rendered});
        before = kernel.transfers;
        ASSERT_EQ(client_->present_after(swapchain_, index, {rendered}), VK_SUCCESS);
        EXPECT_EQ(kernel.transfers, before + 1);
        size_t commit = compositor_->commits() - 1;
        EXPECT_FALSE(may_read(commit));
        fake_driver().hold_rendering(VK_FALSE);
        EXPECT_TRUE(may_read(commit));
        vkDeviceWaitIdle(client_->device);
    }
    acquired.reset();
    rendered.reset();
    close_window();
}

// --- failures in a frame ---

TEST_F(ExplicitTransport, PresentWaitsForARenderingFenceThatCannotBeImportedAtAPoint) {
    present_all({.release = Release::when_replaced});
    Owned<VkSemaphore> rendered = make_semaphore(client_->device);
    uint32_t index = client_->acquire(swapchain_).index;
    fake_driver().hold_rendering(VK_TRUE);
    client_->renderer.submit({}, {rendered});
    fail(FENCEBRIDGE_SYNCOBJ_IOCTL_IMPORT_POINT, ENOMEM);
    ErrorLog log;
    VkResult presented = VK_ERROR_UNKNOWN;
    EXPECT_TRUE(run_and_see_whether_it_waits(
        [&] { presented = client_->present_after(swapchain_, index, {rendered}); },
        [] { fake_driver().hold_rendering(VK_FALSE); }));
    EXPECT_EQ(presented, VK_SUCCESS);
    EXPECT_EQ(log.lines_with({"waiting on the CPU for this frame's rendering"}).size(), 1u)
        << log.text();
    EXPECT_TRUE(may_read(compositor_->commits() - 1));
    rendered.reset();
    close_window();
}

TEST_F(ExplicitTransport, AFailedAcquireLeavesTheImageFree) {
    present_all();
    FenceTimeline timeline;
    Fd reader = timeline.fence();
    release_with_readers(buffer(0), {&reader});
    for (unsigned long request :
         {(unsigned long)DRM_IOCTL_SYNCOBJ_QUERY, FENCEBRIDGE_SYNCOBJ_IOCTL_EXPORT_POINT}) {
        fail(request, ENOMEM);
        EXPECT_EQ(client_->acquire(swapchain_, 0).result, VK_ERROR_OUT_OF_HOST_MEMORY);
    }
    fail(0, 0);
    Owned<VkFence> acquired = make_fence(client_->device);
    EXPECT_EQ(acquire(client_->device, swapchain_, 0, VK_NULL_HANDLE, acquired).result, VK_SUCCESS);
    timeline.advance();
    EXPECT_TRUE(wait_and_reset(client_->device, acquired));
    acquired.reset();
    close_window();
}

// The image is not presented yet when the wait begins.
TEST_F(ExplicitTransport, AWaitingAcquireReturnsAnImageThatAnotherThreadPresentsMeanwhile) {
    Compositor& compositor = start({.release = Release::manual});
    Client client(compositor);
    Swapchain swapchain = client.swapchain();
    std::vector<uint32_t> acquired;
    for (size_t i = 0; i < swapchain.images.size(); ++i)
        acquired.push_back(client.acquire(swapchain, 0).index);
    Acquired again{};
    bool waited = run_and_see_whether_it_waits(
        [&] { again = client.acquire(swapchain, 20'000'000'000); },
        [&] {
            EXPECT_EQ(client.present(swapchain, acquired[1]), VK_SUCCESS);
            compositor.settle();
            compositor.release(buffer(0));
        });
    EXPECT_TRUE(waited);
    EXPECT_EQ(again.result, VK_SUCCESS);
    EXPECT_EQ(again.index, acquired[1]);
}

// --- what a frame costs ---

// One ioctl queries the release timelines. The rendering is done before the present and needs none.
TEST_F(ExplicitTransport, AFrameWithoutPendingFencesTakesOneSyncobjIoctl) {
    present_all();
    for (int frame = 0; frame < 5; ++frame) {
        for (size_t image = 0; image < swapchain_.images.size(); ++image)
            if (compositor_->commits() > 0)
                compositor_->release(buffer(image));
        size_t before = kernel.syncobj_calls;
        auto [result, index] = client_->acquire(swapchain_);
        ASSERT_EQ(result, VK_SUCCESS);
        ASSERT_EQ(client_->present(swapchain_, index), VK_SUCCESS);
        EXPECT_LE(kernel.syncobj_calls - before, 1u);
        compositor_->settle();
    }
    close_window();
}

// The image is released while the application waits: one ioctl registers the eventfd, and one query
// finds the image. A query before the wait finds nothing, and is made less and less often.
TEST_F(ExplicitTransport, AFrameThatWaitsTakesTwoSyncobjIoctls) {
    present_all();
    constexpr size_t frames = 64;
    size_t before = kernel.syncobj_calls;
    for (size_t frame = 0; frame < frames; ++frame) {
        Acquired acquired{};
        EXPECT_TRUE(run_and_see_whether_it_waits(
            [&] { acquired = client_->acquire(swapchain_); },
            [&] { compositor_->release(buffer(frame % swapchain_.images.size())); }));
        ASSERT_EQ(acquired.result, VK_SUCCESS);
        ASSERT_EQ(client_->present(swapchain_, acquired.index), VK_SUCCESS);
        compositor_->settle();
    }
    EXPECT_LE(kernel.syncobj_calls - before, 2 * frames + frames / 8 + swapchain_.images.size());
    close_window();
}

// Once the query before the wait finds an image, it is made in every frame again.
TEST_F(ExplicitTransport, TheQueryBeforeAWaitIsMadeAgainWhenImagesAreReleasedEarlier) {
    present_all();
    const auto frames = [&](size_t count, bool early) {
        size_t before = kernel.syncobj_calls;
        for (size_t frame = 0; frame < count; ++frame) {
            const auto release = [&] {
                compositor_->release(buffer(frame % swapchain_.images.size()));
            };
            if (early)
                release();
            Acquired acquired{};
            EXPECT_EQ(run_and_see_whether_it_waits([&] { acquired = client_->acquire(swapchain_); },
                                                   release),
                      !early);
            EXPECT_EQ(acquired.result, VK_SUCCESS);
            EXPECT_EQ(client_->present(swapchain_, acquired.index), VK_SUCCESS);
            compositor_->settle();
        }
        return kernel.syncobj_calls - before;
    };
    const size_t images = swapchain_.images.size();
    frames(10 * images, false);
    frames(4 * images, true);
    EXPECT_EQ(frames(4 * images, true), 4 * images);
    close_window();
}

// All swapchains share the open DRM node. The dma-bufs are held by the driver and by the
// compositor, which is in this process.
TEST_F(ExplicitTransport, ASwapchainHoldsOneDescriptor) {
    Client client(start());
    Swapchain one = client.swapchain();
    const SecondWindow second(client);
    const auto before = open_files();
    Swapchain other(client.device, second.surface);
    ASSERT_EQ(other.result, VK_SUCCESS);
    const auto after = open_files();
    const auto more = [&](const char* kind) {
        return after.contains(kind) ? after.at(kind) - (before.contains(kind) ? before.at(kind) : 0)
                                    : 0;
    };
    EXPECT_EQ(more("anon_inode:[eventfd]"), 1u);
    EXPECT_EQ(more("/dev/dri/renderD128"), 0u);
    EXPECT_EQ(more("/dmabuf:"), 2 * other.images.size());
}

// Memory that is dedicated to an image cannot be bound to another: it is imported again, from the
// image's dma-buf.
TEST_F(ExplicitTransport, AnImageOfTheApplicationsIsBoundToADedicatedImagesMemory) {
    fake_driver().set_dedicated(0, VK_TRUE, VK_FALSE);
    Client client(start());
    const Swapchain swapchain = client.swapchain();
    ASSERT_EQ(swapchain.result, VK_SUCCESS);
    std::vector<Owned<VkImage>> aliases;
    for (uint32_t index = 0; index < swapchain.images.size(); ++index)
        aliases.push_back(make_alias(client.device, swapchain, index));
    EXPECT_EQ(client.show_every_image(swapchain), VK_SUCCESS);
}

// One query finds all images that are released by then. Their acquires need no further query.
TEST_F(ExplicitTransport, AnImageKnownToBeIdleIsNotQueriedAgain) {
    present_all();
    for (size_t image = 0; image < swapchain_.images.size(); ++image)
        compositor_->release(buffer(image));
    size_t before = kernel.syncobj_calls;
    for (size_t image = 0; image < swapchain_.images.size(); ++image) {
        auto [result, index] = client_->acquire(swapchain_, 0);
        ASSERT_EQ(result, VK_SUCCESS);
        EXPECT_EQ(index, image);
        EXPECT_EQ(kernel.syncobj_calls, before + 1);
        ASSERT_EQ(client_->present(swapchain_, index), VK_SUCCESS);
    }
    // The images that have been presented since are not idle.
    EXPECT_EQ(client_->acquire(swapchain_, 0).result, VK_NOT_READY);
    FenceTimeline timeline;
    Fd reader = timeline.fence();
    release_with_readers(buffer(0), {&reader});
    Owned<VkFence> acquired = make_fence(client_->device);
    EXPECT_EQ(acquire(client_->device, swapchain_, forever, VK_NULL_HANDLE, acquired).index, 0u);
    EXPECT_EQ(vkGetFenceStatus(client_->device, acquired), VK_NOT_READY);
    timeline.advance();
    EXPECT_TRUE(wait_and_reset(client_->device, acquired));
    acquired.reset();
    close_window();
}

} // namespace
} // namespace fencebridge::test

// The layer finds this definition before the C library's.
extern "C" [[gnu::visibility("default")]] int ioctl(int fd, unsigned long request, ...) noexcept {
    va_list arguments;
    va_start(arguments, request);
    void* argument = va_arg(arguments, void*);
    va_end(arguments);
    if (int error = fencebridge::test::refusal(fd, request, argument)) {
        errno = error;
        return -1;
    }
    return int(syscall(SYS_ioctl, fd, request, argument));
}
