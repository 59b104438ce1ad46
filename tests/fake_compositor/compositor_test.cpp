// SPDX-License-Identifier: MIT
// The fake compositor itself, driven by a plain Wayland client.
#include "fake_compositor/compositor.hpp"
#include "fake_compositor/dma_buf.hpp"

#include <linux-dmabuf-client-protocol.h>
#ifdef FAKE_COMPOSITOR_HAS_FIFO
#include <fifo-v1-client-protocol.h>
#endif
#include <wayland-client-protocol.h>

#include <gtest/gtest.h>

#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <set>

namespace fencebridge::test {
namespace {

constexpr int32_t size = 16;
constexpr uint32_t stride = 4 * size;

struct TableEntry {
    uint32_t format;
    uint32_t padding;
    uint64_t modifier;
};

// Collects a zwp_linux_dmabuf_feedback_v1's events.
struct FeedbackReader {
    std::vector<TableEntry> table;
    std::vector<std::vector<FormatModifier>> tranches;
    std::vector<FormatModifier> current;
    int done = 0;

    static const zwp_linux_dmabuf_feedback_v1_listener listener;
};

FeedbackReader& reader(void* data) { return *static_cast<FeedbackReader*>(data); }

const zwp_linux_dmabuf_feedback_v1_listener FeedbackReader::listener = [] {
    zwp_linux_dmabuf_feedback_v1_listener l{};
    l.done = [](void* data, zwp_linux_dmabuf_feedback_v1*) { ++reader(data).done; };
    l.format_table = [](void* data, zwp_linux_dmabuf_feedback_v1*, int32_t fd, uint32_t bytes) {
        Fd owner(fd);
        reader(data).tranches.clear();
        reader(data).table.resize(bytes / sizeof(TableEntry));
        ASSERT_EQ(pread(fd, reader(data).table.data(), bytes, 0), ssize_t(bytes));
    };
    l.main_device = [](void*, zwp_linux_dmabuf_feedback_v1*, wl_array* device) {
        EXPECT_EQ(device->size, sizeof(dev_t));
    };
    l.tranche_target_device = l.main_device;
    l.tranche_flags = [](void*, zwp_linux_dmabuf_feedback_v1*, uint32_t) {};
    l.tranche_formats = [](void* data, zwp_linux_dmabuf_feedback_v1*, wl_array* indices) {
        auto* index = static_cast<uint16_t*>(indices->data);
        for (size_t i = 0; i < indices->size / sizeof(uint16_t); ++i) {
            const TableEntry& entry = reader(data).table.at(index[i]);
            reader(data).current.push_back({entry.format, entry.modifier});
        }
    };
    l.tranche_done = [](void* data, zwp_linux_dmabuf_feedback_v1*) {
        reader(data).tranches.push_back(std::exchange(reader(data).current, {}));
    };
    return l;
}();

struct Client {
    explicit Client(Compositor& server) : display(server.connect()) {
        wl_registry* registry = wl_display_get_registry(display);
        static const wl_registry_listener listener = {bind, [](void*, wl_registry*, uint32_t) {}};
        wl_registry_add_listener(registry, &listener, this);
        wl_display_roundtrip(display);
        wl_registry_destroy(registry);
    }
    ~Client() { wl_display_disconnect(display); }

    static void bind(void* data, wl_registry* registry, uint32_t name, const char* interface,
                     uint32_t version) {
        Client& self = *static_cast<Client*>(data);
        self.globals[interface] = version;
        auto take = [&](const wl_interface& wanted) -> void* {
            if (std::strcmp(interface, wanted.name) != 0)
                return nullptr;
            return wl_registry_bind(registry, name, &wanted, version);
        };
        if (void* proxy = take(wl_compositor_interface))
            self.compositor = static_cast<wl_compositor*>(proxy);
        if (void* proxy = take(zwp_linux_dmabuf_v1_interface))
            self.dmabuf = static_cast<zwp_linux_dmabuf_v1*>(proxy);
#ifdef FAKE_COMPOSITOR_HAS_FIFO
        if (void* proxy = take(wp_fifo_manager_v1_interface))
            self.fifo_manager = static_cast<wp_fifo_manager_v1*>(proxy);
#endif
    }

