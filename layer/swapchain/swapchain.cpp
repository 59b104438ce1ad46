// SPDX-License-Identifier: MIT
#include "swapchain/swapchain.hpp"

#include <utility>

#include "util/log.hpp"

namespace fencebridge {

Swapchain::Swapchain(const vk::Device& device, sync::PayloadImporter& payloads,
                     vk::ImageParameters parameters, uint32_t image_count) :
    device_(device),
    payloads_(payloads), parameters_(std::move(parameters)), ring_(std::in_place, image_count) {}

Swapchain::~Swapchain() {
    if (presenter_)
        log::info("swapchain closed: acquired=%llu presented=%llu",
                  static_cast<unsigned long long>(acquired_.load()),
                  static_cast<unsigned long long>(presented_.load()));
}

VkResult Swapchain::acquire(uint64_t timeout, VkSemaphore semaphore, VkFence fence,
                            uint32_t* image_index) {
    auto taken = take_image(Deadline::from_vulkan(timeout));
    VkResult result = VK_SUCCESS;
    if (!taken) {
        result = taken.error();
    } else {
        result = payloads_.import(std::move(taken->fences), semaphore, fence);
        if (result != VK_SUCCESS)
            ring_.with([&](core::ImageRing& ring) { ring.give_back(taken->image); });
    }
    if (result == VK_TIMEOUT && timeout == 0)
        return VK_NOT_READY;
    if (result != VK_SUCCESS)
        return result;
    *image_index = static_cast<uint32_t>(taken->image);
    ++acquired_;
    return presenter_->is_suboptimal() ? VK_SUBOPTIMAL_KHR : VK_SUCCESS;
}

std::expected<sync::Snapshot, VkResult> Swapchain::take_image(const Deadline& deadline) {
    for (;;) {
        if (retired_)
            return std::unexpected(VK_ERROR_OUT_OF_DATE_KHR);
        const auto seen = presenter_->update();
        if (!seen)
            return std::unexpected(seen.error());
        const auto free = free_images();
        if (!free)
            return std::unexpected(free.error());
        if (!free->empty()) {
            // Before the driver gets the image back: the snapshot must hold nothing of the
            // application's own.
            auto snapshot = bridge_->acquire(*free);
            if (!snapshot)
                return std::unexpected(snapshot.error());
            if (*snapshot) {
                ring_.with([&](core::ImageRing& ring) { ring.take((*snapshot)->image); });
                return std::move(**snapshot);
            }
        }
        const auto also = bridge_->await_release(*free);
        if (!also)
            return std::unexpected(also.error());
        if (const VkResult result = presenter_->wait(*seen, deadline, *also); result != VK_SUCCESS)
            return std::unexpected(result);
    }
}

/// After those that have come back meanwhile have been taken note of.
std::expected<core::ImageList, VkResult> Swapchain::free_images() {
    const auto [free, presented] = ring_.with(
        [](const core::ImageRing& ring) { return std::pair(ring.free(), ring.presented()); });
    const auto released = bridge_->released(presented, free);
    if (!released)
        return std::unexpected(released.error());
    if (released->empty())
        return free;
    return ring_.with([&](core::ImageRing& ring) {
        for (const core::ImageIndex image : *released)
            ring.release(image);
        return ring.free();
    });
}

VkResult Swapchain::present(uint32_t image_index, const Fd& rendering, core::Turn turn) {
    const core::ImageIndex image{image_index};
    if (!ring_.with([&](const core::ImageRing& ring) { return ring.is_acquired(image); })) {
        log::error("vkQueuePresentKHR of image %u, which is not acquired", image_index);
        return VK_ERROR_VALIDATION_FAILED_EXT;
    }
    const auto points = bridge_->present(image, rendering);
    if (!points) {
        ring_.with([&](core::ImageRing& ring) { ring.give_back(image); });
        return points.error();
    }
    // Before the commit, which another thread may see answered before this one goes on.
    ring_.with([&](core::ImageRing& ring) { ring.present(image); });
    const VkResult result = presenter_->present(image, *points, turn);
    if (result >= 0)
        ++presented_;
    return result;
}

std::expected<VkDeviceMemory, VkResult> Swapchain::memory_for_alias(uint32_t image_index,
                                                                    VkImage alias) {
    const image::SwapchainImage& image = images_[image_index];
    if (!image.dedicated)
        return image.memory.get();
    auto memory = image::import_for_alias(device_, image, alias);
    if (!memory)
        return std::unexpected(memory.error());
    const VkDeviceMemory handle = memory->get();
    alias_memory_.with([&](auto& all) { all.push_back(std::move(*memory)); });
    return handle;
}

} // namespace fencebridge
