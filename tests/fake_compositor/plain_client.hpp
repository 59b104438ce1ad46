// SPDX-License-Identifier: MIT
// A Wayland client without Vulkan, for the tests of the fake compositor.
#pragma once

#include "fake_compositor/compositor.hpp"

#include <linux-dmabuf-client-protocol.h>
#ifdef FAKE_COMPOSITOR_HAS_COMMIT_TIMING
#include <commit-timing-v1-client-protocol.h>
#endif
#ifdef FAKE_COMPOSITOR_HAS_FIFO
#include <fifo-v1-client-protocol.h>
#endif
#ifdef FAKE_COMPOSITOR_HAS_TEARING
#include <tearing-control-v1-client-protocol.h>
#endif
#ifdef FAKE_COMPOSITOR_HAS_SYNCOBJ
#include <linux-drm-syncobj-v1-client-protocol.h>
#endif
#include <wayland-client-protocol.h>

// wayland-scanner names a structure and a function of this protocol wp_presentation_feedback.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#include <presentation-time-client-protocol.h>
#pragma GCC diagnostic pop

#include <gtest/gtest.h>

#include <sys/mman.h>
#include <sys/stat.h>

#include <cstring>

namespace fencebridge::test {

inline constexpr int32_t size = 16;
inline constexpr uint32_t stride = 4 * size;

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

inline FeedbackReader& reader(void* data) { return *static_cast<FeedbackReader*>(data); }

inline const zwp_linux_dmabuf_feedback_v1_listener FeedbackReader::listener = [] {
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

struct PlainClient {
    explicit PlainClient(Compositor& server) : PlainClient(server.connect()) {}
    explicit PlainClient(wl_display* connected) : display(connected) {
        wl_registry* registry = wl_display_get_registry(display);
        static const wl_registry_listener listener = {bind, [](void*, wl_registry*, uint32_t) {}};
        wl_registry_add_listener(registry, &listener, this);
        wl_display_roundtrip(display);
        wl_registry_destroy(registry);
    }
    ~PlainClient() {
        for (wl_proxy* proxy : owned)
            wl_proxy_destroy(proxy);
        wl_display_disconnect(display);
    }

    // wl_display_disconnect() frees no proxies. The destructor destroys these before it.
    template <class T>
    T* own(T* proxy) {
        owned.push_back(static_cast<wl_proxy*>(static_cast<void*>(proxy)));
        return proxy;
    }
    template <class T>
    void disown(T* proxy) {
        std::erase(owned, static_cast<wl_proxy*>(static_cast<void*>(proxy)));
    }
    wl_surface* new_surface() { return own(wl_compositor_create_surface(compositor)); }

    static void bind(void* data, wl_registry* registry, uint32_t name, const char* interface,
                     uint32_t version) {
        PlainClient& self = *static_cast<PlainClient*>(data);
        self.globals[interface] = version;
        auto bind_if = [&](const wl_interface& wanted) -> void* {
            if (std::strcmp(interface, wanted.name) != 0)
                return nullptr;
            return self.own(wl_registry_bind(registry, name, &wanted, version));
        };
        if (void* proxy = bind_if(wl_compositor_interface))
            self.compositor = static_cast<wl_compositor*>(proxy);
        if (void* proxy = bind_if(zwp_linux_dmabuf_v1_interface))
            self.dmabuf = static_cast<zwp_linux_dmabuf_v1*>(proxy);
        if (void* proxy = bind_if(wp_presentation_interface))
            self.presentation = static_cast<wp_presentation*>(proxy);
#ifdef FAKE_COMPOSITOR_HAS_COMMIT_TIMING
        if (void* proxy = bind_if(wp_commit_timing_manager_v1_interface))
            self.commit_timing = static_cast<wp_commit_timing_manager_v1*>(proxy);
#endif
#ifdef FAKE_COMPOSITOR_HAS_FIFO
        if (void* proxy = bind_if(wp_fifo_manager_v1_interface))
            self.fifo_manager = static_cast<wp_fifo_manager_v1*>(proxy);
#endif
#ifdef FAKE_COMPOSITOR_HAS_TEARING
        if (void* proxy = bind_if(wp_tearing_control_manager_v1_interface))
            self.tearing_manager = static_cast<wp_tearing_control_manager_v1*>(proxy);
#endif
#ifdef FAKE_COMPOSITOR_HAS_SYNCOBJ
        if (void* proxy = bind_if(wp_linux_drm_syncobj_manager_v1_interface))
            self.syncobj_manager = static_cast<wp_linux_drm_syncobj_manager_v1*>(proxy);
        if (void* proxy = bind_if(wl_shm_interface))
            self.shm = static_cast<wl_shm*>(proxy);
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
        static const wl_buffer_listener listener = {[](void* data, wl_buffer* b) {
            static_cast<PlainClient*>(data)->released.push_back(b);
        }};
        wl_buffer_add_listener(buffer, &listener, this);
        return own(buffer);
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
            ++static_cast<PlainClient*>(data)->frames;
            wl_callback_destroy(done);
        }};
        wl_callback_add_listener(callback, &listener, this);
        return callback;
    }

    wl_display* display;
    std::vector<wl_proxy*> owned;
    std::map<std::string, uint32_t> globals;
    wl_compositor* compositor = nullptr;
    zwp_linux_dmabuf_v1* dmabuf = nullptr;
    wp_presentation* presentation = nullptr;
#ifdef FAKE_COMPOSITOR_HAS_COMMIT_TIMING
    wp_commit_timing_manager_v1* commit_timing = nullptr;
#endif
#ifdef FAKE_COMPOSITOR_HAS_FIFO
    wp_fifo_manager_v1* fifo_manager = nullptr;
#endif
#ifdef FAKE_COMPOSITOR_HAS_TEARING
    wp_tearing_control_manager_v1* tearing_manager = nullptr;
#endif
#ifdef FAKE_COMPOSITOR_HAS_SYNCOBJ
    wp_linux_drm_syncobj_manager_v1* syncobj_manager = nullptr;
    wl_shm* shm = nullptr;
#endif
    std::vector<wl_buffer*> released;
    int frames = 0;
    Inode last_inode;
};

} // namespace fencebridge::test
