// SPDX-License-Identifier: MIT
// What the specification demands of VK_EXT_swapchain_maintenance1: fences of presents, modes of
// presents, releases of images, and deferred memory. More of it is in
// tests/compositor/maintenance1_test.cpp, where a test decides when rendering and refreshes happen.
#include "wsi.hpp"

#include <algorithm>
#include <optional>

namespace fencebridge::test {
namespace {

struct Maintenance1Client : Client {
    explicit Maintenance1Client(wl_display* display) :
        Client(display, options(),
               {VK_KHR_SWAPCHAIN_EXTENSION_NAME, VK_EXT_SWAPCHAIN_MAINTENANCE_1_EXTENSION_NAME}) {}
    ~Maintenance1Client() { vkDeviceWaitIdle(device); }

    static InstanceOptions options() {
        InstanceOptions options;
        options.extensions.push_back(VK_EXT_SURFACE_MAINTENANCE_1_EXTENSION_NAME);
        return options;
    }

    VkResult present_with_fence(const Swapchain& to, uint32_t index, VkFence fence,
                                std::vector<VkSemaphore> wait = {}) {
        const VkSwapchainPresentFenceInfoEXT fences{
            VK_STRUCTURE_TYPE_SWAPCHAIN_PRESENT_FENCE_INFO_EXT, nullptr, 1, &fence};
        return test::present(device.queue, to, index, std::move(wait), &fences);
    }
    VkResult present_with_mode(const Swapchain& to, uint32_t index, VkPresentModeKHR mode) {
        VkSwapchainPresentModeInfoEXT modes{VK_STRUCTURE_TYPE_SWAPCHAIN_PRESENT_MODE_INFO_EXT};
        modes.swapchainCount = 1;
        modes.pPresentModes = &mode;
        return test::present(device.queue, to, index, {}, &modes);
    }
    VkResult release(const Swapchain& to, std::vector<uint32_t> indices) {
        const auto command = reinterpret_cast<PFN_vkReleaseSwapchainImagesEXT>(
            vkGetDeviceProcAddr(device, "vkReleaseSwapchainImagesEXT"));
        VkReleaseSwapchainImagesInfoEXT info{VK_STRUCTURE_TYPE_RELEASE_SWAPCHAIN_IMAGES_INFO_EXT};
        info.swapchain = to;
        info.imageIndexCount = uint32_t(indices.size());
        info.pImageIndices = indices.data();
        return command(device, &info);
    }
};

class Maintenance1 : public WsiTest {
protected:
    void SetUp() override {
        WsiTest::SetUp();
        client_.emplace(connect());
    }
    void TearDown() override {
        client_.reset();
        WsiTest::TearDown();
    }

