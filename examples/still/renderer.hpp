// SPDX-License-Identifier: MIT
// The frame loop's body: acquire, draw and present one frame of every window.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "canvas.hpp"
#include "gpu.hpp"

namespace fencebridge::still {

class Renderer {
public:
    Renderer(const Gpu& gpu, std::span<Canvas> canvases);
    // Waits for the device to be idle, so that no submitted work uses the canvases afterwards.
    ~Renderer();
    Renderer(const Renderer&) = delete;
    Renderer& operator=(const Renderer&) = delete;

    // Each canvas gets its size of `sizes`, and its picture is shifted by `shift` pixels.
    // False if a swapchain went out of date: its window got no frame.
    bool render(std::span<const Size> sizes, uint32_t shift);

private:
    // Two frames are in flight: while the device copies one, the CPU prepares the next. The
    // semaphores that presents wait for belong to the images and are in Canvas: only when the same
    // image has been acquired again is it certain that the present has waited for its semaphore.
    static constexpr size_t frames_in_flight = 2;
    struct FrameSlot {
        Fence done;                      // signalled when the slot's submission has finished
        std::vector<Semaphore> acquired; // one a canvas
        VkCommandBuffer commands = VK_NULL_HANDLE; // freed with the pool
    };

    void acquire(FrameSlot& slot, std::span<const Size> sizes);
    void record(FrameSlot& slot, uint32_t shift);
    void submit(FrameSlot& slot);
    bool present();

    const Gpu& gpu_;
    std::span<Canvas> canvases_;
    std::vector<bool> stale_; // whether a canvas needs a new swapchain
    CommandPool pool_;
    std::array<FrameSlot, frames_in_flight> slots_;
    size_t next_slot_ = 0;
};

} // namespace fencebridge::still
