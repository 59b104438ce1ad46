// SPDX-License-Identifier: MIT
// The state of the fake compositor. It belongs to the compositor's thread: a test may use it only
// in the functions that it passes to Compositor::on_thread() and Compositor::wait_until().
#pragma once

#include "drm_syncobj.hpp"
#include "fd.hpp"
#include "feedback.hpp"
#include "presentation.hpp"

#include <wayland-server-core.h>
#include <wayland-server-protocol.h>

#include <time.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
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
    uint32_t commit_timing = 0;
    uint32_t presentation = 0; // at most what wayland-protocols had at build time, 1 or 2
    uint32_t tearing = 0;
    uint32_t output = 1;
    uint32_t fixes = 0; // also absent if libwayland has no wl_fixes
    uint32_t color = 0;
    uint32_t color_representation = 0;
    uint32_t syncobj = 0; // also absent if the machine has no timeline syncobjs
};

enum class Refresh {
    at_once,  // every commit is shown and answered as soon as it is read
    periodic, // an output that repaints every few milliseconds
    manual,   // the test calls refresh()
};

enum class Release {
    when_replaced, // a buffer is released when another one replaces it on the surface
    at_once,       // a buffer is released when it is shown, as by a compositor that copies
    manual,        // the test calls release()
};

// What wp_color_manager_v1 lists: everything that the protocol's first version names.
struct Colors {
    std::vector<uint32_t> features{0, 1, 2, 3, 4, 5, 6, 7};
    std::vector<uint32_t> transfers{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13};
    std::vector<uint32_t> primaries{1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
};

// How the compositor answers requests for image descriptions.
enum class Descriptions { accepted, refused, manual };

struct Script {
    Globals globals;
    Colors colors;
    Descriptions descriptions = Descriptions::accepted;
    std::vector<uint32_t> alpha_modes{0, 1, 2}; // of wp_color_representation_manager_v1
    // The formats that wl_shm lists beside the two that every compositor has.
    std::vector<uint32_t> shm_formats{};
    Feedback feedback = linear_feedback();
    std::optional<Feedback> surface_feedback; // if it differs from the default feedback
    Refresh refresh = Refresh::at_once;
    // How much later the time of a frame callback is at each refresh.
    uint32_t refresh_ms = 0;
    Release release = Release::when_replaced;
    uint32_t presentation_clock = CLOCK_MONOTONIC; // that wp_presentation announces
    Presentation presentation = Presentation::manual;
    PresentedEvent presented; // what Presentation::presented sends
    // Whether a commit's feedback objects are answered with `discarded` when a later commit is
    // applied before a refresh has shown this one. If not, they wait for the test's answer.
    bool discard_superseded = true;
    // A client may commit a buffer again that was not released.
    bool shares_buffers = false;
    // Whether wl_buffer.release is also sent for a buffer that was committed with sync points. The
    // protocol leaves that open.
    bool release_events_too = false;
    // If off, commits() and requests() stay empty and destroyed buffers are forgotten, so that
    // memory does not grow. count() still counts.
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
    // First member: libwayland passes its address to notify(). Of a buffer of wl_shm only.
    wl_listener on_destroy{};
    Scene* scene;
    BufferId id;
    wl_resource* resource; // null once the client has destroyed it
    std::map<uint32_t, Plane> planes;
    int32_t width;
    int32_t height;
    uint32_t format;
    uint32_t flags;
    Inode inode;
    bool busy = false;                     // committed and not released
    std::vector<SyncPoint> release_points; // of its commits since the last release
    Fd read_until;                         // see Scene::set_read_until()
    bool shm = false;                      // of wl_shm: it has no planes and no inode
};

struct Rectangle {
    int32_t x, y, width, height;
    bool operator==(const Rectangle&) const = default;
};
using Region = std::vector<Rectangle>;

struct Luminance {
    uint32_t min; // in 1/10000 cd/m2
    uint32_t max; // in cd/m2
    bool operator==(const Luminance&) const = default;
};

// The parameters of a wp_image_description_v1.
struct ImageDescription {
    bool windows_scrgb = false;
    std::optional<uint32_t> primaries{};
    std::optional<uint32_t> transfer{};
    std::optional<std::array<int32_t, 8>> mastering_primaries{};
    std::optional<Luminance> mastering_luminance{};
    std::optional<uint32_t> max_cll{};
    std::optional<uint32_t> max_fall{};
    bool operator==(const ImageDescription&) const = default;
};

// The time of a wp_commit_timer_v1.set_timestamp.
struct TargetTime {
    uint64_t seconds;
    uint32_t nanoseconds;
    bool operator==(const TargetTime&) const = default;
};

// The content of one wl_surface.commit.
struct Commit {
    SurfaceId surface;
    std::optional<BufferId> buffer;
    Inode inode;
    int32_t width = 0;
    int32_t height = 0;
    uint32_t format = 0;
    bool shm = false; // of wl_shm
    Region damage;    // of wl_surface.damage and damage_buffer
    bool frame_callback = false;
    bool fifo_set_barrier = false;
    bool fifo_wait_barrier = false;
    std::optional<TargetTime> target_time; // of wp_commit_timer_v1
    size_t presentation_feedbacks = 0;     // the number of wp_presentation_feedback objects
    bool may_tear = false;                 // the presentation hint, whichever commit set it
    std::optional<Region> opaque_region;
    std::optional<ImageDescription> image_description;
    std::optional<uint32_t> alpha_mode; // of wp_color_representation_surface_v1
    // Whether a write fence of the dma-buf was pending when the compositor read the commit. memfds,
    // which stand for dma-bufs outside the lab, have no fences.
    bool write_fence_pending = false;
    // The points of linux-drm-syncobj-v1, with the ids of the timeline objects.
    std::optional<uint64_t> acquire_point;
    std::optional<uint64_t> release_point;
    uint32_t acquire_timeline = 0;
    uint32_t release_timeline = 0;
    // Whether the acquire point had not signalled when the compositor read the commit.
    bool acquire_pending = false;
    // Whether the acquire point had a fence then.
    bool acquire_has_fence = false;
};

// The double-buffered state of a wl_surface between two commits.
struct Update {
    std::optional<ClientBuffer*> attached;
    bool attached_shm = false; // a buffer of wl_shm
    std::optional<SyncPoint> acquire_point;
    std::optional<SyncPoint> release_point;
    std::vector<wl_resource*> frame_callbacks;
    Region damage;
    bool fifo_set_barrier = false;
    bool fifo_wait_barrier = false;
    bool may_tear = false; // the presentation hint, which later updates keep
    std::optional<Region> opaque_region;
    std::optional<TargetTime> target_time;
    std::vector<wl_resource*> presentation_feedbacks; // until the commit
    size_t commit = 0;                                // its number, once it is committed
};

struct ClientSurface {
    Scene* scene;
    SurfaceId id;
    wl_resource* resource;
    wl_resource* fifo = nullptr;            // wp_fifo_v1
    wl_resource* commit_timer = nullptr;    // wp_commit_timer_v1
    wl_resource* tearing_control = nullptr; // wp_tearing_control_v1
    wl_resource* syncobj = nullptr;         // wp_linux_drm_syncobj_surface_v1
    wl_resource* color = nullptr;           // wp_color_management_surface_v1
    wl_resource* representation = nullptr;  // wp_color_representation_surface_v1
    // Of the next commit, and of those after it until a request changes them.
    std::optional<ImageDescription> image_description;
    std::optional<uint32_t> alpha_mode;
    Update pending;
    std::deque<Update> queued; // content updates that wait for a fifo barrier
    ClientBuffer* current = nullptr;
    std::vector<wl_resource*> frame_callbacks; // applied, not answered yet
    // The commit that was applied last, if no refresh has shown it and its feedback objects wait.
    std::optional<size_t> unseen;
    bool barrier = false;
    bool hidden = false; // receives no frame callbacks, and no refresh shows its commits
};

// What the compositor does at the nth request with this interface and name. The requests of all
// clients count. It is done to the client that sent the request.
struct Fault {
    enum class Kind {
        protocol_error,
        disconnect,
        // Sends the pending events. Then waits until the client sends further requests, before it
        // processes this one. So the client receives the events of all these requests together.
        wait_for_client,
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
    // The buffer of the content update that was applied last: the next refresh shows it.
    std::optional<BufferId> current(SurfaceId surface) const;
    std::map<std::string, size_t> live_objects() const;
    const Script& script() const { return script_; }
    size_t clients() const;
    size_t clients_made() const { return clients_.made; } // since the start
    // Empty if the commit had none, or if the compositor has freed its timeline since.
    std::optional<SyncPoint> acquire_point(size_t commit) const;
    bool acquire_signalled(size_t commit) const;
    // The commits with feedback objects of wp_presentation that wait for an answer, in the order of
    // the commits. They are indices of commits().
    std::vector<size_t> unanswered_commits() const { return presentation_.unanswered(); }

