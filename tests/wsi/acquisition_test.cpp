// SPDX-License-Identifier: MIT
// What the specification demands of vkAcquireNextImageKHR and vkAcquireNextImage2KHR.
#include "wsi.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <deque>
#include <set>

namespace fencebridge::test {
namespace {

constexpr uint64_t millisecond = 1'000'000;

class Acquisition : public WsiTest {
protected:
    // Acquires every image. An image that was presented may come back late, so that the compositor
    // must not have one.
    static std::vector<uint32_t> acquire_all(Client& client, const Swapchain& swapchain) {
        std::vector<uint32_t> all;
        for (size_t i = 0; i < swapchain.images.size(); ++i) {
            const auto [result, index] = client.acquire(swapchain, 0);
            EXPECT_EQ(result, VK_SUCCESS);
            all.push_back(index);
        }
        return all;
    }
};

TEST_F(Acquisition, ReturnsIndicesOfTheSwapchainsImages) {
    Client client(connect());
    for (const VkPresentModeKHR mode : modes_of(client)) {
        const Swapchain swapchain = client.swapchain({.mode = mode});
        for (int frame = 0; frame < 10; ++frame) {
            const auto [result, index] = client.acquire(swapchain);
            ASSERT_EQ(result, VK_SUCCESS);
            EXPECT_LT(index, swapchain.images.size());
            EXPECT_EQ(client.present(swapchain, index), VK_SUCCESS);
        }
    }
}

TEST_F(Acquisition, NeverReturnsAnImageAgainBeforeItIsPresented) {
    Client client(connect());
    for (const VkPresentModeKHR mode : modes_of(client)) {
        SCOPED_TRACE(mode);
        const uint32_t least = capabilities_of(client).minImageCount;
        const Swapchain swapchain = client.swapchain({.mode = mode, .min_images = least + 2});
        ASSERT_EQ(swapchain.result, VK_SUCCESS);
        std::deque<uint32_t> held;
        for (int frame = 0; frame < 30; ++frame) {
            const auto [result, index] = client.acquire(swapchain);
            ASSERT_EQ(result, VK_SUCCESS);
            ASSERT_EQ(std::ranges::count(held, index), 0);
            held.push_back(index);
            if (held.size() == 3) {
                EXPECT_EQ(client.present(swapchain, held.front()), VK_SUCCESS);
                held.pop_front();
            }
        }
    }
}

TEST_F(Acquisition, ATimeoutOfZeroReturnsNotReadyIfThereIsNoImage) {
    Client client(connect());
    for (const VkPresentModeKHR mode : modes_of(client)) {
        const Swapchain swapchain = client.swapchain({.mode = mode});
        acquire_all(client, swapchain);
        EXPECT_EQ(client.acquire(swapchain, 0).result, VK_NOT_READY);
    }
}

// A compositor that is stopped answers nothing.
TEST_F(Acquisition, ATimeoutOfZeroDoesNotWaitForTheCompositor) {
    Compositor& compositor = start(busy());
    Client client(compositor);
    const Swapchain swapchain = client.swapchain();
    ASSERT_EQ(swapchain.result, VK_SUCCESS);
    const auto all = acquire_all(client, swapchain);
    compositor.freeze();
    EXPECT_EQ(client.present(swapchain, all[0]), VK_SUCCESS);
    EXPECT_EQ(client.acquire(swapchain, 0).result, VK_NOT_READY);
    compositor.thaw();
}

TEST_F(Acquisition, AFiniteTimeoutEndsInTimeoutIfThereIsNoImage) {
    Client client(connect());
    for (const VkPresentModeKHR mode : modes_of(client)) {
        const Swapchain swapchain = client.swapchain({.mode = mode});
        acquire_all(client, swapchain);
        for (const uint64_t timeout : {uint64_t(1), millisecond})
            EXPECT_EQ(client.acquire(swapchain, timeout).result, VK_TIMEOUT);
    }
}

TEST_F(Acquisition, LeavesSemaphoreAndFenceAloneIfThereIsNoImage) {
    Client client(connect());
    const Swapchain swapchain = client.swapchain();
    const auto all = acquire_all(client, swapchain);
    const auto semaphore = make_semaphore(client.device);
    const auto fence = make_fence(client.device);
    for (const uint64_t timeout : {uint64_t(0), millisecond}) {
        EXPECT_GT(acquire(client.device, swapchain, timeout, semaphore, fence).result, VK_SUCCESS);
        EXPECT_EQ(vkGetFenceStatus(client.device, fence), VK_NOT_READY);
    }
    // Both can be used by an acquire that succeeds. The driver refuses a semaphore that is
    // signalled or about to be.
    for (const uint32_t index : all)
        EXPECT_EQ(client.present(swapchain, index), VK_SUCCESS);
    const auto [result, index] = acquire(client.device, swapchain, forever, semaphore, fence);
    ASSERT_EQ(result, VK_SUCCESS);
    EXPECT_TRUE(wait_and_reset(client.device, fence));
    client.renderer.submit_no_work({semaphore}, fence);
    EXPECT_TRUE(wait_and_reset(client.device, fence));
    EXPECT_EQ(client.present(swapchain, index), VK_SUCCESS);
}

// S is the number of images, M is minImageCount of the surface. An application that holds S - M
// images may acquire another.
TEST_F(Acquisition, EndsInFiniteTimeWhileAtMostSMinusMImagesAreHeld) {
    Client client(connect());
    const uint32_t least = capabilities_of(client).minImageCount;
    for (const VkPresentModeKHR mode : modes_of(client)) {
        for (uint32_t more = 0; more < 4; ++more) {
            SCOPED_TRACE(testing::Message()
                         << "mode " << mode << ", " << least + more << " images requested");
            const Swapchain swapchain =
                client.swapchain({.mode = mode, .min_images = least + more});
            ASSERT_EQ(swapchain.result, VK_SUCCESS);
            const size_t may_hold = swapchain.images.size() - least;
            std::deque<uint32_t> held;
            for (int frame = 0; frame < 12; ++frame) {
                const auto [result, index] = client.acquire(swapchain, forever);
                ASSERT_EQ(result, VK_SUCCESS);
                held.push_back(index);
                if (held.size() > may_hold) {
                    ASSERT_EQ(client.present(swapchain, held.front()), VK_SUCCESS);
                    held.pop_front();
                }
            }
        }
    }
}

TEST_F(Acquisition, AcquiredImagesMayBePresentedInAnyOrder) {
    Client client(connect());
    for (const VkPresentModeKHR mode : modes_of(client)) {
        const uint32_t least = capabilities_of(client).minImageCount;
        const Swapchain swapchain = client.swapchain({.mode = mode, .min_images = least + 2});
        for (int round = 0; round < 5; ++round) {
            std::vector<uint32_t> held;
            for (int i = 0; i < 3; ++i)
                held.push_back(client.acquire(swapchain).index);
            for (const size_t next : {2, 0, 1})
                EXPECT_EQ(client.present(swapchain, held[next]), VK_SUCCESS);
        }
    }
}

TEST_F(Acquisition, BothCommandsReturnTheSameResults) {
    Client client(connect());
    const Swapchain swapchain = client.swapchain();
    const auto semaphore = make_semaphore(client.device);
    VkAcquireNextImageInfoKHR info{VK_STRUCTURE_TYPE_ACQUIRE_NEXT_IMAGE_INFO_KHR};
    info.swapchain = swapchain;
    info.deviceMask = 1;
    info.semaphore = semaphore;
    std::set<uint32_t> seen;
    for (size_t i = 0; i < swapchain.images.size(); ++i) {
        uint32_t index = UINT32_MAX;
        ASSERT_EQ(vkAcquireNextImage2KHR(client.device, &info, &index), VK_SUCCESS);
        EXPECT_TRUE(seen.insert(index).second);
        const auto fence = make_fence(client.device);
        client.renderer.submit_no_work({semaphore}, fence);
        EXPECT_TRUE(wait_and_reset(client.device, fence));
    }
    uint32_t index = UINT32_MAX;
    EXPECT_EQ(vkAcquireNextImage2KHR(client.device, &info, &index), VK_NOT_READY);
    info.timeout = millisecond;
    EXPECT_EQ(vkAcquireNextImage2KHR(client.device, &info, &index), VK_TIMEOUT);
}

// --- VK_SUBOPTIMAL_KHR ---

constexpr uint64_t tiled = 0x0100000000000001;

TEST_F(Acquisition, SuboptimalMeansThatAnImageIsAcquiredAndMayBePresented) {
    const FakeDriverModifier both[] = {driver_modifier(drm_linear), driver_modifier(tiled)};
    for (const VkFormat format : {VK_FORMAT_B8G8R8A8_UNORM, VK_FORMAT_B8G8R8A8_SRGB})
        fake_driver().set_format(FAKE_DRIVER_ALL_DEVICES, format, 2, both);
    Compositor& compositor = start();
    Client client(compositor);
    const Swapchain swapchain = client.swapchain();
    ASSERT_EQ(client.frame(swapchain), VK_SUCCESS);
    compositor.on_thread([](Scene& scene) {
        scene.set_feedback({0, {{0, 0, common_formats(tiled)}, {0, 0, common_formats()}}});
    });
    const auto semaphore = make_semaphore(client.device);
    const auto fence = make_fence(client.device);
    VkResult result = VK_SUCCESS;
    std::set<uint32_t> held;
    // The layer reads the events of the compositor when it has to wait, at the latest.
    while (result == VK_SUCCESS && held.size() < swapchain.images.size()) {
        const auto acquired = acquire(client.device, swapchain, forever, semaphore, fence);
        result = acquired.result;
        ASSERT_GE(result, VK_SUCCESS);
        EXPECT_TRUE(held.insert(acquired.index).second);
        EXPECT_TRUE(wait_and_reset(client.device, fence));
        client.renderer.submit_no_work({semaphore}, fence);
        EXPECT_TRUE(wait_and_reset(client.device, fence));
        if (result == VK_SUBOPTIMAL_KHR) {
            const size_t before = compositor.commits();
            EXPECT_EQ(client.present(swapchain, acquired.index), VK_SUBOPTIMAL_KHR);
            EXPECT_EQ(compositor.commits(), before + 1);
        } else {
            EXPECT_GE(client.present(swapchain, acquired.index), VK_SUCCESS);
            held.erase(acquired.index);
        }
    }
    EXPECT_EQ(result, VK_SUBOPTIMAL_KHR);
}

// --- the contents of images ---

// A mapping of the memory of a buffer that the compositor has received.
class Contents {
public:
    explicit Contents(const Fd& memory, size_t size) :
        size_(size), bytes_(static_cast<uint8_t*>(mmap(nullptr, size, PROT_READ | PROT_WRITE,
                                                       MAP_SHARED, memory.get(), 0))) {
        EXPECT_NE(static_cast<void*>(bytes_), MAP_FAILED);
    }
    ~Contents() { munmap(bytes_, size_); }
    Contents(const Contents&) = delete;
    Contents& operator=(const Contents&) = delete;

