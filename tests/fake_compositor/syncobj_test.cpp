// SPDX-License-Identifier: MIT
// The fake compositor's linux-drm-syncobj-v1, tested with a plain Wayland client.
#include "plain_client.hpp"

#include "dma_buf.hpp"

#include <cerrno>
#include <filesystem>

namespace fencebridge::test {
namespace {

constexpr std::chrono::milliseconds moment{1};

size_t open_fds() {
    std::filesystem::directory_iterator fds("/proc/self/fd");
    return size_t(std::distance(begin(fds), end(fds)));
}

Script with_syncobj(Script script = {}) {
    script.globals.syncobj = 1;
    return script;
}

// A timeline of the client, and its protocol object.
struct ClientTimeline {
    std::shared_ptr<Syncobj> syncobj;
    wp_linux_drm_syncobj_timeline_v1* object = nullptr;
    uint32_t id = 0;
};

// A window that commits with sync points.
struct Window : PlainClient {
    explicit Window(Compositor& server) :
        PlainClient(server), node(DrmNode::find()), surface(new_surface()),
        points(own(wp_linux_drm_syncobj_manager_v1_get_surface(syncobj_manager, surface))) {}

    ClientTimeline timeline() {
        ClientTimeline made{Syncobj::make(node)};
        Fd fd = made.syncobj->share();
        made.object =
            own(wp_linux_drm_syncobj_manager_v1_import_timeline(syncobj_manager, fd.get()));
        made.id = wl_proxy_get_id(reinterpret_cast<wl_proxy*>(made.object));
        return made;
    }
    void set_acquire(const ClientTimeline& timeline, uint64_t point) {
        wp_linux_drm_syncobj_surface_v1_set_acquire_point(points, timeline.object,
                                                          uint32_t(point >> 32), uint32_t(point));
    }
    void set_release(const ClientTimeline& timeline, uint64_t point) {
        wp_linux_drm_syncobj_surface_v1_set_release_point(points, timeline.object,
                                                          uint32_t(point >> 32), uint32_t(point));
    }
    void destroy(ClientTimeline& timeline) {
        disown(timeline.object);
        wp_linux_drm_syncobj_timeline_v1_destroy(timeline.object);
    }
    void destroy(wl_buffer* buffer) {
        disown(buffer);
        wl_buffer_destroy(buffer);
    }
    // Commits frame n, with the acquire point 2 n - 1 and the release point 2 n.
    void show_at(const ClientTimeline& timeline, uint64_t n, wl_buffer* buffer) {
        set_acquire(timeline, 2 * n - 1);
        set_release(timeline, 2 * n);
        show(surface, buffer);
    }
    void show_shm() {
        Fd memory(memfd_create("shm", MFD_CLOEXEC));
        EXPECT_EQ(ftruncate(memory.get(), stride * size), 0);
        wl_shm_pool* pool = own(wl_shm_create_pool(shm, memory.get(), stride * size));
        show(surface,
             own(wl_shm_pool_create_buffer(pool, 0, size, size, stride, WL_SHM_FORMAT_XRGB8888)));
    }

    std::shared_ptr<const DrmNode> node;
    wl_surface* surface;
    wp_linux_drm_syncobj_surface_v1* points;
};

class FakeSyncobj : public testing::Test {
protected:
    void SetUp() override {
        ASSERT_NE(DrmNode::find(), nullptr) << "a render node with timeline syncobjs is needed";
        ASSERT_TRUE(FenceTimeline::available()) << "sw_sync of debugfs is needed";
        fds_before_ = open_fds();
    }
    void TearDown() override {
        EXPECT_EQ(open_fds(), fds_before_);
        EXPECT_EQ(Syncobj::live(), 0u);
    }

