// SPDX-License-Identifier: MIT
// A window's swapchain, the picture for it, and the semaphores that belong to its images.
#pragma once

#include <cstdint>
#include <vector>

#include "gpu.hpp"
#include "options.hpp"
#include "picture.hpp"
#include "window.hpp"

namespace fencebridge::still {

class Canvas {
public:
    Canvas(const Gpu& gpu, Surface surface, const Options& options);

    // Creates the swapchain and the picture, or creates them again for another size. Waits for the
    // device to be idle, since it may still use the old ones.
    void resize(Size size);
    Size size() const { return size_; }
    VkSwapchainKHR swapchain() const { return swapchain_.get(); }
    uint32_t image_count() const { return uint32_t(images_.size()); }
    const PixelFormat& format() const { return *format_; }

    // VK_SUCCESS or VK_SUBOPTIMAL_KHR: an image is acquired, and `acquired` will signal when the
    // window system no longer uses it. VK_ERROR_OUT_OF_DATE_KHR: no image is acquired; call
    // resize().
    VkResult acquire(VkSemaphore acquired);
    const uint32_t& image_index() const { return image_index_; }

    // Records the picture, shifted to the left by `shift` pixels, into the acquired image.
    void record(VkCommandBuffer commands, uint32_t shift) const;

    // The submission of the recorded commands signals it; the present of the acquired image waits
    // for it.
    VkSemaphore drawn() const { return drawn_[image_index_].get(); }

private:
    void choose_format(const Options& options);
    void create_swapchain(Size size);

    const Gpu& gpu_;
    VkPresentModeKHR present_mode_;
    VkCompositeAlphaFlagBitsKHR alpha_;
    const PixelFormat* format_ = nullptr;
    Surface surface_; // outlives its swapchain
    Swapchain swapchain_;
    Size size_{};
    std::vector<VkImage> images_; // owned by the swapchain
    std::vector<Semaphore> drawn_;
    Gpu::Upload picture_;
    uint32_t image_index_ = 0;
};

} // namespace fencebridge::still
