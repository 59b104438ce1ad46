// SPDX-License-Identifier: MIT
// What the specification demands of vkCreateSwapchainKHR, of the images of a swapchain, of retired
// swapchains and of vkDestroySwapchainKHR.
#include "wsi.hpp"

#include <algorithm>
#include <set>

namespace fencebridge::test {
namespace {

// --- what the surface lists can be used ---

class Creation : public WsiTest {
protected:
    void SetUp() override {
        WsiTest::SetUp();
        client_.emplace(connect());
        capabilities_ = capabilities_of(*client_);
    }
    void TearDown() override {
        client_.reset();
        WsiTest::TearDown();
    }
    // Creates a swapchain, and shows each of its images.
    void expect_works(const SwapchainOptions& options) {
        const Swapchain swapchain = client_->swapchain(options);
        ASSERT_EQ(swapchain.result, VK_SUCCESS);
        EXPECT_EQ(client_->show_every_image(swapchain), VK_SUCCESS);
    }

    std::optional<Client> client_;
    VkSurfaceCapabilitiesKHR capabilities_{};
};

TEST_F(Creation, WithEveryListedFormat) {
    for (const VkSurfaceFormatKHR& pair : formats_of(*client_)) {
        SCOPED_TRACE(pair.format);
        expect_works({.format = pair.format, .space = pair.colorSpace});
    }
}

TEST_F(Creation, WithEveryListedPresentMode) {
    for (const VkPresentModeKHR mode : modes_of(*client_)) {
        SCOPED_TRACE(mode);
        expect_works({.mode = mode});
    }
}

TEST_F(Creation, WithEveryListedCompositeAlpha) {
    for (const auto alpha :
         bits_of<VkCompositeAlphaFlagBitsKHR>(capabilities_.supportedCompositeAlpha)) {
        SCOPED_TRACE(alpha);
        for (const VkSurfaceFormatKHR& pair : formats_of(*client_))
            expect_works({.format = pair.format, .space = pair.colorSpace, .alpha = alpha});
    }
}

TEST_F(Creation, WithEveryListedTransform) {
    for (const auto transform :
         bits_of<VkSurfaceTransformFlagBitsKHR>(capabilities_.supportedTransforms)) {
        SCOPED_TRACE(transform);
        expect_works({.transform = transform});
    }
}

// A format may lack a usage that the surface lists. An application asks the device.
TEST_F(Creation, WithEveryListedUsageThatTheFormatHas) {
    for (const auto usage : bits_of<VkImageUsageFlagBits>(capabilities_.supportedUsageFlags)) {
        for (const VkSurfaceFormatKHR& pair : formats_of(*client_)) {
            VkImageFormatProperties properties{};
            if (vkGetPhysicalDeviceImageFormatProperties(client_->device.physical, pair.format,
                                                         VK_IMAGE_TYPE_2D, VK_IMAGE_TILING_OPTIMAL,
                                                         usage, 0, &properties) != VK_SUCCESS)
                continue;
            SCOPED_TRACE(testing::Message() << pair.format << " with usage " << usage);
            expect_works({.format = pair.format, .space = pair.colorSpace, .usage = usage});
        }
    }
}

TEST_F(Creation, WithTheSmallestAndTheLargestExtents) {
    const auto [min, max] = std::pair(capabilities_.minImageExtent, capabilities_.maxImageExtent);
    // An image that is as wide and as high as possible may not fit into the memory.
    for (const VkExtent2D extent :
         {min, VkExtent2D{max.width, min.height}, VkExtent2D{min.width, max.height}}) {
        SCOPED_TRACE(testing::Message() << extent.width << " x " << extent.height);
        expect_works({.extent = extent});
    }
}

TEST_F(Creation, WithTheSmallestAndTheLargestNumberOfImages) {
    const uint32_t most =
        capabilities_.maxImageCount ? capabilities_.maxImageCount : capabilities_.minImageCount + 8;
    for (const uint32_t count : {capabilities_.minImageCount, most})
        for (const VkPresentModeKHR mode : modes_of(*client_)) {
            SCOPED_TRACE(testing::Message() << count << " images, mode " << mode);
            const Swapchain swapchain = client_->swapchain({.mode = mode, .min_images = count});
            ASSERT_EQ(swapchain.result, VK_SUCCESS);
            EXPECT_GE(swapchain.images.size(), count);
        }
}

// --- the images ---

TEST_F(Creation, EveryImageIsAnotherOne) {
    const Swapchain swapchain = client_->swapchain({.min_images = capabilities_.minImageCount + 3});
    ASSERT_EQ(swapchain.result, VK_SUCCESS);
    const std::set images(swapchain.images.begin(), swapchain.images.end());
    EXPECT_EQ(images.size(), swapchain.images.size());
    EXPECT_FALSE(images.contains(VK_NULL_HANDLE));
}

TEST_F(Creation, TheImagesStayTheSame) {
    const Swapchain swapchain = client_->swapchain();
    ASSERT_EQ(swapchain.result, VK_SUCCESS);
    const auto images = [&] {
        return list<VkImage>([&](uint32_t* count, VkImage* all) {
            return vkGetSwapchainImagesKHR(client_->device, swapchain, count, all);
        });
    };
    const auto before = images();
    for (int frame = 0; frame < 10; ++frame)
        ASSERT_EQ(client_->frame(swapchain), VK_SUCCESS);
    EXPECT_EQ(vkDeviceWaitIdle(client_->device), VK_SUCCESS);
    EXPECT_EQ(images(), before);
}

TEST_F(Creation, ViewsOfTheImagesCanBeMade) {
    const Swapchain swapchain = client_->swapchain();
    for (const VkImage image : swapchain.images) {
        VkImageViewCreateInfo info{VK_STRUCTURE_TYPE_IMAGE_VIEW_CREATE_INFO};
        info.image = image;
        info.viewType = VK_IMAGE_VIEW_TYPE_2D;
        info.format = VK_FORMAT_B8G8R8A8_UNORM;
        info.subresourceRange = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1};
        VkImageView view = VK_NULL_HANDLE;
        ASSERT_EQ(vkCreateImageView(client_->device, &info, nullptr, &view), VK_SUCCESS);
        vkDestroyImageView(client_->device, view, nullptr);
    }
}

class Images : public WsiTest {};

TEST_F(Images, AreBackedByMemoryFromTheStart) {
    Client client(start());
    const Swapchain swapchain = client.swapchain();
    ASSERT_EQ(swapchain.result, VK_SUCCESS);
    EXPECT_EQ(live_driver_objects()[FAKE_DRIVER_MEMORY], swapchain.images.size());
    EXPECT_EQ(fake_driver().call_count("vkBindImageMemory"), swapchain.images.size());
}

TEST_F(Images, GiveTheWindowTheirExtent) {
    Compositor& compositor = start();
    Client client(compositor);
    Swapchain swapchain;
    for (const VkExtent2D extent : {VkExtent2D{64, 48}, {1, 1}, {300, 7}}) {
        swapchain = client.swapchain({.extent = extent, .old = swapchain});
        ASSERT_EQ(client.frame(swapchain), VK_SUCCESS);
        EXPECT_EQ(vkDeviceWaitIdle(client.device), VK_SUCCESS);
        const Commit shown = compositor.last_commit();
        EXPECT_EQ(shown.width, int32_t(extent.width));
        EXPECT_EQ(shown.height, int32_t(extent.height));
    }
}

// --- retired swapchains ---

class Retirement : public WsiTest {
protected:
    static bool may_be_presented(VkResult result) {
        return result == VK_SUCCESS || result == VK_SUBOPTIMAL_KHR ||
               result == VK_ERROR_OUT_OF_DATE_KHR;
    }
};

TEST_F(Retirement, ManyRetiredSwapchainsMayBelongToOneSurface) {
    Client client(connect());
    std::vector<Swapchain> all;
    std::vector<uint32_t> acquired;
    for (int i = 0; i < 5; ++i) {
        all.push_back(client.swapchain({.old = all.empty() ? VkSwapchainKHR() : all.back()}));
        ASSERT_EQ(all.back().result, VK_SUCCESS);
        acquired.push_back(client.acquire(all.back()).index);
    }
    // Also the images of the swapchain that is not retired.
    for (size_t i = all.size(); i-- > 0;)
        EXPECT_TRUE(may_be_presented(client.present(all[i], acquired[i]))) << i;
    EXPECT_EQ(client.frame(all.back()), VK_SUCCESS);
    EXPECT_EQ(vkDeviceWaitIdle(client.device), VK_SUCCESS);
    for (const size_t next : {2, 0, 3, 1})
        all[next] = {};
    EXPECT_EQ(client.frame(all.back()), VK_SUCCESS);
    EXPECT_EQ(vkDeviceWaitIdle(client.device), VK_SUCCESS);
}

TEST_F(Retirement, IsOfTheOldSwapchainAndNotOfTheNew) {
    Client client(connect());
    const Swapchain old = client.swapchain();
    const Swapchain young = client.swapchain({.old = old});
    ASSERT_EQ(young.result, VK_SUCCESS);
    for (size_t i = 0; i < 2 * young.images.size(); ++i)
        EXPECT_EQ(client.frame(young), VK_SUCCESS);
    EXPECT_EQ(vkDeviceWaitIdle(client.device), VK_SUCCESS);
}

// The present mode, the format and the extent may all change.
TEST_F(Retirement, PassesTheWindowToASwapchainOfAnyKind) {
    Client client(connect());
    Swapchain current = client.swapchain();
    for (const VkPresentModeKHR mode : modes_of(client)) {
        for (const VkSurfaceFormatKHR& pair : formats_of(client)) {
            SCOPED_TRACE(testing::Message() << "mode " << mode << ", format " << pair.format);
            Swapchain next = client.swapchain({.extent = {uint32_t(40 + mode % 8), 33},
                                               .format = pair.format,
                                               .space = pair.colorSpace,
                                               .mode = mode,
                                               .old = current});
            ASSERT_EQ(next.result, VK_SUCCESS);
            EXPECT_EQ(client.show_every_image(next), VK_SUCCESS);
            current = std::move(next);
        }
    }
}

// --- destruction ---

class Destruction : public WsiTest {};

TEST_F(Destruction, LeavesTheSurfaceToTheNextSwapchain) {
    Client client(connect());
    for (int i = 0; i < 3; ++i) {
        const Swapchain swapchain = client.swapchain();
        ASSERT_EQ(swapchain.result, VK_SUCCESS);
        EXPECT_EQ(client.show_every_image(swapchain), VK_SUCCESS);
    }
}

TEST_F(Destruction, OfADeviceLeavesTheSurfaceToTheNextDevice) {
    Client client(connect());
    for (int i = 0; i < 3; ++i) {
        Device device(client.instance);
        Renderer renderer(device);
        const Swapchain swapchain(device, client.surface);
        ASSERT_EQ(swapchain.result, VK_SUCCESS);
        EXPECT_EQ(renderer.frame(swapchain), VK_SUCCESS);
        EXPECT_EQ(vkDeviceWaitIdle(device), VK_SUCCESS);
    }
}

TEST_F(Destruction, MayBeOfASwapchainWithAcquiredImages) {
    Client client(connect());
    for (int i = 0; i < 3; ++i) {
        const Swapchain swapchain = client.swapchain();
        ASSERT_EQ(client.frame(swapchain), VK_SUCCESS);
        EXPECT_EQ(client.acquire(swapchain).result, VK_SUCCESS);
        EXPECT_EQ(vkDeviceWaitIdle(client.device), VK_SUCCESS);
    }
}

} // namespace
} // namespace fencebridge::test