    static BufferId buffer_of(Compositor& compositor, size_t commit) {
        return *compositor.commit_at(commit).buffer;
    }

private:
    size_t fds_before_ = 0;
};

TEST_F(FakeSyncobj, TheGlobalExistsOnlyIfTheScriptSaysSo) {
    Compositor without;
    Compositor with(with_syncobj());
    PlainClient first(without);
    PlainClient second(with);
    EXPECT_FALSE(first.globals.contains("wp_linux_drm_syncobj_manager_v1"));
    EXPECT_EQ(second.globals["wp_linux_drm_syncobj_manager_v1"], 1u);
}

TEST_F(FakeSyncobj, ThePointsOfACommitAreRecorded) {
    Compositor compositor(with_syncobj());
    Window window(compositor);
    ClientTimeline acquire = window.timeline();
    ClientTimeline release = window.timeline();
    constexpr uint64_t large = 0x1'0000'0007;
    window.set_acquire(acquire, 1);
    window.set_acquire(acquire, large); // replaces point 1
    window.set_release(release, 3);
    window.show(window.surface, window.make_buffer());
    Commit commit = compositor.last_commit();
    EXPECT_EQ(commit.acquire_point, large);
    EXPECT_EQ(commit.release_point, 3u);
    EXPECT_EQ(commit.acquire_timeline, acquire.id);
    EXPECT_EQ(commit.release_timeline, release.id);
}

TEST_F(FakeSyncobj, ACommitRecordsWhetherItsAcquirePointHadSignalled) {
    Compositor compositor(with_syncobj());
    Window window(compositor);
    ClientTimeline nothing = window.timeline();
    ClientTimeline waiting = window.timeline();
    ClientTimeline signalled = window.timeline();
    FenceTimeline rendering;
    ASSERT_TRUE(waiting.syncobj->import_fence(1, rendering.fence()));
    ASSERT_TRUE(signalled.syncobj->signal(1));
    for (const ClientTimeline& timeline : {nothing, waiting, signalled})
        window.show_at(timeline, 1, window.make_buffer());
    auto seen = [&](size_t n) {
        Commit commit = compositor.commit_at(n);
        return std::pair(commit.acquire_has_fence, commit.acquire_pending);
    };
    EXPECT_EQ(seen(0), std::pair(false, true));
    EXPECT_EQ(seen(1), std::pair(true, true));
    EXPECT_EQ(seen(2), std::pair(true, false));
}

TEST_F(FakeSyncobj, TheSignalOfAnAcquirePointIsSeenAfterTheCommit) {
    Compositor compositor(with_syncobj());
    Window window(compositor);
    ClientTimeline timeline = window.timeline();
    FenceTimeline rendering;
    ASSERT_TRUE(timeline.syncobj->import_fence(1, rendering.fence()));
    window.show_at(timeline, 1, window.make_buffer());
    EXPECT_FALSE(compositor.acquire_signalled(0));
    EXPECT_FALSE(compositor.wait_for_acquire_point(0, moment));
    rendering.advance();
    EXPECT_TRUE(compositor.wait_for_acquire_point(0));
    EXPECT_TRUE(compositor.acquire_signalled(0));
}

TEST_F(FakeSyncobj, AReleaseSignalsThePointAndSendsNoEvent) {
    Compositor compositor(with_syncobj({.release = Release::manual}));
    Window window(compositor);
    ClientTimeline timelines[] = {window.timeline(), window.timeline()};
    for (const ClientTimeline& timeline : timelines)
        window.show_at(timeline, 1, window.make_buffer());
    compositor.release(buffer_of(compositor, 1));
    wl_display_roundtrip(window.display);
    EXPECT_FALSE(timelines[0].syncobj->has_fence(2));
    EXPECT_TRUE(timelines[1].syncobj->signalled(2));
    EXPECT_TRUE(window.released.empty());
}

TEST_F(FakeSyncobj, AReleaseSendsTheEventAsWellIfTheScriptSaysSo) {
    Compositor compositor(with_syncobj({.release = Release::manual, .release_events_too = true}));
    Window window(compositor);
    ClientTimeline timeline = window.timeline();
    wl_buffer* buffer = window.make_buffer();
    window.show_at(timeline, 1, buffer);
    compositor.release(buffer_of(compositor, 0));
    wl_display_roundtrip(window.display);
    EXPECT_TRUE(timeline.syncobj->signalled(2));
    EXPECT_EQ(window.released, std::vector{buffer});
}

TEST_F(FakeSyncobj, AReleaseCanImportAFenceAtThePoint) {
    Compositor compositor(with_syncobj({.release = Release::manual}));
    Window window(compositor);
    ClientTimeline timeline = window.timeline();
    window.show_at(timeline, 1, window.make_buffer());
    compositor.settle();
    EXPECT_FALSE(timeline.syncobj->has_fence(2));
    FenceTimeline scanout;
    EXPECT_TRUE(compositor.release_with_fence(buffer_of(compositor, 0), scanout.fence()));
    EXPECT_TRUE(timeline.syncobj->has_fence(2));
    EXPECT_FALSE(timeline.syncobj->signalled(2));
    scanout.advance();
    EXPECT_TRUE(timeline.syncobj->wait(2, Compositor::patience));
}

TEST_F(FakeSyncobj, AReleaseWithAFenceFailsIfTheCommitHadNoPoint) {
    Compositor compositor(with_syncobj({.release = Release::manual}));
    PlainClient client(compositor);
    client.show(client.new_surface(), client.make_buffer());
    FenceTimeline scanout;
    EXPECT_FALSE(compositor.release_with_fence(buffer_of(compositor, 0), scanout.fence()));
    compositor.release(buffer_of(compositor, 0));
    wl_display_roundtrip(client.display);
    EXPECT_EQ(client.released.size(), 1u);
}

TEST_F(FakeSyncobj, AReplacedBuffersReleasePointIsSignalled) {
    Compositor compositor(with_syncobj());
    Window window(compositor);
    ClientTimeline timelines[] = {window.timeline(), window.timeline()};
    wl_buffer* buffers[] = {window.make_buffer(), window.make_buffer()};
    window.show_at(timelines[0], 1, buffers[0]);
    compositor.settle();
    EXPECT_FALSE(timelines[0].syncobj->has_fence(2));
    window.show_at(timelines[1], 1, buffers[1]);
    compositor.settle();
    EXPECT_TRUE(timelines[0].syncobj->signalled(2));
    EXPECT_FALSE(timelines[1].syncobj->has_fence(2));
    window.show_at(timelines[0], 2, buffers[0]);
    compositor.settle();
    EXPECT_TRUE(timelines[1].syncobj->signalled(2));
    EXPECT_FALSE(timelines[0].syncobj->has_fence(4));
    EXPECT_TRUE(compositor.on_thread([](Scene& scene) { return scene.violations(); }).empty());
}

TEST_F(FakeSyncobj, TheReleasePointIsSignalledAtOnceIfTheScriptSaysSo) {
    Compositor compositor(with_syncobj({.release = Release::at_once}));
    Window window(compositor);
    ClientTimeline timeline = window.timeline();
    window.show_at(timeline, 1, window.make_buffer());
    compositor.settle();
    EXPECT_TRUE(timeline.syncobj->signalled(2));
}

TEST_F(FakeSyncobj, ADestroyedBuffersReleasePointIsSignalledUnlessReleaseIsManual) {
    for (Release release : {Release::when_replaced, Release::manual}) {
        Compositor compositor(with_syncobj({.release = release}));
        Window window(compositor);
        ClientTimeline timeline = window.timeline();
        wl_buffer* buffer = window.make_buffer();
        window.show_at(timeline, 1, buffer);
        window.destroy(buffer);
        wl_display_roundtrip(window.display);
        EXPECT_EQ(timeline.syncobj->has_fence(2), release == Release::when_replaced);
    }
}

TEST_F(FakeSyncobj, APointOutlivesItsTimelineObject) {
    Compositor compositor(with_syncobj({.release = Release::manual}));
    Window window(compositor);
    ClientTimeline acquire = window.timeline();
    ClientTimeline release = window.timeline();
    window.set_acquire(acquire, 1);
    window.set_release(release, 2);
    window.destroy(acquire);
    window.destroy(release);
    window.show(window.surface, window.make_buffer());
    EXPECT_TRUE(compositor.last_commit().acquire_pending);
    compositor.release(buffer_of(compositor, 0));
    EXPECT_TRUE(release.syncobj->signalled(2));
    // The compositor has freed the acquire timeline.
    ASSERT_TRUE(acquire.syncobj->signal(1));
    EXPECT_FALSE(compositor.acquire_signalled(0));
}

TEST_F(FakeSyncobj, AReleasePointThatWasUsedBeforeIsReported) {
    Compositor compositor(with_syncobj({.release = Release::at_once}));
    Window window(compositor);
    ClientTimeline timeline = window.timeline();
    wl_buffer* buffer = window.make_buffer();
    window.show_at(timeline, 1, buffer);
    window.show_at(timeline, 1, buffer);
    EXPECT_EQ(compositor.on_thread([](Scene& scene) { return scene.violations().size(); }), 1u);
}

TEST_F(FakeSyncobj, ACommitWithoutABufferNeedsNoPoints) {
    Compositor compositor(with_syncobj());
    Window window(compositor);
    ClientTimeline timeline = window.timeline();
    window.show_at(timeline, 1, window.make_buffer());
    wl_surface_commit(window.surface);
    window.show(window.surface, nullptr);
    EXPECT_GE(wl_display_roundtrip(window.display), 0);
    EXPECT_EQ(compositor.commits(), 3u);
    EXPECT_EQ(compositor.last_commit().acquire_point, std::nullopt);
}

TEST_F(FakeSyncobj, DestroyingTheSurfaceObjectDropsItsPendingPoints) {
    Compositor compositor(with_syncobj());
    Window window(compositor);
    ClientTimeline timeline = window.timeline();
    window.set_acquire(timeline, 1);
    window.set_release(timeline, 2);
    window.disown(window.points);
    wp_linux_drm_syncobj_surface_v1_destroy(window.points);
    window.show(window.surface, window.make_buffer());
    EXPECT_EQ(compositor.last_commit().acquire_point, std::nullopt);
    // The surface may have another such object now.
    window.own(wp_linux_drm_syncobj_manager_v1_get_surface(window.syncobj_manager, window.surface));
    EXPECT_GE(wl_display_roundtrip(window.display), 0);
}

TEST_F(FakeSyncobj, ImportedTimelinesAreFreedWhenTheClientDisconnects) {
    Compositor compositor(with_syncobj({.release = Release::manual}));
    {
        Window window(compositor);
        ClientTimeline timelines[] = {window.timeline(), window.timeline()};
        for (const ClientTimeline& timeline : timelines)
            window.show_at(timeline, 1, window.make_buffer());
        window.set_acquire(timelines[0], 3);
        wl_display_roundtrip(window.display);
        EXPECT_EQ(Syncobj::live(), 4u); // two in the client, two in the compositor
    }
    EXPECT_TRUE(compositor.wait_until([](const Scene& scene) { return scene.clients() == 0; }));
    EXPECT_EQ(Syncobj::live(), 0u);
}

TEST_F(FakeSyncobj, ImportedTimelinesAreFreedWithTheCompositor) {
    auto compositor = std::make_unique<Compositor>(with_syncobj({.release = Release::manual}));
    Window window(*compositor);
    ClientTimeline timeline = window.timeline();
    window.show_at(timeline, 1, window.make_buffer());
    wl_display_roundtrip(window.display);
    compositor.reset();
    EXPECT_EQ(Syncobj::live(), 1u);
}

TEST_F(FakeSyncobj, AWaitForAPointWithoutAFenceLastsUntilThePointSignals) {
    auto syncobj = Syncobj::make(DrmNode::find());
    EXPECT_FALSE(syncobj->wait(1, moment));
    EXPECT_EQ(errno, ETIME); // EINVAL would mean that the ioctl does not wait
    ASSERT_TRUE(syncobj->signal(1));
    EXPECT_TRUE(syncobj->wait(1, Compositor::patience));
}

// --- protocol errors ---

struct ErrorCase {
    const char* name;
    std::function<void(Compositor&, Window&, const ClientTimeline&)> provoke;
    const wl_interface* interface;
    uint32_t code;
};

class FakeSyncobjError : public FakeSyncobj, public testing::WithParamInterface<ErrorCase> {};

TEST_P(FakeSyncobjError, TheProtocolErrorIsPosted) {
    Compositor compositor(with_syncobj());
    Window window(compositor);
    ClientTimeline timeline = window.timeline();
    ASSERT_GE(wl_display_roundtrip(window.display), 0);
    GetParam().provoke(compositor, window, timeline);
    EXPECT_LT(wl_display_roundtrip(window.display), 0);
    const wl_interface* interface = nullptr;
    uint32_t object = 0;
    EXPECT_EQ(wl_display_get_protocol_error(window.display, &interface, &object), GetParam().code);
    ASSERT_NE(interface, nullptr);
    EXPECT_STREQ(interface->name, GetParam().interface->name);
    // A refused commit is not recorded.
    EXPECT_EQ(compositor.commits(), 0u);
}

constexpr const wl_interface* manager = &wp_linux_drm_syncobj_manager_v1_interface;
constexpr const wl_interface* of_surface = &wp_linux_drm_syncobj_surface_v1_interface;

const ErrorCase error_cases[] = {
    {"SurfaceExists",
     [](Compositor&, Window& window, const ClientTimeline&) {
         window.own(
             wp_linux_drm_syncobj_manager_v1_get_surface(window.syncobj_manager, window.surface));
     },
     manager, WP_LINUX_DRM_SYNCOBJ_MANAGER_V1_ERROR_SURFACE_EXISTS},
    {"InvalidTimeline",
     [](Compositor&, Window& window, const ClientTimeline&) {
         Fd other(memfd_create("no syncobj", MFD_CLOEXEC));
         window.own(
             wp_linux_drm_syncobj_manager_v1_import_timeline(window.syncobj_manager, other.get()));
     },
     manager, WP_LINUX_DRM_SYNCOBJ_MANAGER_V1_ERROR_INVALID_TIMELINE},
    {"RefusedTimeline",
     [](Compositor& compositor, Window& window, const ClientTimeline&) {
         compositor.on_thread([](Scene& scene) { scene.set_refuse_timelines(true); });
         window.timeline();
     },
     manager, WP_LINUX_DRM_SYNCOBJ_MANAGER_V1_ERROR_INVALID_TIMELINE},
    {"NoSurface",
     [](Compositor&, Window& window, const ClientTimeline& timeline) {
         window.disown(window.surface);
         wl_surface_destroy(window.surface);
         window.set_release(timeline, 1);
     },
     of_surface, WP_LINUX_DRM_SYNCOBJ_SURFACE_V1_ERROR_NO_SURFACE},
    {"UnsupportedBuffer",
     [](Compositor&, Window& window, const ClientTimeline& timeline) {
         window.set_acquire(timeline, 1);
         window.set_release(timeline, 2);
         window.show_shm();
     },
     of_surface, WP_LINUX_DRM_SYNCOBJ_SURFACE_V1_ERROR_UNSUPPORTED_BUFFER},
    {"NoBuffer",
     [](Compositor&, Window& window, const ClientTimeline& timeline) {
         window.set_acquire(timeline, 1);
         window.set_release(timeline, 2);
         wl_surface_commit(window.surface);
     },
     of_surface, WP_LINUX_DRM_SYNCOBJ_SURFACE_V1_ERROR_NO_BUFFER},
    {"NoBufferButARelease",
     [](Compositor&, Window& window, const ClientTimeline& timeline) {
         window.set_release(timeline, 2);
         window.show(window.surface, nullptr);
     },
     of_surface, WP_LINUX_DRM_SYNCOBJ_SURFACE_V1_ERROR_NO_BUFFER},
    {"NoAcquirePoint",
     [](Compositor&, Window& window, const ClientTimeline& timeline) {
         window.set_release(timeline, 2);
         window.show(window.surface, window.make_buffer());
     },
     of_surface, WP_LINUX_DRM_SYNCOBJ_SURFACE_V1_ERROR_NO_ACQUIRE_POINT},
    {"NoReleasePoint",
     [](Compositor&, Window& window, const ClientTimeline& timeline) {
         window.set_acquire(timeline, 1);
         window.show(window.surface, window.make_buffer());
     },
     of_surface, WP_LINUX_DRM_SYNCOBJ_SURFACE_V1_ERROR_NO_RELEASE_POINT},
    {"ConflictingPoints",
     [](Compositor&, Window& window, const ClientTimeline& timeline) {
         window.set_acquire(timeline, 2);
         window.set_release(timeline, 2);
         window.show(window.surface, window.make_buffer());
     },
     of_surface, WP_LINUX_DRM_SYNCOBJ_SURFACE_V1_ERROR_CONFLICTING_POINTS},
};

INSTANTIATE_TEST_SUITE_P(, FakeSyncobjError, testing::ValuesIn(error_cases),
                         [](auto& tested) { return tested.param.name; });

} // namespace
} // namespace fencebridge::test
