// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <compare>
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
    dma_buf,       ///< as a dma-buf that the window system imports
    shared_memory, ///< as a file of memory that the window system maps (wl_shm)
    unshared,      ///< not at all: the window system reads no images
};

/// Whether fences can be attached to such memory.
[[nodiscard]] constexpr bool carries_fences(Placement placement) {
    return placement == Placement::dma_buf;
}

/// Layouts for images of one format that a window system accepts, and that are equally good to it.
struct LayoutRank {
    Placement placement;
    std::vector<uint64_t> modifiers = {}; ///< DRM format modifiers (drm_fourcc.h), each once
    bool any = false;                     ///< every modifier, also those not listed
    auto operator<=>(const LayoutRank&) const = default;
};

/// A list of layouts that an image allocator was given in vain.
struct RefusedLayouts {
    std::vector<uint64_t> modifiers;
    /// The layout that the driver chose from the list, and that the driver or the window system
    /// then refused. Nothing: the driver made no image.
    std::optional<uint64_t> chosen = std::nullopt;
};

/// The layouts in which an image allocator can make the images of a swapchain.
struct MakeableLayouts {
    Placement placement; ///< of the allocator's memory
    std::vector<uint64_t> modifiers;
    std::vector<RefusedLayouts> refused = {};
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

/// Whether a list is known to be refused if it is tried again. A driver that chose a layout from a
/// list chooses it again from a part of that list that has it. From a list with further layouts it
/// may choose another one.
[[nodiscard]] inline bool is_refused(std::span<const uint64_t> list,
                                     std::span<const RefusedLayouts> refused) {
    const auto is_in = [](std::span<const uint64_t> all, uint64_t modifier) {
        return std::ranges::find(all, modifier) != all.end();
    };
    return std::ranges::any_of(refused, [&](const RefusedLayouts& before) {
        const bool is_part = std::ranges::all_of(
            list, [&](uint64_t modifier) { return is_in(before.modifiers, modifier); });
        return is_part && (before.chosen ? is_in(list, *before.chosen)
                                         : list.size() == before.modifiers.size());
    });
}

/// The layouts that a new swapchain uses: the best list that is not known to be refused, of the
/// first allocator that has one.
/// @param makeable  of each allocator, best first
/// @return nothing if there is none
[[nodiscard]] inline std::optional<LayoutRank>
best_layouts(std::span<const LayoutRank> ranks, std::span<const MakeableLayouts> makeable) {
    for (const MakeableLayouts& makes : makeable) {
        auto lists = common_layouts(ranks, makes.placement, makes.modifiers);
        std::erase_if(lists, [&](const auto& list) { return is_refused(list, makes.refused); });
        if (!lists.empty())
            return LayoutRank{makes.placement, std::move(lists.front())};
    }
    return std::nullopt;
}

} // namespace fencebridge::core
