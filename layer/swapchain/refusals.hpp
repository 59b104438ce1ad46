// SPDX-License-Identifier: MIT
#pragma once

#include <compare>
#include <map>
#include <memory>
#include <utility>
#include <vector>
#include <vulkan/vulkan.h>

#include "core/image_source.hpp"
#include "core/layout_choice.hpp"
#include "util/locked.hpp"

namespace fencebridge {

/// What a window system has refused on one window: images that it says it accepts. A swapchain that
/// replaces another, as applications create for each step of a resize, offers such images last.
///
/// Refusals are kept only until the window system changes what it accepts. They hold for images of
/// every size: where the size is the reason, a swapchain of another size misses a better allocator,
/// and works all the same.
class Refusals {
public:
    /// The images of a swapchain, as far as a window system tells them apart.
    struct Images {
        VkPhysicalDevice device;
        core::ImageSource source;
        VkFormat format;
        bool opaque; ///< PixelFormat::opaque
        auto operator<=>(const Images&) const = default;
    };

    /// @param basis  AcceptedLayouts::basis of what the window system accepted when the images were
    ///               made
    void add(const std::shared_ptr<const void>& basis, const Images& images,
             core::RefusedLayouts layouts) {
        known_.with([&](Known& known) {
            if (known.basis != basis)
                known = {.basis = basis, .all = {}};
            auto& refused = known.all[images];
            if (!core::is_refused(layouts.modifiers, refused))
                refused.push_back(std::move(layouts));
        });
    }

    /// @param basis  of what the window system accepts now
    [[nodiscard]] std::vector<core::RefusedLayouts> of(const std::shared_ptr<const void>& basis,
                                                       const Images& images) const {
        return known_.with([&](const Known& known) {
            const auto found = known.basis == basis ? known.all.find(images) : known.all.end();
            return found == known.all.end() ? std::vector<core::RefusedLayouts>() : found->second;
        });
    }

private:
    struct Known {
        std::shared_ptr<const void> basis;
        std::map<Images, std::vector<core::RefusedLayouts>> all;
    };
    Locked<Known> known_;
};

} // namespace fencebridge
