// SPDX-License-Identifier: MIT
#include "image/host_memory.hpp"

#include <gtest/gtest.h>

namespace fencebridge::image {
namespace {

constexpr VkDeviceSize largest = PTRDIFF_MAX;

TEST(Addressable, ASizeThatAnObjectCanHaveStaysTheSame) {
    EXPECT_EQ(addressable(0), size_t{0});
    EXPECT_EQ(addressable(4096), size_t{4096});
    EXPECT_EQ(addressable(largest), size_t{PTRDIFF_MAX});
}

// The second size has no bit in a size_t of 32 bits, and must not become 0.
TEST(Addressable, ASizeThatNoObjectCanHaveIsRefused) {
    for (VkDeviceSize size : {largest + 1, VkDeviceSize{1} << 63, VkDeviceSize{UINT64_MAX}})
        EXPECT_EQ(addressable(size), std::unexpected(VK_ERROR_OUT_OF_DEVICE_MEMORY)) << size;
}

} // namespace
} // namespace fencebridge::image
