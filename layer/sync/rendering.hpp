// SPDX-License-Identifier: MIT
#pragma once

#include <expected>
#include <memory>
#include <vulkan/vulkan.h>

#include "sync/pool.hpp"
#include "util/fd.hpp"
#include "vk/device.hpp"

namespace fencebridge::sync {

/// VkFences of the layer's own, each of which one submission signals. They are for drivers that
/// export no sync_files, and cannot be exported. A fence is used again once nobody refers to it and
/// its submission has signalled it. One for each device; used by many threads.
class FencePool {
public:
    explicit FencePool(const vk::Device& device) : device_(device) {}
    FencePool(const FencePool&) = delete;
    FencePool& operator=(const FencePool&) = delete;

    /// A fence for one submission, which returns to the pool with its last reference. The pool must
    /// outlive it.
    class Use {
    public:
        Use(FencePool& pool, Pool<vk::Fence>::Item fence) : pool_(pool), fence_(std::move(fence)) {}
        ~Use() { (submitted_ ? pool_.submitted_ : pool_.unused_).push(std::move(fence_)); }
        Use(const Use&) = delete;
        Use& operator=(const Use&) = delete;

        [[nodiscard]] VkFence get() { return fence_->get(); }
        /// A submission signals the fence.
        void mark_submitted() { submitted_ = true; }

        /// Does not wait.
        /// @return true also after the loss of the device; false also if memory ran out
        [[nodiscard]] bool has_signalled();
        /// Waits on the CPU until the fence has signalled. Goes on while memory is short, for 3 s.
        /// @param interrupt  ends the wait some 0.1 s after it becomes readable; may be null
        /// @return VK_SUCCESS, VK_TIMEOUT (the interrupt) or VK_ERROR_DEVICE_LOST, also if memory
        ///         stays short
        [[nodiscard]] VkResult wait(const Fd* interrupt);

    private:
        FencePool& pool_;
        Pool<vk::Fence>::Item fence_;
        bool submitted_ = false;
    };

    /// May throw std::bad_alloc.
    /// @return an unsignalled fence; or the driver's error
    [[nodiscard]] std::expected<std::shared_ptr<Use>, VkResult> obtain();

private:
    std::expected<Pool<vk::Fence>::Item, VkResult> obtain_fence();

    const vk::Device& device_;
    Pool<vk::Fence> submitted_; ///< some may not have signalled yet
    Pool<vk::Fence> unused_;    ///< unsignalled
};

/// The rendering of a present: the application's work on the GPU that must end before the window
/// system may read the image. Known by a sync_file, or by a VkFence of the layer's if the driver
/// exports none. A default-constructed one has ended.
class Rendering {
public:
    Rendering() = default;
    /// @param sync_file  signals when the rendering has ended; empty: it has
    explicit Rendering(Fd sync_file) : sync_file_(std::move(sync_file)) {}
    explicit Rendering(std::shared_ptr<FencePool::Use> fence) : fence_(std::move(fence)) {}

    /// False: the rendering is known to have ended. No system call.
    [[nodiscard]] bool may_run() const { return sync_file_ || fence_; }
    /// Whether the rendering is known by a VkFence of the layer's. If not, sync_file() signals its
    /// end.
    [[nodiscard]] bool has_vk_fence() const { return fence_ != nullptr; }
    /// Empty if the rendering has ended, or if has_vk_fence().
    [[nodiscard]] const Fd& sync_file() const { return sync_file_; }

    /// Whether the rendering has ended. Does not wait.
    [[nodiscard]] bool has_ended() const;

    /// Waits on the CPU until the rendering has ended. No limit of its own: the driver's job
    /// timeout ends the wait. A driver that stays out of memory counts as lost after 3 s.
    /// @param interrupt  ends the wait some 0.1 s after it becomes readable; may be null
    /// @return VK_SUCCESS; VK_TIMEOUT (the interrupt); or VK_ERROR_DEVICE_LOST, which is the only
    ///         error left: lack of memory would mean that the present's wait semaphores still have
    ///         their signals
    [[nodiscard]] VkResult wait(const Fd* interrupt = nullptr) const;

    /// The same rendering. If no descriptor is left for a second sync_file, waits on the CPU.
    /// @return the error is VK_ERROR_DEVICE_LOST
    [[nodiscard]] std::expected<Rendering, VkResult> share_or_wait() const;
    /// @return one without may_run() if no descriptor is left
    [[nodiscard]] Rendering share() const;

private:
    Fd sync_file_;
    std::shared_ptr<FencePool::Use> fence_;
};

/// A rendering that ends when both have. If they cannot be merged (two VkFences, no descriptor),
/// waits for the first on the CPU.
/// @return the error is VK_ERROR_DEVICE_LOST
[[nodiscard]] std::expected<Rendering, VkResult> merge_or_wait(Rendering one, Rendering other);

} // namespace fencebridge::sync
