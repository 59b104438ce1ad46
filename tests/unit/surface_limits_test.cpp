// SPDX-License-Identifier: MIT
#include "core/surface_limits.hpp"

#include <gtest/gtest.h>

namespace fencebridge::core {
namespace {

TEST(SurfaceLimits, ImageCountIsNeverLessThanAskedForOrThanTheModeNeeds) {
    EXPECT_EQ(image_count(1, VK_PRESENT_MODE_FIFO_KHR), 3u);
    EXPECT_EQ(image_count(3, VK_PRESENT_MODE_MAILBOX_KHR), 4u);
    EXPECT_EQ(image_count(8, VK_PRESENT_MODE_FIFO_KHR), 8u);
    EXPECT_EQ(image_count(8, VK_PRESENT_MODE_MAILBOX_KHR), 8u);
}

TEST(SurfaceLimits, FifoIsAlwaysThereAndOnlyWhatIsListedIsTaken) {
    EXPECT_EQ(present_modes.front(), VK_PRESENT_MODE_FIFO_KHR);
    EXPECT_TRUE(has_present_mode(VK_PRESENT_MODE_MAILBOX_KHR));
    EXPECT_FALSE(has_present_mode(VK_PRESENT_MODE_IMMEDIATE_KHR));
}

TEST(SurfaceLimits, AWaylandSurfaceTakesTheSizeOfItsImages) {
    const auto limits = surface_capabilities(VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT, true, 4096);
    EXPECT_EQ(limits.currentExtent.width, UINT32_MAX);
    EXPECT_EQ(limits.currentExtent.height, UINT32_MAX);
    EXPECT_EQ(limits.maxImageExtent.width, 4096u);
    EXPECT_EQ(limits.maxImageArrayLayers, 1u);
    EXPECT_EQ(limits.supportedUsageFlags,
              static_cast<VkImageUsageFlags>(VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT));
    EXPECT_TRUE(limits.supportedCompositeAlpha & VK_COMPOSITE_ALPHA_OPAQUE_BIT_KHR);
    EXPECT_TRUE(limits.supportedCompositeAlpha & VK_COMPOSITE_ALPHA_PRE_MULTIPLIED_BIT_KHR);
    EXPECT_EQ(limits.supportedTransforms & limits.currentTransform,
              static_cast<VkFlags>(VK_SURFACE_TRANSFORM_IDENTITY_BIT_KHR));

    const auto opaque = surface_capabilities(VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT, false, 4096);
    EXPECT_EQ(opaque.supportedCompositeAlpha,
              static_cast<VkFlags>(VK_COMPOSITE_ALPHA_OPAQUE_BIT_KHR));
}

} // namespace
} // namespace fencebridge::core
