// SPDX-License-Identifier: MIT
#include "swapchain/fence_trial.hpp"

#include <span>
#include <utility>

#include "swapchain/surface_support.hpp"
#include "sync/bridge.hpp"

namespace fencebridge {

std::expected<core::TriedFences, VkResult> try_fences(const Requested& requested,
                                                      const vk::Device& device,
                                                      const vk::PhysicalDevice& physical,
                                                      Window& window, VkFormat format) {
    const vk::ImageParameters parameters = smallest_image(format);
    auto candidates =
        find_candidates(requested, physical, parameters, window, {vk::find_format(format), true});
    if (!candidates)
        return std::unexpected(candidates.error());
    // Other memory shows nothing about the kernel.
    std::erase_if(candidates->all, [](const Candidate& candidate) {
        return !core::carries_fences(candidate.allocator->placement());
    });
    core::TriedFences found = {};
    const auto tried = try_candidates(
        device, parameters, candidates->all,
        [&](const Candidate&, const image::SwapchainImage& image) -> std::expected<bool, VkResult> {
            const std::span images(&image, 1);
            const auto ignored = image.implicit_fences;
            // The driver's own swapchains need not use SYNC_FD.
            constexpr core::DriverSyncFd everything = {.export_semaphore = true,
                                                       .import_semaphore = true,
                                                       .export_fence = true,
                                                       .import_fence = true};
            const auto by_ioctls =
                sync::choose_bridge(images, everything, ignored, std::unexpected(std::string()),
                                    core::Transport::kernel);
            const auto best = sync::choose_bridge(images, device.sync_fd, ignored,
                                                  window.timeline_support(), requested.transport);
            if (!by_ioctls || !best)
                return std::unexpected(by_ioctls ? best.error() : by_ioctls.error());
            found = {.kernel_ioctls = by_ioctls->why.transport == core::Transport::kernel,
                     .layers = core::carriage_by(best->why.transport,
                                                 ignored == vk::ImplicitFences::ignored)};
            return true;
        });
    if (!tried)
        return std::unexpected(tried.error());
    if (!*tried)
        return std::unexpected(VK_ERROR_INITIALIZATION_FAILED);
    return found;
}

std::expected<FenceTrial, VkResult> describe_trial(const Requested& requested,
                                                   const vk::PhysicalDevice& physical,
                                                   Window& window, VkFormat format) {
    auto accepted = window.layouts({vk::find_format(format), true}, physical.drm_nodes);
    if (!accepted)
        return std::unexpected(accepted.error());
    const auto timelines = window.timeline_support();
    return FenceTrial{.device = physical.handle,
                      .reader = reader_of(physical, window, requested.transport),
                      .format = format,
                      .accepted = std::move(accepted->ranks),
                      .timelines = timelines ? std::optional(*timelines) : std::nullopt};
}

} // namespace fencebridge