    std::optional<Maintenance1Client> client_;
};

// --- present fences ---

class PresentFences : public Maintenance1 {};

TEST_F(PresentFences, SignalInEveryMode) {
    const auto fence = make_fence(client_->device);
    const auto rendered = make_semaphore(client_->device);
    for (const VkPresentModeKHR mode : modes_of(*client_)) {
        SCOPED_TRACE(mode);
        const Swapchain swapchain = client_->swapchain({.mode = mode});
        for (int frame = 0; frame < 5; ++frame) {
            const uint32_t index = client_->acquire_and_render(swapchain, rendered);
            ASSERT_EQ(client_->present_with_fence(swapchain, index, fence, {rendered}), VK_SUCCESS);
            ASSERT_TRUE(wait_and_reset(client_->device, fence));
        }
        EXPECT_EQ(vkDeviceWaitIdle(client_->device), VK_SUCCESS);
    }
}

TEST_F(PresentFences, SignalInTheOrderOfThePresents) {
    const Swapchain swapchain = client_->swapchain({.min_images = 5});
    for (int round = 0; round < 3; ++round) {
        std::vector<Owned<VkFence>> fences;
        std::vector<Owned<VkSemaphore>> semaphores;
        for (int frame = 0; frame < 5; ++frame) {
            fences.push_back(make_fence(client_->device));
            semaphores.push_back(make_semaphore(client_->device));
            const uint32_t index = client_->acquire_and_render(swapchain, semaphores.back());
            ASSERT_EQ(
                client_->present_with_fence(swapchain, index, fences.back(), {semaphores.back()}),
                VK_SUCCESS);
        }
        ASSERT_TRUE(wait_and_reset(client_->device, fences.back()));
        fences.pop_back();
        for (const auto& earlier : fences)
            EXPECT_EQ(vkGetFenceStatus(client_->device, earlier), VK_SUCCESS);
    }
}

TEST_F(PresentFences, AreOfTheirSwapchainsAndMayBeNull) {
    SecondWindow second(*client_);
    // Neither window hides the other.
    const Swapchain swapchains[] = {
        client_->swapchain({.extent = {64, 32}}),
        Swapchain(client_->device, second.surface, {.extent = {32, 64}})};
    const auto fence = make_fence(client_->device);
    for (const size_t with_fence : {0, 1, 0}) {
        VkFence fences[2]{};
        fences[with_fence] = fence;
        const VkSwapchainPresentFenceInfoEXT info{
            VK_STRUCTURE_TYPE_SWAPCHAIN_PRESENT_FENCE_INFO_EXT, nullptr, 2, fences};
        Presented both[] = {{swapchains[0], client_->acquire(swapchains[0]).index},
                            {swapchains[1], client_->acquire(swapchains[1]).index}};
        ASSERT_EQ(present_together(client_->device.queue, both, {}, &info), VK_SUCCESS);
        EXPECT_TRUE(wait_and_reset(client_->device, fence));
    }
}

// The fake driver reports the destruction of an object that a batch still uses.
TEST_F(PresentFences, AllowTheDestructionOfSemaphoreAndSwapchain) {
    for (const VkPresentModeKHR mode : modes_of(*client_)) {
        Swapchain swapchain = client_->swapchain({.mode = mode});
        std::vector<Owned<VkFence>> fences;
        std::vector<Owned<VkSemaphore>> semaphores;
        for (int frame = 0; frame < 3; ++frame) {
            fences.push_back(make_fence(client_->device));
            semaphores.push_back(make_semaphore(client_->device));
            const uint32_t index = client_->acquire_and_render(swapchain, semaphores.back());
            ASSERT_EQ(
                client_->present_with_fence(swapchain, index, fences.back(), {semaphores.back()}),
                VK_SUCCESS);
        }
        for (const auto& fence : fences)
            EXPECT_TRUE(wait_and_reset(client_->device, fence));
        semaphores.clear();
        swapchain = {};
    }
}

// --- the modes of presents ---

class ModesOfPresents : public Maintenance1 {};

TEST_F(ModesOfPresents, MayBeAnyOfThoseWithWhichItWasCreated) {
    const auto modes = modes_of(*client_);
    VkSwapchainPresentModesCreateInfoEXT listed{
        VK_STRUCTURE_TYPE_SWAPCHAIN_PRESENT_MODES_CREATE_INFO_EXT};
    listed.presentModeCount = uint32_t(modes.size());
    listed.pPresentModes = modes.data();
    const Swapchain swapchain = client_->swapchain({.mode = modes.front(), .next = &listed});
    ASSERT_EQ(swapchain.result, VK_SUCCESS);
    for (int round = 0; round < 3; ++round)
        for (size_t i = 0; i < modes.size(); ++i) {
            // Each round changes between other modes.
            const VkPresentModeKHR mode = modes[i * size_t(round + 1) % modes.size()];
            for (int frame = 0; frame < 2; ++frame) {
                const auto [result, index] = client_->acquire(swapchain);
                ASSERT_EQ(result, VK_SUCCESS);
                EXPECT_EQ(client_->present_with_mode(swapchain, index, mode), VK_SUCCESS) << mode;
            }
        }
    // Without a mode, it is that of the last present.
    EXPECT_EQ(client_->show_every_image(swapchain), VK_SUCCESS);
}

// --- releases ---

class ReleasedImages : public Maintenance1 {
protected:
    // As many images as the application may hold at the same time.
    std::vector<uint32_t> acquire_all(const Swapchain& swapchain) {
        std::vector<uint32_t> all;
        const size_t most = swapchain.images.size() - capabilities_of(*client_).minImageCount + 1;
        while (all.size() < most) {
            const auto [result, index] = client_->acquire(swapchain);
            EXPECT_EQ(result, VK_SUCCESS);
            EXPECT_EQ(std::ranges::count(all, index), 0) << "acquired twice";
            all.push_back(index);
        }
        return all;
    }
};

TEST_F(ReleasedImages, CanBeAcquiredAndPresentedAgain) {
    for (const VkPresentModeKHR mode : modes_of(*client_)) {
        SCOPED_TRACE(mode);
        const Swapchain swapchain = client_->swapchain({.mode = mode, .min_images = 5});
        for (int round = 0; round < 3; ++round) {
            auto held = acquire_all(swapchain);
            std::ranges::rotate(held, held.begin() + round);
            EXPECT_EQ(client_->release(swapchain, held), VK_SUCCESS);
            EXPECT_EQ(client_->show_every_image(swapchain), VK_SUCCESS);
        }
    }
}

TEST_F(ReleasedImages, MayBeOfARetiredSwapchain) {
    const Swapchain old = client_->swapchain({.min_images = 5});
    EXPECT_EQ(client_->frame(old), VK_SUCCESS);
    const auto held = acquire_all(old);
    const Swapchain young = client_->swapchain({.old = old});
    ASSERT_EQ(young.result, VK_SUCCESS);
    EXPECT_EQ(client_->release(old, held), VK_SUCCESS);
    EXPECT_EQ(client_->show_every_image(young), VK_SUCCESS);
}

// --- deferred memory ---

TEST_F(Maintenance1, ADeferredImageIsCompleteWhenItIsAcquired) {
    const Swapchain swapchain =
        client_->swapchain({.mode = VK_PRESENT_MODE_FIFO_KHR,
                            .flags = VK_SWAPCHAIN_CREATE_DEFERRED_MEMORY_ALLOCATION_BIT_EXT});
    ASSERT_EQ(swapchain.result, VK_SUCCESS);
    for (size_t frame = 0; frame < 2 * swapchain.images.size(); ++frame) {
        const uint32_t index = client_->acquire(swapchain).index;
        VkImageViewCreateInfo info{VK_STRUCTURE_TYPE_IMAGE_VIEW_CREATE_INFO};
        info.image = swapchain.images[index];
        info.viewType = VK_IMAGE_VIEW_TYPE_2D;
        info.format = VK_FORMAT_B8G8R8A8_UNORM;
        info.subresourceRange = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1};
        VkImageView view = VK_NULL_HANDLE;
        ASSERT_EQ(vkCreateImageView(client_->device, &info, nullptr, &view), VK_SUCCESS);
        vkDestroyImageView(client_->device, view, nullptr);
        ASSERT_EQ(client_->present(swapchain, index), VK_SUCCESS);
    }
}

} // namespace
} // namespace fencebridge::test