    // --- what a test does ---
    // Signals the buffer's release points if its commit had any, else sends wl_buffer.release.
    void release(BufferId id);
    // The first bytes of a buffer of wl_shm, and their number from one row to the next.
    std::vector<uint8_t> first_bytes(BufferId id, size_t count) const;
    int32_t stride(BufferId id) const;
    // The next release() imports the sync_file at the release points instead of signalling them:
    // the compositor still reads the buffer until the sync_file signals.
    void set_read_until(BufferId id, Fd sync_file) {
        buffers_.at(id)->read_until = std::move(sync_file);
    }
    // The number of such sync_files that wait for a release().
    size_t reads_kept() const;
    // Sends wl_buffer.release and signals no release point.
    void send_release_event(BufferId id) { wl_buffer_send_release(buffer(id).resource); }
    // Imports the sync_file at the buffer's release points. False if the buffer has none.
    bool release_with_fence(BufferId id, const Fd& sync_file);
    void refresh();
    void set_feedback(Feedback feedback);
    void set_refresh(Refresh refresh);
    // Both answer all feedback objects of a commit, which is an index of commits(). False if none
    // waits for an answer: none was requested, all are answered, or the client is gone. The test
    // chooses the order, and may answer a commit that no refresh has shown.
    bool present(size_t commit, PresentedEvent presented = {});
    bool discard(size_t commit) { return presentation_.discard(commit); }
    // How the commits are answered that are shown from now on.
    void set_presentation(Presentation presentation) { script_.presentation = presentation; }
    void set_presented(PresentedEvent presented) { script_.presented = presented; }
    void set_discard_superseded(bool discard) { script_.discard_superseded = discard; }
    // A hidden surface receives no frame callbacks, and no refresh shows its commits: their
    // feedback objects wait until the next commit. Everything else works as for a visible one.
    void set_hidden(SurfaceId surface, bool hidden);
    // Removes the timer from the display's event loop, which does not free it in its destruction.
    void stop() { wl_event_source_remove(timer_); }
    void set_release(Release release) { script_.release = release; }
    // Decides for every buffer that a client requests whether the compositor accepts it. Called on
    // the compositor's thread.
    using Judge = std::function<bool(wl_client*, const ClientBuffer&)>;
    void judge_buffers(Judge judge) { judge_ = std::move(judge); }
    void set_refuse_buffers(bool refuse) {
        judge_ = refuse ? [](wl_client*, const ClientBuffer&) { return false; } : Judge();
    }
    // Whether import_timeline is answered with invalid_timeline.
    void set_refuse_timelines(bool refuse) { refuse_timelines_ = refuse; }
    // Answers all image descriptions that wait for an answer (Descriptions::manual).
    void answer_descriptions(bool accept);
    void set_descriptions(Descriptions descriptions) { script_.descriptions = descriptions; }
    bool refuses_timelines() const { return refuse_timelines_; }
    bool accepts(wl_client* client, const ClientBuffer& buffer) const {
        return !judge_ || judge_(client, buffer);
    }
    void add_fault(Fault fault) { faults_.push_back(std::move(fault)); }
    // The version in which a global is announced. A build may have an older one than the script.
    uint32_t announced_version(std::string_view interface) {
        return uint32_t(find_global(interface)->version);
    }
    // Announces the removal of a global. As in real compositors, the objects that clients have
    // bound stay usable. False if it is not there.
    bool remove_global(std::string_view interface);
    // Announces a global again that has been removed.
    void add_global(std::string_view interface);
    void disconnect_clients();
    // The compositor offers tearing-control-v1 no longer.
    void remove_tearing_global() { wl_global_destroy(std::exchange(tearing_global_, nullptr)); }
    void enter_output();
    void on_commit(std::function<void(const Commit&)> hook) { commit_hook_ = std::move(hook); }

