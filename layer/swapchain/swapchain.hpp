// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <vector>
#include <vulkan/vulkan.h>

#include "core/image_ring.hpp"
#include "core/transport_choice.hpp"
#include "image/allocator.hpp"
#include "image/swapchain_image.hpp"
#include "swapchain/candidates.hpp"
#include "swapchain/present_request.hpp"
#include "swapchain/presenter.hpp"
#include "swapchain/surface_support.hpp"
#include "swapchain/window.hpp"
#include "sync/bridge.hpp"
#include "sync/payload_signal.hpp"
#include "sync/present_fences.hpp"
#include "util/locked.hpp"
#include "vk/device.hpp"
#include "vk/physical_device.hpp"

namespace fencebridge {

/// What the layer's settings and the device's extensions decide about a new swapchain.
struct SwapchainSettings {
    Requested requested;
    bool present_wait; ///< Swapchain::wait_for_present() may be called
    /// Whether the application has enabled VK_EXT_swapchain_maintenance1 or its KHR version. If
    /// not, its structures are ignored.
    bool maintenance1;
    PresentTiming::Use timing;
};

/// A VkSwapchainKHR of the layer's own: images of an allocator, a bridge for their fences, and a
/// presenter that shows them.
///
/// The path of a frame: acquire() chooses a free image and takes the bridge's snapshot of the
/// fences that are pending on that image. The application's semaphore and fence signal when those
/// fences have signalled. present() attaches the application's rendering through the bridge, and
/// the presenter shows the image. The presenter or the bridge marks the image free when the window
/// system has released it.
class Swapchain {
public:
    /// @param support    what the device supports on the window
    /// @param info       the application's; read during the call only
    /// @return what vkCreateSwapchainKHR returns
    [[nodiscard]] static std::expected<std::unique_ptr<Swapchain>, VkResult>
    create(const vk::Device& device, sync::PayloadSignaller& signaller,
           const vk::PhysicalDevice& physical, Window& window, const SurfaceSupport& support,
           const VkSwapchainCreateInfoKHR& info, const SwapchainSettings& settings);

    ~Swapchain();

    /// vkAcquireNextImageKHR.
    /// @param timeout  nanoseconds, UINT64_MAX for ever
    /// @return VK_SUCCESS with an image; VK_SUBOPTIMAL_KHR with an image when a new swapchain could
    ///         be shown better; or a result without an image
    [[nodiscard]] VkResult acquire(uint64_t timeout, VkSemaphore semaphore, VkFence fence,
                                   uint32_t* image_index);

    /// The commands that a present of an image has to submit, before its rendering fence. Waits on
    /// the CPU for pending ones of the same image on another queue.
    /// @param queue  of the present
    /// @return null if there are none. The error is the driver's, or VK_ERROR_DEVICE_LOST
    [[nodiscard]] std::expected<VkCommandBuffer, VkResult> present_commands(core::ImageIndex image,
                                                                            VkQueue queue);

    /// One swapchain's part of vkQueuePresentKHR.
    /// @param rendering  when it has ended, the window system may read the image
    /// @return that swapchain's result
    [[nodiscard]] VkResult present(const PresentRequest& request, const sync::Rendering& rendering);

    /// vkWaitForPresentKHR and vkWaitForPresent2KHR. Any number of threads may wait.
    /// @param timeout  nanoseconds, UINT64_MAX for ever
    /// @return VK_SUCCESS, VK_TIMEOUT, VK_ERROR_OUT_OF_DATE_KHR, VK_ERROR_SURFACE_LOST_KHR; or
    ///         VK_ERROR_VALIDATION_FAILED_EXT for a swapchain without
    ///         SwapchainSettings::present_wait
    [[nodiscard]] VkResult wait_for_present(core::PresentId id, uint64_t timeout);

    /// vkQueuePresentKHR has failed for the swapchain: Presenter::end_presents().
    void end_presents(VkResult why) { presenter_->end_presents(why); }

    /// Learns what is new about the times of presents, without waiting. timing() must not be null.
    /// @return VK_SUCCESS or VK_ERROR_SURFACE_LOST_KHR
    [[nodiscard]] VkResult update_timing();
    /// Null if the swapchain was created without SwapchainSettings::timing.
    [[nodiscard]] PresentTiming* timing() { return state_.timing ? &*state_.timing : nullptr; }

    /// vkGetSwapchainStatusKHR.
    [[nodiscard]] VkResult status();

    /// What present() would wait for now, until the window's turn and the image's time. For the
    /// presenting thread.
    /// @param mode, wish, called  PresentRequest's
    [[nodiscard]] core::ExpectedWait estimate_wait(std::optional<VkPresentModeKHR> mode,
                                                   const TimingWish& wish,
                                                   Clock::time_point called);

