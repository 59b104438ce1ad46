// SPDX-License-Identifier: MIT
// What the specification demands of vkQueuePresentKHR and of the present modes.
#include "wsi.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <map>
#include <thread>

namespace fencebridge::test {
namespace {

class Presentation : public WsiTest {};

// --- results ---

TEST_F(Presentation, WritesAResultForEverySwapchain) {
    Client client(connect());
    SecondWindow second(client);
    SecondWindow third(client);
    const Swapchain swapchains[] = {client.swapchain(), Swapchain(client.device, second.surface),
                                    Swapchain(client.device, third.surface)};
    Presented all[] = {{swapchains[0], client.acquire(swapchains[0]).index},
                       {swapchains[1], client.acquire(swapchains[1]).index},
                       {swapchains[2], client.acquire(swapchains[2]).index}};
    EXPECT_EQ(present_together(client.device.queue, all), VK_SUCCESS);
    for (const Presented& one : all)
        EXPECT_EQ(one.result, VK_SUCCESS);
}

TEST_F(Presentation, WritesAResultForEverySwapchainIfTheWholeCallFails) {
    // The driver exports nothing, so that the layer waits for semaphores by a submission.
    fake_driver().set_sync_fd_features(FAKE_DRIVER_ALL_DEVICES,
                                       VK_EXTERNAL_SEMAPHORE_FEATURE_IMPORTABLE_BIT,
                                       VK_EXTERNAL_FENCE_FEATURE_IMPORTABLE_BIT);
    Client client(start(busy()));
    SecondWindow second(client);
    const Swapchain swapchains[] = {client.swapchain(), Swapchain(client.device, second.surface)};
    Presented both[] = {{swapchains[0], client.acquire(swapchains[0]).index},
                        {swapchains[1], client.acquire(swapchains[1]).index}};
    const auto rendered = make_semaphore(client.device);
    client.renderer.submit({}, {rendered});
    fake_driver().fail_call("vkQueueSubmit", 1, VK_ERROR_OUT_OF_DEVICE_MEMORY);
    EXPECT_EQ(present_together(client.device.queue, both, {rendered}),
              VK_ERROR_OUT_OF_DEVICE_MEMORY);
    for (const Presented& one : both)
        EXPECT_EQ(one.result, VK_ERROR_OUT_OF_DEVICE_MEMORY);
    // Nothing has changed: the same call succeeds.
    EXPECT_EQ(present_together(client.device.queue, both, {rendered}), VK_SUCCESS);
    EXPECT_EQ(vkDeviceWaitIdle(client.device), VK_SUCCESS);
}

// --- semaphores ---

TEST_F(Presentation, WaitsForTheSemaphoresEvenIfItIsRejected) {
    Compositor& compositor = start(busy());
    Client client(compositor);
    const Swapchain swapchain = client.swapchain();
    const auto semaphores = {make_semaphore(client.device), make_semaphore(client.device)};
    std::vector<VkSemaphore> rendered;
    for (const auto& semaphore : semaphores)
        rendered.push_back(semaphore);
    const uint32_t index = client.acquire(swapchain).index;
    client.renderer.submit({}, rendered);
    compositor.disconnect_clients();
    EXPECT_EQ(client.present_after(swapchain, index, rendered), VK_ERROR_SURFACE_LOST_KHR);
    // The driver refuses to signal a semaphore that is signalled already.
    client.renderer.submit({}, rendered);
    const auto fence = make_fence(client.device);
    client.renderer.submit_no_work(rendered, fence);
    EXPECT_TRUE(wait_and_reset(client.device, fence));
}

TEST_F(Presentation, LeavesTheSemaphoresUnsignalled) {
    Client client(connect());
    const auto rendered = make_semaphore(client.device);
    for (const VkPresentModeKHR mode : modes_of(client)) {
        const Swapchain swapchain = client.swapchain({.mode = mode});
        for (int frame = 0; frame < 5; ++frame) {
            const uint32_t index = client.acquire_and_render(swapchain, rendered);
            ASSERT_EQ(client.present_after(swapchain, index, {rendered}), VK_SUCCESS);
        }
        EXPECT_EQ(vkDeviceWaitIdle(client.device), VK_SUCCESS);
    }
}

TEST_F(Presentation, NeedsNoSemaphore) {
    Client client(connect());
    const Swapchain swapchain = client.swapchain();
    for (int frame = 0; frame < 10; ++frame) {
        const auto [result, index] = client.acquire(swapchain);
        ASSERT_EQ(result, VK_SUCCESS);
        EXPECT_EQ(client.present(swapchain, index), VK_SUCCESS);
    }
}

// --- order ---

TEST_F(Presentation, HappensInTheOrderOfTheCalls) {
    Compositor& compositor = start(busy());
    Client client(compositor);
    for (const VkPresentModeKHR mode : modes_of(client)) {
        SCOPED_TRACE(mode);
        const uint32_t least = capabilities_of(client).minImageCount;
        const Swapchain swapchain = client.swapchain({.mode = mode, .min_images = least + 2});
        ASSERT_EQ(swapchain.result, VK_SUCCESS);
        const size_t before = compositor.commits();
        std::map<uint32_t, BufferId> buffers;
        for (int round = 0; round < 4; ++round) {
            std::vector<uint32_t> held;
            for (int i = 0; i < 3; ++i)
                held.push_back(client.acquire(swapchain).index);
            // The last image first in every other round.
            if (round % 2)
                std::swap(held.front(), held.back());
            for (const uint32_t index : held) {
                ASSERT_EQ(client.present(swapchain, index), VK_SUCCESS);
                const Commit commit = compositor.last_commit();
                EXPECT_EQ(buffers.emplace(index, *commit.buffer).first->second, *commit.buffer);
            }
        }
        EXPECT_EQ(compositor.commits(), before + 12);
    }
}

TEST_F(Presentation, OfOneQueueHappensInTheOrderOfTheCallsOnAllWindows) {
    Compositor& compositor = start(busy());
    Client client(compositor);
    SecondWindow second(client);
    const Swapchain swapchains[] = {client.swapchain({.extent = {64, 64}}),
                                    Swapchain(client.device, second.surface, {.extent = {48, 48}})};
    for (const int window : {0, 1, 1, 0, 0, 1, 0, 1}) {
        const Swapchain& swapchain = swapchains[window];
        ASSERT_EQ(client.present(swapchain, client.acquire(swapchain).index), VK_SUCCESS);
        EXPECT_EQ(compositor.last_commit().width, window == 0 ? 64 : 48);
    }
}

// --- present modes ---

class PresentModes : public WsiTest {
protected:
    // Presents `frames` frames while an output repaints as often as possible. Returns the buffer
    // that the output showed at each repaint at which it had changed.
    std::vector<BufferId> shown(Client& client, const Swapchain& swapchain, int frames) {
        std::atomic<bool> done = false;
        std::thread presenting([&] {
            for (int frame = 0; frame < frames; ++frame)
                EXPECT_EQ(client.frame(swapchain), VK_SUCCESS);
            done = true;
        });
        std::vector<BufferId> buffers;
        const auto repaint = [&](Scene& scene) {
            if (const auto now = scene.current(SurfaceId(0));
                now && (buffers.empty() || buffers.back() != *now))
                buffers.push_back(*now);
            scene.refresh();
        };
        while (!done)
            compositor_->on_thread(repaint);
        presenting.join();
        // What is queued in the compositor.
        for (size_t i = 0; i <= swapchain.images.size(); ++i)
            compositor_->on_thread(repaint);
        EXPECT_EQ(vkDeviceWaitIdle(client.device), VK_SUCCESS);
        return buffers;
    }
    std::vector<BufferId> presented() {
        return compositor_->on_thread([](Scene& scene) {
            std::vector<BufferId> buffers;
            for (const Commit& commit : scene.commits())
                buffers.push_back(*commit.buffer);
            return buffers;
        });
    }
};

TEST_F(PresentModes, FifoShowsEveryImageInOrder) {
    for (const uint32_t protocol : {0u, 1u}) {
        SCOPED_TRACE(testing::Message() << "fifo-v1 version " << protocol);
        Client client(start({.globals = {.fifo = protocol}, .refresh = Refresh::manual}));
        const Swapchain swapchain =
            client.swapchain({.mode = VK_PRESENT_MODE_FIFO_KHR, .min_images = 4});
        ASSERT_EQ(swapchain.result, VK_SUCCESS);
        const auto seen = shown(client, swapchain, 20);
        EXPECT_EQ(seen.size(), 20u);
        EXPECT_EQ(seen, presented());
    }
}

TEST_F(PresentModes, FifoRelaxedShowsEveryImageInOrder) {
    Client client(start({.globals = {.fifo = 1, .tearing = 1}, .refresh = Refresh::manual}));
    const auto modes = modes_of(client);
    if (std::ranges::count(modes, VK_PRESENT_MODE_FIFO_RELAXED_KHR) == 0)
        return; // this build lacks one of the protocols, and so does not offer the mode
    const Swapchain swapchain =
        client.swapchain({.mode = VK_PRESENT_MODE_FIFO_RELAXED_KHR, .min_images = 4});
    const auto seen = shown(client, swapchain, 20);
    EXPECT_EQ(seen.size(), 20u);
    EXPECT_EQ(seen, presented());
}

TEST_F(PresentModes, MailboxReplacesTheImageThatIsNotYetShown) {
    Compositor& compositor = start({.refresh = Refresh::manual});
    Client client(compositor);
    const Swapchain swapchain = client.swapchain({.mode = VK_PRESENT_MODE_MAILBOX_KHR});
    for (int frame = 0; frame < 10; ++frame)
        ASSERT_EQ(client.frame(swapchain), VK_SUCCESS);
    EXPECT_EQ(vkDeviceWaitIdle(client.device), VK_SUCCESS);
    // No refresh so far. The next one shows the last image.
    EXPECT_EQ(compositor.commits(), 10u);
    compositor.on_thread([](Scene& scene) {
        EXPECT_EQ(scene.current(SurfaceId(0)), scene.commits().back().buffer);
    });
}

// --- what extensions add ---

// The layer may present to the windows in another order than the call names them.
TEST_F(Presentation, EachSwapchainHasItsOwnRegion) {
    Compositor& compositor = start({.globals = {.fifo = 1}});
    Client client(compositor);
    SecondWindow second(client);
    const Swapchain swapchains[] = {
        client.swapchain({.extent = {64, 64}, .mode = VK_PRESENT_MODE_FIFO_KHR}),
        Swapchain(client.device, second.surface,
                  {.extent = {48, 48}, .mode = VK_PRESENT_MODE_MAILBOX_KHR})};
    for (const Swapchain& swapchain : swapchains)
        ASSERT_EQ(client.frame(swapchain), VK_SUCCESS);
    const std::array rectangles = {VkRectLayerKHR{{1, 2}, {3, 4}, 0},
                                   VkRectLayerKHR{{5, 6}, {7, 8}, 0}};
    const VkPresentRegionKHR regions[] = {{1, &rectangles[0]}, {1, &rectangles[1]}};
    const VkPresentRegionsKHR chained{VK_STRUCTURE_TYPE_PRESENT_REGIONS_KHR, nullptr, 2, regions};
    const VkSwapchainKHR handles[] = {swapchains[0], swapchains[1]};
    const uint32_t indices[] = {client.acquire(swapchains[0]).index,
                                client.acquire(swapchains[1]).index};
    VkPresentInfoKHR info{VK_STRUCTURE_TYPE_PRESENT_INFO_KHR};
    info.pNext = &chained;
    info.swapchainCount = 2;
    info.pSwapchains = handles;
    info.pImageIndices = indices;
    ASSERT_EQ(vkQueuePresentKHR(client.device.queue, &info), VK_SUCCESS);
    EXPECT_EQ(vkDeviceWaitIdle(client.device), VK_SUCCESS);
    for (const size_t last : {1u, 2u}) {
        const Commit commit = compositor.commit_at(compositor.commits() - last);
        const Region wanted = commit.width == 64 ? Region{{1, 2, 3, 4}} : Region{{5, 6, 7, 8}};
        EXPECT_EQ(commit.damage, wanted);
    }
}

} // namespace
} // namespace fencebridge::test
