// SPDX-License-Identifier: MIT
#include "core/image_ring.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <map>
#include <random>

namespace fencebridge::core {
namespace {

constexpr ImageIndex first{0};
constexpr ImageIndex second{1};
constexpr ImageIndex third{2};

TEST(ImageRing, GivesEveryImageOnceThenNone) {
    ImageRing ring(3);
    EXPECT_EQ(ring.acquire(), first);
    EXPECT_EQ(ring.acquire(), second);
    EXPECT_EQ(ring.acquire(), third);
    EXPECT_EQ(ring.acquire(), std::nullopt);
}

TEST(ImageRing, APresentedImageIsNotFreeUntilItIsReleased) {
    ImageRing ring(1);
    ASSERT_EQ(ring.acquire(), first);
    EXPECT_TRUE(ring.present(first));
    EXPECT_EQ(ring.acquire(), std::nullopt);
    ring.release(first);
    EXPECT_EQ(ring.acquire(), first);
}

TEST(ImageRing, GivesTheImageThatHasBeenFreeLongest) {
    ImageRing ring(3);
    for (const ImageIndex image : {first, second, third}) {
        ASSERT_EQ(ring.acquire(), image);
        ASSERT_TRUE(ring.present(image));
    }
    ring.release(third);
    ring.release(first);
    ring.release(second);
    EXPECT_EQ(ring.acquire(), third);
    EXPECT_EQ(ring.acquire(), first);
    EXPECT_EQ(ring.acquire(), second);
}

TEST(ImageRing, RefusesToPresentWhatIsNotAcquired) {
    ImageRing ring(2);
    EXPECT_FALSE(ring.present(first)) << "it is free";
    ASSERT_EQ(ring.acquire(), first);
    EXPECT_TRUE(ring.present(first));
    EXPECT_FALSE(ring.present(first)) << "the window system has it";
    EXPECT_FALSE(ring.present(ImageIndex{2})) << "there is no such image";
}

TEST(ImageRing, IgnoresReleasesOfWhatTheWindowSystemDoesNotHave) {
    ImageRing ring(2);
    ASSERT_EQ(ring.acquire(), first);
    ring.release(first);
    EXPECT_TRUE(ring.is_acquired(first)) << "the application draws to it";
    ring.release(second);
    EXPECT_EQ(ring.acquire(), second);
    EXPECT_EQ(ring.acquire(), std::nullopt);
}

TEST(ImageRing, AnImageGivenBackIsNextInTurn) {
    ImageRing ring(3);
    ASSERT_EQ(ring.acquire(), first);
    ring.give_back(first);
    EXPECT_EQ(ring.acquire(), first);
    ASSERT_EQ(ring.acquire(), second);
    ASSERT_TRUE(ring.present(second));
    ring.give_back(second);
    EXPECT_EQ(ring.acquire(), second) << "before the third, which waits longer";
}

/// Against a model that is a plain map of owners: any order of operations.
TEST(ImageRing, AgreesWithItsModelOverRandomOperations) {
    enum class Owner { free, acquired, presented };
    std::minstd_rand engine(1);
    const auto random = [&] { return static_cast<uint32_t>(engine()); };
    for (int round = 0; round < 200; ++round) {
        const uint32_t size = 1 + random() % 6;
        ImageRing ring(size);
        std::map<uint32_t, Owner> model;
        for (uint32_t i = 0; i < size; ++i)
            model[i] = Owner::free;
        for (int step = 0; step < 100; ++step) {
            const uint32_t target = random() % size;
            const ImageIndex image{target};
            switch (random() % 4) {
            case 0: {
                const auto got = ring.acquire();
                const bool any =
                    std::ranges::any_of(model, [](auto& one) { return one.second == Owner::free; });
                ASSERT_EQ(got.has_value(), any);
                if (got) {
                    Owner& owner = model.at(static_cast<uint32_t>(*got));
                    ASSERT_EQ(owner, Owner::free);
                    owner = Owner::acquired;
                }
                break;
            }
            case 1:
                ASSERT_EQ(ring.present(image), model[target] == Owner::acquired);
                if (model[target] == Owner::acquired)
                    model[target] = Owner::presented;
                break;
            case 2:
                ring.release(image);
                if (model[target] == Owner::presented)
                    model[target] = Owner::free;
                break;
            case 3:
                if (model[target] != Owner::free) {
                    ring.give_back(image);
                    model[target] = Owner::free;
                }
                break;
            }
            ASSERT_EQ(ring.is_acquired(image), model[target] == Owner::acquired);
        }
    }
}

} // namespace
} // namespace fencebridge::core
