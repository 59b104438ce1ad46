// SPDX-License-Identifier: MIT
// What the specification demands of extensions of VK_KHR_swapchain: the numbers of presents and the
// waits for them, and FIFO_LATEST_READY. VK_KHR_swapchain_maintenance1 and shared presentable
// images have their tests in tests/compositor/.
#include "wsi.hpp"

#include "vk/newer_headers.hpp"

#include <algorithm>
#include <optional>

namespace fencebridge::test {
namespace {

constexpr uint64_t millisecond = 1'000'000;

// How a present gets its number, and which command waits for it.
enum class Version { one, two };

class PresentNumbers : public WsiTest {
protected:
    static Script reporting() {
        Script script = busy();
        script.globals.presentation = 1;
        script.presentation = Presentation::presented;
        return script;
    }
    void begin(wl_display* display) {
        client_.emplace(
            display, InstanceOptions{},
            std::vector{VK_KHR_SWAPCHAIN_EXTENSION_NAME, VK_KHR_PRESENT_ID_EXTENSION_NAME,
                        VK_KHR_PRESENT_WAIT_EXTENSION_NAME, VK_KHR_PRESENT_ID_2_EXTENSION_NAME,
                        VK_KHR_PRESENT_WAIT_2_EXTENSION_NAME});
        swapchain_ = make_swapchain(client_->surface);
        ASSERT_EQ(swapchain_.result, VK_SUCCESS);
    }
    void begin() { begin(connect(reporting())); }
    void TearDown() override {
        if (client_)
            vkDeviceWaitIdle(client_->device);
        swapchain_ = {};
        client_.reset();
        WsiTest::TearDown();
    }
    Swapchain make_swapchain(VkSurfaceKHR surface, VkExtent2D extent = {64, 32}) {
        return Swapchain(client_->device, surface,
                         {.extent = extent,
                          .mode = VK_PRESENT_MODE_MAILBOX_KHR,
                          .flags = VK_SWAPCHAIN_CREATE_PRESENT_ID_2_BIT_KHR |
                                   VK_SWAPCHAIN_CREATE_PRESENT_WAIT_2_BIT_KHR});
    }

    // Presents an image of each swapchain by one call, with these numbers.
    void present(std::vector<VkSwapchainKHR> swapchains, const std::vector<uint64_t>& numbers,
                 Version version = Version::one) {
        const auto count = uint32_t(swapchains.size());
        const VkPresentIdKHR one{VK_STRUCTURE_TYPE_PRESENT_ID_KHR, nullptr, count, numbers.data()};
        const VkPresentId2KHR two{VK_STRUCTURE_TYPE_PRESENT_ID_2_KHR, nullptr, count,
                                  numbers.data()};
        std::vector<uint32_t> indices;
        for (const VkSwapchainKHR swapchain : swapchains)
            indices.push_back(acquire(client_->device, swapchain).index);
        VkPresentInfoKHR info{VK_STRUCTURE_TYPE_PRESENT_INFO_KHR};
        info.pNext = version == Version::one ? static_cast<const void*>(&one) : &two;
        info.swapchainCount = count;
        info.pSwapchains = swapchains.data();
        info.pImageIndices = indices.data();
        EXPECT_EQ(vkQueuePresentKHR(client_->device.queue, &info), VK_SUCCESS);
    }
    void present(uint64_t number, Version version = Version::one) {
        present({swapchain_}, {number}, version);
    }
    VkResult wait(VkSwapchainKHR swapchain, uint64_t number, uint64_t timeout,
                  Version version = Version::one) {
        const auto find = [&](const char* name) {
            return vkGetDeviceProcAddr(client_->device, name);
        };
        if (version == Version::one)
            return reinterpret_cast<PFN_vkWaitForPresentKHR>(find("vkWaitForPresentKHR"))(
                client_->device, swapchain, number, timeout);
        const VkPresentWait2InfoKHR info{VK_STRUCTURE_TYPE_PRESENT_WAIT_2_INFO_KHR, nullptr, number,
                                         timeout};
        return reinterpret_cast<PFN_vkWaitForPresent2KHR>(find("vkWaitForPresent2KHR"))(
            client_->device, swapchain, &info);
    }

