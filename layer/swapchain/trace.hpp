// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>
#include <vulkan/vulkan.h>

#include "core/image_ring.hpp"
#include "ioctl/sync_file.hpp"
#include "sync/rendering.hpp"
#include "util/fd.hpp"
#include "util/trace.hpp"

namespace fencebridge::trace {

/// Records the frames of one swapchain (docs/tracing.md has every event). It has two duplicates of
/// sync_files for each image, to ask the kernel later when their fences signalled. Without a
/// descriptor for them, these events are missing.
///
/// Nothing here waits, allocates memory or takes a lock. So any function may be called with a lock
/// held, as the headless presenter's calls of shown() are. But while the kernel writes the trace to
/// the disk, it may stop a thread that writes to the same page, and then that lock is held as long.
class FrameTrace {
public:
    /// @return null if nothing is traced, or memory ran out
    [[nodiscard]] static std::unique_ptr<FrameTrace> create(size_t images);
    /// Records the fences that are still kept.
    ~FrameTrace();
    FrameTrace(const FrameTrace&) = delete;
    FrameTrace& operator=(const FrameTrace&) = delete;

    /// The number of the image's frame: it counts acquires, and presents of an image that was not
    /// acquired again. Any thread may call it.
    [[nodiscard]] uint64_t frame_of(core::ImageIndex image) const { return at(image).frame; }

    // Called by the trace points at the end of this file.
    void acquired(core::ImageIndex image, const Fd& fences);
    void undone(core::ImageIndex image) { at(image).presented = false; }
    void attached(core::ImageIndex image, const sync::Rendering& rendering);
    void committed(core::ImageIndex image, VkResult result);
    void released(core::ImageIndex image);

    /// The window system reports when a frame's image was on screen. Any thread may call it.
    /// @param frame    frame_of() the image when it was committed
    /// @param refresh  of the display; 0: not known
    void shown(uint64_t frame, Clock::time_point time, std::chrono::nanoseconds refresh);

private:
    friend class FrameSpan;

    /// The fences of a sync_file, until they are recorded.
    struct KeptFences {
        Fd sync_file;
        uint64_t frame = 0;
        int64_t since = 0;
        size_t count = 0;
        /// Their names before they signal. Sync_files of more fences are rare.
        std::array<ioctl::FenceInfo, 4> fences = {};
    };
    struct Image {
        std::atomic<uint64_t> frame = 0;       ///< of the last acquire
        std::atomic<bool> presented = false;   ///< since then
        std::atomic<int64_t> committed_at = 0; ///< 0: the window system does not hold the image
        std::atomic<int64_t> released_at = 0;  ///< 0: not since the last acquire
        /// The present of a rendering that is known by a VkFence, until the commit. 0: none.
        std::atomic<int64_t> vk_fence_since = 0;
        KeptFences rendering; ///< used by the thread that acquires or presents the image
        KeptFences reads;     ///< of the window system; used by the thread that acquires the image
    };
    struct Acquired {
        core::ImageIndex image;
        uint64_t previous; ///< the frame of the image before; 0: there is none
    };

    FrameTrace(Tracer& tracer, uint32_t number, size_t images) :
        tracer_(tracer), number_(number), images_(images) {}

    Image& at(core::ImageIndex image) { return images_[static_cast<size_t>(image)]; }
    [[nodiscard]] const Image& at(core::ImageIndex image) const {
        return images_[static_cast<size_t>(image)];
    }
    void describe();
    static void keep(KeptFences& kept, const Fd& sync_file, uint64_t frame, int64_t since);
    void report(KeptFences& kept, TrackKind kind, core::ImageIndex image);
    void report_rendered(core::ImageIndex image, int64_t begin, std::optional<int64_t> end);
    void begin(std::string_view step, core::ImageIndex image, int64_t now);
    void end_acquire(int64_t began);
    void end(std::string_view step, core::ImageIndex image, int64_t began, uint64_t frame_before);
    [[nodiscard]] uint64_t flow_to_release(uint64_t frame) const;
    [[nodiscard]] uint64_t flow_to_display(uint64_t frame) const;

    Tracer& tracer_;
    const uint32_t number_; ///< of the swapchain, in the process
    std::vector<Image> images_;
    std::atomic<uint64_t> frames_ = 0;
    std::optional<Acquired> acquired_; ///< by the acquire that runs
    int64_t present_began_ = 0;        ///< used by the presenting thread only
    uint64_t described_at_ = 0;        ///< Tracer::events(); used by the presenting thread only
};

/// Records how long a step of one swapchain took.
class FrameSpan {
public:
    /// @param trace  may be null
    /// @param step   of trace::event
    /// @param image  unless the step is an acquire, which sets it by acquired()
    FrameSpan(FrameTrace* trace, std::string_view step, core::ImageIndex image = {}) {
        if (trace != nullptr) [[unlikely]]
            begin(*trace, step, image);
    }
    ~FrameSpan() {
        if (open_) [[unlikely]]
            open_->trace.end(open_->step, open_->image, open_->began, open_->frame);
    }
    FrameSpan(const FrameSpan&) = delete;
    FrameSpan& operator=(const FrameSpan&) = delete;

private:
    struct Open {
        FrameTrace& trace;
        std::string_view step;
        core::ImageIndex image;
        int64_t began;
        uint64_t frame; ///< of the image when the step began
    };

    void begin(FrameTrace& trace, std::string_view step, core::ImageIndex image);

    std::optional<Open> open_; ///< nothing is stored here if nothing is traced
};

// The trace points of a frame. `trace` is null if the swapchain is not traced. The thread is one of
// the application's, or that of a DeferredPresenter.

/// The application acquires an image. It must wait for `fences` before it draws to the image.
/// Called before the semaphore and fence of the acquire receive the fences. If that fails, undone()
/// follows.
/// @param fences  a sync_file; empty: none was pending
inline void acquired(FrameTrace* trace, core::ImageIndex image, const Fd& fences) {
    if (trace != nullptr) [[unlikely]]
        trace->acquired(image, fences);
}

/// An acquire failed after acquired(), or the application releases the image without a present
/// (vkReleaseSwapchainImagesKHR). The image becomes free after this call.
inline void undone(FrameTrace* trace, core::ImageIndex image) {
    if (trace != nullptr) [[unlikely]]
        trace->undone(image);
}

/// The bridge is about to attach the application's rendering to an image.
inline void attached(FrameTrace* trace, core::ImageIndex image, const sync::Rendering& rendering) {
    if (trace != nullptr) [[unlikely]]
        trace->attached(image, rendering);
}

/// Records how long a call takes.
/// @param step  of trace::event
/// @return the call's result
template <class Call>
auto timed(FrameTrace* trace, std::string_view step, core::ImageIndex image, Call&& call) {
    const FrameSpan span(trace, step, image);
    return call();
}

/// The presenter gives an image to the window system.
/// @param show  calls Presenter::show() and returns its result
/// @return the same
template <class Show>
VkResult commit(FrameTrace* trace, core::ImageIndex image, Show&& show) {
    const FrameSpan span(trace, event::commit, image);
    const VkResult result = show();
    if (trace != nullptr) [[unlikely]]
        trace->committed(image, result);
    return result;
}

/// The window system has released an image. The presenter or the bridge reports it, before the
/// image becomes free.
inline void released(FrameTrace* trace, core::ImageIndex image) {
    if (trace != nullptr) [[unlikely]]
        trace->released(image);
}

} // namespace fencebridge::trace
