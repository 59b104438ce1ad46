// SPDX-License-Identifier: MIT
// What the fake compositor knows. Everything here belongs to the compositor's thread: a test
// reaches it only inside Compositor::on_thread() and Compositor::wait_until().
#pragma once

#include "drm_syncobj.hpp"
#include "fd.hpp"
#include "feedback.hpp"

#include <wayland-server-core.h>
#include <wayland-server-protocol.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fencebridge::test {

enum class SurfaceId : uint32_t {};
enum class BufferId : uint32_t {};

// Version 0: the global is absent.
struct Globals {
    uint32_t compositor = 4;
    uint32_t dmabuf = 4;
    uint32_t shm = 1;
    uint32_t fifo = 0;
    uint32_t output = 1;
    uint32_t syncobj = 0; // also absent where the machine has no timeline syncobjs
};

enum class Refresh {
    at_once,  // every commit is shown and answered as soon as it is read
    periodic, // an output that repaints every few milliseconds
    manual,   // the test calls refresh()
};

enum class Release {
    when_replaced, // a buffer goes back when another takes its place, as on screen
    at_once,       // a buffer goes back as soon as it is shown, as by a compositor that copies
    manual,        // the test calls release()
};

struct Script {
    Globals globals;
    Feedback feedback = linear_feedback();
    std::optional<Feedback> surface_feedback; // where it differs from the default feedback
    Refresh refresh = Refresh::at_once;
    Release release = Release::when_replaced;
    // Whether a buffer that was committed with sync points gets wl_buffer.release, too: the
    // protocol leaves that open.
    bool release_events_too = false;
    // Off: commits() and requests() stay empty, buffers are forgotten when they are destroyed, and
    // memory does not grow; count() goes on.
    bool keep_logs = true;
};

// One request as the client sent it. Objects and new ids appear by id, strings as their length.
struct Request {
    std::string interface;
    std::string name;
    uint32_t object;
    std::vector<uint64_t> args;
};

struct Inode {
    uint64_t device = 0;
    uint64_t number = 0;
    friend auto operator<=>(const Inode&, const Inode&) = default;
};

struct Plane {
    Fd fd;
    uint32_t offset;
    uint32_t stride;
    uint64_t modifier;
};

class Scene;

struct ClientBuffer {
    Scene* scene;
    BufferId id;
    wl_resource* resource; // null once the client destroyed it
    std::map<uint32_t, Plane> planes;
    int32_t width;
    int32_t height;
    uint32_t format;
    uint32_t flags;
    Inode inode;
    bool busy = false;                     // committed and not released
    std::vector<SyncPoint> release_points; // of its commits since the last release
    Fd read_until;                         // a sync_file that its next release points are to get
};

struct Rectangle {
    int32_t x, y, width, height;
};
using Region = std::vector<Rectangle>;

// What one wl_surface.commit carried.
struct Commit {
    SurfaceId surface;
    std::optional<BufferId> buffer;
    Inode inode;
    int32_t width = 0;
    int32_t height = 0;
    uint32_t format = 0;
    bool damaged = false;
    bool frame_callback = false;
    bool fifo_set_barrier = false;
    bool fifo_wait_barrier = false;
    std::optional<Region> opaque_region;
    // A write fence of the dma-buf had not signalled when the commit was read. The memfds that
    // stand in for dma-bufs outside the lab never have one.
    bool write_fence_pending = false;
    // What linux-drm-syncobj-v1 set, with the ids of the timeline objects.
    std::optional<uint64_t> acquire_point;
    std::optional<uint64_t> release_point;
    uint32_t acquire_timeline = 0;
    uint32_t release_timeline = 0;
    // When the commit was read, the acquire point had not signalled, and had a fence.
    bool acquire_pending = false;
    bool acquire_has_fence = false;
};

// Double-buffered wl_surface state, from the last commit to the next.
struct Update {
    std::optional<ClientBuffer*> attached;
    bool attached_shm = false; // shown as no buffer
    std::optional<SyncPoint> acquire_point;
    std::optional<SyncPoint> release_point;
    std::vector<wl_resource*> frame_callbacks;
    bool damaged = false;
    bool fifo_set_barrier = false;
    bool fifo_wait_barrier = false;
    std::optional<Region> opaque_region;
};

struct ClientSurface {
    Scene* scene;
    SurfaceId id;
    wl_resource* resource;
    wl_resource* fifo = nullptr;    // wp_fifo_v1
    wl_resource* syncobj = nullptr; // wp_linux_drm_syncobj_surface_v1
    Update pending;
    std::deque<Update> queued; // content updates held back by a fifo barrier
    ClientBuffer* current = nullptr;
    std::vector<wl_resource*> frame_callbacks; // applied, not answered yet
    bool barrier = false;
    bool hidden = false; // callbacks are withheld
};

// What to do to a client at its nth request of a kind.
struct Fault {
    enum class Kind {
        protocol_error,
        disconnect,
        // Sends the events so far and goes on when the client has answered them, so that what comes
        // of this request arrives together with what comes of the answer.
        let_client_go_first,
    };
    Kind kind = Kind::protocol_error;
    std::string interface;
    std::string request;
    uint32_t nth = 1;
    uint32_t code = 0;
};

class Scene {
public:
    Scene(wl_display* display, Script script);