    std::optional<Client> client_;
    Swapchain swapchain_;
};

TEST_F(PresentNumbers, ReachTheirWaitsInBothVersions) {
    begin();
    for (uint64_t number = 1; number <= 10; ++number) {
        const Version version = number % 2 ? Version::one : Version::two;
        present(number, version);
        EXPECT_EQ(wait(swapchain_, number, forever, version), VK_SUCCESS);
    }
}

TEST_F(PresentNumbers, OfBothVersionsAreTheSame) {
    begin();
    present(1, Version::one);
    EXPECT_EQ(wait(swapchain_, 1, forever, Version::two), VK_SUCCESS);
    present(2, Version::two);
    EXPECT_EQ(wait(swapchain_, 2, forever, Version::one), VK_SUCCESS);
}

TEST_F(PresentNumbers, OfASwapchainBeginAtZero) {
    begin();
    for (const Version version : {Version::one, Version::two})
        EXPECT_EQ(wait(swapchain_, 1, millisecond, version), VK_TIMEOUT);
}

TEST_F(PresentNumbers, ThatAreZeroNameNothing) {
    begin();
    present(5);
    EXPECT_EQ(wait(swapchain_, 5, forever), VK_SUCCESS);
    for (int frame = 0; frame < 5; ++frame)
        present(0);
    EXPECT_EQ(wait(swapchain_, 6, 5 * millisecond), VK_TIMEOUT);
    EXPECT_EQ(wait(swapchain_, 5, 0), VK_SUCCESS);
}

TEST_F(PresentNumbers, AreEachSwapchainsOwn) {
    begin();
    const SecondWindow second(*client_);
    // Higher than the other window, and narrower: neither hides the other, wherever they are.
    const Swapchain other = make_swapchain(second.surface, {32, 64});
    present({swapchain_, other}, {7, 3});
    EXPECT_EQ(wait(swapchain_, 7, forever), VK_SUCCESS);
    EXPECT_EQ(wait(other, 3, forever), VK_SUCCESS);
    EXPECT_EQ(wait(other, 7, millisecond), VK_TIMEOUT);
    present({swapchain_, other}, {0, 4});
    EXPECT_EQ(wait(other, 4, forever), VK_SUCCESS);
    EXPECT_EQ(wait(swapchain_, 8, millisecond), VK_TIMEOUT);
    EXPECT_EQ(vkDeviceWaitIdle(client_->device), VK_SUCCESS);
}

TEST_F(PresentNumbers, OfEarlierPresentsAreCompleteWithALaterOne) {
    begin();
    for (uint64_t number = 1; number <= 10; ++number)
        present(number);
    EXPECT_EQ(wait(swapchain_, 10, forever), VK_SUCCESS);
    for (uint64_t number = 1; number <= 10; ++number)
        EXPECT_EQ(wait(swapchain_, number, 0), VK_SUCCESS) << number;
}

// vkWaitForPresentKHR waits until the number of the swapchain is at least the one it names. So
// whenever a wait ends, one for a smaller number ends as well, whatever the compositor reports
// first.
TEST_F(PresentNumbers, CompleteInTheirOrder) {
    Script script = reporting();
    script.refresh = Refresh::manual;
    script.release = Release::at_once;
    script.presentation = Presentation::manual;
    script.discard_superseded = false;
    Compositor& compositor = start(script);
    begin(compositor.connect());
    for (uint64_t number = 1; number <= 3; ++number)
        present(number);
    const auto expect_order = [&] {
        for (uint64_t number = 2; number <= 3; ++number) {
            if (wait(swapchain_, number, 0) == VK_SUCCESS) {
                EXPECT_EQ(wait(swapchain_, number - 1, 0), VK_SUCCESS) << number;
            }
        }
    };
    compositor.discard(1);
    expect_order();
    compositor.discard(2);
    expect_order();
    compositor.on_thread([](Scene& scene) { scene.present(0); });
    for (uint64_t number = 1; number <= 3; ++number)
        EXPECT_EQ(wait(swapchain_, number, forever), VK_SUCCESS);
}

// --- FIFO_LATEST_READY ---

constexpr auto latest_ready = VkPresentModeKHR(1000361000);

class LatestReady : public WsiTest {};

TEST_F(LatestReady, ShowsTheLastOfTheImagesThatAreReady) {
    Compositor& compositor = start({.globals = {.fifo = 1}, .refresh = Refresh::manual});
    Client client(compositor);
    const auto modes = modes_of(client);
    if (std::ranges::count(modes, latest_ready) == 0)
        return; // this build lacks fifo-v1, and so does not offer the mode
    const Swapchain swapchain = client.swapchain({.mode = latest_ready, .min_images = 5});
    ASSERT_EQ(swapchain.result, VK_SUCCESS);
    for (int round = 0; round < 3; ++round) {
        for (int frame = 0; frame < 3; ++frame)
            ASSERT_EQ(client.frame(swapchain), VK_SUCCESS);
        EXPECT_EQ(vkDeviceWaitIdle(client.device), VK_SUCCESS);
        compositor.refresh();
        compositor.on_thread([](Scene& scene) {
            EXPECT_EQ(scene.current(SurfaceId(0)), scene.commits().back().buffer);
        });
    }
    compositor.on_thread([](Scene& scene) {
        EXPECT_TRUE(std::ranges::none_of(scene.commits(), &Commit::may_tear));
    });
}

} // namespace
} // namespace fencebridge::test
