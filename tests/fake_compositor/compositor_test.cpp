// SPDX-License-Identifier: MIT
// The fake compositor, tested with a plain Wayland client.
#include "plain_client.hpp"

#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <stdexcept>

namespace fencebridge::test {
namespace {

TEST(FakeCompositor, OffersTheGlobalsOfTheScript) {
    Compositor compositor({.globals = {.compositor = 3, .dmabuf = 0, .shm = 0}});
    PlainClient client(compositor);
    EXPECT_EQ(client.globals["wl_compositor"], 3u);
    EXPECT_FALSE(client.globals.contains("zwp_linux_dmabuf_v1"));
    EXPECT_FALSE(client.globals.contains("wl_shm"));
}

// The path of the socket that a client is connected to; empty if it has none.
std::string peer_of(wl_display* display) {
    sockaddr_un address{};
    socklen_t length = sizeof address;
    EXPECT_EQ(
        getpeername(wl_display_get_fd(display), reinterpret_cast<sockaddr*>(&address), &length), 0);
    return length > offsetof(sockaddr_un, sun_path) ? address.sun_path : "";
}

TEST(FakeCompositor, IsReachedByThePathOfItsSocket) {
    std::filesystem::path path;
    {
        Compositor compositor;
        path = compositor.socket_path();
        PlainClient client(compositor);
        EXPECT_EQ(peer_of(client.display), path);
        // A client that has the path can make a second connection.
        PlainClient second(wl_display_connect(path.c_str()));
        EXPECT_NE(second.compositor, nullptr);
        EXPECT_EQ(compositor.on_thread([](Scene& scene) { return scene.clients(); }), 2u);
    }
    EXPECT_FALSE(std::filesystem::exists(path.parent_path()));
}

TEST(FakeCompositor, ServesAConnectionWithoutAName) {
    Compositor compositor;
    PlainClient client(compositor.connect_unnamed());
    EXPECT_EQ(peer_of(client.display), "");
    EXPECT_NE(client.compositor, nullptr);
}

TEST(FakeCompositor, AcceptsNoClientWhileFrozen) {
    Compositor compositor;
    compositor.freeze();
    wl_display* display = compositor.connect();
    EXPECT_EQ(compositor.on_thread([](Scene& scene) { return scene.clients(); }), 0u);
    compositor.thaw();
    EXPECT_GE(wl_display_roundtrip(display), 0);
    wl_display_disconnect(display);
}

TEST(FakeCompositor, SendsFeedbackByTranche) {
    Feedback feedback{7, {{7, 1, {{drm_argb8888, 5}}}, {7, 0, common_formats()}}};
    Compositor compositor({.feedback = feedback});
    PlainClient client(compositor);
    FeedbackReader reader;
    auto* object = client.own(zwp_linux_dmabuf_v1_get_default_feedback(client.dmabuf));
    zwp_linux_dmabuf_feedback_v1_add_listener(object, &FeedbackReader::listener, &reader);
    wl_display_roundtrip(client.display);
    ASSERT_EQ(reader.done, 1);
    ASSERT_EQ(reader.tranches.size(), 2u);
    EXPECT_EQ(reader.tranches[0], feedback.tranches[0].formats);
    EXPECT_EQ(reader.tranches[1], feedback.tranches[1].formats);

    compositor.on_thread([](Scene& scene) { scene.set_feedback(linear_feedback()); });
    wl_display_roundtrip(client.display);
    EXPECT_EQ(reader.done, 2);
    ASSERT_EQ(reader.tranches.size(), 1u);
    EXPECT_EQ(reader.tranches[0], common_formats());
}

TEST(FakeCompositor, RecordsCommitsWithTheirBuffers) {
    Compositor compositor;
    PlainClient client(compositor);
    wl_surface* surface = client.new_surface();
    wl_buffer* buffer = client.make_buffer(drm_argb8888);
    Inode inode = client.last_inode;
    client.show(surface, buffer);
    ASSERT_EQ(compositor.commits(), 1u);
    Commit commit = compositor.last_commit();
    EXPECT_EQ(commit.inode, inode);
    EXPECT_EQ(commit.format, drm_argb8888);
    EXPECT_EQ(commit.width, size);
    EXPECT_EQ(commit.damage, (Region{{0, 0, size, size}}));
    EXPECT_FALSE(commit.frame_callback);
    EXPECT_FALSE(commit.write_fence_pending);
    EXPECT_EQ(compositor.requests("zwp_linux_buffer_params_v1", "create_immed"), 1u);
    auto planes = compositor.on_thread([](Scene& scene) {
        const Plane& plane = scene.buffer(BufferId(0)).planes.at(0);
        return std::pair(plane.stride, plane.modifier);
    });
    EXPECT_EQ(planes, std::pair(stride, drm_linear));
}

TEST(FakeCompositor, AnswersACreateRequestWithCreatedOrFailed) {
    Compositor compositor;
    PlainClient client(compositor);
    struct Answer {
        wl_buffer* created = nullptr;
        int failed = 0;
    } answer;
    static const zwp_linux_buffer_params_v1_listener listener = {
        [](void* data, zwp_linux_buffer_params_v1*, wl_buffer* buffer) {
            static_cast<Answer*>(data)->created = buffer;
        },
        [](void* data, zwp_linux_buffer_params_v1*) { ++static_cast<Answer*>(data)->failed; }};
    auto request = [&] {
        Fd memory(memfd_create("buffer", MFD_CLOEXEC));
        EXPECT_EQ(ftruncate(memory.get(), stride * size), 0);
        auto* params = zwp_linux_dmabuf_v1_create_params(client.dmabuf);
        zwp_linux_buffer_params_v1_add_listener(params, &listener, &answer);
        zwp_linux_buffer_params_v1_add(params, memory.get(), 0, 0, stride, 0, 0);
        zwp_linux_buffer_params_v1_create(params, size, size, drm_xrgb8888, 0);
        wl_display_roundtrip(client.display);
        zwp_linux_buffer_params_v1_destroy(params);
    };
    request();
    ASSERT_NE(answer.created, nullptr);
    client.show(client.new_surface(), client.own(answer.created));
    EXPECT_EQ(compositor.commits(), 1u);
    compositor.on_thread([](Scene& scene) { scene.set_refuse_buffers(true); });
    request();
    EXPECT_EQ(answer.failed, 1);
}

TEST(FakeCompositor, ReleasesABufferWhenAnotherReplacesIt) {
    Compositor compositor;
    PlainClient client(compositor);
    wl_surface* surface = client.new_surface();
    wl_buffer* first = client.make_buffer();
    wl_buffer* second = client.make_buffer();
    client.show(surface, first);
    wl_display_roundtrip(client.display);
    EXPECT_TRUE(client.released.empty());
    client.show(surface, second);
    wl_display_roundtrip(client.display);
    EXPECT_EQ(client.released, std::vector{first});
}

TEST(FakeCompositor, ReleasesBuffersInTheOrderOfTheTestIfReleaseIsManual) {
    Compositor compositor({.release = Release::manual});
    PlainClient client(compositor);
    wl_surface* surface = client.new_surface();
    wl_buffer* first = client.make_buffer();
    wl_buffer* second = client.make_buffer();
    client.show(surface, first);
    client.show(surface, second);
    wl_display_roundtrip(client.display);
    EXPECT_TRUE(client.released.empty());
    compositor.release(*compositor.commit_at(1).buffer);
    compositor.release(*compositor.commit_at(0).buffer);
    wl_display_roundtrip(client.display);
    EXPECT_EQ(client.released, (std::vector{second, first}));
}

TEST(FakeCompositor, ReportsABusyBufferThatIsCommittedAgain) {
    Compositor compositor({.release = Release::manual});
    PlainClient client(compositor);
    wl_surface* surface = client.new_surface();
    wl_buffer* buffer = client.make_buffer();
    client.show(surface, buffer);
    client.show(surface, buffer);
    EXPECT_EQ(compositor.on_thread([](Scene& scene) { return scene.violations().size(); }), 1u);
}

TEST(FakeCompositor, AnswersFrameCallbacksOnRefresh) {
    Compositor compositor({.refresh = Refresh::manual});
    PlainClient client(compositor);
    wl_surface* surface = client.new_surface();
    client.request_frame(surface);
    client.show(surface, client.make_buffer());
    wl_display_roundtrip(client.display);
    EXPECT_EQ(client.frames, 0);
    EXPECT_TRUE(compositor.last_commit().frame_callback);
    compositor.refresh();
    wl_display_roundtrip(client.display);
    EXPECT_EQ(client.frames, 1);
}

TEST(FakeCompositor, RefreshesPeriodically) {
    Compositor compositor({.refresh = Refresh::periodic});
    PlainClient client(compositor);
    wl_surface* surface = client.new_surface();
    client.request_frame(surface);
    client.show(surface, client.make_buffer());
    while (client.frames == 0)
        ASSERT_GE(wl_display_dispatch(client.display), 0);
    EXPECT_EQ(client.frames, 1);
}

#ifdef FAKE_COMPOSITOR_HAS_FIFO
TEST(FakeCompositor, HoldsAnUpdateBehindAFifoBarrier) {
    Compositor compositor({.globals = {.fifo = 1}, .refresh = Refresh::manual});
    PlainClient client(compositor);
    wl_surface* surface = client.new_surface();
    wp_fifo_v1* fifo = client.own(wp_fifo_manager_v1_get_fifo(client.fifo_manager, surface));
    wl_buffer* buffers[] = {client.make_buffer(), client.make_buffer()};
    for (wl_buffer* buffer : buffers) {
        wp_fifo_v1_set_barrier(fifo);
        wp_fifo_v1_wait_barrier(fifo);
        client.show(surface, buffer);
    }
    wl_display_roundtrip(client.display);
    EXPECT_TRUE(compositor.last_commit().fifo_set_barrier);
    EXPECT_TRUE(compositor.last_commit().fifo_wait_barrier);
    EXPECT_TRUE(client.released.empty());
    compositor.refresh();
    wl_display_roundtrip(client.display);
    EXPECT_EQ(client.released, std::vector{buffers[0]});
}
#endif

#ifdef FAKE_COMPOSITOR_HAS_TEARING
TEST(FakeCompositor, KeepsThePresentationHintUntilItChangesOrItsObjectIsDestroyed) {
    Compositor compositor({.globals = {.tearing = 1}});
    PlainClient client(compositor);
    wl_surface* surface = client.new_surface();
    wl_buffer* buffers[] = {client.make_buffer(), client.make_buffer()};
    size_t shown = 0;
    auto may_tear = [&] {
        client.show(surface, buffers[shown++ % 2]);
        return compositor.last_commit().may_tear;
    };
    auto* control =
        wp_tearing_control_manager_v1_get_tearing_control(client.tearing_manager, surface);
    EXPECT_FALSE(may_tear());
    wp_tearing_control_v1_set_presentation_hint(control,
                                                WP_TEARING_CONTROL_V1_PRESENTATION_HINT_ASYNC);
    EXPECT_TRUE(may_tear());
    EXPECT_TRUE(may_tear());
    wp_tearing_control_v1_set_presentation_hint(control,
                                                WP_TEARING_CONTROL_V1_PRESENTATION_HINT_VSYNC);
    EXPECT_FALSE(may_tear());
    wp_tearing_control_v1_set_presentation_hint(control,
                                                WP_TEARING_CONTROL_V1_PRESENTATION_HINT_ASYNC);
    EXPECT_TRUE(may_tear());
    wp_tearing_control_v1_destroy(control);
    EXPECT_FALSE(may_tear());
}

TEST(FakeCompositor, AllowsOneTearingControlForEachSurface) {
    Compositor compositor({.globals = {.tearing = 1}});
    PlainClient client(compositor);
    wl_surface* surface = client.new_surface();
    auto get = [&] {
        return client.own(
            wp_tearing_control_manager_v1_get_tearing_control(client.tearing_manager, surface));
    };
    auto* first = get();
    client.disown(first);
    wp_tearing_control_v1_destroy(first);
    get();
    EXPECT_GE(wl_display_roundtrip(client.display), 0);
    get();
    EXPECT_LT(wl_display_roundtrip(client.display), 0);
    EXPECT_EQ(wl_display_get_protocol_error(client.display, nullptr, nullptr),
              uint32_t(WP_TEARING_CONTROL_MANAGER_V1_ERROR_TEARING_CONTROL_EXISTS));
}
#endif

TEST(FakeCompositor, PostsAProtocolErrorAtTheChosenRequest) {
    Compositor compositor;
    PlainClient client(compositor);
    compositor.on_thread([](Scene& scene) {
        scene.add_fault({.interface = "wl_surface", .request = "commit", .nth = 2, .code = 3});
    });
    wl_surface* surface = client.new_surface();
    uint32_t id = wl_proxy_get_id(reinterpret_cast<wl_proxy*>(surface));
    client.show(surface, client.make_buffer());
    EXPECT_GE(wl_display_roundtrip(client.display), 0);
    client.show(surface, client.make_buffer());
    EXPECT_LT(wl_display_roundtrip(client.display), 0);
    const wl_interface* interface = nullptr;
    uint32_t object = 0;
    EXPECT_EQ(wl_display_get_protocol_error(client.display, &interface, &object), 3u);
    EXPECT_STREQ(interface->name, "wl_surface");
    EXPECT_EQ(object, id);
}

TEST(FakeCompositor, DisconnectsTheClientAtTheChosenRequest) {
    Compositor compositor;
    PlainClient client(compositor);
    compositor.on_thread([](Scene& scene) {
        scene.add_fault({.kind = Fault::Kind::disconnect,
                         .interface = "wl_compositor",
                         .request = "create_surface"});
    });
    client.new_surface();
    EXPECT_LT(wl_display_roundtrip(client.display), 0);
    EXPECT_EQ(wl_display_get_error(client.display), EPIPE);
    EXPECT_TRUE(compositor.wait_until([](const Scene& scene) { return scene.clients() == 0; }));
}

TEST(FakeCompositor, ReadsNothingWhileFrozen) {
    Compositor compositor;
    PlainClient client(compositor);
    compositor.freeze();
    client.show(client.new_surface(), client.make_buffer());
    EXPECT_EQ(compositor.commits(), 0u);
    compositor.thaw();
    EXPECT_TRUE(compositor.wait_for_commits(1));
}

TEST(FakeCompositor, CountsTheObjectsThatAClientHas) {
    Compositor compositor;
    PlainClient client(compositor);
    wl_display_roundtrip(client.display);
    auto before = compositor.on_thread([](Scene& scene) { return scene.live_objects(); });
    wl_buffer* buffer = client.make_buffer();
    wl_display_roundtrip(client.display);
    auto during = compositor.on_thread([](Scene& scene) { return scene.live_objects(); });
    EXPECT_EQ(during["wl_buffer"], 1u);
    EXPECT_EQ(during["zwp_linux_buffer_params_v1"], 0u);
    client.disown(buffer);
    wl_buffer_destroy(buffer);
    wl_display_roundtrip(client.display);
    EXPECT_EQ(compositor.on_thread([](Scene& scene) { return scene.live_objects(); }), before);
}

TEST(FakeCompositor, KeepsNoLogsIfTheScriptSaysSo) {
    Compositor compositor({.keep_logs = false});
    PlainClient client(compositor);
    wl_surface* surface = client.new_surface();
    wl_buffer* buffer = client.make_buffer();
    client.show(surface, buffer);
    client.show(surface, client.make_buffer());
    client.disown(buffer);
    wl_buffer_destroy(buffer);
    wl_display_roundtrip(client.display);
    EXPECT_EQ(compositor.requests("wl_surface", "commit"), 2u);
    compositor.on_thread([](Scene& scene) {
        EXPECT_TRUE(scene.commits().empty());
        EXPECT_TRUE(scene.requests().empty());
        EXPECT_EQ(scene.buffers_made(), 2u);
        EXPECT_THROW(scene.buffer(BufferId(0)), std::out_of_range);
        EXPECT_EQ(scene.buffer(BufferId(1)).id, BufferId(1));
    });
}

TEST(FakeCompositor, ServesSeveralClientsAndCountsRoundTrips) {
    Compositor compositor;
    PlainClient first(compositor);
    PlainClient second(compositor);
    EXPECT_EQ(compositor.on_thread([](Scene& scene) { return scene.clients(); }), 2u);
    size_t before = compositor.round_trips();
    wl_display_roundtrip(first.display);
    wl_display_roundtrip(second.display);
    EXPECT_EQ(compositor.round_trips(), before + 2);
}

TEST(FakeCompositor, TimesOutIfAConditionNeverHolds) {
    Compositor compositor;
    EXPECT_FALSE(compositor.wait_for_commits(1, std::chrono::milliseconds(1)));
}

} // namespace
} // namespace fencebridge::test