    /// vkReleaseSwapchainImagesKHR: acquired images become free without being presented, also those
    /// of a retired swapchain. An acquire that waits for a free image need not be woken: the
    /// specification wants access to the swapchain externally synchronised in both commands.
    /// @return VK_SUCCESS; or VK_ERROR_VALIDATION_FAILED_EXT if an image was not acquired, which
    ///         does not affect the others
    [[nodiscard]] VkResult release(std::span<const uint32_t> images);

    /// vkSetHdrMetadataEXT, for the images that are presented from now on. Any thread may call it.
    void set_hdr_metadata(const VkHdrMetadataEXT& metadata) {
        presenter_->set_hdr_metadata(metadata);
    }

    /// A new swapchain replaces this one (VkSwapchainCreateInfoKHR::oldSwapchain). Acquired images
    /// may still be presented; no more can be acquired.
    void retire() {
        retired_ = true;
        presenter_->retire();
    }

    /// The memory to bind `alias` to (VkBindImageMemorySwapchainInfoKHR). `alias` is an image of
    /// the application's, which then has the contents of image `image_index`. The memory lives as
    /// long as the swapchain.
    [[nodiscard]] std::expected<VkDeviceMemory, VkResult> memory_for_alias(uint32_t image_index,
                                                                           VkImage alias);

    [[nodiscard]] std::span<const image::SwapchainImage> images() const { return images_; }
    [[nodiscard]] const vk::ImageParameters& image_parameters() const { return parameters_; }

private:
    struct Plan;

    Swapchain(const vk::Device& device, sync::PayloadSignaller& signaller,
              vk::ImageParameters parameters, uint32_t image_count,
              std::vector<VkPresentModeKHR> modes, bool present_wait);

    // create.cpp
    VkResult build(Window& window, const Plan& plan, const Candidate& candidate);
    VkResult allocate_images(const Candidate& candidate);
    void log_opened(const Plan& plan, const Candidate& candidate,
                    const core::TransportChoice& choice) const;

    // swapchain.cpp
    std::expected<sync::Snapshot, VkResult> wait_for_image(const Deadline& deadline);
    std::expected<core::ImageList, VkResult> update_free_images();
    VkResult show(const PresentRequest& request, const std::optional<core::CommitPoints>& points);
    [[nodiscard]] bool has_mode(std::optional<VkPresentModeKHR> mode) const;
    VkResult present_rendered(PresentRequest request, const sync::Rendering& rendering);
    VkResult note_submission(const PresentRequest& request, const sync::Rendering& rendering);
    VkResult keep_rendering(const PresentRequest& request, const sync::Rendering& rendering);
    VkResult lose_device(const PresentRequest& request, const sync::Rendering& rendering);
    VkResult signal_present_fence(const PresentRequest& request, const sync::Rendering& rendering);

    const vk::Device& device_;
    sync::PayloadSignaller& signaller_;
    const vk::ImageParameters parameters_;
    const std::vector<VkPresentModeKHR> modes_; ///< between which it can change
    const bool present_wait_;
    /// The application keeps the one image while the window system reads it (core::shares_image()).
    const bool shares_image_;
    VkPresentModeKHR mode_; ///< of the last present; used by the presenting thread only
    PresentationState state_;
    std::vector<image::SwapchainImage> images_;
    Locked<std::vector<vk::Memory>> alias_memory_;
    std::unique_ptr<sync::Bridge> bridge_;
    std::unique_ptr<Presenter> presenter_; ///< destroyed before the images that it shows
    bool is_deferred_ = false;             ///< presenter_ is a DeferredPresenter
    sync::PresentFences present_fences_;
    bool warned_of_mode_ = false; ///< used by the presenting thread only
    /// For each image: the rendering of its last present, if that present has failed with
    /// VK_ERROR_PRESENT_TIMING_QUEUE_FULL_EXT. The image's next present waits for it as well. Used
    /// by the presenting thread only.
    std::vector<sync::Rendering> kept_renderings_;
    /// A submission of present_commands(), which uses objects of the image.
    struct Submission {
        sync::Rendering end;
        VkQueue queue = VK_NULL_HANDLE;
    };
    /// The last one of each image that has commands. Used by the presenting thread and the
    /// destructor.
    std::vector<Submission> submissions_;

    std::atomic<bool> retired_ = false;
    std::atomic<uint64_t> acquired_ = 0;
    std::atomic<uint64_t> presented_ = 0;
};

} // namespace fencebridge
