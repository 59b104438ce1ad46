// SPDX-License-Identifier: MIT
// VK_KHR_present_wait and VK_KHR_present_wait2: when a thread's wait for a present request ends.
#include "fixture.hpp"
#include "skipped_waits.hpp"

#include "vk/newer_headers.hpp"

#include <chrono>
#include <future>
#include <optional>
#include <thread>
#include <utility>

namespace fencebridge::test {
namespace {

using namespace std::chrono_literals;

constexpr uint64_t one_second = 1'000'000'000;

// The two versions of the extension.
enum class Version { one, two };

Script with_presentation(Globals globals = {}) {
    globals.presentation = 1;
    return {.globals = globals, .discard_superseded = false};
}

class PresentWait : public CompositorTest, public testing::WithParamInterface<Version> {
protected:
    void begin(const Script& script = with_presentation(), VkPresentModeKHR mode = mailbox) {
        const std::vector<const char*> extensions =
            GetParam() == Version::one
                ? std::vector{VK_KHR_SWAPCHAIN_EXTENSION_NAME, VK_KHR_PRESENT_ID_EXTENSION_NAME,
                              VK_KHR_PRESENT_WAIT_EXTENSION_NAME}
                : std::vector{VK_KHR_SWAPCHAIN_EXTENSION_NAME, VK_KHR_PRESENT_ID_2_EXTENSION_NAME,
                              VK_KHR_PRESENT_WAIT_2_EXTENSION_NAME};
        client_.emplace(start(script).connect(), InstanceOptions{}, extensions);
        swapchain_ = make_swapchain(mode);
        ASSERT_EQ(swapchain_.result, VK_SUCCESS);
    }
    void TearDown() override {
        if (client_)
            vkDeviceWaitIdle(client_->device);
        swapchain_ = {};
        client_.reset();
        CompositorTest::TearDown();
    }

    Swapchain make_swapchain(VkPresentModeKHR mode, VkSwapchainKHR old = VK_NULL_HANDLE) {
        const VkSwapchainCreateFlagsKHR flags =
            GetParam() == Version::one ? 0
                                       : VK_SWAPCHAIN_CREATE_PRESENT_ID_2_BIT_KHR |
                                             VK_SWAPCHAIN_CREATE_PRESENT_WAIT_2_BIT_KHR;
        return client_->swapchain({.mode = mode, .old = old, .flags = flags});
    }

    VkResult present(uint64_t id) { return present(swapchain_, id); }
    VkResult present(const Swapchain& swapchain, uint64_t id) {
        const auto rendered = make_semaphore(client_->device);
        const uint32_t index = client_->acquire_and_render(swapchain, rendered);
        const VkPresentIdKHR one{.sType = VK_STRUCTURE_TYPE_PRESENT_ID_KHR,
                                 .pNext = nullptr,
                                 .swapchainCount = 1,
                                 .pPresentIds = &id};
        const VkPresentId2KHR two{.sType = VK_STRUCTURE_TYPE_PRESENT_ID_2_KHR,
                                  .pNext = nullptr,
                                  .swapchainCount = 1,
                                  .pPresentIds = &id};
        const void* next = GetParam() == Version::one ? static_cast<const void*>(&one) : &two;
        const VkResult result =
            test::present(client_->device.queue, swapchain, index, {rendered}, next);
        vkDeviceWaitIdle(client_->device);
        compositor_->settle();
        return result;
    }

    VkResult wait(uint64_t id, uint64_t timeout) { return wait(swapchain_, id, timeout); }
    VkResult wait(const Swapchain& swapchain, uint64_t id, uint64_t timeout) {
        const auto find = [&](const char* name) {
            return vkGetDeviceProcAddr(client_->device, name);
        };
        if (GetParam() == Version::one)
            return reinterpret_cast<PFN_vkWaitForPresentKHR>(find("vkWaitForPresentKHR"))(
                client_->device, swapchain, id, timeout);
        const VkPresentWait2InfoKHR info{.sType = VK_STRUCTURE_TYPE_PRESENT_WAIT_2_INFO_KHR,
                                         .pNext = nullptr,
                                         .presentId = id,
                                         .timeout = timeout};
        return reinterpret_cast<PFN_vkWaitForPresent2KHR>(find("vkWaitForPresent2KHR"))(
            client_->device, swapchain, &info);
    }

