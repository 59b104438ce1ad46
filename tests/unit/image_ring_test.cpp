// SPDX-License-Identifier: MIT
#include "core/image_ring.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <map>
#include <optional>
#include <random>
#include <vector>

namespace fencebridge::core {
namespace {

constexpr ImageIndex first{0};
constexpr ImageIndex second{1};
constexpr ImageIndex third{2};

/// Acquires the next image, as a swapchain does whose images are all idle.
std::optional<ImageIndex> acquire(ImageRing& ring) {
    const ImageList free = ring.free();
    if (free.empty())
        return std::nullopt;
    ring.mark_acquired(free[0]);
    return free[0];
}

std::vector<ImageIndex> to_vector(const ImageList& list) { return {list.begin(), list.end()}; }

TEST(ImageRing, EveryImageIsAcquiredOnceAndThenNone) {
    ImageRing ring(3);
    EXPECT_EQ(acquire(ring), first);
    EXPECT_EQ(acquire(ring), second);
    EXPECT_EQ(acquire(ring), third);
    EXPECT_EQ(acquire(ring), std::nullopt);
}

TEST(ImageRing, APresentedImageIsNotFreeUntilItIsReleased) {
    ImageRing ring(1);
    ASSERT_EQ(acquire(ring), first);
    EXPECT_TRUE(ring.mark_presented(first));
    EXPECT_EQ(acquire(ring), std::nullopt);
    ring.mark_released(first);
    EXPECT_EQ(acquire(ring), first);
}

TEST(ImageRing, TheImageThatHasBeenFreeLongestIsNext) {
    ImageRing ring(3);
    for (const ImageIndex image : {first, second, third}) {
        ASSERT_EQ(acquire(ring), image);
        ASSERT_TRUE(ring.mark_presented(image));
    }
    ring.mark_released(third);
    ring.mark_released(first);
    ring.mark_released(second);
    EXPECT_EQ(acquire(ring), third);
    EXPECT_EQ(acquire(ring), first);
    EXPECT_EQ(acquire(ring), second);
}

TEST(ImageRing, OnlyAnAcquiredImageCanBePresented) {
    ImageRing ring(2);
    EXPECT_FALSE(ring.mark_presented(first)) << "it is free";
    ASSERT_EQ(acquire(ring), first);
    EXPECT_TRUE(ring.mark_presented(first));
    EXPECT_FALSE(ring.mark_presented(first)) << "the window system has it";
    EXPECT_FALSE(ring.mark_presented(ImageIndex{2})) << "there is no such image";
}

TEST(ImageRing, AReleaseOfAnImageThatIsNotPresentedIsIgnored) {
    ImageRing ring(2);
    ASSERT_EQ(acquire(ring), first);
    ring.mark_released(first);
    EXPECT_TRUE(ring.is_acquired(first)) << "the application draws to it";
    ring.mark_released(second);
    EXPECT_EQ(acquire(ring), second);
    EXPECT_EQ(acquire(ring), std::nullopt);
}

TEST(ImageRing, AnImageIsNextAfterItsAcquireOrPresentIsUndone) {
    ImageRing ring(3);
    ASSERT_EQ(acquire(ring), first);
    ring.undo(first);
    EXPECT_EQ(acquire(ring), first);
    ASSERT_EQ(acquire(ring), second);
    ASSERT_TRUE(ring.mark_presented(second));
    ring.undo(second);
    EXPECT_EQ(acquire(ring), second) << "before the third, although that has been free for longer";
}

TEST(ImageRing, FreeAndPresentedImagesAreListed) {
    ImageRing ring(3);
    EXPECT_EQ(to_vector(ring.free()), (std::vector{first, second, third}));
    ring.mark_acquired(second);
    EXPECT_EQ(to_vector(ring.free()), (std::vector{first, third}));
    EXPECT_TRUE(ring.presented().empty());
    ASSERT_TRUE(ring.mark_presented(second));
    EXPECT_EQ(to_vector(ring.presented()), (std::vector{second}));
    ring.mark_released(second);
    EXPECT_EQ(to_vector(ring.free()), (std::vector{first, third, second}));
    ring.mark_acquired(third);
    EXPECT_EQ(to_vector(ring.free()), (std::vector{first, second})) << "any of them can be taken";
}

TEST(ImageRing, PresentedImagesAreListedInTheOrderOfTheirPresents) {
    ImageRing ring(3);
    for (const ImageIndex image : {first, second, third})
        ring.mark_acquired(image);
    for (const ImageIndex image : {third, first, second})
        ASSERT_TRUE(ring.mark_presented(image));
    EXPECT_EQ(to_vector(ring.presented()), (std::vector{third, first, second}));
}

/// The model is a plain map from images to owners.
TEST(ImageRing, TheRingAgreesWithAModelOverRandomOperations) {
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
                const auto got = acquire(ring);
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
                ASSERT_EQ(ring.mark_presented(image), model[target] == Owner::acquired);
                if (model[target] == Owner::acquired)
                    model[target] = Owner::presented;
                break;
            case 2:
                ring.mark_released(image);
                if (model[target] == Owner::presented)
                    model[target] = Owner::free;
                break;
            case 3:
                if (model[target] != Owner::free) {
                    ring.undo(image);
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