    wl_buffer* make_buffer(uint32_t format = drm_xrgb8888, uint64_t modifier = drm_linear) {
        Fd memory(memfd_create("buffer", MFD_CLOEXEC));
        EXPECT_EQ(ftruncate(memory.get(), stride * size), 0);
        struct stat status {};
        fstat(memory.get(), &status);
        last_inode = {status.st_dev, status.st_ino};
        auto* params = zwp_linux_dmabuf_v1_create_params(dmabuf);
        zwp_linux_buffer_params_v1_add(params, memory.get(), 0, 0, stride, uint32_t(modifier >> 32),
                                       uint32_t(modifier));
        wl_buffer* buffer = zwp_linux_buffer_params_v1_create_immed(params, size, size, format, 0);
        zwp_linux_buffer_params_v1_destroy(params);
        static const wl_buffer_listener listener = {
            [](void* data, wl_buffer* b) { static_cast<Client*>(data)->released.push_back(b); }};
        wl_buffer_add_listener(buffer, &listener, this);
        return buffer;
    }

    void show(wl_surface* surface, wl_buffer* buffer) {
        wl_surface_attach(surface, buffer, 0, 0);
        wl_surface_damage(surface, 0, 0, size, size);
        wl_surface_commit(surface);
        wl_display_flush(display);
    }

    wl_callback* request_frame(wl_surface* surface) {
        wl_callback* callback = wl_surface_frame(surface);
        static const wl_callback_listener listener = {[](void* data, wl_callback* done, uint32_t) {
            ++static_cast<Client*>(data)->frames;
            wl_callback_destroy(done);
        }};
        wl_callback_add_listener(callback, &listener, this);
        return callback;
    }

