// SPDX-License-Identifier: MIT
#include "sync/pool.hpp"

#include <cstdlib>
#include <gtest/gtest.h>
#include <memory>
#include <new>

namespace {

// Whether operator new fails on this thread.
thread_local bool out_of_memory = false;

} // namespace

void* operator new(size_t size) {
    void* memory = out_of_memory ? nullptr : std::malloc(size);
    if (memory == nullptr)
        throw std::bad_alloc();
    return memory;
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }

namespace fencebridge::sync {
namespace {

using Thing = std::unique_ptr<int>;

TEST(Pool, GivesBackInTheOrderOfPutting) {
    Pool<Thing> pool;
    for (int i = 0; i < 3; ++i)
        EXPECT_EQ(pool.take(), std::nullopt);
    for (int i = 0; i < 3; ++i)
        pool.put(std::make_unique<int>(i));
    for (int i = 0; i < 3; ++i) {
        std::optional<Thing> thing = pool.take();
        ASSERT_TRUE(thing);
        EXPECT_EQ(**thing, i);
        pool.put(std::move(*thing));
    }
}

// Whoever takes may be in the middle of a submission when it puts: there must be room by then, for
// all that are out at the same time, and for one more that was made.
TEST(Pool, PuttingNeedsNoMemory) {
    Pool<Thing> pool;
    std::vector<Thing> things;
    for (int out = 0; out < 20; ++out) {
        std::optional<Thing> thing = pool.take();
        things.push_back(thing ? std::move(*thing) : std::make_unique<int>(out));
    }
    pool.make_room();
    things.push_back(std::make_unique<int>(20));
    out_of_memory = true;
    for (Thing& thing : things)
        pool.put(std::move(thing));
    out_of_memory = false;
    for (size_t i = 0; i < things.size(); ++i)
        EXPECT_TRUE(pool.take());
    EXPECT_EQ(pool.take(), std::nullopt);
}

// put() is noexcept: taking is where running out of memory is told.
TEST(Pool, TakingTellsThatMemoryIsOut) {
    Pool<Thing> pool;
    out_of_memory = true;
    EXPECT_THROW(static_cast<void>(pool.take()), std::bad_alloc);
    out_of_memory = false;
    EXPECT_EQ(pool.take(), std::nullopt);
}

} // namespace
} // namespace fencebridge::sync
