// SPDX-License-Identifier: MIT
#include "scene.hpp"

#include "dma_buf.hpp"

#include <wayland-server-protocol.h>

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <utility>

namespace fencebridge::test {
namespace {

constexpr int refresh_period_ms = 4;
constexpr int answer_patience_ms = 1000;

uint64_t argument_value(char type, const wl_argument& argument) {
    switch (type) {
    case 'i':
    case 'f':
        return uint64_t(int64_t(argument.i));
    case 'u':
        return argument.u;
    case 'n':
        return argument.n;
    case 'h':
        return uint64_t(argument.h);
    case 's':
        return argument.s ? std::string_view(argument.s).size() : 0;
    case 'o':
        // The wl_object is the first member of the wl_resource.
        return argument.o ? wl_resource_get_id(reinterpret_cast<wl_resource*>(argument.o)) : 0;
    default:
        return 0;
    }
}

Request to_request(const wl_protocol_logger_message& message) {
    Request request{wl_resource_get_class(message.resource),
                    message.message->name,
                    wl_resource_get_id(message.resource),
                    {}};
    int index = 0;
    for (const char* type = message.message->signature; *type; ++type) {
        if (*type == '?' || (*type >= '0' && *type <= '9'))
            continue;
        request.args.push_back(argument_value(*type, message.arguments[index++]));
    }
    return request;
}

} // namespace

Scene::Scene(wl_display* display, Script script) : display_(display), script_(std::move(script)) {
    if (script_.globals.syncobj > 0)
        drm_node_ = DrmNode::find();
    timer_ = wl_event_loop_add_timer(wl_display_get_event_loop(display), periodic_refresh, this);
    set_refresh(script_.refresh);
    clients_.on_connect.notify = [](wl_listener* listener, void*) {
        ++reinterpret_cast<ClientCounter*>(listener)->made;
    };
    wl_display_add_client_created_listener(display, &clients_.on_connect);
}

int Scene::periodic_refresh(void* data) {
    Scene& scene = *static_cast<Scene*>(data);
    scene.refresh();
    scene.set_refresh(scene.script_.refresh);
    return 0;
}

void Scene::announce(const wl_interface& interface, int version, wl_global_bind_func_t bind) {
    globals_.push_back(
        {&interface, version, bind, wl_global_create(display_, &interface, version, this, bind)});
}

Scene::Announced* Scene::find_global(std::string_view interface) {
    auto found = std::ranges::find_if(
        globals_, [&](const Announced& each) { return each.interface->name == interface; });
    return found == globals_.end() ? nullptr : &*found;
}

bool Scene::remove_global(std::string_view interface) {
    Announced* announced = find_global(interface);
    if (!announced || !announced->global)
        return false;
    // The global is kept until the display is destroyed: a client may bind it before it reads the
    // event.
    wl_global_remove(std::exchange(announced->global, nullptr));
    return true;
}

void Scene::add_global(std::string_view interface) {
    Announced& announced = *find_global(interface);
    announced.global =
        wl_global_create(display_, announced.interface, announced.version, this, announced.bind);
}

void Scene::set_refresh(Refresh refresh) {
    script_.refresh = refresh;
    wl_event_source_timer_update(timer_, refresh == Refresh::periodic ? refresh_period_ms : 0);
    if (refresh == Refresh::at_once)
        this->refresh();
}

size_t Scene::count(std::string_view interface, std::string_view request) const {
    auto found = counts_.find({std::string(interface), std::string(request)});
    return found == counts_.end() ? 0 : found->second;
}

size_t Scene::commits_of(SurfaceId surface) const {
    return size_t(std::ranges::count(commits_, surface, &Commit::surface));
}

size_t Scene::clients() const {
    return size_t(wl_list_length(wl_display_get_client_list(display_)));
}

std::map<std::string, size_t> Scene::live_objects() const {
    std::map<std::string, size_t> counts;
    auto count_resource = [](wl_resource* resource, void* data) {
        ++(*static_cast<std::map<std::string, size_t>*>(data))[wl_resource_get_class(resource)];
        return WL_ITERATOR_CONTINUE;
    };
    wl_client* client;
    wl_client_for_each(client, wl_display_get_client_list(display_))
        wl_client_for_each_resource(client, count_resource, &counts);
    return counts;
}

std::optional<SyncPoint> Scene::acquire_point(size_t commit) const {
    const Commit& noted = commits_.at(commit);
    std::shared_ptr<Syncobj> timeline = acquire_timelines_.at(commit).lock();
    if (!noted.acquire_point || !timeline)
        return std::nullopt;
    return SyncPoint{std::move(timeline), noted.acquire_timeline, *noted.acquire_point};
}

bool Scene::acquire_signalled(size_t commit) const {
    std::optional<SyncPoint> point = acquire_point(commit);
    return point && point->timeline->signalled(point->value);
}

void Scene::release(BufferId id) {
    ClientBuffer& buffer = *buffers_.at(id);
    if (Fd read_until = std::exchange(buffer.read_until, Fd());
        read_until.get() >= 0 && release_with_fence(id, read_until))
        return;
    end_of_use(buffer, [](const SyncPoint& point) { return point.timeline->signal(point.value); });
}

bool Scene::release_with_fence(BufferId id, const Fd& sync_file) {
    ClientBuffer& buffer = *buffers_.at(id);
    if (buffer.release_points.empty())
        return false;
    end_of_use(buffer, [&](const SyncPoint& point) {
        return point.timeline->import_fence(point.value, sync_file);
    });
    return true;
}

size_t Scene::reads_kept() const {
    size_t count = 0;
    for (const auto& [id, buffer] : buffers_)
        count += buffer->read_until.get() >= 0;
    return count;
}

void Scene::end_of_use(ClientBuffer& buffer, const std::function<bool(const SyncPoint&)>& finish) {
    if (!std::exchange(buffer.busy, false))
        return;
    const bool event = buffer.release_points.empty() || script_.release_events_too;
    for (const SyncPoint& point : std::exchange(buffer.release_points, {}))
        if (!finish(point))
            violation("a release point at which no fence can be imported");
    if (event && buffer.resource)
        wl_buffer_send_release(buffer.resource);
}

bool Scene::present(size_t commit, PresentedEvent presented) {
    if (!presentation_.has(commit))
        return false;
    if (!presented.time) {
        timespec now{};
        if (clock_gettime(clockid_t(script_.presentation_clock), &now) != 0)
            violation("the announced clock cannot be read: the test has to name a time");
        presented.time = std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
    }
    presented.sequence = presented.sequence.value_or(refreshes_);
    return presentation_.present(commit, presented, outputs_);
}

void Scene::refresh() {
    ++refreshes_;
    now_ms_ += script_.refresh_ms;
    for (auto& surface : surfaces_)
        refresh(*surface);
}

// A repaint shows the applied content update. It answers the update's frame callbacks and clears
// its fifo barrier. If the script says so, it also answers the update's feedback objects of
// wp_presentation. The update that waits for the barrier is then applied, and shown by the next
// repaint.
void Scene::refresh(ClientSurface& surface) {
    if (!surface.hidden) {
        for (wl_resource* callback : std::exchange(surface.frame_callbacks, {})) {
            wl_callback_send_done(callback, now_ms_);
            wl_resource_destroy(callback);
        }
        show(surface);
    }
    surface.barrier = false;
    apply_ready(surface);
}

void Scene::show(ClientSurface& surface) {
    const std::optional<size_t> shown = std::exchange(surface.unseen, std::nullopt);
    if (!shown || script_.presentation == Presentation::manual)
        return;
    if (script_.presentation == Presentation::presented)
        present(*shown, script_.presented);
    else
        discard(*shown);
}

// The commit is applied. No refresh will show the one before it, if none has.
void Scene::supersede(ClientSurface& surface, size_t commit) {
    const std::optional<size_t> superseded = std::exchange(
        surface.unseen, presentation_.has(commit) ? std::optional(commit) : std::nullopt);
    if (superseded && script_.discard_superseded)
        discard(*superseded);
}

ClientSurface& Scene::find(SurfaceId id) const {
    return **std::ranges::find(surfaces_, id, [](auto& surface) { return surface->id; });
}

void Scene::set_hidden(SurfaceId id, bool hidden) { find(id).hidden = hidden; }

std::optional<BufferId> Scene::current(SurfaceId id) const {
    const ClientBuffer* buffer = find(id).current;
    return buffer ? std::optional(buffer->id) : std::nullopt;
}

void Scene::apply_ready(ClientSurface& surface) {
    while (!surface.queued.empty() &&
           !(surface.queued.front().fifo_wait_barrier && surface.barrier)) {
        Update update = std::move(surface.queued.front());
        surface.queued.pop_front();
        apply(surface, std::move(update));
    }
}

void Scene::apply(ClientSurface& surface, Update update) {
    supersede(surface, update.commit);
    surface.barrier |= update.fifo_set_barrier;
    std::ranges::copy(update.frame_callbacks, std::back_inserter(surface.frame_callbacks));
    if (!update.attached)
        return;
    ClientBuffer* previous = std::exchange(surface.current, *update.attached);
    if (previous && previous != surface.current && script_.release == Release::when_replaced)
        release(previous->id);
    if (surface.current && script_.release == Release::at_once)
        release(surface.current->id);
}

void Scene::commit(ClientSurface& surface) {
#ifdef FAKE_COMPOSITOR_HAS_SYNCOBJ
    if (!check_sync_points(surface))
        return;
#endif
    Update update = std::exchange(surface.pending, {});
    surface.pending.may_tear = update.may_tear;
    update.commit = next_commit_++;
    Commit commit{.surface = surface.id,
                  .buffer = {},
                  .inode = {},
                  .damage = update.damage,
                  .frame_callback = !update.frame_callbacks.empty(),
                  .fifo_set_barrier = update.fifo_set_barrier,
                  .fifo_wait_barrier = update.fifo_wait_barrier,
                  .target_time = update.target_time,
                  .presentation_feedbacks = update.presentation_feedbacks.size(),
                  .may_tear = update.may_tear,
                  .opaque_region = update.opaque_region,
                  .image_description = surface.image_description,
                  .alpha_mode = surface.alpha_mode};
    if (update.attached && *update.attached) {
        ClientBuffer& buffer = **update.attached;
        if (buffer.busy && !script_.shares_buffers)
            violation("commit of a buffer that was not released");
        buffer.busy = true;
        commit.buffer = buffer.id;
        commit.inode = buffer.inode;
        commit.width = buffer.width;
        commit.height = buffer.height;
        commit.format = buffer.format;
        commit.shm = buffer.shm;
        for (auto& [index, plane] : buffer.planes)
            commit.write_fence_pending |= !write_fences_signalled(plane.fd.get());
        if (update.damage.empty())
            violation("commit of a new buffer without damage");
        note_points(update, commit);
    }
    if (script_.keep_logs) {
        commits_.push_back(commit);
        acquire_timelines_.push_back(update.acquire_point ? update.acquire_point->timeline
                                                          : nullptr);
    }
    presentation_.add(update.commit, surface.resource,
                      std::exchange(update.presentation_feedbacks, {}));
    if (commit_hook_)
        commit_hook_(commit);
    surface.queued.push_back(std::move(update));
    apply_ready(surface);
    while (script_.refresh == Refresh::at_once &&
           ((!surface.hidden && (!surface.frame_callbacks.empty() || surface.unseen)) ||
            !surface.queued.empty() || surface.barrier)) {
        ++refreshes_;
        refresh(surface);
    }
}

void Scene::note_points(const Update& update, Commit& commit) {
    if (const auto& point = update.acquire_point) {
        commit.acquire_point = point->value;
        commit.acquire_timeline = point->timeline_id;
        commit.acquire_pending = !point->timeline->signalled(point->value);
        commit.acquire_has_fence = point->timeline->has_fence(point->value);
    }
    if (const auto& point = update.release_point) {
        commit.release_point = point->value;
        commit.release_timeline = point->timeline_id;
        if (point->timeline->has_fence(point->value))
            violation("commit with a release point that has been used");
        (*update.attached)->release_points.push_back(*point);
    }
}

ClientSurface& Scene::add_surface(wl_resource* resource) {
    surfaces_.push_back(std::make_unique<ClientSurface>());
    surfaces_.back()->scene = this;
    surfaces_.back()->id = SurfaceId(next_surface_++);
    surfaces_.back()->resource = resource;
    return *surfaces_.back();
}

void Scene::remove_surface(ClientSurface& surface) {
    std::vector<wl_resource*> callbacks = surface.frame_callbacks;
    std::ranges::copy(surface.pending.frame_callbacks, std::back_inserter(callbacks));
    for (Update& update : surface.queued)
        std::ranges::copy(update.frame_callbacks, std::back_inserter(callbacks));
    std::ranges::for_each(callbacks, wl_resource_destroy);
    discard_presentation(std::exchange(surface.pending.presentation_feedbacks, {}));
    presentation_.discard_all(surface.resource);
    if (surface.fifo)
        wl_resource_set_user_data(surface.fifo, nullptr);
    if (surface.commit_timer)
        wl_resource_set_user_data(surface.commit_timer, nullptr);
    if (surface.tearing_control)
        wl_resource_set_user_data(surface.tearing_control, nullptr);
    if (surface.syncobj)
        wl_resource_set_user_data(surface.syncobj, nullptr);
    if (surface.color)
        wl_resource_set_user_data(surface.color, nullptr);
    if (surface.representation)
        wl_resource_set_user_data(surface.representation, nullptr);
    if (surface.current && script_.release == Release::when_replaced)
        release(surface.current->id);
    std::erase_if(surfaces_, [&](auto& entry) { return entry.get() == &surface; });
}

ClientBuffer& Scene::add_buffer(ClientBuffer buffer) {
    buffer.scene = this;
    buffer.id = BufferId(next_buffer_++);
    auto& added = buffers_[buffer.id];
    added = std::make_unique<ClientBuffer>(std::move(buffer));
    return *added;
}

// libwayland implements wl_shm, and tells of a buffer when it is attached.
ClientBuffer& Scene::shm_buffer(wl_resource* resource) {
    for (auto& [id, known] : buffers_)
        if (known->resource == resource)
            return *known;
    wl_shm_buffer* contents = wl_shm_buffer_get(resource);
    ClientBuffer& buffer = add_buffer({.scene = this,
                                       .id = {},
                                       .resource = resource,
                                       .planes = {},
                                       .width = wl_shm_buffer_get_width(contents),
                                       .height = wl_shm_buffer_get_height(contents),
                                       .format = wl_shm_buffer_get_format(contents),
                                       .flags = 0,
                                       .inode = {},
                                       .shm = true});
    buffer.on_destroy.notify = [](wl_listener* listener, void*) {
        auto& gone = *reinterpret_cast<ClientBuffer*>(listener);
        gone.scene->remove_buffer(gone);
    };
    wl_resource_add_destroy_listener(resource, &buffer.on_destroy);
    return buffer;
}

std::vector<uint8_t> Scene::first_bytes(BufferId id, size_t count) const {
    wl_shm_buffer* contents = wl_shm_buffer_get(buffer(id).resource);
    wl_shm_buffer_begin_access(contents);
    const auto* bytes = static_cast<const uint8_t*>(wl_shm_buffer_get_data(contents));
    std::vector<uint8_t> first(bytes, bytes + count);
    wl_shm_buffer_end_access(contents);
    return first;
}

int32_t Scene::stride(BufferId id) const {
    return wl_shm_buffer_get_stride(wl_shm_buffer_get(buffer(id).resource));
}

// Closes the buffer's descriptors. The record stays, because commits refer to it, unless keep_logs
// is off. The release points are signalled, unless releasing is up to the test.
void Scene::remove_buffer(ClientBuffer& buffer) {
    buffer.resource = nullptr;
    if (script_.release != Release::manual)
        release(buffer.id);
    buffer.release_points.clear();
    buffer.busy = false;
    buffer.planes.clear();
    for (auto& surface : surfaces_) {
        auto drop = [&](Update& update) {
            if (update.attached && *update.attached == &buffer)
                update.attached = nullptr;
        };
        drop(surface->pending);
        std::ranges::for_each(surface->queued, drop);
        if (surface->current == &buffer)
            surface->current = nullptr;
    }
    if (!script_.keep_logs)
        buffers_.erase(buffer.id);
}

void Scene::forget_callback(wl_resource* callback) {
    for (auto& surface : surfaces_) {
        std::erase(surface->frame_callbacks, callback);
        std::erase(surface->pending.frame_callbacks, callback);
        for (Update& update : surface->queued)
            std::erase(update.frame_callbacks, callback);
    }
}

void Scene::forget_presentation_feedback(wl_resource* object) {
    for (auto& surface : surfaces_)
        std::erase(surface->pending.presentation_feedbacks, object);
    presentation_.forget(object);
}

void Scene::set_feedback(Feedback feedback) {
    script_.feedback = std::move(feedback);
    script_.surface_feedback.reset();
    for (wl_resource* resource : feedback_objects_)
        send_feedback(resource, script_.feedback);
}

void Scene::disconnect_clients() { wl_display_destroy_clients(display_); }

void Scene::enter_output() {
    for (auto& surface : surfaces_)
        for (wl_resource* output : outputs_)
            if (wl_resource_get_client(output) == wl_resource_get_client(surface->resource))
                wl_surface_send_enter(surface->resource, output);
}

void Scene::note(const wl_protocol_logger_message& message) {
    const Request request = to_request(message);
    if (script_.keep_logs)
        requests_.push_back(request);
    ++counts_[{request.interface, request.name}];
    inject(message, request);
}

// libwayland calls its protocol logger before it executes a request. An error that is posted here
// precedes everything else that the request causes.
void Scene::inject(const wl_protocol_logger_message& message, const Request& request) {
    for (Fault& fault : faults_) {
        if (fault.nth == 0 || fault.interface != request.interface || fault.request != request.name)
            continue;
        if (--fault.nth != 0)
            continue;
        wl_client* client = wl_resource_get_client(message.resource);
        pollfd answer{wl_client_get_fd(client), POLLIN, 0};
        switch (fault.kind) {
        case Fault::Kind::protocol_error:
            wl_resource_post_error(message.resource, fault.code, "injected by the test");
            break;
        case Fault::Kind::disconnect:
            shutdown(wl_client_get_fd(client), SHUT_RDWR);
            break;
        case Fault::Kind::wait_for_client:
            wl_client_flush(client);
            poll(&answer, 1, answer_patience_ms);
            break;
        }
    }
}

} // namespace fencebridge::test
