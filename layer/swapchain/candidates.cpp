// SPDX-License-Identifier: MIT
#include "swapchain/candidates.hpp"

#include <algorithm>

namespace fencebridge {

namespace {

using Lists = std::vector<std::vector<uint64_t>>;

std::vector<uint64_t> modifiers_of(std::span<const vk::ImageLayout> all) {
    std::vector<uint64_t> modifiers(all.size());
    std::ranges::transform(all, modifiers.begin(), &vk::ImageLayout::modifier);
    return modifiers;
}

std::vector<vk::ImageLayout> select(std::span<const vk::ImageLayout> from,
                                    std::span<const uint64_t> list) {
    std::vector<vk::ImageLayout> selected;
    std::ranges::copy_if(from, std::back_inserter(selected), [&](const auto& layout) {
        return std::ranges::find(list, layout.modifier) != list.end();
    });
    return selected;
}

} // namespace

std::expected<Candidates, VkResult> find_candidates(const Requested& requested,
                                                    const vk::PhysicalDevice& physical,
                                                    const vk::ImageParameters& parameters,
                                                    Window& window, const PixelFormat& pixels) {
    const auto accepted = window.layouts(pixels, physical.drm_nodes);
    if (!accepted)
        return std::unexpected(accepted.error());
    vk::ImageParameters aliased = parameters;
    if (physical.image_aliases)
        aliased.flags |= VK_IMAGE_CREATE_ALIAS_BIT;

    Candidates candidates = {.all = {},
                             .basis = accepted->basis,
                             .makeable = {},
                             .device = physical.handle,
                             .pixels = pixels};
    const image::Reader reader = reader_of(physical, window, requested.transport);
    for (const image::ImageAllocator* allocator :
         image::allocators(physical, reader, requested.image)) {
        const auto common = [&](std::span<const vk::ImageLayout> makes) {
            return core::common_layouts(accepted->ranks, allocator->placement(),
                                        modifiers_of(makes));
        };
        const auto makes = allocator->layouts(physical, parameters);
        const auto makes_aliased = allocator->layouts(physical, aliased);
        if (!makes || !makes_aliased)
            return std::unexpected(makes ? makes_aliased.error() : makes.error());
        const Lists lists = common(*makes);
        // All lists are compared: the window system may refuse images of the earlier ones.
        const bool aliasing_is_free = common(*makes_aliased) == lists;
        for (const std::vector<uint64_t>& list : lists)
            candidates.all.push_back(
                {.allocator = allocator,
                 .layouts = select(aliasing_is_free ? *makes_aliased : *makes, list),
                 .flags = aliasing_is_free ? aliased.flags : parameters.flags,
                 .makeable = candidates.makeable.size()});
        candidates.makeable.push_back(
            {.placement = allocator->placement(),
             .modifiers = modifiers_of(*makes),
             .refused = window.refusals().of(candidates.basis, candidates.images_of(*allocator))});
    }
    std::ranges::stable_sort(candidates.all, {}, [&](const Candidate& candidate) {
        return candidates.is_refused(candidate);
    });
    return candidates;
}

void Candidates::refuse(const Candidate& candidate, std::optional<uint64_t> chosen) {
    makeable[candidate.makeable].refused.push_back(
        {.modifiers = modifiers_of(candidate.layouts), .chosen = chosen});
}

bool Candidates::is_refused(const Candidate& candidate) const {
    return core::is_refused(modifiers_of(candidate.layouts), makeable[candidate.makeable].refused);
}

void Candidates::report_refusal(Window& window, const Candidate& candidate, uint64_t chosen) const {
    window.refusals().add(basis, images_of(*candidate.allocator),
                          {.modifiers = modifiers_of(candidate.layouts), .chosen = chosen});
}

Refusals::Images Candidates::images_of(const image::ImageAllocator& allocator) const {
    return {.device = device,
            .source = allocator.source(),
            // A window system knows a UNORM format and its SRGB twin by one name.
            .format = std::max(pixels.format->format, pixels.format->twin),
            .opaque = pixels.opaque};
}

image::Reader reader_of(const vk::PhysicalDevice& physical, Window& window,
                        std::optional<core::Transport> requested) {
    return {.foreign = window.is_foreign(physical.drm_nodes),
            .attached_fences =
                window.reads_images() &&
                core::expects_attached_fences(requested, window.timeline_support().has_value())};
}

bool is_of_candidate(VkResult result) {
    return result != VK_ERROR_SURFACE_LOST_KHR && result != VK_ERROR_DEVICE_LOST &&
           result != VK_ERROR_OUT_OF_HOST_MEMORY && result != VK_ERROR_TOO_MANY_OBJECTS &&
           result != VK_ERROR_FEATURE_NOT_PRESENT;
}

std::expected<bool, VkResult> try_candidates(
    const vk::Device& device, vk::ImageParameters parameters, std::span<const Candidate> candidates,
    const std::function<std::expected<bool, VkResult>(const Candidate&,
                                                      const image::SwapchainImage&)>& use) {
    VkResult failure = VK_SUCCESS;
    for (const Candidate& candidate : candidates) {
        parameters.flags = candidate.flags;
        const auto image = candidate.allocator->allocate(device, parameters, candidate.layouts);
        if (!image && !is_of_candidate(image.error()))
            return std::unexpected(image.error());
        if (!image) {
            failure = combine_failures(failure, image.error());
            continue;
        }
        const auto used = use(candidate, *image);
        if (!used || *used)
            return used;
    }
    if (failure == VK_ERROR_OUT_OF_DEVICE_MEMORY)
        return std::unexpected(failure); // there may be memory the next time
    return false;
}

} // namespace fencebridge
