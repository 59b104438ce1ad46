// SPDX-License-Identifier: MIT
#include "swapchain/fence_trial.hpp"

#include <span>

#include "swapchain/surface_support.hpp"
#include "sync/bridge.hpp"

namespace fencebridge {

std::expected<core::TriedFences, VkResult> try_fences(const Requested& requested,
                                                      const vk::Device& device,
                                                      const vk::PhysicalDevice& physical,
                                                      Window& window, VkFormat format) {
    vk::ImageParameters parameters = smallest_image(format);
    const auto candidates =
        find_candidates(requested, physical, parameters, window, {vk::find_format(format), true});
    if (!candidates)
        return std::unexpected(candidates.error());
    VkResult failure = VK_ERROR_INITIALIZATION_FAILED;
    for (const Candidate& candidate : candidates->all) {
        if (!core::carries_fences(candidate.allocator->placement()))
            continue; // shows nothing about the kernel
        parameters.flags = candidate.flags;
        const auto image = candidate.allocator->allocate(device, parameters, candidate.layouts);
        if (!image && !is_of_candidate(image.error()))
            return std::unexpected(image.error());
        if (!image) {
            failure = combine_failures(failure, image.error());
            continue;
        }
        const std::span images(&*image, 1);
        const auto ignored = image->implicit_fences;
        // The driver's own swapchains need not use SYNC_FD.
        constexpr core::DriverSyncFd everything = {.export_semaphore = true,
                                                   .import_semaphore = true,
                                                   .export_fence = true,
                                                   .import_fence = true};
        const auto by_ioctls = sync::choose_bridge(
            images, everything, ignored, std::unexpected(std::string()), core::Transport::kernel);
        const auto best = sync::choose_bridge(images, device.sync_fd, ignored,
                                              window.timeline_support(), requested.transport);
        if (!by_ioctls || !best)
            return std::unexpected(by_ioctls ? best.error() : by_ioctls.error());
        return core::TriedFences{
            .kernel_ioctls = by_ioctls->why.transport == core::Transport::kernel,
            .layers =
                core::carriage_by(best->why.transport, ignored == vk::ImplicitFences::ignored)};
    }
    return std::unexpected(failure);
}

} // namespace fencebridge
