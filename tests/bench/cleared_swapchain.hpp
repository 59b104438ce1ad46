// SPDX-License-Identifier: MIT
// A swapchain whose image is cleared in every frame. Everything is recorded and allocated
// beforehand, so that a frame costs little more than the window system's work.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <utility>
#include <vector>

#include "grid.hpp"
#include "presentation.hpp"
#include "still/gpu.hpp"

namespace fencebridge::bench {

// Marks the parts of a frame for a tracer of system calls.
class Marks {
public:
    explicit Marks(bool on) : on_(on) {}
    // Makes a system call that has no effect, with the name as its argument.
    void set(const char* name) const;

private:
    const bool on_;
};

// CLOCK_MONOTONIC
using Clock = std::chrono::steady_clock;

struct CallTimes {
    std::chrono::nanoseconds acquire; // in vkAcquireNextImageKHR
    std::chrono::nanoseconds present; // in vkQueuePresentKHR
};

// What was measured in one frame.
struct FrameTimes {
    std::chrono::nanoseconds acquire; // in vkAcquireNextImageKHR
    std::chrono::nanoseconds present; // in vkQueuePresentKHR
    // How long the fence of vkAcquireNextImageKHR was pending after the call had returned, and when
    // it was seen to signal. Both are 0 if it had signalled by then.
    std::chrono::nanoseconds acquire_pending;
    Clock::time_point acquire_signalled;
    bool rendered_early;    // the submission was seen to end before that fence had signalled
    bool rendering_pending; // the submission had not ended when vkQueuePresentKHR returned
};

class ClearedSwapchain {
public:
    // `clears` is the number of clears in a frame. All but the last are red, a colour that must
    // never be seen.
    ClearedSwapchain(const still::Gpu& gpu, still::Surface surface, VkPresentModeKHR mode,
                     Size size, uint32_t clears, const still::CommandPool& pool);

    uint32_t images() const { return uint32_t(images_.size()); }
    void frame(const Marks& marks);
    // frame(), and measures the two calls.
    CallTimes clocked_frame();
    // frame(). Then waits until the frame before is on the screen. Needs VK_KHR_present_wait.
    void awaited_frame(const Marks& marks);
    // frame(), and measures it. A fence is acquired with each image, and waited for. If there are
    // held images, acquires an image as soon as one is free, by calls that do not wait. `pause` is
    // the time from there to the submission. The commit to `surface` is followed by
    // `presentations`.
    FrameTimes timed_frame(std::chrono::milliseconds pause, wl_surface* surface,
                           Presentations& presentations);
    // Acquires images that are never presented, so that every frame needs the image that was
    // released last.
    void hold(uint32_t count);

private:
    struct Image {
        VkCommandBuffer clear;
        still::Semaphore drawn;
    };
    struct Slot {
        still::Semaphore acquired;
        still::Fence done;
    };
    void create(VkPresentModeKHR mode, Size size);
    void add_image(VkImage image, uint32_t clears, const still::CommandPool& pool);
    Slot& next_slot();
    uint32_t acquire(VkSemaphore semaphore, VkFence fence);
    // Returns the image and the time of the call that acquired it.
    std::pair<uint32_t, std::chrono::nanoseconds> timed_acquire(VkSemaphore semaphore,
                                                                VkFence fence);
    void submit(const Slot& slot, const Image& image);
    // Waits for the submission and for the fence of vkAcquireNextImageKHR, whichever comes first.
    bool is_rendered_early(const Slot& slot) const;
    // `next` is the pNext chain of VkPresentInfoKHR.
    void present(const Image& image, uint32_t index, const void* next = nullptr);
    // vkAcquireNextImageKHR, vkQueueSubmit and vkQueuePresentKHR.
    void show(const Marks& marks, const void* next);

    const still::Gpu& gpu_;
    still::Surface surface_;
    still::Swapchain swapchain_;
    std::vector<Image> images_;
    std::array<Slot, 2> slots_; // frames in flight
    size_t next_slot_ = 0;
    still::Fence acquired_ = gpu_.create_signalled_fence();
    std::vector<still::Semaphore> held_; // one for each held image
    uint64_t present_id_ = 0;            // the last one
    // Null without VK_KHR_present_wait.
    const PFN_vkWaitForPresentKHR wait_for_present_ = reinterpret_cast<PFN_vkWaitForPresentKHR>(
        vkGetDeviceProcAddr(gpu_.device(), "vkWaitForPresentKHR"));
};

} // namespace fencebridge::bench
