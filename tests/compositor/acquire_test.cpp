// SPDX-License-Identifier: MIT
// Which image vkAcquireNextImageKHR returns, and when: never a presented one before its release.
#include "fixture.hpp"

#include <atomic>
#include <chrono>
#include <set>
#include <thread>

namespace fencebridge::test {
namespace {

using std::chrono::steady_clock;
constexpr uint64_t millisecond = 1'000'000;

class Acquire : public CompositorTest {
protected:
    // Presents every image once, and returns the image index of each commit.
    std::vector<uint32_t> present_all(Client& client, const Swapchain& swapchain) {
        std::vector<uint32_t> order;
        for (size_t i = 0; i < swapchain.images.size(); ++i) {
            auto [result, index] = client.acquire(swapchain);
            EXPECT_EQ(result, VK_SUCCESS);
            EXPECT_EQ(client.present(swapchain, index), VK_SUCCESS);
            order.push_back(index);
        }
        return order;
    }
};

TEST_F(Acquire, EveryImageIsReturnedOnceAndThenNone) {
    Client client(start());
    Swapchain swapchain = client.swapchain();
    ASSERT_EQ(swapchain.result, VK_SUCCESS);
    std::set<uint32_t> seen;
    for (size_t i = 0; i < swapchain.images.size(); ++i) {
        auto [result, index] = client.acquire(swapchain, 0);
        ASSERT_EQ(result, VK_SUCCESS);
        EXPECT_LT(index, swapchain.images.size());
        EXPECT_TRUE(seen.insert(index).second);
    }
    EXPECT_EQ(client.acquire(swapchain, 0).result, VK_NOT_READY);
    EXPECT_EQ(client.acquire(swapchain, millisecond).result, VK_TIMEOUT);
}

TEST_F(Acquire, ASwapchainHasAtLeastMinImageCountImages) {
    Client client(start());
    for (uint32_t count : {3u, 4u, 5u}) {
        Swapchain swapchain = client.swapchain({.min_images = count});
        ASSERT_EQ(swapchain.result, VK_SUCCESS);
        EXPECT_GE(swapchain.images.size(), count);
        EXPECT_EQ(std::set(swapchain.images.begin(), swapchain.images.end()).size(),
                  swapchain.images.size());
    }
}

TEST_F(Acquire, AnImageThatIsNotReleasedIsNotReturned) {
    Compositor& compositor = start({.release = Release::manual});
    Client client(compositor);
    Swapchain swapchain = client.swapchain();
    present_all(client, swapchain);
    ASSERT_EQ(compositor.commits(), swapchain.images.size());
    client.app.round_trip();
    EXPECT_EQ(client.acquire(swapchain, 0).result, VK_NOT_READY);
    EXPECT_EQ(client.acquire(swapchain, 5 * millisecond).result, VK_TIMEOUT);
}

TEST_F(Acquire, ImagesAreReturnedInTheOrderOfTheirRelease) {
    Compositor& compositor = start({.release = Release::manual});
    Client client(compositor);
    Swapchain swapchain = client.swapchain({.min_images = 4});
    std::vector<uint32_t> order = present_all(client, swapchain);
    ASSERT_GE(order.size(), 4u);
    for (size_t commit : {2u, 0u, 3u, 1u}) {
        compositor.release(*compositor.commit_at(commit).buffer);
        auto [result, index] = client.acquire(swapchain, 0);
        EXPECT_EQ(result, VK_SUCCESS);
        EXPECT_EQ(index, order[commit]);
        EXPECT_EQ(client.acquire(swapchain, 0).result, VK_NOT_READY);
    }
}

TEST_F(Acquire, EveryImageHasItsOwnBuffer) {
    Compositor& compositor = start({.release = Release::manual});
    Client client(compositor);
    Swapchain swapchain = client.swapchain();
    present_all(client, swapchain);
    std::set<Inode> inodes;
    for (size_t i = 0; i < swapchain.images.size(); ++i)
        inodes.insert(compositor.commit_at(i).inode);
    EXPECT_EQ(inodes.size(), swapchain.images.size());
}

TEST_F(Acquire, AnImageKeepsItsBuffer) {
    Compositor& compositor = start();
    Client client(compositor);
    Swapchain swapchain = client.swapchain();
    std::map<uint32_t, Inode> inodes;
    for (int i = 0; i < 20; ++i) {
        auto [result, index] = client.acquire(swapchain);
        ASSERT_EQ(result, VK_SUCCESS);
        ASSERT_EQ(client.present(swapchain, index), VK_SUCCESS);
        Inode inode = compositor.last_commit().inode;
        EXPECT_EQ(inodes.emplace(index, inode).first->second, inode);
    }
    EXPECT_EQ(compositor.on_thread([](Scene& scene) { return scene.buffers_made(); }),
              inodes.size());
}

TEST_F(Acquire, AcquireWaitsForItsWholeTimeout) {
    Client client(start({.release = Release::manual}));
    Swapchain swapchain = client.swapchain();
    present_all(client, swapchain);
    auto start_time = steady_clock::now();
    EXPECT_EQ(client.acquire(swapchain, 50 * millisecond).result, VK_TIMEOUT);
    EXPECT_GE(steady_clock::now() - start_time, std::chrono::milliseconds(50));
}

// Events that are not a release arrive during the wait.
TEST_F(Acquire, UnrelatedEventsDoNotEndAWaitEarly) {
    Compositor& compositor = start({.refresh = Refresh::manual, .release = Release::manual});
    Client client(compositor);
    Swapchain swapchain = client.swapchain();
    present_all(client, swapchain);
    std::atomic<bool> done = false;
    std::thread noise([&] {
        while (!done) {
            compositor.on_thread([](Scene& scene) { scene.set_feedback(linear_feedback()); });
            // Not all at once: libwayland disconnects a client whose socket is full.
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
    });
    auto start_time = steady_clock::now();
    EXPECT_EQ(client.acquire(swapchain, 50 * millisecond).result, VK_TIMEOUT);
    EXPECT_GE(steady_clock::now() - start_time, std::chrono::milliseconds(50));
    done = true;
    noise.join();
}

struct WaitingCase {
    const char* name;
    uint64_t timeout;
};

class AcquireTimeout : public Acquire, public testing::WithParamInterface<WaitingCase> {};

TEST_P(AcquireTimeout, AWaitingAcquireReturnsTheImageThatIsReleased) {
    Compositor& compositor = start({.release = Release::manual});
    Client client(compositor);
    Swapchain swapchain = client.swapchain();
    std::vector<uint32_t> order = present_all(client, swapchain);
    std::atomic<bool> released = false;
    Acquired acquired{};
    bool released_before = false;
    std::thread waiting([&] {
        acquired = client.acquire(swapchain, GetParam().timeout);
        released_before = released;
    });
    // Dispatching the application's queue does not end the wait.
    client.app.round_trip();
    released = true;
    compositor.release(*compositor.commit_at(1).buffer);
    waiting.join();
    EXPECT_EQ(acquired.result, VK_SUCCESS);
    EXPECT_EQ(acquired.index, order[1]);
    EXPECT_TRUE(released_before);
}

INSTANTIATE_TEST_SUITE_P(, AcquireTimeout,
                         testing::Values(WaitingCase{"Infinite", forever},
                                         WaitingCase{"JustBelowInfinite", forever - 1},
                                         WaitingCase{"TenSeconds", 10'000 * millisecond}),
                         [](auto& tested) { return std::string(tested.param.name); });

TEST_F(Acquire, VkAcquireNextImage2BehavesAsVkAcquireNextImage) {
    Compositor& compositor = start({.release = Release::manual});
    Client client(compositor);
    Swapchain swapchain = client.swapchain();
    Owned<VkFence> fence = make_fence(client.device);
    VkAcquireNextImageInfoKHR info{VK_STRUCTURE_TYPE_ACQUIRE_NEXT_IMAGE_INFO_KHR};
    info.swapchain = swapchain;
    info.fence = fence;
    info.deviceMask = 1;
    std::vector<uint32_t> order;
    for (size_t i = 0; i < swapchain.images.size(); ++i) {
        uint32_t index = UINT32_MAX;
        ASSERT_EQ(vkAcquireNextImage2KHR(client.device, &info, &index), VK_SUCCESS);
        ASSERT_TRUE(wait_and_reset(client.device, fence));
        ASSERT_EQ(client.present(swapchain, index), VK_SUCCESS);
        order.push_back(index);
    }
    uint32_t index = UINT32_MAX;
    EXPECT_EQ(vkAcquireNextImage2KHR(client.device, &info, &index), VK_NOT_READY);
    info.timeout = millisecond;
    EXPECT_EQ(vkAcquireNextImage2KHR(client.device, &info, &index), VK_TIMEOUT);
    compositor.release(*compositor.commit_at(0).buffer);
    EXPECT_EQ(vkAcquireNextImage2KHR(client.device, &info, &index), VK_SUCCESS);
    EXPECT_EQ(index, order[0]);
    EXPECT_TRUE(wait_and_reset(client.device, fence));
}

TEST_F(Acquire, OneCallSignalsASemaphoreAndAFence) {
    Client client(start());
    Swapchain swapchain = client.swapchain();
    for (int i = 0; i < 10; ++i) {
        Owned<VkSemaphore> semaphore = make_semaphore(client.device);
        Owned<VkFence> fence = make_fence(client.device);
        auto [result, index] = acquire(client.device, swapchain, forever, semaphore, fence);
        ASSERT_EQ(result, VK_SUCCESS);
        EXPECT_TRUE(wait_and_reset(client.device, fence));
        client.renderer.submit_no_work({semaphore}, fence);
        EXPECT_TRUE(wait_and_reset(client.device, fence));
        EXPECT_EQ(client.present(swapchain, index), VK_SUCCESS);
    }
}

} // namespace
} // namespace fencebridge::test
