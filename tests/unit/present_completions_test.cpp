// SPDX-License-Identifier: MIT
#include "core/present_completions.hpp"

#include <gtest/gtest.h>

namespace fencebridge::core {
namespace {

PresentCompletions expecting(std::vector<uint64_t> ids) {
    PresentCompletions completions;
    for (const uint64_t id : ids)
        completions.expect(PresentId{id});
    return completions;
}

TEST(PresentCompletions, ARequestIsCompleteWhenItIsPresented) {
    auto completions = expecting({1});
    EXPECT_EQ(completions.result_for(PresentId{1}), std::nullopt);
    completions.presented(PresentId{1});
    EXPECT_EQ(completions.result_for(PresentId{1}), VK_SUCCESS);
    EXPECT_EQ(completions.result_for(PresentId{2}), std::nullopt);
}

TEST(PresentCompletions, APresentedRequestCompletesAllEarlierOnes) {
    auto completions = expecting({1, 3});
    completions.presented(PresentId{3});
    for (const uint64_t id : {1, 2, 3})
        EXPECT_EQ(completions.result_for(PresentId{id}), VK_SUCCESS);
}

TEST(PresentCompletions, ADiscardedRequestIsCompleteWhenTheEarlierOnesAre) {
    auto completions = expecting({1, 3, 5});
    completions.discarded(PresentId{3});
    for (const uint64_t id : {1, 2, 3, 4, 5})
        EXPECT_EQ(completions.result_for(PresentId{id}), std::nullopt);
    completions.discarded(PresentId{1});
    for (const uint64_t id : {1, 2, 3})
        EXPECT_EQ(completions.result_for(PresentId{id}), VK_SUCCESS);
    EXPECT_EQ(completions.result_for(PresentId{5}), std::nullopt);
}

TEST(PresentCompletions, AfterTheEndPendingRequestsCanStillComplete) {
    auto completions = expecting({1});
    completions.end(VK_ERROR_OUT_OF_DATE_KHR);
    completions.end(VK_ERROR_SURFACE_LOST_KHR); // the first error stays
    EXPECT_EQ(completions.result_for(PresentId{1}), std::nullopt);
    EXPECT_EQ(completions.result_for(PresentId{0}), VK_SUCCESS) << "no request at all";
    EXPECT_EQ(completions.result_for(PresentId{2}), VK_ERROR_OUT_OF_DATE_KHR);
    completions.presented(PresentId{1});
    EXPECT_EQ(completions.result_for(PresentId{1}), VK_SUCCESS);
}

TEST(PresentCompletions, AWithdrawnRequestIsNotComplete) {
    auto completions = expecting({1, 2});
    completions.presented(PresentId{1});
    completions.withdraw(PresentId{2});
    EXPECT_EQ(completions.result_for(PresentId{2}), std::nullopt);
    completions.end(VK_ERROR_SURFACE_LOST_KHR);
    EXPECT_EQ(completions.result_for(PresentId{2}), VK_ERROR_SURFACE_LOST_KHR);
}

} // namespace
} // namespace fencebridge::core
