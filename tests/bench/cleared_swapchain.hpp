// SPDX-License-Identifier: MIT
// A swapchain whose image is cleared in every frame. Everything is recorded and allocated
// beforehand, so that a frame costs little more than the window system's work.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "grid.hpp"
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

class ClearedSwapchain {
public:
    ClearedSwapchain(const still::Gpu& gpu, wl_display* display, wl_surface* surface,
                     VkPresentModeKHR mode, Size size, const still::CommandPool& pool);

    uint32_t images() const { return uint32_t(images_.size()); }
    void frame(const Marks& marks);

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
    void add_image(VkImage image, const still::CommandPool& pool);

    const still::Gpu& gpu_;
    still::Surface surface_;
    still::Swapchain swapchain_;
    std::vector<Image> images_;
    std::array<Slot, 2> slots_; // frames in flight
    size_t next_slot_ = 0;
};

} // namespace fencebridge::bench