    static constexpr VkPresentModeKHR mailbox = VK_PRESENT_MODE_MAILBOX_KHR;
    std::optional<Client> client_;
    Swapchain swapchain_;
};

TEST_P(PresentWait, EndsWhenTheImageIsShown) {
    begin();
    ASSERT_EQ(present(1), VK_SUCCESS);
    EXPECT_EQ(wait(1, 0), VK_TIMEOUT);
    compositor_->present(0);
    EXPECT_EQ(wait(1, forever), VK_SUCCESS);
}

TEST_P(PresentWait, IsWokenByTheReport) {
    begin();
    ASSERT_EQ(present(1), VK_SUCCESS);
    std::thread waiting([&] { EXPECT_EQ(wait(1, forever), VK_SUCCESS); });
    compositor_->present(0);
    waiting.join();
}

TEST_P(PresentWait, EndsWhenTheImageWillNeverBeShown) {
    begin();
    ASSERT_EQ(present(1), VK_SUCCESS);
    compositor_->discard(0);
    EXPECT_EQ(wait(1, forever), VK_SUCCESS);
}

// With MAILBOX, an image can be discarded while an earlier one is still to be shown. A swapchain
// has one number, which ascends, so that the wait for the later image does not end first.
TEST_P(PresentWait, DoesNotEndBeforeAnEarlierImageIsShown) {
    begin();
    ASSERT_EQ(present(1), VK_SUCCESS);
    ASSERT_EQ(present(2), VK_SUCCESS);
    compositor_->discard(1);
    EXPECT_EQ(wait(1, 0), VK_TIMEOUT);
    EXPECT_EQ(wait(2, 0), VK_TIMEOUT);
    compositor_->present(0);
    EXPECT_EQ(wait(1, forever), VK_SUCCESS);
    EXPECT_EQ(wait(2, forever), VK_SUCCESS);
}

TEST_P(PresentWait, EndsWhenALaterImageIsShown) {
    begin();
    ASSERT_EQ(present(1), VK_SUCCESS);
    ASSERT_EQ(present(3), VK_SUCCESS);
    compositor_->present(1);
    EXPECT_EQ(wait(1, forever), VK_SUCCESS);
    EXPECT_EQ(wait(2, forever), VK_SUCCESS) << "a number that was left out";
    EXPECT_EQ(wait(4, 0), VK_TIMEOUT) << "a number that was not presented yet";
}

TEST_P(PresentWait, EndsForARequestThatAnotherThreadMakesDuringTheWait) {
    begin();
    std::thread waiting([&] { EXPECT_EQ(wait(1, forever), VK_SUCCESS); });
    ASSERT_EQ(present(1), VK_SUCCESS);
    compositor_->present(0);
    waiting.join();
}

TEST_P(PresentWait, SeveralThreadsCanWait) {
    begin();
    ASSERT_EQ(present(1), VK_SUCCESS);
    ASSERT_EQ(present(2), VK_SUCCESS);
    std::vector<std::thread> waiting;
    for (const uint64_t id : {1, 2, 1, 2})
        waiting.emplace_back([this, id] { EXPECT_EQ(wait(id, forever), VK_SUCCESS); });
    compositor_->present(0);
    compositor_->present(1);
    for (std::thread& thread : waiting)
        thread.join();
}

TEST_P(PresentWait, LastsForTheTimeout) {
    begin();
    ASSERT_EQ(present(1), VK_SUCCESS);
    const SkippedWaits skipping;
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(wait(1, 7 * one_second), VK_TIMEOUT);
    const std::chrono::nanoseconds skipped(skipped_ns);
    EXPECT_LE(skipped, 7s);
    EXPECT_GE(std::chrono::steady_clock::now() - begin, 7s);
}

TEST_P(PresentWait, DoesNotDelayAThreadThatWaitsForAnImage) {
    Script script = with_presentation();
    script.release = Release::manual;
    begin(script);
    for (uint64_t id = 1; id <= swapchain_.images.size(); ++id)
        ASSERT_EQ(present(id), VK_SUCCESS);
    std::thread waiting([&] { EXPECT_EQ(wait(1, forever), VK_SUCCESS); });
    std::thread acquiring([&] { EXPECT_EQ(client_->acquire(swapchain_).result, VK_SUCCESS); });
    compositor_->release(*compositor_->commit_at(0).buffer);
    acquiring.join();
    compositor_->present(0);
    waiting.join();
}

TEST_P(PresentWait, EachNumberedCommitIsReportedOnce) {
    begin();
    ASSERT_EQ(present(1), VK_SUCCESS);
    ASSERT_EQ(client_->frame(swapchain_), VK_SUCCESS);
    compositor_->settle();
    EXPECT_EQ(compositor_->commit_at(0).presentation_feedbacks, 1u);
    EXPECT_EQ(compositor_->commit_at(1).presentation_feedbacks, 0u) << "it has no number";
}

// The reports of an application that never waits do not pile up.
TEST_P(PresentWait, NothingGrowsIfNobodyWaits) {
    Script script = with_presentation();
    script.refresh = Refresh::periodic;
    script.presentation = Presentation::presented;
    script.discard_superseded = true;
    begin(script);
    for (uint64_t id = 1; id <= 100; ++id) {
        ASSERT_EQ(present(id), VK_SUCCESS);
        ASSERT_LE(compositor_->unanswered_commits().size(), 1u);
    }
}

TEST_P(PresentWait, TheOldSwapchainsRequestsAreStillReported) {
    begin();
    ASSERT_EQ(present(1), VK_SUCCESS);
    const Swapchain next = make_swapchain(mailbox, swapchain_);
    ASSERT_EQ(next.result, VK_SUCCESS);
    ASSERT_EQ(present(next, 1), VK_SUCCESS);
    compositor_->present(1);
    EXPECT_EQ(wait(next, 1, forever), VK_SUCCESS);
    EXPECT_EQ(wait(1, 0), VK_TIMEOUT) << "each swapchain counts on its own";
    compositor_->present(0);
    EXPECT_EQ(wait(1, forever), VK_SUCCESS);
    vkDeviceWaitIdle(client_->device);
}

TEST_P(PresentWait, ReportsALostConnection) {
    begin();
    ASSERT_EQ(present(1), VK_SUCCESS);
    std::thread waiting([&] { EXPECT_EQ(wait(1, forever), VK_ERROR_SURFACE_LOST_KHR); });
    compositor_->disconnect_clients();
    waiting.join();
    EXPECT_EQ(wait(2, forever), VK_ERROR_SURFACE_LOST_KHR);
}

// A compositor without wp_presentation: frame callbacks stand for the reports.
TEST_P(PresentWait, WithoutPresentationEndsWithTheFrameCallback) {
    begin({.refresh = Refresh::manual});
    ASSERT_EQ(present(1), VK_SUCCESS);
    EXPECT_EQ(wait(1, 0), VK_TIMEOUT);
    compositor_->refresh();
    EXPECT_EQ(wait(1, forever), VK_SUCCESS);
}

TEST_P(PresentWait, WithoutPresentationAHiddenWindowsRequestsEndAfterASecond) {
    begin({.refresh = Refresh::manual});
    const SkippedWaits skipping;
    ASSERT_EQ(present(1), VK_SUCCESS);
    EXPECT_EQ(wait(1, one_second / 2), VK_TIMEOUT);
    EXPECT_EQ(wait(1, forever), VK_SUCCESS);
    EXPECT_LE(std::chrono::nanoseconds(skipped_ns), 1s);
    EXPECT_EQ(wait(2, one_second), VK_TIMEOUT) << "a request that was not made does not end";
}

// The second counts from the commit, also for a thread that began to wait before the commit.
TEST_P(PresentWait, WithoutPresentationAThreadThatHasWaitedForTheRequestWaitsASecondMore) {
    begin({.refresh = Refresh::manual});
    const SkippedWaits skipping;
    std::promise<void> began;
    before_endless_wait = [&, has_begun = false]() mutable {
        if (!std::exchange(has_begun, true))
            began.set_value();
    };
    std::thread waiting([&] { EXPECT_EQ(wait(1, forever), VK_SUCCESS); });
    began.get_future().wait();
    EXPECT_EQ(present(1), VK_SUCCESS);
    waiting.join();
    EXPECT_LE(std::chrono::nanoseconds(skipped_ns), 1s);
}

INSTANTIATE_TEST_SUITE_P(, PresentWait, testing::Values(Version::one, Version::two),
                         [](const auto& version) {
                             return version.param == Version::one ? "One" : "Two";
                         });

class PresentWaitTwo : public CompositorTest {};

TEST_F(PresentWaitTwo, IsRefusedForASwapchainWithoutItsFlag) {
    Client client(start(with_presentation()).connect(), {},
                  {VK_KHR_SWAPCHAIN_EXTENSION_NAME, VK_KHR_PRESENT_ID_2_EXTENSION_NAME,
                   VK_KHR_PRESENT_WAIT_2_EXTENSION_NAME});
    const Swapchain swapchain = client.swapchain();
    const VkPresentWait2InfoKHR info{.sType = VK_STRUCTURE_TYPE_PRESENT_WAIT_2_INFO_KHR,
                                     .pNext = nullptr,
                                     .presentId = 1,
                                     .timeout = 0};
    const auto wait = reinterpret_cast<PFN_vkWaitForPresent2KHR>(
        vkGetDeviceProcAddr(client.device, "vkWaitForPresent2KHR"));
    EXPECT_EQ(wait(client.device, swapchain, &info), VK_ERROR_VALIDATION_FAILED_EXT);
}

TEST_F(PresentWaitTwo, TheSurfaceSupportsIt) {
    Client client(start(with_presentation()));
    VkSurfaceCapabilitiesPresentWait2KHR wait{
        .sType = VK_STRUCTURE_TYPE_SURFACE_CAPABILITIES_PRESENT_WAIT_2_KHR,
        .pNext = nullptr,
        .presentWait2Supported = VK_FALSE};
    VkSurfaceCapabilitiesPresentId2KHR id{
        .sType = VK_STRUCTURE_TYPE_SURFACE_CAPABILITIES_PRESENT_ID_2_KHR,
        .pNext = &wait,
        .presentId2Supported = VK_FALSE};
    query_capabilities(client.instance, client.device, client.surface, &id);
    EXPECT_EQ(id.presentId2Supported, VK_TRUE);
    EXPECT_EQ(wait.presentWait2Supported, VK_TRUE);
}

// An application that does not enable the extension makes no requests for it.
TEST_F(PresentWaitTwo, NumbersAloneCostNothing) {
    Client client(start(with_presentation()).connect(), {},
                  {VK_KHR_SWAPCHAIN_EXTENSION_NAME, VK_KHR_PRESENT_ID_EXTENSION_NAME});
    const Swapchain swapchain = client.swapchain();
    const uint64_t id = 1;
    const VkPresentIdKHR ids{.sType = VK_STRUCTURE_TYPE_PRESENT_ID_KHR,
                             .pNext = nullptr,
                             .swapchainCount = 1,
                             .pPresentIds = &id};
    const auto rendered = make_semaphore(client.device);
    const uint32_t index = client.acquire_and_render(swapchain, rendered);
    ASSERT_EQ(test::present(client.device.queue, swapchain, index, {rendered}, &ids), VK_SUCCESS);
    vkDeviceWaitIdle(client.device);
    compositor_->settle();
    EXPECT_EQ(compositor_->commit_at(0).presentation_feedbacks, 0u);
}

} // namespace
} // namespace fencebridge::test