    wl_display* display;
    std::map<std::string, uint32_t> globals;
    wl_compositor* compositor = nullptr;
    zwp_linux_dmabuf_v1* dmabuf = nullptr;
#ifdef FAKE_COMPOSITOR_HAS_FIFO
    wp_fifo_manager_v1* fifo_manager = nullptr;
#endif
    std::vector<wl_buffer*> released;
    int frames = 0;
    Inode last_inode;
};

TEST(FakeCompositor, OffersTheGlobalsOfTheScript) {
    Compositor compositor({.globals = {.compositor = 3, .dmabuf = 0, .shm = 0}});
    Client client(compositor);
    EXPECT_EQ(client.globals["wl_compositor"], 3u);
    EXPECT_FALSE(client.globals.contains("zwp_linux_dmabuf_v1"));
    EXPECT_FALSE(client.globals.contains("wl_shm"));
}

TEST(FakeCompositor, SendsFeedbackByTranche) {
    Feedback feedback{7, {{7, 1, {{drm_argb8888, 5}}}, {7, 0, common_formats()}}};
    Compositor compositor({.feedback = feedback});
    Client client(compositor);
    FeedbackReader reader;
    auto* object = zwp_linux_dmabuf_v1_get_default_feedback(client.dmabuf);
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
    Client client(compositor);
    wl_surface* surface = wl_compositor_create_surface(client.compositor);
    wl_buffer* buffer = client.make_buffer(drm_argb8888);
    Inode inode = client.last_inode;
    client.show(surface, buffer);
    ASSERT_EQ(compositor.commits(), 1u);
    Commit commit = compositor.last_commit();
    EXPECT_EQ(commit.inode, inode);
    EXPECT_EQ(commit.format, drm_argb8888);
    EXPECT_EQ(commit.width, size);
    EXPECT_TRUE(commit.damaged);
    EXPECT_FALSE(commit.frame_callback);
    EXPECT_FALSE(commit.write_fence_pending);
    EXPECT_EQ(compositor.requests("zwp_linux_buffer_params_v1", "create_immed"), 1u);
    auto planes = compositor.on_thread([](Scene& scene) {
        const Plane& plane = scene.buffer(BufferId(0)).planes.at(0);
        return std::pair(plane.stride, plane.modifier);
    });
    EXPECT_EQ(planes, std::pair(stride, drm_linear));
}

TEST(FakeCompositor, MakesBuffersByEventToo) {
    Compositor compositor;
    Client client(compositor);
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
    client.show(wl_compositor_create_surface(client.compositor), answer.created);
    EXPECT_EQ(compositor.commits(), 1u);
    compositor.on_thread([](Scene& scene) { scene.set_refuse_buffers(true); });
    request();
    EXPECT_EQ(answer.failed, 1);
}

TEST(FakeCompositor, ReleasesABufferWhenAnotherTakesItsPlace) {
    Compositor compositor;
    Client client(compositor);
    wl_surface* surface = wl_compositor_create_surface(client.compositor);
    wl_buffer* first = client.make_buffer();
    wl_buffer* second = client.make_buffer();
    client.show(surface, first);
    wl_display_roundtrip(client.display);
    EXPECT_TRUE(client.released.empty());
    client.show(surface, second);
    wl_display_roundtrip(client.display);
    EXPECT_EQ(client.released, std::vector{first});
}

TEST(FakeCompositor, ReleasesByHandInTheOrderAsked) {
    Compositor compositor({.release = Release::manual});
    Client client(compositor);
    wl_surface* surface = wl_compositor_create_surface(client.compositor);
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

TEST(FakeCompositor, NotesABusyBufferThatIsCommittedAgain) {
    Compositor compositor({.release = Release::manual});
    Client client(compositor);
    wl_surface* surface = wl_compositor_create_surface(client.compositor);
    wl_buffer* buffer = client.make_buffer();
    client.show(surface, buffer);
    client.show(surface, buffer);
    EXPECT_EQ(compositor.on_thread([](Scene& scene) { return scene.violations().size(); }), 1u);
}

TEST(FakeCompositor, AnswersFrameCallbacksOnRefresh) {
    Compositor compositor({.refresh = Refresh::manual});
    Client client(compositor);
    wl_surface* surface = wl_compositor_create_surface(client.compositor);
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
    Client client(compositor);
    wl_surface* surface = wl_compositor_create_surface(client.compositor);
    client.request_frame(surface);
    client.show(surface, client.make_buffer());
    while (client.frames == 0)
        ASSERT_GE(wl_display_dispatch(client.display), 0);
    EXPECT_EQ(client.frames, 1);
}

#ifdef FAKE_COMPOSITOR_HAS_FIFO
TEST(FakeCompositor, HoldsAnUpdateBehindAFifoBarrier) {
    Compositor compositor({.globals = {.fifo = 1}, .refresh = Refresh::manual});
    Client client(compositor);
    wl_surface* surface = wl_compositor_create_surface(client.compositor);
    wp_fifo_v1* fifo = wp_fifo_manager_v1_get_fifo(client.fifo_manager, surface);
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

TEST(FakeCompositor, PostsAProtocolErrorAtTheRequestAskedFor) {
    Compositor compositor;
    Client client(compositor);
    compositor.on_thread([](Scene& scene) {
        scene.add_fault({.interface = "wl_surface", .request = "commit", .nth = 2, .code = 3});
    });
    wl_surface* surface = wl_compositor_create_surface(client.compositor);
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

TEST(FakeCompositor, DisconnectsAtTheRequestAskedFor) {
    Compositor compositor;
    Client client(compositor);
    compositor.on_thread([](Scene& scene) {
        scene.add_fault({.kind = Fault::Kind::disconnect,
                         .interface = "wl_compositor",
                         .request = "create_surface"});
    });
    wl_compositor_create_surface(client.compositor);
    EXPECT_LT(wl_display_roundtrip(client.display), 0);
    EXPECT_EQ(wl_display_get_error(client.display), EPIPE);
    EXPECT_TRUE(compositor.wait_until([](const Scene& scene) { return scene.clients() == 0; }));
}

TEST(FakeCompositor, ReadsNothingWhileFrozen) {
    Compositor compositor;
    Client client(compositor);
    compositor.freeze();
    client.show(wl_compositor_create_surface(client.compositor), client.make_buffer());
    EXPECT_EQ(compositor.commits(), 0u);
    compositor.thaw();
    EXPECT_TRUE(compositor.wait_for_commits(1));
}

TEST(FakeCompositor, CountsTheObjectsThatAClientHas) {
    Compositor compositor;
    Client client(compositor);
    wl_display_roundtrip(client.display);
    auto before = compositor.on_thread([](Scene& scene) { return scene.live_objects(); });
    wl_buffer* buffer = client.make_buffer();
    wl_display_roundtrip(client.display);
    auto during = compositor.on_thread([](Scene& scene) { return scene.live_objects(); });
    EXPECT_EQ(during["wl_buffer"], 1u);
    EXPECT_EQ(during["zwp_linux_buffer_params_v1"], 0u);
    wl_buffer_destroy(buffer);
    wl_display_roundtrip(client.display);
    EXPECT_EQ(compositor.on_thread([](Scene& scene) { return scene.live_objects(); }), before);
}

TEST(FakeCompositor, ServesSeveralClientsAndCountsRoundTrips) {
    Compositor compositor;
    Client first(compositor);
    Client second(compositor);
    EXPECT_EQ(compositor.on_thread([](Scene& scene) { return scene.clients(); }), 2u);
    size_t before = compositor.round_trips();
    wl_display_roundtrip(first.display);
    wl_display_roundtrip(second.display);
    EXPECT_EQ(compositor.round_trips(), before + 2);
}

TEST(FakeCompositor, TimesOutWhereAConditionNeverHolds) {
    Compositor compositor;
    EXPECT_FALSE(compositor.wait_for_commits(1, std::chrono::milliseconds(1)));
}

} // namespace
} // namespace fencebridge::test