    void fill(uint8_t value) { std::fill_n(bytes_, size_, value); }
    bool are_all(uint8_t value) const {
        return std::all_of(bytes_, bytes_ + size_, [=](uint8_t byte) { return byte == value; });
    }

private:
    size_t size_;
    uint8_t* bytes_;
};

// The fake driver renders nothing, so that whatever changes an image is the layer.
TEST_F(Acquisition, AnImageComesBackUnmodified) {
    Compositor& compositor = start();
    Client client(compositor);
    for (const VkPresentModeKHR mode : modes_of(client)) {
        const Swapchain swapchain = client.swapchain({.mode = mode});
        const size_t before = compositor.commits();
        ASSERT_EQ(client.show_every_image(swapchain), VK_SUCCESS);
        std::vector<std::unique_ptr<Contents>> images;
        for (size_t i = 0; i < swapchain.images.size(); ++i) {
            const BufferId buffer = *compositor.commit_at(before + i).buffer;
            images.push_back(std::make_unique<Contents>(compositor.dma_buf_of(buffer), 4096));
            images.back()->fill(uint8_t(i + 1));
        }
        for (int round = 0; round < 3; ++round)
            ASSERT_EQ(client.show_every_image(swapchain), VK_SUCCESS);
        for (size_t i = 0; i < images.size(); ++i)
            EXPECT_TRUE(images[i]->are_all(uint8_t(i + 1)));
    }
}

} // namespace
} // namespace fencebridge::test
