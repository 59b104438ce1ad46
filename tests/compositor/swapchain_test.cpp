// SPDX-License-Identifier: MIT
// VK_KHR_swapchain outside the frame loop: several swapchains, retired ones, images that are bound
// to a swapchain's memory, and the device-group calls of Vulkan 1.1.
#include "aliases.hpp"
#include "fake_driver/control.hpp"
#include "fixture.hpp"

#include <algorithm>
#include <thread>

namespace fencebridge::test {
namespace {

class SwapchainTest : public CompositorTest {};

TEST_F(SwapchainTest, AcquireFromARetiredSwapchainIsOutOfDate) {
    Client client(start());
    Swapchain old = client.swapchain();
    ASSERT_EQ(client.frame(old), VK_SUCCESS);
    Swapchain young = client.swapchain({.old = old});
    ASSERT_EQ(young.result, VK_SUCCESS);
    EXPECT_EQ(client.acquire(old, 0).result, VK_ERROR_OUT_OF_DATE_KHR);
    EXPECT_EQ(client.acquire(old, forever).result, VK_ERROR_OUT_OF_DATE_KHR);
    EXPECT_EQ(client.frame(young), VK_SUCCESS);
    vkDeviceWaitIdle(client.device);
}

// The specification retires oldSwapchain even if the creation of the new swapchain fails.
TEST_F(SwapchainTest, OldSwapchainIsRetiredEvenIfTheCreationFails) {
    Compositor& compositor = start();
    Client client(compositor);
    Swapchain old = client.swapchain();
    ASSERT_EQ(client.frame(old), VK_SUCCESS);
    compositor.refuse_buffers(true);
    EXPECT_EQ(client.swapchain({.old = old}).result, VK_ERROR_INITIALIZATION_FAILED);
    EXPECT_EQ(client.acquire(old, 0).result, VK_ERROR_OUT_OF_DATE_KHR);
    compositor.refuse_buffers(false);
    Swapchain young = client.swapchain();
    EXPECT_EQ(young.result, VK_SUCCESS);
    EXPECT_EQ(client.frame(young), VK_SUCCESS);
    vkDeviceWaitIdle(client.device);
}

struct FlagsCase {
    const char* name;
    VkSwapchainCreateFlagsKHR flags;
    VkResult result;
};

// The layer does what a flag requests or fails the creation. It ignores no flag.
class SwapchainFlags : public SwapchainTest, public testing::WithParamInterface<FlagsCase> {};

TEST_P(SwapchainFlags, AFlagIsObeyedOrRefused) {
    Client client(start());
    EXPECT_EQ(client.swapchain({.flags = GetParam().flags}).result, GetParam().result);
}

INSTANTIATE_TEST_SUITE_P(
    , SwapchainFlags,
    testing::Values(FlagsCase{"NoFlag", 0, VK_SUCCESS},
                    FlagsCase{"SplitInstanceBindRegions",
                              VK_SWAPCHAIN_CREATE_SPLIT_INSTANCE_BIND_REGIONS_BIT_KHR, VK_SUCCESS},
                    FlagsCase{"Protected", VK_SWAPCHAIN_CREATE_PROTECTED_BIT_KHR,
                              VK_ERROR_INITIALIZATION_FAILED},
                    FlagsCase{"MutableFormat", VK_SWAPCHAIN_CREATE_MUTABLE_FORMAT_BIT_KHR,
                              VK_SUCCESS},
                    // Flags of newer extensions, which older headers lack.
                    FlagsCase{"DeferredMemoryAllocation", 0x8, VK_SUCCESS},
                    FlagsCase{"PresentId2", 0x40, VK_SUCCESS},
                    FlagsCase{"PresentWait2", 0x80, VK_SUCCESS},
                    FlagsCase{"PresentTiming", 0x200, VK_SUCCESS},
                    FlagsCase{"UnknownFlag", 0x80000000, VK_ERROR_INITIALIZATION_FAILED}),
    [](const auto& each) { return each.param.name; });

// VkImageUsageFlags2CreateInfoKHR of VK_KHR_extended_flags, which replaces imageUsage.
struct UsageFlags2 {
    VkStructureType type = VkStructureType(1000668002);
    const void* next = nullptr;
    uint64_t usage = 0;
};

TEST_F(SwapchainTest, A64BitUsageThatTheDriverLacksIsRefused) {
    Client client(start());
    const UsageFlags2 none_has_this{.usage = uint64_t{1} << 40};
    EXPECT_EQ(client.swapchain({.next = &none_has_this}).result, VK_ERROR_INITIALIZATION_FAILED);
    // The fake driver's layouts have no such feature.
    const UsageFlags2 not_this_driver{.usage = VK_IMAGE_USAGE_DEPTH_STENCIL_ATTACHMENT_BIT};
    EXPECT_EQ(client.swapchain({.next = &not_this_driver}).result, VK_ERROR_INITIALIZATION_FAILED);
    const UsageFlags2 usual{.usage = VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT};
    EXPECT_EQ(client.swapchain({.next = &usual}).result, VK_SUCCESS);
}

// An image that was acquired before its swapchain was retired may still be presented. By the
// specification that succeeds or returns VK_ERROR_OUT_OF_DATE_KHR. The window must show the new
// swapchain's frame in the end.
TEST_F(SwapchainTest, AnAcquiredImageOfARetiredSwapchainMayBePresented) {
    Compositor& compositor = start();
    Client client(compositor);
    Swapchain old = client.swapchain();
    auto [result, index] = client.acquire(old);
    ASSERT_EQ(result, VK_SUCCESS);
    Swapchain young = client.swapchain({.extent = {32, 32}, .old = old});
    ASSERT_EQ(young.result, VK_SUCCESS);
    VkResult presented = client.present(old, index);
    EXPECT_TRUE(presented == VK_SUCCESS || presented == VK_SUBOPTIMAL_KHR ||
                presented == VK_ERROR_OUT_OF_DATE_KHR)
        << presented;
    EXPECT_EQ(client.frame(young), VK_SUCCESS);
    EXPECT_EQ(compositor.last_commit().width, 32);
    vkDeviceWaitIdle(client.device);
}

TEST_F(SwapchainTest, AWindowHasOneSwapchainAtATime) {
    Client client(start());
    Swapchain first = client.swapchain();
    ASSERT_EQ(first.result, VK_SUCCESS);
    EXPECT_EQ(client.swapchain().result, VK_ERROR_NATIVE_WINDOW_IN_USE_KHR);
    EXPECT_EQ(client.frame(first), VK_SUCCESS);
    vkDeviceWaitIdle(client.device);
    first = {};
    EXPECT_EQ(client.swapchain().result, VK_SUCCESS);
}

// The window is the wl_surface, whatever VkSurfaceKHR, VkInstance and VkDevice are used.
TEST_F(SwapchainTest, AWindowHasOneSwapchainAtATimeThroughAnySurfaceInstanceAndDevice) {
    Client client(start({.globals = {.fifo = 1}}));
    Owned<VkSurfaceKHR> second = make_surface(client.instance, client.app, client.window);
    Owned<VkInstance> other_instance = make_instance();
    Owned<VkSurfaceKHR> third = make_surface(other_instance, client.app, client.window);
    Device other_device(other_instance);
    const SwapchainOptions fifo = {.mode = VK_PRESENT_MODE_FIFO_KHR};
    Swapchain first = client.swapchain(fifo);
    ASSERT_EQ(client.frame(first), VK_SUCCESS);
    EXPECT_EQ(Swapchain(client.device, second, fifo).result, VK_ERROR_NATIVE_WINDOW_IN_USE_KHR);
    EXPECT_EQ(Swapchain(other_device, third, fifo).result, VK_ERROR_NATIVE_WINDOW_IN_USE_KHR);
    EXPECT_EQ(client.frame(first), VK_SUCCESS);
    vkDeviceWaitIdle(client.device);

    // A second swapchain can be created with the first as oldSwapchain. Once the second is
    // destroyed, a third can be created.
    Swapchain next(client.device, second, {.mode = VK_PRESENT_MODE_FIFO_KHR, .old = first.handle});
    ASSERT_EQ(next.result, VK_SUCCESS);
    EXPECT_EQ(client.frame(next), VK_SUCCESS);
    vkDeviceWaitIdle(client.device);
    EXPECT_EQ(client.swapchain(fifo).result, VK_ERROR_NATIVE_WINDOW_IN_USE_KHR);
    next = {};
    Renderer renderer(other_device);
    Swapchain last(other_device, third, fifo);
    ASSERT_EQ(last.result, VK_SUCCESS);
    EXPECT_EQ(renderer.frame(last), VK_SUCCESS);
    vkDeviceWaitIdle(other_device);
    EXPECT_EQ(wl_display_get_error(client.app.display()), 0);
}

// Each thread creates its next swapchain as soon as the other thread has destroyed its own. The
// compositor would end the connection if a wl_surface had two wp_fifo_v1 objects at a time.
TEST_F(SwapchainTest, TwoThreadsCreateSwapchainsOnOneWindowInTurn) {
    Client client(start({.globals = {.fifo = 1}}));
    Owned<VkSurfaceKHR> surfaces[] = {make_surface(client.instance, client.app, client.window),
                                      make_surface(client.instance, client.app, client.window)};
    constexpr int swapchains_each = 50;
    auto come_and_go = [&](VkSurfaceKHR surface) {
        for (int made = 0; made < swapchains_each;) {
            Swapchain swapchain(client.device, surface, {.mode = VK_PRESENT_MODE_FIFO_KHR});
            if (swapchain.result == VK_SUCCESS)
                ++made;
            else
                ASSERT_EQ(swapchain.result, VK_ERROR_NATIVE_WINDOW_IN_USE_KHR);
        }
    };
    std::thread other([&] { come_and_go(surfaces[0]); });
    come_and_go(surfaces[1]);
    other.join();
    client.app.round_trip();
    EXPECT_EQ(wl_display_get_error(client.app.display()), 0);
}

// oldSwapchain belongs to the native window, not to the VkSurfaceKHR. Here the old swapchain is the
// layer's, and the new one is the driver's.
TEST_F(SwapchainTest, AnOldSwapchainOfTheLayerDoesNotReachTheDriver) {
    Client client(start());
    Swapchain old = client.swapchain();
    ASSERT_EQ(old.result, VK_SUCCESS);
    // The next surface has no layout in common with the driver.
    constexpr uint64_t other_vendors = 0x0900000000000001;
    compositor_->on_thread([](Scene& scene) {
        scene.set_feedback({0, {{0, 0, common_formats(other_vendors)}}});
    });
    const Owned<VkSurfaceKHR> surface = make_surface(client.instance, client.app, client.window);
    const Swapchain drivers(
        client.device, surface,
        {.format = FAKE_DRIVER_NATIVE_FORMAT, .mode = VK_PRESENT_MODE_IMMEDIATE_KHR, .old = old});
    EXPECT_EQ(drivers.result, VK_SUCCESS);
    EXPECT_EQ(fake_driver().call_count("vkCreateSwapchainKHR"), 1u);
    EXPECT_EQ(client.acquire(old, 0).result, VK_ERROR_OUT_OF_DATE_KHR);
}

TEST_F(SwapchainTest, OneCallPresentsToSeveralSwapchains) {
    Compositor& compositor = start();
    Client client(compositor);
    SecondWindow second(client);
    Swapchain swapchains[] = {client.swapchain({.extent = {64, 64}}),
                              Swapchain(client.device, second.surface, {.extent = {48, 48}})};
    Presented both[] = {{swapchains[0], client.acquire(swapchains[0]).index},
                        {swapchains[1], client.acquire(swapchains[1]).index}};
    EXPECT_EQ(present_together(client.device.queue, both), VK_SUCCESS);
    EXPECT_EQ(both[0].result, VK_SUCCESS);
    EXPECT_EQ(both[1].result, VK_SUCCESS);
    ASSERT_EQ(compositor.commits(), 2u);
    EXPECT_EQ(compositor.commit_at(0).width, 64);
    EXPECT_EQ(compositor.commit_at(1).width, 48);
}

// The call returns the worst result. If it fails for one swapchain, it still commits the other.
TEST_F(SwapchainTest, EverySwapchainOfAPresentCallHasItsOwnResult) {
    Compositor& compositor = start();
    // One window is on another connection, whose compositor disconnects.
    Compositor other({.release = Release::manual});
    Client client(compositor);
    {
        App other_app(other);
        Owned<wl_surface*> window = other_app.new_surface();
        Owned<VkSurfaceKHR> surface = make_surface(client.instance, other_app, window);
        Swapchain swapchains[] = {Swapchain(client.device, surface), client.swapchain()};
        Presented both[] = {{swapchains[0], client.acquire(swapchains[0]).index},
                            {swapchains[1], client.acquire(swapchains[1]).index}};
        other.disconnect_clients();
        EXPECT_EQ(present_together(client.device.queue, both), VK_ERROR_SURFACE_LOST_KHR);
        EXPECT_EQ(both[0].result, VK_ERROR_SURFACE_LOST_KHR);
        EXPECT_EQ(both[1].result, VK_SUCCESS);
        EXPECT_EQ(compositor.commits(), 1u);
    }
}

struct DedicatedCase {
    const char* name;
    VkBool32 prefers;
    VkBool32 requires_it;
};
class SwapchainMemory : public SwapchainTest, public testing::WithParamInterface<DedicatedCase> {};

// Memory that is dedicated to the swapchain's image must not be bound to another image. The fake
// driver reports that as misuse.
TEST_P(SwapchainMemory, AnImageMayBeBoundToTheMemoryOfASwapchainImage) {
    fake_driver().set_dedicated(0, GetParam().prefers, GetParam().requires_it);
    Client client(start());
    Swapchain swapchain = client.swapchain();
    std::vector<Owned<VkImage>> images;
    for (uint32_t index = 0; index < swapchain.images.size(); ++index) {
        images.push_back(create_alias(client.device, swapchain));
        // An image index that the swapchain does not have is an error.
        EXPECT_LT(
            bind_alias(client.device, swapchain, uint32_t(swapchain.images.size()), images.back()),
            VK_SUCCESS);
        EXPECT_EQ(bind_alias(client.device, swapchain, index, images.back()), VK_SUCCESS);
    }
    EXPECT_EQ(client.frame(swapchain), VK_SUCCESS);
    vkDeviceWaitIdle(client.device);
}

INSTANTIATE_TEST_SUITE_P(, SwapchainMemory,
                         testing::Values(DedicatedCase{"NotDedicated", VK_FALSE, VK_FALSE},
                                         DedicatedCase{"PrefersDedicated", VK_TRUE, VK_FALSE},
                                         DedicatedCase{"RequiresDedicated", VK_TRUE, VK_TRUE}),
                         [](const auto& row) { return std::string(row.param.name); });

TEST_F(SwapchainTest, DeviceGroupQueriesNameTheOneDevice) {
    Client client(start());
    VkDeviceGroupPresentCapabilitiesKHR capabilities{
        VK_STRUCTURE_TYPE_DEVICE_GROUP_PRESENT_CAPABILITIES_KHR};
    ASSERT_EQ(vkGetDeviceGroupPresentCapabilitiesKHR(client.device, &capabilities), VK_SUCCESS);
    EXPECT_EQ(capabilities.presentMask[0], 1u);
    for (size_t i = 1; i < VK_MAX_DEVICE_GROUP_SIZE; ++i)
        EXPECT_EQ(capabilities.presentMask[i], 0u);
    EXPECT_EQ(capabilities.modes,
              VkDeviceGroupPresentModeFlagsKHR(VK_DEVICE_GROUP_PRESENT_MODE_LOCAL_BIT_KHR));

    VkDeviceGroupPresentModeFlagsKHR modes = 0;
    ASSERT_EQ(vkGetDeviceGroupSurfacePresentModesKHR(client.device, client.surface, &modes),
              VK_SUCCESS);
    EXPECT_EQ(modes, VkDeviceGroupPresentModeFlagsKHR(VK_DEVICE_GROUP_PRESENT_MODE_LOCAL_BIT_KHR));

    uint32_t count = 0;
    ASSERT_EQ(vkGetPhysicalDevicePresentRectanglesKHR(client.device.physical, client.surface,
                                                      &count, nullptr),
              VK_SUCCESS);
    EXPECT_EQ(count, 1u);
    VkRect2D rectangle{};
    count = 0;
    EXPECT_EQ(vkGetPhysicalDevicePresentRectanglesKHR(client.device.physical, client.surface,
                                                      &count, &rectangle),
              VK_INCOMPLETE);
}

TEST_F(SwapchainTest, ADeviceGroupPresentOfTheOneDeviceSucceeds) {
    Compositor& compositor = start();
    Client client(compositor);
    Swapchain swapchain = client.swapchain();
    uint32_t index = client.acquire(swapchain).index;
    uint32_t mask = 1;
    VkDeviceGroupPresentInfoKHR group{VK_STRUCTURE_TYPE_DEVICE_GROUP_PRESENT_INFO_KHR};
    group.swapchainCount = 1;
    group.pDeviceMasks = &mask;
    group.mode = VK_DEVICE_GROUP_PRESENT_MODE_LOCAL_BIT_KHR;
    VkPresentInfoKHR info{VK_STRUCTURE_TYPE_PRESENT_INFO_KHR};
    VkSwapchainKHR handle = swapchain;
    info.pNext = &group;
    info.swapchainCount = 1;
    info.pSwapchains = &handle;
    info.pImageIndices = &index;
    EXPECT_EQ(vkQueuePresentKHR(client.device.queue, &info), VK_SUCCESS);
    EXPECT_EQ(compositor.commits(), 1u);
}

TEST_F(SwapchainTest, FifoAndMailboxAreOffered) {
    Client client(start());
    VkPresentModeKHR modes[8];
    uint32_t count = 8;
    ASSERT_EQ(vkGetPhysicalDeviceSurfacePresentModesKHR(client.device.physical, client.surface,
                                                        &count, modes),
              VK_SUCCESS);
    std::span listed(modes, count);
    EXPECT_EQ(std::ranges::count(listed, VK_PRESENT_MODE_FIFO_KHR), 1);
    EXPECT_EQ(std::ranges::count(listed, VK_PRESENT_MODE_MAILBOX_KHR), 1);
    count = 1;
    EXPECT_EQ(vkGetPhysicalDeviceSurfacePresentModesKHR(client.device.physical, client.surface,
                                                        &count, modes),
              VK_INCOMPLETE);
}

TEST_F(SwapchainTest, TheApplicationChoosesTheExtent) {
    Client client(start());
    VkSurfaceCapabilitiesKHR capabilities{};
    ASSERT_EQ(vkGetPhysicalDeviceSurfaceCapabilitiesKHR(client.device.physical, client.surface,
                                                        &capabilities),
              VK_SUCCESS);
    // The specification's special value for Wayland surfaces, which have no size of their own.
    EXPECT_EQ(capabilities.currentExtent.width, UINT32_MAX);
    EXPECT_EQ(capabilities.currentExtent.height, UINT32_MAX);
    EXPECT_LE(capabilities.minImageExtent.width, 1u);
    EXPECT_GE(capabilities.maxImageExtent.width, 4096u);
    EXPECT_GE(capabilities.minImageCount, 1u);
    EXPECT_TRUE(capabilities.maxImageCount == 0 ||
                capabilities.maxImageCount >= capabilities.minImageCount);
    EXPECT_TRUE(capabilities.supportedUsageFlags & VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT);
    EXPECT_TRUE(capabilities.supportedTransforms & VK_SURFACE_TRANSFORM_IDENTITY_BIT_KHR);
}

TEST_F(SwapchainTest, VkGetSwapchainImagesReturnsIncompleteIfTheArrayIsTooShort) {
    Client client(start());
    Swapchain swapchain = client.swapchain();
    VkImage image = VK_NULL_HANDLE;
    uint32_t count = 1;
    EXPECT_EQ(vkGetSwapchainImagesKHR(client.device, swapchain, &count, &image), VK_INCOMPLETE);
    EXPECT_EQ(count, 1u);
    EXPECT_EQ(image, swapchain.images[0]);
}

} // namespace
} // namespace fencebridge::test