    // --- what the protocol implementations call ---
    wl_display* display() const { return display_; }
    // Creates a global. Its bind function receives the scene as data.
    void announce(const wl_interface& interface, int version, wl_global_bind_func_t bind);
    // Null if the script has no syncobj global, or the machine has no timeline syncobjs.
    const std::shared_ptr<const DrmNode>& drm_node() const { return drm_node_; }
    ClientSurface& add_surface(wl_resource* resource);
    void remove_surface(ClientSurface& surface);
    ClientBuffer& add_buffer(ClientBuffer buffer);
    // The record of a buffer of wl_shm.
    ClientBuffer& shm_buffer(wl_resource* resource);
    void remove_buffer(ClientBuffer& buffer);
    void commit(ClientSurface& surface);
    void forget_callback(wl_resource* callback);
    void forget_presentation_feedback(wl_resource* object);
    void violation(std::string what) { violations_.push_back(std::move(what)); }
    void note(const wl_protocol_logger_message& message);
    std::vector<wl_resource*>& feedback_objects() { return feedback_objects_; }
    std::vector<wl_resource*>& outputs() { return outputs_; }
    void set_tearing_global(wl_global* global) { tearing_global_ = global; }
    std::vector<wl_resource*>& unanswered_descriptions() { return unanswered_descriptions_; }
    const std::vector<wl_resource*>& unanswered_descriptions() const {
        return unanswered_descriptions_;
    }
    uint32_t next_identity() { return ++identity_; }

private:
    ClientSurface& find(SurfaceId id) const;
    void refresh(ClientSurface& surface);
    void end_of_use(ClientBuffer& buffer, const std::function<bool(const SyncPoint&)>& finish);
    void note_points(const Update& update, Commit& commit);
    void show(ClientSurface& surface);
    void supersede(ClientSurface& surface, size_t commit);
    void apply_ready(ClientSurface& surface);
    void apply(ClientSurface& surface, Update update);
    void inject(const wl_protocol_logger_message& message, const Request& request);
    static int periodic_refresh(void* data);

