// SPDX-License-Identifier: MIT
#include "core/surface_limits.hpp"

#include <array>
#include <gtest/gtest.h>

namespace fencebridge::core {
namespace {

constexpr std::array modes = {PresentModeLimits{VK_PRESENT_MODE_FIFO_KHR, 3},
                              PresentModeLimits{VK_PRESENT_MODE_MAILBOX_KHR, 4}};
constexpr SurfaceLimits sized_by_images = {.modes = modes};

constexpr std::array fifo = {VK_PRESENT_MODE_FIFO_KHR};
constexpr std::array mailbox = {VK_PRESENT_MODE_MAILBOX_KHR};
constexpr std::array both = {VK_PRESENT_MODE_FIFO_KHR, VK_PRESENT_MODE_MAILBOX_KHR};

TEST(SurfaceLimits, ImageCountIsNeverLessThanAskedForOrThanTheModeNeeds) {
    EXPECT_EQ(image_count(sized_by_images, 1, fifo), 3u);
    EXPECT_EQ(image_count(sized_by_images, 3, mailbox), 4u);
    EXPECT_EQ(image_count(sized_by_images, 8, fifo), 8u);
    EXPECT_EQ(image_count(sized_by_images, 8, mailbox), 8u);
}

TEST(SurfaceLimits, ImageCountIsThatOfTheModeThatNeedsTheMost) {
    EXPECT_EQ(image_count(sized_by_images, 1, both), 4u);
    EXPECT_EQ(image_count(sized_by_images, 5, both), 5u);
}

TEST(SurfaceLimits, AModeThatSharesTheImageIsCompatibleWithItselfAlone) {
    constexpr auto demand = VK_PRESENT_MODE_SHARED_DEMAND_REFRESH_KHR;
    constexpr std::array with_shared = {modes[0], modes[1], PresentModeLimits{demand, 1}};
    const SurfaceLimits limits = {.modes = with_shared};
    EXPECT_EQ(compatible_modes(limits, demand), std::vector{demand});
    EXPECT_EQ(compatible_modes(limits, VK_PRESENT_MODE_FIFO_KHR).size(), 2u);
}

TEST(SurfaceLimits, AllModesOfAWindowSystemAreCompatibleAndTheNamedOneIsFirst) {
    EXPECT_EQ(compatible_modes(sized_by_images, VK_PRESENT_MODE_FIFO_KHR),
              (std::vector{VK_PRESENT_MODE_FIFO_KHR, VK_PRESENT_MODE_MAILBOX_KHR}));
    EXPECT_EQ(compatible_modes(sized_by_images, VK_PRESENT_MODE_MAILBOX_KHR),
              (std::vector{VK_PRESENT_MODE_MAILBOX_KHR, VK_PRESENT_MODE_FIFO_KHR}));
    EXPECT_TRUE(compatible_modes(sized_by_images, VK_PRESENT_MODE_IMMEDIATE_KHR).empty());
}

TEST(SurfaceLimits, OnlyListedPresentModesAreFound) {
    EXPECT_NE(find_mode(sized_by_images, VK_PRESENT_MODE_MAILBOX_KHR), nullptr);
    EXPECT_EQ(find_mode(sized_by_images, VK_PRESENT_MODE_IMMEDIATE_KHR), nullptr);
}

TEST(SurfaceLimits, CapabilitiesHaveTheLimitsOfWindowSystemAndDevice) {
    const auto blended =
        surface_capabilities(sized_by_images, VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT, true, 4096);
    EXPECT_EQ(blended.minImageCount, 3u);
    EXPECT_EQ(blended.currentExtent.width, UINT32_MAX);
    EXPECT_EQ(blended.currentExtent.height, UINT32_MAX);
    EXPECT_EQ(blended.minImageExtent.width, 1u);
    EXPECT_EQ(blended.maxImageExtent.width, 4096u);
    EXPECT_EQ(blended.maxImageExtent.height, 4096u);
    EXPECT_EQ(blended.maxImageArrayLayers, 1u);
    EXPECT_EQ(blended.supportedUsageFlags,
              static_cast<VkImageUsageFlags>(VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT));
    EXPECT_TRUE(blended.supportedCompositeAlpha & VK_COMPOSITE_ALPHA_OPAQUE_BIT_KHR);
    EXPECT_TRUE(blended.supportedCompositeAlpha & VK_COMPOSITE_ALPHA_PRE_MULTIPLIED_BIT_KHR);
    EXPECT_EQ(blended.supportedTransforms & blended.currentTransform,
              static_cast<VkFlags>(VK_SURFACE_TRANSFORM_IDENTITY_BIT_KHR));

    const auto opaque =
        surface_capabilities(sized_by_images, VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT, false, 4096);
    EXPECT_EQ(opaque.supportedCompositeAlpha,
              static_cast<VkFlags>(VK_COMPOSITE_ALPHA_OPAQUE_BIT_KHR));
}

TEST(SurfaceLimits, AWindowWithASizeOfItsOwnAllowsThatSizeOnly) {
    constexpr VkExtent2D size = {640, 480};
    const SurfaceLimits limits = {
        .current_extent = size, .min_extent = size, .max_extent = size, .modes = modes};
    const auto answer = surface_capabilities(limits, 0, false, 4096);
    for (const VkExtent2D& extent :
         {answer.currentExtent, answer.minImageExtent, answer.maxImageExtent}) {
        EXPECT_EQ(extent.width, 640u);
        EXPECT_EQ(extent.height, 480u);
    }
}

} // namespace
} // namespace fencebridge::core
