// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>
#include <vulkan/vulkan.h>

#include "core/image_source.hpp"
#include "core/transport_choice.hpp"
#include "image/allocator.hpp"
#include "swapchain/window.hpp"
#include "vk/physical_device.hpp"

namespace fencebridge {

/// What the settings request. It is tried first, and then the others, best first.
struct Requested {
    std::optional<core::ImageSource> image;   ///< the allocator
    std::optional<core::Transport> transport; ///< of fences
};

/// A way to make the images of a swapchain that the window system accepts.
struct Candidate {
    const image::ImageAllocator* allocator;
    std::vector<vk::ImageLayout> layouts; ///< the driver may choose among these
    /// VkImageCreateInfo::flags: those of the swapchain. VK_IMAGE_CREATE_ALIAS_BIT is added unless
    /// it leaves fewer layouts in common with the window system.
    VkImageCreateFlags flags;
    size_t makeable; ///< the allocator's place in Candidates::makeable
};

struct Candidates {
    /// Best first; a swapchain tries one after the other. All candidates of an allocator come
    /// before those of the next; within an allocator, the window's ranks decide. Those that the
    /// window system has refused before (Refusals) come last.
    std::vector<Candidate> all;
    /// See AcceptedLayouts.
    std::shared_ptr<const void> basis;
    /// What each allocator can make without VK_IMAGE_CREATE_ALIAS_BIT, and what was refused. If the
    /// window system changes what it accepts, a new swapchain can use only these layouts.
    std::vector<core::MakeableLayouts> makeable;
    VkPhysicalDevice device; ///< that makes the images
    PixelFormat pixels;

    /// Remembers that images of a candidate could not be made, or were refused.
    /// @param chosen  the layout that the driver chose; nothing if it made no image
    void refuse(const Candidate& candidate, std::optional<uint64_t> chosen);
    [[nodiscard]] bool is_refused(const Candidate& candidate) const;
    /// Remembers in the window that the window system has refused images of a candidate.
    /// @param chosen  the layout that the driver chose
    void report_refusal(Window& window, const Candidate& candidate, uint64_t chosen) const;
    /// What the window remembers refusals for.
    [[nodiscard]] Refusals::Images images_of(const image::ImageAllocator& allocator) const;
};

/// Matches what the window system accepts with what the allocators can make.
///
/// The application may bind images of its own to a swapchain image's memory
/// (VkBindImageMemorySwapchainInfoKHR). Both images show the same contents only if both have
/// VK_IMAGE_CREATE_ALIAS_BIT (the specification's "Memory Aliasing"). A driver may have fewer
/// layouts with the flag (ANV: DRM_FORMAT_MOD_LINEAR only). There the images are made without it,
/// since few applications bind such images.
/// @param parameters  without VK_IMAGE_CREATE_ALIAS_BIT
/// @return the error is VK_ERROR_SURFACE_LOST_KHR or lack of memory
[[nodiscard]] std::expected<Candidates, VkResult>
find_candidates(const Requested& requested, const vk::PhysicalDevice& physical,
                const vk::ImageParameters& parameters, Window& window, const PixelFormat& pixels);

/// Who reads the images of a device on a window.
[[nodiscard]] image::Reader reader_of(const vk::PhysicalDevice& physical, Window& window,
                                      std::optional<core::Transport> requested);

/// Whether a failure to make or import images is the candidate's, so that the next one may succeed.
/// Device memory that ran out is: other allocators use other memory. Lost objects, other exhausted
/// resources and VK_ERROR_FEATURE_NOT_PRESENT are not.
[[nodiscard]] bool is_of_candidate(VkResult result);

/// The result of a search without success: of all failures, that memory ran out says most.
/// @param before  the failures of earlier candidates, combined
[[nodiscard]] constexpr VkResult combine_failures(VkResult before, VkResult failure) {
    return before == VK_ERROR_OUT_OF_DEVICE_MEMORY ? before : failure;
}

/// Makes an image of one candidate after the other, for a trial, until one is of use.
/// @param use  called with each image and its candidate: whether the image was of use, or an error
///             that ends the trial
/// @return whether one was of use. The error is that of `use`, or of the making of an image:
///         VK_ERROR_OUT_OF_DEVICE_MEMORY if none was of use, and memory ran out for one
[[nodiscard]] std::expected<bool, VkResult> try_candidates(
    const vk::Device& device, vk::ImageParameters parameters, std::span<const Candidate> candidates,
    const std::function<std::expected<bool, VkResult>(const Candidate&,
                                                      const image::SwapchainImage&)>& use);

} // namespace fencebridge
