// SPDX-License-Identifier: MIT
#include "core/present_result.hpp"

#include <gtest/gtest.h>

namespace fencebridge::core {
namespace {

TEST(PresentResult, TheWorseOfTwoResultsWinsInEitherOrder) {
    constexpr std::array from_worst = {VK_ERROR_DEVICE_LOST,
                                       VK_ERROR_SURFACE_LOST_KHR,
                                       VK_ERROR_OUT_OF_DATE_KHR,
                                       VK_ERROR_PRESENT_TIMING_QUEUE_FULL_EXT,
                                       VK_ERROR_OUT_OF_HOST_MEMORY,
                                       VK_SUBOPTIMAL_KHR,
                                       VK_SUCCESS};
    for (size_t i = 0; i < from_worst.size(); ++i) {
        for (size_t j = i; j < from_worst.size(); ++j) {
            EXPECT_EQ(worse(from_worst[i], from_worst[j]), from_worst[i]);
            EXPECT_EQ(worse(from_worst[j], from_worst[i]), from_worst[i]);
        }
    }
}

TEST(PresentResult, AFailureThatNoSwapchainCausedBelongsToTheWholeCall) {
    EXPECT_TRUE(is_of_whole_call(VK_ERROR_OUT_OF_HOST_MEMORY));
    EXPECT_TRUE(is_of_whole_call(VK_ERROR_OUT_OF_DEVICE_MEMORY));
    EXPECT_TRUE(is_of_whole_call(VK_ERROR_DEVICE_LOST));
    EXPECT_FALSE(is_of_whole_call(VK_ERROR_OUT_OF_DATE_KHR));
    EXPECT_FALSE(is_of_whole_call(VK_ERROR_SURFACE_LOST_KHR));
    EXPECT_FALSE(is_of_whole_call(VK_SUBOPTIMAL_KHR));
    EXPECT_FALSE(is_of_whole_call(VK_SUCCESS));
}

} // namespace
} // namespace fencebridge::core
