// SPDX-License-Identifier: MIT
#include "core/takeover_choice.hpp"

#include <gtest/gtest.h>

namespace fencebridge::core {
namespace {

constexpr bool timelines = true;
constexpr bool ioctls = true;

TEST(TakeoverChoice, TimelinesCarryFencesIfBothSidesUseThem) {
    constexpr OwnSwapchains uses = {.use_timelines = true, .otherwise = OwnFences::waited_for};
    EXPECT_EQ(drivers_carriage(uses, timelines, std::nullopt), FenceCarriage::carried);
    EXPECT_EQ(drivers_carriage(uses, !timelines, std::nullopt), FenceCarriage::waited_for);
    constexpr OwnSwapchains does_not = {.otherwise = OwnFences::waited_for};
    EXPECT_EQ(drivers_carriage(does_not, timelines, std::nullopt), FenceCarriage::waited_for);
}

TEST(TakeoverChoice, WithoutTimelinesTheDriverDecides) {
    for (const auto& [own, expected] : {std::pair(OwnFences::lost, FenceCarriage::lost),
                                        std::pair(OwnFences::waited_for, FenceCarriage::waited_for),
                                        std::pair(OwnFences::carried, FenceCarriage::carried)}) {
        EXPECT_EQ(drivers_carriage({.otherwise = own}, timelines, ioctls), expected);
        EXPECT_EQ(drivers_carriage({.otherwise = own}, !timelines, std::nullopt), expected);
    }
}

// So with drivers of which nothing is known.
TEST(TakeoverChoice, WithoutTheIoctlsADriverThatUsesThemLosesFences) {
    EXPECT_EQ(drivers_carriage({}, !timelines, ioctls), FenceCarriage::carried);
    EXPECT_EQ(drivers_carriage({}, !timelines, !ioctls), FenceCarriage::lost);
    EXPECT_EQ(drivers_carriage({}, !timelines, std::nullopt), std::nullopt);
}

TEST(TakeoverChoice, OnlyADriverThatNeedsNoIoctlsAlwaysCarriesFences) {
    EXPECT_TRUE(always_carry_fences({.otherwise = OwnFences::carried}));
    for (const OwnFences own : {OwnFences::lost, OwnFences::waited_for, OwnFences::by_ioctls})
        EXPECT_FALSE(always_carry_fences({.use_timelines = true, .otherwise = own}));
}

TEST(TakeoverChoice, AttachedFencesThatAreIgnoredAreWaitedFor) {
    constexpr bool ignored = true;
    for (const Transport transport : {Transport::kernel, Transport::module}) {
        EXPECT_EQ(carriage_by(transport, !ignored), FenceCarriage::carried);
        EXPECT_EQ(carriage_by(transport, ignored), FenceCarriage::waited_for);
    }
    EXPECT_EQ(carriage_by(Transport::explicit_sync, ignored), FenceCarriage::carried);
    EXPECT_EQ(carriage_by(Transport::cpu, !ignored), FenceCarriage::waited_for);
}

TEST(TakeoverChoice, TheLayerHasToBeBetter) {
    constexpr FenceCarriage all[] = {FenceCarriage::lost, FenceCarriage::waited_for,
                                     FenceCarriage::carried};
    for (size_t drivers = 0; drivers < 3; ++drivers) {
        for (size_t layers = 0; layers < 3; ++layers)
            EXPECT_EQ(why_the_layers_are_better(all[drivers], all[layers]) != nullptr,
                      layers > drivers)
                << drivers << " " << layers;
    }
}

} // namespace
} // namespace fencebridge::core