    struct Announced {
        const wl_interface* interface;
        int version;
        wl_global_bind_func_t bind;
        wl_global* global; // null while it is removed
    };
    Announced* find_global(std::string_view interface);

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
    wl_global* tearing_global_ = nullptr;
    std::vector<Announced> globals_;
    std::vector<wl_resource*> unanswered_descriptions_;
    uint32_t identity_ = 0;
    std::function<void(const Commit&)> commit_hook_;
    struct ClientCounter {
        wl_listener on_connect; // first member: libwayland passes its address to notify()
        size_t made = 0;
    };
    ClientCounter clients_;
    uint32_t now_ms_ = 0; // for frame callbacks
    uint64_t refreshes_ = 0;
    PresentationFeedbacks presentation_;
    size_t next_commit_ = 0;
    uint32_t next_surface_ = 0;
    uint32_t next_buffer_ = 0;
    Judge judge_;
    std::shared_ptr<const DrmNode> drm_node_;
    bool refuse_timelines_ = false;
};

// Each adds its globals to the scene's display.
void add_core_globals(Scene& scene);
void add_dmabuf_global(Scene& scene);
void add_presentation_global(Scene& scene);
#ifdef FAKE_COMPOSITOR_HAS_FIFO // the protocol's file existed at build time
void add_fifo_global(Scene& scene);
#endif
#ifdef FAKE_COMPOSITOR_HAS_COMMIT_TIMING
void add_commit_timing_global(Scene& scene);
#endif
#ifdef FAKE_COMPOSITOR_HAS_TEARING
void add_tearing_global(Scene& scene);
#endif
#ifdef FAKE_COMPOSITOR_HAS_COLOR
void add_color_global(Scene& scene);
#endif
#ifdef FAKE_COMPOSITOR_HAS_COLOR_REPRESENTATION
void add_color_representation_global(Scene& scene);
#endif
#ifdef FAKE_COMPOSITOR_HAS_SYNCOBJ
void add_syncobj_global(Scene& scene);
// Checks whether the pending state may be committed with its points. If not, posts the protocol
// error and returns false.
bool check_sync_points(const ClientSurface& surface);
#endif

// Sends all events of a feedback, up to `done`, to a zwp_linux_dmabuf_feedback_v1.
void send_feedback(wl_resource* resource, const Feedback& feedback);

} // namespace fencebridge::test
