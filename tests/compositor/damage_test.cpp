// SPDX-License-Identifier: MIT
// VK_KHR_incremental_present: the application's rectangles become the commit's damage.
#include "fixture.hpp"

#include <array>

namespace fencebridge::test {
namespace {

const Region whole{{0, 0, INT32_MAX, INT32_MAX}};

class Damage : public CompositorTest {
protected:
    void SetUp() override {
        CompositorTest::SetUp();
        client_.emplace(start());
        swapchain_ = client_->swapchain();
        ASSERT_EQ(swapchain_.result, VK_SUCCESS);
    }
    void TearDown() override {
        if (client_)
            vkDeviceWaitIdle(client_->device);
        swapchain_ = {};
        client_.reset();
        CompositorTest::TearDown();
    }

    // Presents one frame, and returns the damage that the compositor received.
    Region damage_of(const Swapchain& swapchain, const void* next = nullptr) {
        const auto rendered = make_semaphore(client_->device);
        const uint32_t index = client_->acquire_and_render(swapchain, rendered);
        EXPECT_EQ(test::present(client_->device.queue, swapchain, index, {rendered}, next),
                  VK_SUCCESS);
        vkDeviceWaitIdle(client_->device);
        return compositor_->last_commit().damage;
    }
    Region damage_of(const Swapchain& swapchain, std::span<const VkRectLayerKHR> rectangles) {
        const VkPresentRegionKHR region{uint32_t(rectangles.size()), rectangles.data()};
        const VkPresentRegionsKHR regions{.sType = VK_STRUCTURE_TYPE_PRESENT_REGIONS_KHR,
                                          .pNext = nullptr,
                                          .swapchainCount = 1,
                                          .pRegions = &region};
        return damage_of(swapchain, &regions);
    }

    std::optional<Client> client_;
    Swapchain swapchain_;
};

constexpr std::array two_parts = {
    VkRectLayerKHR{.offset = {1, 2}, .extent = {3, 4}, .layer = 0},
    VkRectLayerKHR{.offset = {50, 60}, .extent = {14, 4}, .layer = 0},
};
const Region same_parts{{1, 2, 3, 4}, {50, 60, 14, 4}};

TEST_F(Damage, TheRectanglesOfThePresent) {
    damage_of(swapchain_);
    EXPECT_EQ(damage_of(swapchain_, two_parts), same_parts);
    EXPECT_EQ(damage_of(swapchain_, std::span(two_parts).last(1)), Region(1, same_parts[1]));
}

TEST_F(Damage, NoRectanglesMeanAll) {
    damage_of(swapchain_);
    EXPECT_EQ(damage_of(swapchain_), whole);
    EXPECT_EQ(damage_of(swapchain_, std::span<const VkRectLayerKHR>()), whole);
    const VkPresentRegionsKHR none{.sType = VK_STRUCTURE_TYPE_PRESENT_REGIONS_KHR,
                                   .pNext = nullptr,
                                   .swapchainCount = 1,
                                   .pRegions = nullptr};
    EXPECT_EQ(damage_of(swapchain_, &none), whole);
}

// What the window showed before is not the swapchain's.
TEST_F(Damage, TheFirstFrameOfASwapchainIsAllDamaged) {
    EXPECT_EQ(damage_of(swapchain_, two_parts), whole);
    Swapchain young = client_->swapchain({.old = swapchain_});
    ASSERT_EQ(young.result, VK_SUCCESS);
    EXPECT_EQ(damage_of(young, two_parts), whole);
    EXPECT_EQ(damage_of(young, two_parts), same_parts);
    swapchain_ = std::move(young);
}

TEST_F(Damage, AfterAFrameOfARetiredSwapchainAllIsDamaged) {
    damage_of(swapchain_);
    const auto [result, index] = client_->acquire(swapchain_);
    ASSERT_EQ(result, VK_SUCCESS);
    Swapchain young = client_->swapchain({.old = swapchain_});
    damage_of(young);
    EXPECT_EQ(damage_of(young, two_parts), same_parts);
    ASSERT_EQ(client_->present(swapchain_, index), VK_SUCCESS);
    EXPECT_EQ(damage_of(young, two_parts), whole);
    std::swap(swapchain_, young);
    vkDeviceWaitIdle(client_->device);
}

TEST_F(Damage, VeryManyRectanglesMeanAll) {
    damage_of(swapchain_);
    const std::vector many(1000, two_parts[0]);
    EXPECT_EQ(damage_of(swapchain_, many), whole);
}

TEST_F(Damage, LengthsThatWaylandCannotExpressAreShortened) {
    damage_of(swapchain_);
    const std::array endless = {
        VkRectLayerKHR{.offset = {5, 5}, .extent = {UINT32_MAX, 2}, .layer = 0}};
    EXPECT_EQ(damage_of(swapchain_, endless), (Region{{5, 5, INT32_MAX, 2}}));
}

} // namespace
} // namespace fencebridge::test