    // --- what a test reads ---
    const std::vector<Commit>& commits() const { return commits_; }
    const std::vector<Request>& requests() const { return requests_; }
    const std::vector<std::string>& violations() const { return violations_; }
    const ClientBuffer& buffer(BufferId id) const { return *buffers_.at(id); }
    size_t buffers_made() const { return next_buffer_; }
    size_t count(std::string_view interface, std::string_view request) const;
    size_t commits_of(SurfaceId surface) const;
    std::map<std::string, size_t> live_objects() const;
    const Script& script() const { return script_; }
    size_t clients() const;
    size_t clients_made() const { return clients_.made; } // from the start on
    // Empty where the commit had none, and when the client has destroyed the timeline since.
    std::optional<SyncPoint> acquire_point(size_t commit) const;
    bool acquire_signalled(size_t commit) const;

    // --- what a test does ---
    // Signals the buffer's release points where its commit had them, and sends the event where not.
    void release(BufferId id);
    // The compositor still reads it when it is released, until the sync_file signals.
    void set_read_until(BufferId id, Fd sync_file) {
        buffers_.at(id)->read_until = std::move(sync_file);
    }
    // How many of those are kept for a release to come.
    size_t reads_kept() const;
    // wl_buffer.release alone.
    void send_release_event(BufferId id) { wl_buffer_send_release(buffer(id).resource); }
    // Its release points signal when the sync_file does. False for a buffer without any.
    bool release_with_fence(BufferId id, const Fd& sync_file);
    void refresh();
    void set_feedback(Feedback feedback);
    void set_refresh(Refresh refresh);
    // Nobody sees a surface: it gets no frame callbacks, and all else goes on.
    void set_hidden(SurfaceId surface, bool hidden);
    // Takes the timer off the display's event loop, which does not free it with itself.
    void stop() { wl_event_source_remove(timer_); }
    void set_release(Release release) { script_.release = release; }
    // Asked for each buffer that a client wants made, in the compositor's thread: whether it is.
    using Judge = std::function<bool(wl_client*, const ClientBuffer&)>;
    void judge_buffers(Judge judge) { judge_ = std::move(judge); }
    void set_refuse_buffers(bool refuse) {
        judge_ = refuse ? [](wl_client*, const ClientBuffer&) { return false; } : Judge();
    }
    // Whether import_timeline is answered with invalid_timeline.
    void set_refuse_timelines(bool refuse) { refuse_timelines_ = refuse; }
    bool refuses_timelines() const { return refuse_timelines_; }
    bool takes(wl_client* client, const ClientBuffer& buffer) const {
        return !judge_ || judge_(client, buffer);
    }
    void add_fault(Fault fault) { faults_.push_back(std::move(fault)); }
    void disconnect_clients();
    void enter_output();
    void on_commit(std::function<void(const Commit&)> hook) { commit_hook_ = std::move(hook); }

    // --- what the protocol implementations call ---
    wl_display* display() const { return display_; }
    // Null where the script wants no syncobjs, or the machine has none.
    const std::shared_ptr<const DrmNode>& drm_node() const { return drm_node_; }
    ClientSurface& add_surface(wl_resource* resource);
    void remove_surface(ClientSurface& surface);
    ClientBuffer& add_buffer(ClientBuffer buffer);
    void remove_buffer(ClientBuffer& buffer);
    void commit(ClientSurface& surface);
    void forget_callback(wl_resource* callback);
    void violation(std::string what) { violations_.push_back(std::move(what)); }
    void note(const wl_protocol_logger_message& message);
    std::vector<wl_resource*>& feedback_objects() { return feedback_objects_; }
    std::vector<wl_resource*>& outputs() { return outputs_; }

private:
    void refresh(ClientSurface& surface);
    void end_of_use(ClientBuffer& buffer, const std::function<bool(const SyncPoint&)>& finish);
    void note_points(const Update& update, Commit& commit);
    void apply_ready(ClientSurface& surface);
    void apply(ClientSurface& surface, Update update);
    void inject(const wl_protocol_logger_message& message, const Request& request);
    static int periodic_refresh(void* data);

    wl_display* display_;
    wl_event_source* timer_ = nullptr;
    Script script_;
    std::vector<std::unique_ptr<ClientSurface>> surfaces_;
    std::map<BufferId, std::unique_ptr<ClientBuffer>> buffers_;
    std::vector<Commit> commits_;
    std::vector<std::weak_ptr<Syncobj>> acquire_timelines_; // of the commits
    std::vector<Request> requests_;
    std::map<std::pair<std::string, std::string>, size_t> counts_;
    std::vector<std::string> violations_;
    std::vector<Fault> faults_;
    std::vector<wl_resource*> feedback_objects_;
    std::vector<wl_resource*> outputs_;
    std::function<void(const Commit&)> commit_hook_;
    struct ClientCounter {
        wl_listener on_connect; // first: the library hands its address out
        size_t made = 0;
    };
    ClientCounter clients_;
    uint32_t next_surface_ = 0;
    uint32_t next_buffer_ = 0;
    Judge judge_;
    std::shared_ptr<const DrmNode> drm_node_;
    bool refuse_timelines_ = false;
};

// Each adds its globals to the scene's display.
void add_core_globals(Scene& scene);
void add_dmabuf_global(Scene& scene);
#ifdef FAKE_COMPOSITOR_HAS_FIFO // the protocol's file was there at build time
void add_fifo_global(Scene& scene);
#endif
#ifdef FAKE_COMPOSITOR_HAS_SYNCOBJ
void add_syncobj_global(Scene& scene);
// Posts the error that the protocol has for a commit of the pending points; true where it has none.
bool check_sync_points(const ClientSurface& surface);
#endif

// Sends one complete round of feedback events to a zwp_linux_dmabuf_feedback_v1.
void send_feedback(wl_resource* resource, const Feedback& feedback);

} // namespace fencebridge::test
