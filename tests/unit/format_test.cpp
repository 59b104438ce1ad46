// SPDX-License-Identifier: MIT
#include "vk/format.hpp"

#include <drm_fourcc.h>
#include <gtest/gtest.h>
#include <set>

namespace fencebridge::vk {
namespace {

TEST(Format, CommonFormatsHaveTheFourccOfTheirChannelOrder) {
    const Format* bgra = find_format(VK_FORMAT_B8G8R8A8_UNORM);
    ASSERT_NE(bgra, nullptr);
    EXPECT_EQ(bgra->fourcc_alpha, static_cast<uint32_t>(DRM_FORMAT_ARGB8888));
    EXPECT_EQ(bgra->fourcc_opaque, static_cast<uint32_t>(DRM_FORMAT_XRGB8888));
    const Format* packed = find_format(VK_FORMAT_A2B10G10R10_UNORM_PACK32);
    ASSERT_NE(packed, nullptr);
    EXPECT_EQ(packed->fourcc_alpha, static_cast<uint32_t>(DRM_FORMAT_ABGR2101010));
}

TEST(Format, EveryFormatIsListedOnceAndFound) {
    std::set<VkFormat> seen;
    for (const Format& format : formats()) {
        EXPECT_TRUE(seen.insert(format.format).second) << format.name;
        EXPECT_EQ(find_format(format.format), &format);
    }
    EXPECT_EQ(find_format(VK_FORMAT_D32_SFLOAT), nullptr);
}

} // namespace
} // namespace fencebridge::vk
