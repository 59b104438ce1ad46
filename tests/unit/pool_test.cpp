// SPDX-License-Identifier: MIT
#include "sync/pool.hpp"

#include <cstdlib>
#include <gtest/gtest.h>
#include <memory>
#include <new>
#include <vector>

namespace {

// Whether operator new fails on this thread.
thread_local bool out_of_memory = false;

} // namespace

// The nothrow form is replaced as well: the operators delete below could not free what a
// sanitizer's form allocates.
void* operator new(size_t size, const std::nothrow_t&) noexcept {
    return out_of_memory ? nullptr : std::malloc(size);
}
void* operator new(size_t size) {
    void* memory = operator new(size, std::nothrow);
    if (memory == nullptr)
        throw std::bad_alloc();
    return memory;
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }

namespace fencebridge::sync {
namespace {

using Things = Pool<std::unique_ptr<int>>;

TEST(Pool, ItemsArePoppedInTheOrderInWhichTheyWerePushed) {
    Things pool;
    EXPECT_FALSE(pool.pop());
    for (int i = 0; i < 3; ++i)
        pool.push(Things::Item(std::make_unique<int>(i)));
    for (int i = 0; i < 3; ++i) {
        Things::Item item = pool.pop();
        ASSERT_TRUE(item);
        EXPECT_EQ(**item, i);
        pool.push(std::move(item));
    }
}

// push() may be called in the middle of a submission.
TEST(Pool, PushAndPopAllocateNoMemory) {
    Things pool;
    std::vector<Things::Item> items;
    for (int i = 0; i < 20; ++i)
        items.emplace_back(std::make_unique<int>(i));
    out_of_memory = true;
    for (Things::Item& item : items)
        pool.push(std::move(item));
    for (Things::Item& item : items)
        item = pool.pop();
    out_of_memory = false;
    for (int i = 0; i < 20; ++i)
        EXPECT_EQ(**items[size_t(i)], i);
    EXPECT_FALSE(pool.pop());
}

} // namespace
} // namespace fencebridge::sync
