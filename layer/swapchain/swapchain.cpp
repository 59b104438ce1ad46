// SPDX-License-Identifier: MIT
#include "swapchain/swapchain.hpp"

#include "sync/payload.hpp"
#include "util/log.hpp"

namespace fencebridge {

Swapchain::Swapchain(const vk::Device& device, vk::ImageParameters parameters,
                     uint32_t image_count) :
    device_(device),
    parameters_(std::move(parameters)), ring_(std::in_place, image_count) {}

Swapchain::~Swapchain() {
    if (presenter_)
        log::info("swapchain closed: acquired=%llu presented=%llu",
                  static_cast<unsigned long long>(acquired_.load()),
                  static_cast<unsigned long long>(presented_.load()));
}

VkResult Swapchain::acquire(uint64_t timeout, VkSemaphore semaphore, VkFence fence,
                            uint32_t* image_index) {
    const Deadline deadline = Deadline::from_vulkan(timeout);
    const auto image = take_free_image(deadline);
    VkResult result = image.has_value() ? VK_SUCCESS : image.error();
    if (image) {
        // Before the driver gets the image back: the snapshot must hold nothing of the
        // application's own.
        auto fences = bridge_->acquire(images_[static_cast<size_t>(*image)].dma_buf, deadline);
        result = fences ? sync::import_payload(device_, std::move(*fences), semaphore, fence)
                        : fences.error();
        if (result != VK_SUCCESS)
            ring_.with([&](core::ImageRing& ring) { ring.give_back(*image); });
    }
    if (result == VK_TIMEOUT && timeout == 0)
        return VK_NOT_READY;
    if (result != VK_SUCCESS)
        return result;
    *image_index = static_cast<uint32_t>(*image);
    ++acquired_;
    return VK_SUCCESS;
}

std::expected<core::ImageIndex, VkResult> Swapchain::take_free_image(const Deadline& deadline) {
    for (;;) {
        if (retired_)
            return std::unexpected(VK_ERROR_OUT_OF_DATE_KHR);
        const auto seen = presenter_->update();
        if (!seen)
            return std::unexpected(seen.error());
        if (const auto image = ring_.with([](core::ImageRing& ring) { return ring.acquire(); }))
            return *image;
        if (const VkResult result = presenter_->wait(*seen, deadline); result != VK_SUCCESS)
            return std::unexpected(result);
    }
}

VkResult Swapchain::present(uint32_t image_index, const Fd& rendering) {
    const core::ImageIndex image{image_index};
    // Before the commit, which another thread may see answered before this one goes on.
    if (!ring_.with([&](core::ImageRing& ring) { return ring.present(image); })) {
        log::error("vkQueuePresentKHR of image %u, which is not acquired", image_index);
        return VK_ERROR_VALIDATION_FAILED_EXT;
    }
    const VkResult bridged = bridge_->present(images_[image_index].dma_buf, rendering);
    if (bridged != VK_SUCCESS) {
        ring_.with([&](core::ImageRing& ring) { ring.give_back(image); });
        return bridged;
    }
    const VkResult result = presenter_->present(image);
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
