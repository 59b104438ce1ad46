// SPDX-License-Identifier: MIT
// zwp_linux_dmabuf_v1: versions 1 and 2 announce formats, version 3 announces modifiers, and later
// versions have feedback objects.
#include "scene.hpp"

#include <linux-dmabuf-server-protocol.h>
#include <wayland-server-protocol.h>

#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <memory>

namespace fencebridge::test {
namespace {

constexpr size_t max_planes = 4;

template <class T>
T& data_of(wl_resource* resource) {
    return *static_cast<T*>(wl_resource_get_user_data(resource));
}

void destroy_resource(wl_client*, wl_resource* resource) { wl_resource_destroy(resource); }

Inode inode_of(int fd) {
    struct stat status {};
    fstat(fd, &status);
    return {status.st_dev, status.st_ino};
}

// --- wl_buffer ---
const struct wl_buffer_interface buffer_requests = [] {
    struct wl_buffer_interface requests {};
    requests.destroy = destroy_resource;
    return requests;
}();

wl_resource* create_buffer(wl_client* client, Scene& scene, uint32_t id, ClientBuffer contents) {
    wl_resource* resource = wl_resource_create(client, &wl_buffer_interface, 1, id);
    contents.resource = resource;
    ClientBuffer& buffer = scene.add_buffer(std::move(contents));
    wl_resource_set_implementation(resource, &buffer_requests, &buffer, [](wl_resource* destroyed) {
        ClientBuffer& gone = data_of<ClientBuffer>(destroyed);
        gone.scene->remove_buffer(gone);
    });
    return resource;
}

// --- zwp_linux_buffer_params_v1 ---
struct Params {
    Scene& scene;
    std::map<uint32_t, Plane> planes;
    bool used = false;
};

void add_plane(wl_client*, wl_resource* resource, int32_t fd, uint32_t index, uint32_t offset,
               uint32_t stride, uint32_t modifier_hi, uint32_t modifier_lo) {
    Params& params = data_of<Params>(resource);
    Plane plane{Fd(fd), offset, stride, uint64_t(modifier_hi) << 32 | modifier_lo};
    if (index >= max_planes)
        wl_resource_post_error(resource, ZWP_LINUX_BUFFER_PARAMS_V1_ERROR_PLANE_IDX, "plane index");
    else if (!params.planes.emplace(index, std::move(plane)).second)
        wl_resource_post_error(resource, ZWP_LINUX_BUFFER_PARAMS_V1_ERROR_PLANE_SET, "plane set");
}

// Checks the parameters. If one is invalid, posts the protocol error and returns false.
bool check(wl_resource* resource, const Params& params, int32_t width, int32_t height,
           uint32_t format) {
    auto fail = [&](uint32_t code, const char* text) {
        wl_resource_post_error(resource, code, "%s", text);
        return false;
    };
    if (params.used)
        return fail(ZWP_LINUX_BUFFER_PARAMS_V1_ERROR_ALREADY_USED, "already used");
    if (params.planes.empty() || params.planes.rbegin()->first + 1 != params.planes.size())
        return fail(ZWP_LINUX_BUFFER_PARAMS_V1_ERROR_INCOMPLETE, "missing plane");
    if (width <= 0 || height <= 0)
        return fail(ZWP_LINUX_BUFFER_PARAMS_V1_ERROR_INVALID_DIMENSIONS, "size");
    uint64_t modifier = params.planes.begin()->second.modifier;
    for (const auto& [index, plane] : params.planes) {
        if (plane.modifier != modifier)
            return fail(ZWP_LINUX_BUFFER_PARAMS_V1_ERROR_INVALID_FORMAT, "modifiers differ");
        struct stat status {};
        fstat(plane.fd.get(), &status);
        uint64_t end = plane.offset + uint64_t(plane.stride) * uint64_t(height);
        if (status.st_size > 0 && end > uint64_t(status.st_size))
            return fail(ZWP_LINUX_BUFFER_PARAMS_V1_ERROR_OUT_OF_BOUNDS, "plane ends past its file");
    }
    const Script& script = params.scene.script();
    FormatModifier used{format, modifier};
    if (!script.feedback.offers(used) &&
        !(script.surface_feedback && script.surface_feedback->offers(used)))
        params.scene.violation("buffer of a format and modifier that were not offered");
    return true;
}

ClientBuffer make_buffer(Params& params, int32_t width, int32_t height, uint32_t format,
                         uint32_t flags) {
    params.used = true;
    Inode inode = inode_of(params.planes.begin()->second.fd.get());
    return {.scene = &params.scene,
            .id = {},
            .resource = nullptr,
            .planes = std::move(params.planes),
            .width = width,
            .height = height,
            .format = format,
            .flags = flags,
            .inode = inode};
}

const struct zwp_linux_buffer_params_v1_interface params_requests = [] {
    struct zwp_linux_buffer_params_v1_interface requests {};
    requests.destroy = destroy_resource;
    requests.add = add_plane;
    requests.create = [](wl_client* client, wl_resource* resource, int32_t width, int32_t height,
                         uint32_t format, uint32_t flags) {
        Params& params = data_of<Params>(resource);
        if (!check(resource, params, width, height, format))
            return;
        ClientBuffer buffer = make_buffer(params, width, height, format, flags);
        if (!params.scene.accepts(client, buffer))
            zwp_linux_buffer_params_v1_send_failed(resource);
        else
            zwp_linux_buffer_params_v1_send_created(
                resource, create_buffer(client, params.scene, 0, std::move(buffer)));
    };
    requests.create_immed = [](wl_client* client, wl_resource* resource, uint32_t id, int32_t width,
                               int32_t height, uint32_t format, uint32_t flags) {
        Params& params = data_of<Params>(resource);
        if (!check(resource, params, width, height, format))
            return;
        ClientBuffer buffer = make_buffer(params, width, height, format, flags);
        const bool accepted = params.scene.accepts(client, buffer);
        create_buffer(client, params.scene, id, std::move(buffer));
        if (!accepted)
            zwp_linux_buffer_params_v1_send_failed(resource);
    };
    return requests;
}();

void create_params(wl_client* client, wl_resource* dmabuf, uint32_t id) {
    wl_resource* resource = wl_resource_create(client, &zwp_linux_buffer_params_v1_interface,
                                               wl_resource_get_version(dmabuf), id);
    wl_resource_set_implementation(resource, &params_requests,
                                   new Params{data_of<Scene>(dmabuf), {}},
                                   [](wl_resource* params) { delete &data_of<Params>(params); });
}

// --- zwp_linux_dmabuf_feedback_v1 ---
struct TableEntry {
    uint32_t format;
    uint32_t padding;
    uint64_t modifier;
};

const struct zwp_linux_dmabuf_feedback_v1_interface feedback_requests = [] {
    struct zwp_linux_dmabuf_feedback_v1_interface requests {};
    requests.destroy = destroy_resource;
    return requests;
}();

wl_resource* create_feedback(wl_client* client, wl_resource* dmabuf, uint32_t id) {
    wl_resource* resource = wl_resource_create(client, &zwp_linux_dmabuf_feedback_v1_interface,
                                               wl_resource_get_version(dmabuf), id);
    Scene& scene = data_of<Scene>(dmabuf);
    scene.feedback_objects().push_back(resource);
    wl_resource_set_implementation(resource, &feedback_requests, &scene, [](wl_resource* feedback) {
        std::erase(data_of<Scene>(feedback).feedback_objects(), feedback);
    });
    return resource;
}

void default_feedback(wl_client* client, wl_resource* dmabuf, uint32_t id) {
    send_feedback(create_feedback(client, dmabuf, id), data_of<Scene>(dmabuf).script().feedback);
}

void surface_feedback(wl_client* client, wl_resource* dmabuf, uint32_t id, wl_resource*) {
    const Script& script = data_of<Scene>(dmabuf).script();
    send_feedback(create_feedback(client, dmabuf, id),
                  script.surface_feedback.value_or(script.feedback));
}

// A wl_array over memory that the caller owns.
template <class T>
wl_array array_over(std::vector<T>& values) {
    return {values.size() * sizeof(T), 0, values.data()};
}

Fd make_table(std::vector<TableEntry>& table) {
    Fd fd(memfd_create("feedback-table", MFD_CLOEXEC));
    size_t size = table.size() * sizeof(TableEntry);
    if (write(fd.get(), table.data(), size) != ssize_t(size))
        return {};
    return fd;
}

// --- zwp_linux_dmabuf_v1 ---
const struct zwp_linux_dmabuf_v1_interface dmabuf_requests = [] {
    struct zwp_linux_dmabuf_v1_interface requests {};
    requests.destroy = destroy_resource;
    requests.create_params = create_params;
    requests.get_default_feedback = default_feedback;
    requests.get_surface_feedback = surface_feedback;
    return requests;
}();

void announce(wl_resource* resource, const Feedback& feedback) {
    for (const Tranche& tranche : feedback.tranches)
        for (const auto& [format, modifier] : tranche.formats) {
            zwp_linux_dmabuf_v1_send_format(resource, format);
            if (wl_resource_get_version(resource) >= ZWP_LINUX_DMABUF_V1_MODIFIER_SINCE_VERSION)
                zwp_linux_dmabuf_v1_send_modifier(resource, format, uint32_t(modifier >> 32),
                                                  uint32_t(modifier));
        }
}

void bind_dmabuf(wl_client* client, void* data, uint32_t version, uint32_t id) {
    wl_resource* resource =
        wl_resource_create(client, &zwp_linux_dmabuf_v1_interface, int(version), id);
    wl_resource_set_implementation(resource, &dmabuf_requests, data, nullptr);
    if (version < ZWP_LINUX_DMABUF_V1_GET_DEFAULT_FEEDBACK_SINCE_VERSION)
        announce(resource, static_cast<Scene*>(data)->script().feedback);
}

} // namespace

void send_feedback(wl_resource* resource, const Feedback& feedback) {
    std::vector<TableEntry> table;
    for (const Tranche& tranche : feedback.tranches)
        for (const auto& [format, modifier] : tranche.formats)
            table.push_back({format, 0, modifier});
    Fd fd = make_table(table);
    zwp_linux_dmabuf_feedback_v1_send_format_table(resource, fd.get(),
                                                   uint32_t(table.size() * sizeof(TableEntry)));
    std::vector<dev_t> main_device{feedback.main_device};
    wl_array array = array_over(main_device);
    zwp_linux_dmabuf_feedback_v1_send_main_device(resource, &array);

    uint16_t next_index = 0;
    for (const Tranche& tranche : feedback.tranches) {
        std::vector<dev_t> device{tranche.target_device};
        array = array_over(device);
        zwp_linux_dmabuf_feedback_v1_send_tranche_target_device(resource, &array);
        std::vector<uint16_t> indices(tranche.formats.size());
        for (uint16_t& index : indices)
            index = next_index++;
        array = array_over(indices);
        zwp_linux_dmabuf_feedback_v1_send_tranche_formats(resource, &array);
        zwp_linux_dmabuf_feedback_v1_send_tranche_flags(resource, tranche.flags);
        zwp_linux_dmabuf_feedback_v1_send_tranche_done(resource);
    }
    zwp_linux_dmabuf_feedback_v1_send_done(resource);
}

void add_dmabuf_global(Scene& scene) {
    int version =
        std::min(int(scene.script().globals.dmabuf), zwp_linux_dmabuf_v1_interface.version);
    if (version > 0)
        scene.announce(zwp_linux_dmabuf_v1_interface, version, bind_dmabuf);
}

} // namespace fencebridge::test
