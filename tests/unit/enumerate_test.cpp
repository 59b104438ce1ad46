// SPDX-License-Identifier: MIT
#include "vk/enumerate.hpp"

#include <array>
#include <gtest/gtest.h>

namespace fencebridge::vk {
namespace {

const std::array<int, 3> all = {1, 2, 3};

TEST(WriteArray, ACallWithoutAnArrayReturnsTheCount) {
    uint32_t count = 7;
    EXPECT_EQ(write_array(std::span<const int>(all), &count, static_cast<int*>(nullptr)),
              VK_SUCCESS);
    EXPECT_EQ(count, 3u);
}

TEST(WriteArray, AnArrayThatIsTooSmallIsFilledAndTheResultIncomplete) {
    std::array<int, 3> out = {0, 0, 9};
    uint32_t count = 2;
    EXPECT_EQ(write_array(std::span<const int>(all), &count, out.data()), VK_INCOMPLETE);
    EXPECT_EQ(count, 2u);
    EXPECT_EQ(out, (std::array<int, 3>{1, 2, 9}));
}

TEST(WriteArray, AnArrayThatIsTooLargeIsFilledAsFarAsTheListGoes) {
    std::array<int, 5> out = {0, 0, 0, 9, 9};
    uint32_t count = 5;
    EXPECT_EQ(write_array(std::span<const int>(all), &count, out.data()), VK_SUCCESS);
    EXPECT_EQ(count, 3u);
    EXPECT_EQ(out, (std::array<int, 5>{1, 2, 3, 9, 9}));
}

TEST(Enumerate, TheCallsAreRepeatedIfTheListGrowsBetweenThem) {
    uint32_t size = 1;
    const auto got = enumerate<int>([&](uint32_t* count, int* array) {
        if (array == nullptr) {
            *count = size;
            size = 3; // before the second call
            return VK_SUCCESS;
        }
        return write_array(std::span<const int>(all).first(size), count, array);
    });
    ASSERT_TRUE(got);
    EXPECT_EQ(*got, (std::vector<int>{1, 2, 3}));
}

TEST(Enumerate, AFailureOfTheCallIsReturned) {
    const auto got = enumerate<int>([](uint32_t*, int*) { return VK_ERROR_OUT_OF_HOST_MEMORY; });
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error(), VK_ERROR_OUT_OF_HOST_MEMORY);
}

} // namespace
} // namespace fencebridge::vk
