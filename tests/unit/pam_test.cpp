// SPDX-License-Identifier: MIT
#include "headless/pam.hpp"

#include <drm_fourcc.h>
#include <gtest/gtest.h>

#include "vk/format.hpp"

namespace fencebridge::headless {
namespace {

using Bytes = std::vector<unsigned char>;

/// One row of two pixels.
Bytes convert(uint32_t fourcc, const Bytes& pixels) {
    PamWriter pam(fourcc, {2, 1});
    EXPECT_EQ(pam.bytes_per_row(), pixels.size());
    const auto row = pam.convert(std::as_bytes(std::span(pixels)));
    return {row.begin(), row.end()};
}

TEST(Pam, TheHeaderDescribesThePixels) {
    EXPECT_EQ(PamWriter(DRM_FORMAT_XRGB8888, {640, 480}).header(),
              "P7\nWIDTH 640\nHEIGHT 480\nDEPTH 3\nMAXVAL 255\nTUPLTYPE RGB\nENDHDR\n");
    EXPECT_EQ(PamWriter(DRM_FORMAT_ABGR2101010, {1, 2}).header(),
              "P7\nWIDTH 1\nHEIGHT 2\nDEPTH 4\nMAXVAL 1023\nTUPLTYPE RGB_ALPHA\nENDHDR\n");
}

TEST(Pam, ChannelsAreInTheOrderRedGreenBlueAlpha) {
    const Bytes pixels{1, 2, 3, 4, 5, 6, 7, 8};
    EXPECT_EQ(convert(DRM_FORMAT_ARGB8888, pixels), (Bytes{3, 2, 1, 4, 7, 6, 5, 8}));
    EXPECT_EQ(convert(DRM_FORMAT_XRGB8888, pixels), (Bytes{3, 2, 1, 7, 6, 5}));
    EXPECT_EQ(convert(DRM_FORMAT_ABGR8888, pixels), pixels);
    EXPECT_EQ(convert(DRM_FORMAT_XBGR8888, pixels), (Bytes{1, 2, 3, 5, 6, 7}));
    const Bytes short_pixels{1, 2, 3, 4, 5, 6};
    EXPECT_EQ(convert(DRM_FORMAT_BGR888, short_pixels), short_pixels);
    EXPECT_EQ(convert(DRM_FORMAT_RGB888, short_pixels), (Bytes{3, 2, 1, 6, 5, 4}));
}

TEST(Pam, SmallerChannelsAreScaled) {
    // Red 31, green 63, blue 0; then red 0, green 32, blue 16.
    EXPECT_EQ(convert(DRM_FORMAT_RGB565, {0xe0, 0xff, 0x10, 0x04}),
              (Bytes{255, 255, 0, 0, 130, 132}));
    // Alpha 1, red 31; then alpha 0, blue 31.
    EXPECT_EQ(convert(DRM_FORMAT_ARGB1555, {0x00, 0xfc, 0x1f, 0x00}),
              (Bytes{255, 0, 0, 255, 0, 0, 255, 0}));
}

TEST(Pam, LargerChannelsHaveTwoBytesTheHigherFirst) {
    // Red 1023, green 256, blue 1, alpha 3; then all 0.
    EXPECT_EQ(convert(DRM_FORMAT_ARGB2101010, {0x01, 0x00, 0xf4, 0xff, 0, 0, 0, 0}),
              (Bytes{3, 255, 1, 0, 0, 1, 3, 255, 0, 0, 0, 0, 0, 0, 0, 0}));
    EXPECT_EQ(
        convert(DRM_FORMAT_XBGR16161616, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}),
        (Bytes{2, 1, 4, 3, 6, 5, 10, 9, 12, 11, 14, 13}));
}

TEST(Pam, EveryFormatOfASwapchainButFloatingPointCanBeWritten) {
    for (const vk::Format& format : vk::formats()) {
        EXPECT_EQ(PamWriter::has(format.fourcc_alpha), !format.is_float()) << format.name;
        EXPECT_EQ(PamWriter::has(format.fourcc_opaque), !format.is_float()) << format.name;
    }
}

} // namespace
} // namespace fencebridge::headless
