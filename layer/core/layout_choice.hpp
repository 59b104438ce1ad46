// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <optional>
#include <span>
#include <sys/types.h>
#include <vector>

namespace fencebridge::core {

/// The DRM nodes of a Vulkan device (VK_EXT_physical_device_drm). Both are absent without the
/// extension.
struct DrmNodes {
    std::optional<dev_t> primary;
    std::optional<dev_t> render;
};

/// How the memory of an image reaches the window system.
enum class Placement {
    dma_buf, ///< as a dma-buf that the window system imports
};

/// Layouts for images of one format that a window system accepts, and that are equally good to it.
struct LayoutRank {
    Placement placement;
    std::vector<uint64_t> modifiers = {}; ///< DRM format modifiers (drm_fourcc.h), each once
    bool any = false;                     ///< every modifier, also those not listed
    bool operator==(const LayoutRank&) const = default;
};

/// The layouts in which an image allocator can make the images of a swapchain.
struct MakeableLayouts {
    Placement placement; ///< of the allocator's memory
    std::vector<uint64_t> modifiers;
};

/// Finds the layouts that a window system and an image allocator have in common.
/// @param ranks      what the window system accepts, best first
/// @param placement  of the allocator's memory
/// @param makes      the modifiers with which the allocator can make the images
/// @return a list for each rank with at least one common layout, best first. The driver may choose
///         within a list.
[[nodiscard]] inline std::vector<std::vector<uint64_t>>
common_layouts(std::span<const LayoutRank> ranks, Placement placement,
               std::span<const uint64_t> makes) {
    std::vector<std::vector<uint64_t>> lists;
    for (const LayoutRank& rank : ranks) {
        std::vector<uint64_t> common;
        if (rank.placement == placement && rank.any)
            common.assign(makes.begin(), makes.end());
        else if (rank.placement == placement)
            std::ranges::copy_if(rank.modifiers, std::back_inserter(common),
                                 [&](uint64_t modifier) {
                                     return std::ranges::find(makes, modifier) != makes.end();
                                 });
        if (!common.empty())
            lists.push_back(std::move(common));
    }
    return lists;
}

/// The layouts that a new swapchain tries first: the best list of the first allocator that has a
/// layout in common with the window system.
/// @param makeable  of each allocator, best first
/// @return empty if there is none
[[nodiscard]] inline std::vector<uint64_t> best_layouts(std::span<const LayoutRank> ranks,
                                                        std::span<const MakeableLayouts> makeable) {
    for (const MakeableLayouts& makes : makeable) {
        auto lists = common_layouts(ranks, makes.placement, makes.modifiers);
        if (!lists.empty())
            return std::move(lists.front());
    }
    return {};
}

} // namespace fencebridge::core
