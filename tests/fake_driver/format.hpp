// SPDX-License-Identifier: MIT
// Sizes, planes and features of formats.
#pragma once

#include <vector>

#include "objects.hpp"

namespace fencebridge::fake_driver {

[[nodiscard]] VkDeviceSize bytes_per_pixel(VkFormat format);

/// The planes of an image in the order of their offsets. Each begins on a new page.
[[nodiscard]] std::vector<Plane> lay_out(VkFormat format, VkExtent3D extent,
                                         const FakeDriverModifier& modifier);

/// The features of a format that an image with this usage needs.
[[nodiscard]] VkFormatFeatureFlags features_for(VkImageUsageFlags usage);

} // namespace fencebridge::fake_driver
