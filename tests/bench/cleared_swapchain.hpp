// SPDX-License-Identifier: MIT
// A swapchain that is cleared, frame after frame, and what that needs. Everything is recorded and
// allocated beforehand, so that a frame is the window system's work and little else.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "grid.hpp"
#include "still/gpu.hpp"

namespace fencebridge::bench {

// Where in a frame the program is, for whoever traces it.
class Marks {
public:
    explicit Marks(bool on) : on_(on) {}
    // A system call that does nothing, with the name in its argument.
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
