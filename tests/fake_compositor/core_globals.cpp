// SPDX-License-Identifier: MIT
// wl_compositor, wl_surface, wl_region, wl_output, wl_fixes and wl_shm.
#include "scene.hpp"

#include <wayland-server-protocol.h>

#include <algorithm>

namespace fencebridge::test {
namespace {

void destroy_resource(wl_client*, wl_resource* resource) { wl_resource_destroy(resource); }

template <class T>
T& data_of(wl_resource* resource) {
    return *static_cast<T*>(wl_resource_get_user_data(resource));
}

// --- wl_region ---
const struct wl_region_interface region_requests = [] {
    struct wl_region_interface requests {};
    requests.destroy = destroy_resource;
    requests.add = [](wl_client*, wl_resource* region, int32_t x, int32_t y, int32_t w, int32_t h) {
        data_of<Region>(region).push_back({x, y, w, h});
    };
    requests.subtract = [](wl_client*, wl_resource*, int32_t, int32_t, int32_t, int32_t) {};
    return requests;
}();

void create_region(wl_client* client, wl_resource*, uint32_t id) {
    wl_resource* region = wl_resource_create(client, &wl_region_interface, 1, id);
    wl_resource_set_implementation(region, &region_requests, new Region, [](wl_resource* resource) {
        delete &data_of<Region>(resource);
    });
}

// --- wl_surface ---
ClientSurface& surface_of(wl_resource* resource) { return data_of<ClientSurface>(resource); }

void attach(wl_client*, wl_resource* surface, wl_resource* buffer, int32_t, int32_t) {
    Update& pending = surface_of(surface).pending;
    pending.attached_shm = buffer && wl_shm_buffer_get(buffer);
    if (pending.attached_shm)
        pending.attached = &surface_of(surface).scene->shm_buffer(buffer);
    else
        pending.attached = buffer ? &data_of<ClientBuffer>(buffer) : nullptr;
}

void damage(wl_client*, wl_resource* surface, int32_t x, int32_t y, int32_t width, int32_t height) {
    surface_of(surface).pending.damage.push_back({x, y, width, height});
}

void frame(wl_client* client, wl_resource* surface, uint32_t id) {
    wl_resource* callback = wl_resource_create(client, &wl_callback_interface, 1, id);
    wl_resource_set_implementation(
        callback, nullptr, surface_of(surface).scene,
        [](wl_resource* resource) { data_of<Scene>(resource).forget_callback(resource); });
    surface_of(surface).pending.frame_callbacks.push_back(callback);
}

void set_opaque_region(wl_client*, wl_resource* surface, wl_resource* region) {
    surface_of(surface).pending.opaque_region = region ? data_of<Region>(region) : Region{};
}

const struct wl_surface_interface surface_requests = [] {
    struct wl_surface_interface requests {};
    requests.destroy = destroy_resource;
    requests.attach = attach;
    requests.damage = damage;
    requests.frame = frame;
    requests.set_opaque_region = set_opaque_region;
    requests.set_input_region = [](wl_client*, wl_resource*, wl_resource*) {};
    requests.commit = [](wl_client*, wl_resource* surface) {
        ClientSurface& state = surface_of(surface);
        state.scene->commit(state);
    };
    requests.set_buffer_transform = [](wl_client*, wl_resource*, int32_t) {};
    requests.set_buffer_scale = [](wl_client*, wl_resource*, int32_t) {};
    requests.damage_buffer = damage;
    requests.offset = [](wl_client*, wl_resource*, int32_t, int32_t) {};
    return requests;
}();

void create_surface(wl_client* client, wl_resource* compositor, uint32_t id) {
    Scene& scene = data_of<Scene>(compositor);
    int version = wl_resource_get_version(compositor);
    wl_resource* resource = wl_resource_create(client, &wl_surface_interface, version, id);
    ClientSurface& created = scene.add_surface(resource);
    wl_resource_set_implementation(resource, &surface_requests, &created, [](wl_resource* surface) {
        ClientSurface& state = surface_of(surface);
        state.scene->remove_surface(state);
    });
}

const struct wl_compositor_interface compositor_requests = [] {
    struct wl_compositor_interface requests {};
    requests.create_surface = create_surface;
    requests.create_region = create_region;
    return requests;
}();

void bind_compositor(wl_client* client, void* data, uint32_t version, uint32_t id) {
    wl_resource* resource = wl_resource_create(client, &wl_compositor_interface, int(version), id);
    wl_resource_set_implementation(resource, &compositor_requests, data, nullptr);
}

// --- wl_output: surfaces can enter it, and it does nothing else ---
void bind_output(wl_client* client, void* data, uint32_t version, uint32_t id) {
    Scene& scene = *static_cast<Scene*>(data);
    wl_resource* resource = wl_resource_create(client, &wl_output_interface, int(version), id);
    scene.outputs().push_back(resource);
    wl_resource_set_implementation(resource, nullptr, data, [](wl_resource* output) {
        std::erase(data_of<Scene>(output).outputs(), output);
    });
}

#ifdef FAKE_COMPOSITOR_HAS_FIXES
const struct wl_fixes_interface fixes_requests = [] {
    struct wl_fixes_interface requests {};
    requests.destroy = destroy_resource;
    requests.destroy_registry = [](wl_client*, wl_resource*, wl_resource* registry) {
        wl_resource_destroy(registry);
    };
    return requests;
}();

void bind_fixes(wl_client* client, void* data, uint32_t version, uint32_t id) {
    wl_resource* resource = wl_resource_create(client, &wl_fixes_interface, int(version), id);
    wl_resource_set_implementation(resource, &fixes_requests, data, nullptr);
}
#endif

} // namespace

void add_core_globals(Scene& scene) {
    const Globals& globals = scene.script().globals;
    auto add = [&](const wl_interface& interface, uint32_t version, wl_global_bind_func_t bind) {
        int offered = std::min(int(version), interface.version);
        if (version > 0)
            scene.announce(interface, offered, bind);
    };
    add(wl_compositor_interface, std::min(globals.compositor, 5u), bind_compositor);
    add(wl_output_interface, std::min(globals.output, 1u), bind_output);
#ifdef FAKE_COMPOSITOR_HAS_FIXES
    add(wl_fixes_interface, std::min(globals.fixes, 1u), bind_fixes);
#endif
    if (globals.shm > 0)
        wl_display_init_shm(scene.display());
    for (uint32_t format : scene.script().shm_formats)
        wl_display_add_shm_format(scene.display(), format);
}

} // namespace fencebridge::test
