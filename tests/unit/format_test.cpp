// SPDX-License-Identifier: MIT
#include "vk/format.hpp"

#include <drm_fourcc.h>
#include <gtest/gtest.h>
#include <set>
#include <string_view>

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

// The rule of vkGetPhysicalDeviceSurfaceFormatsKHR for UNORM and SRGB formats needs both.
TEST(Format, TheTwinOfATwinIsTheFormatAndHasItsPixels) {
    size_t pairs = 0;
    for (const Format& format : formats()) {
        if (format.twin == VK_FORMAT_UNDEFINED)
            continue;
        const Format* const twin = find_format(format.twin);
        ASSERT_NE(twin, nullptr) << format.name;
        EXPECT_EQ(twin->twin, format.format) << format.name;
        EXPECT_EQ(twin->fourcc_alpha, format.fourcc_alpha) << format.name;
        EXPECT_EQ(twin->fourcc_opaque, format.fourcc_opaque) << format.name;
        EXPECT_NE(std::string_view(twin->name).ends_with("_SRGB"),
                  std::string_view(format.name).ends_with("_SRGB"));
        ++pairs;
    }
    EXPECT_EQ(pairs, 8u);
}

TEST(Format, HasAlphaIfItsNameHas) {
    for (const Format& format : formats())
        EXPECT_EQ(format.has_alpha(),
                  std::string_view(format.name).find('A') < std::string_view(format.name).find('_'))
            << format.name;
}

// The name has the number of bits of each channel behind its letter.
TEST(Format, APixelHasTheBytesOfItsChannels) {
    for (const Format& format : formats()) {
        const std::string_view name(format.name);
        uint32_t bits = 0;
        uint32_t of_channel = 0;
        for (const char letter : name.substr(0, name.find('_'))) {
            const bool digit = letter >= '0' && letter <= '9';
            bits += digit ? 0 : of_channel;
            of_channel = digit ? of_channel * 10 + static_cast<uint32_t>(letter - '0') : 0;
        }
        EXPECT_EQ(pixel_size(format) * 8, bits + of_channel) << name;
    }
}

} // namespace
} // namespace fencebridge::vk
