// SPDX-License-Identifier: MIT
// An application that uses everything that the layer provides: each frame has a semaphore to wait
// for, a VkFence, a number, damage, a time and HDR metadata. For tests in which something fails.
#pragma once

#include "client.hpp"

namespace fencebridge::test {

// A compositor with every protocol that the build has. It reports each image as shown.
Script script_of_everything();

// The extensions of its device.
std::vector<const char*> extensions_of_everything();
// The same of its instance.
InstanceOptions options_of_everything();

// A swapchain, with whatever the surface offers.
class EverythingSwapchain {
public:
    // Swapchain::result of the swapchain is that of its creation.
    EverythingSwapchain(const Device& device, VkSurfaceKHR surface);

    VkResult result() const { return swapchain_.result; }
    const Swapchain& swapchain() const { return swapchain_; }
    // The semaphores of a frame are unsignalled, and its fence is.
    Acquired acquire();
    // Waits for acquire's semaphore, and signals the one of the present.
    void render(Renderer& renderer);
    // Signals the semaphore of the present again.
    void render_again(Renderer& renderer) { renderer.submit({}, {rendered_}); }
    // Later presents have a VkFence of their own.
    void use_another_fence() {
        earlier_fences_.push_back(std::exchange(fence_, make_fence(device_)));
    }
    VkResult present(uint32_t index);
    // The mode of later presents: FIFO, or IMMEDIATE if the surface has it.
    enum class Mode { fifo, tears };
    void set_mode(Mode mode);
    // vkSetHdrMetadataEXT with metadata that are not those of the last call. Without effect if the
    // surface has no HDR colour space.
    void change_metadata();
    // Waits for the rendering and for the fence of the last present, and resets the fence.
    bool finish();
    VkResult fence_status() const { return vkGetFenceStatus(device_, fence_); }
    // vkWaitForPresentKHR for the last present, also if that has failed.
    VkResult wait_for_present(uint64_t timeout) const;
    // The same for the next present.
    VkResult wait_for_next_present(uint64_t timeout) const;
    // vkSetSwapchainPresentTimingQueueSizeEXT.
    VkResult set_size(uint32_t size) const;
    // Removes the reports of VK_EXT_present_timing, and those of VK_GOOGLE_display_timing. Returns
    // the first failure.
    VkResult take_reports(size_t* count = nullptr) const;
    // A frame from acquire() to finish(). Returns the first failure.
    VkResult frame(Renderer& renderer);

private:
    template <class Function>
    Function find(const char* name) const {
        return reinterpret_cast<Function>(vkGetDeviceProcAddr(device_, name));
    }

    const Device& device_;
    bool is_hdr_ = false;
    std::vector<VkPresentModeKHR> modes_; // FIFO is the first
    VkPresentModeKHR mode_ = VK_PRESENT_MODE_FIFO_KHR;
    Swapchain swapchain_;
    Owned<VkSemaphore> acquired_;
    Owned<VkSemaphore> rendered_;
    Owned<VkFence> fence_;
    std::vector<Owned<VkFence>> earlier_fences_;
    uint64_t id_ = 0;
    float light_ = 100;
};

} // namespace fencebridge::test
