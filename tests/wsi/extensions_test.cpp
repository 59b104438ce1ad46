// SPDX-License-Identifier: MIT
// What the specification demands of smaller extensions of VK_KHR_swapchain: the numbers of presents
// and the waits for them, FIFO_LATEST_READY, shared images, mutable formats, incremental presents,
// colour spaces and HDR metadata.
#include "wsi.hpp"

#include "vk/newer_headers.hpp"

#include <algorithm>
#include <optional>
#include <set>

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
    EXPECT_EQ(wait(swapchain_, 3, 0), VK_TIMEOUT) << "the first is neither shown nor discarded";
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

// --- VK_KHR_shared_presentable_image ---

class SharedImage : public WsiTest {
protected:
    void SetUp() override {
        WsiTest::SetUp();
        fake_driver().add_device_extension(FAKE_DRIVER_ALL_DEVICES,
                                           VK_KHR_SHARED_PRESENTABLE_IMAGE_EXTENSION_NAME);
        Script script = busy();
        script.shares_buffers = true;
        InstanceOptions options;
        options.extensions.push_back(VK_EXT_SURFACE_MAINTENANCE_1_EXTENSION_NAME);
        client_.emplace(connect(script), options,
                        std::vector{VK_KHR_SWAPCHAIN_EXTENSION_NAME,
                                    VK_KHR_SHARED_PRESENTABLE_IMAGE_EXTENSION_NAME});
    }
    void TearDown() override {
        vkDeviceWaitIdle(client_->device);
        client_.reset();
        WsiTest::TearDown();
    }
    // The modes that share an image with the window system.
    std::vector<VkPresentModeKHR> shared_modes() {
        auto all = list<VkPresentModeKHR>([&](uint32_t* count, VkPresentModeKHR* modes) {
            return vkGetPhysicalDeviceSurfacePresentModesKHR(client_->device.physical,
                                                             client_->surface, count, modes);
        });
        std::erase_if(all, [](VkPresentModeKHR mode) {
            return mode != VK_PRESENT_MODE_SHARED_DEMAND_REFRESH_KHR &&
                   mode != VK_PRESENT_MODE_SHARED_CONTINUOUS_REFRESH_KHR;
        });
        return all;
    }
    Swapchain make_swapchain(VkPresentModeKHR mode, VkImageUsageFlags usage) {
        return client_->swapchain({.mode = mode, .usage = usage, .min_images = 1});
    }
    VkImageUsageFlags usages() {
        VkSharedPresentSurfaceCapabilitiesKHR shared{
            VK_STRUCTURE_TYPE_SHARED_PRESENT_SURFACE_CAPABILITIES_KHR, nullptr, 0};
        query_capabilities(client_->instance, client_->device, client_->surface, &shared);
        return shared.sharedPresentSupportedUsageFlags;
    }
    VkResult status(const Swapchain& swapchain) {
        return reinterpret_cast<PFN_vkGetSwapchainStatusKHR>(vkGetDeviceProcAddr(
            client_->device, "vkGetSwapchainStatusKHR"))(client_->device, swapchain);
    }

    std::optional<Client> client_;
};

TEST_F(SharedImage, CanBeAColourAttachment) {
    ASSERT_FALSE(shared_modes().empty());
    EXPECT_TRUE(usages() & VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT);
}

TEST_F(SharedImage, IsOneInEachModeAndForEachUsage) {
    const auto get = reinterpret_cast<PFN_vkGetPhysicalDeviceSurfaceCapabilities2KHR>(
        vkGetInstanceProcAddr(client_->instance, "vkGetPhysicalDeviceSurfaceCapabilities2KHR"));
    for (const VkPresentModeKHR mode : shared_modes()) {
        const VkSurfacePresentModeEXT named{VK_STRUCTURE_TYPE_SURFACE_PRESENT_MODE_EXT, nullptr,
                                            mode};
        const VkPhysicalDeviceSurfaceInfo2KHR info{
            VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SURFACE_INFO_2_KHR, &named, client_->surface};
        VkSurfaceCapabilities2KHR capabilities{VK_STRUCTURE_TYPE_SURFACE_CAPABILITIES_2_KHR};
        ASSERT_EQ(get(client_->device.physical, &info, &capabilities), VK_SUCCESS);
        EXPECT_EQ(capabilities.surfaceCapabilities.minImageCount, 1u);
        for (const auto usage : bits_of<VkImageUsageFlagBits>(usages())) {
            VkImageFormatProperties properties{};
            if (vkGetPhysicalDeviceImageFormatProperties(
                    client_->device.physical, VK_FORMAT_B8G8R8A8_UNORM, VK_IMAGE_TYPE_2D,
                    VK_IMAGE_TILING_OPTIMAL, usage, 0, &properties) != VK_SUCCESS)
                continue;
            const Swapchain swapchain = make_swapchain(mode, usage);
            ASSERT_EQ(swapchain.result, VK_SUCCESS) << usage;
            EXPECT_EQ(swapchain.images.size(), 1u);
        }
    }
}

TEST_F(SharedImage, IsAcquiredOnceAndPresentedAgainAndAgain) {
    for (const VkPresentModeKHR mode : shared_modes()) {
        const Swapchain swapchain = make_swapchain(mode, VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT);
        const auto rendered = make_semaphore(client_->device);
        const uint32_t index = client_->acquire_and_render(swapchain, rendered);
        ASSERT_EQ(client_->present_after(swapchain, index, {rendered}), VK_SUCCESS);
        for (int frame = 0; frame < 10; ++frame) {
            client_->renderer.submit({}, {rendered});
            EXPECT_EQ(client_->present_after(swapchain, index, {rendered}), VK_SUCCESS);
            EXPECT_EQ(status(swapchain), VK_SUCCESS);
        }
        EXPECT_EQ(vkDeviceWaitIdle(client_->device), VK_SUCCESS);
    }
}

// --- VK_KHR_swapchain_mutable_format ---

class MutableFormat : public WsiTest {
protected:
    void SetUp() override {
        WsiTest::SetUp();
        client_.emplace(connect(), InstanceOptions{},
                        std::vector{VK_KHR_SWAPCHAIN_EXTENSION_NAME,
                                    VK_KHR_SWAPCHAIN_MUTABLE_FORMAT_EXTENSION_NAME,
                                    VK_KHR_IMAGE_FORMAT_LIST_EXTENSION_NAME});
    }
    void TearDown() override {
        vkDeviceWaitIdle(client_->device);
        client_.reset();
        WsiTest::TearDown();
    }
    // A swapchain with images of `format`, and views of both formats.
    Swapchain make_swapchain(VkFormat format, VkImageUsageFlags usage) {
        static constexpr VkFormat both[] = {VK_FORMAT_B8G8R8A8_SRGB, VK_FORMAT_B8G8R8A8_UNORM};
        const VkImageFormatListCreateInfo views{VK_STRUCTURE_TYPE_IMAGE_FORMAT_LIST_CREATE_INFO,
                                                nullptr, 2, both};
        return client_->swapchain({.format = format,
                                   .usage = usage,
                                   .flags = VK_SWAPCHAIN_CREATE_MUTABLE_FORMAT_BIT_KHR,
                                   .next = &views});
    }
    bool has_usage(VkFormat format, VkImageUsageFlags usage) const {
        VkImageFormatProperties properties{};
        return vkGetPhysicalDeviceImageFormatProperties(client_->device.physical, format,
                                                        VK_IMAGE_TYPE_2D, VK_IMAGE_TILING_OPTIMAL,
                                                        usage, 0, &properties) == VK_SUCCESS;
    }

    std::optional<Client> client_;
};

TEST_F(MutableFormat, AllowsViewsOfTheListedFormats) {
    for (const VkFormat of_images : {VK_FORMAT_B8G8R8A8_UNORM, VK_FORMAT_B8G8R8A8_SRGB}) {
        const Swapchain swapchain = make_swapchain(of_images, VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT);
        ASSERT_EQ(swapchain.result, VK_SUCCESS);
        for (const VkImage image : swapchain.images) {
            for (const VkFormat of_view : {VK_FORMAT_B8G8R8A8_UNORM, VK_FORMAT_B8G8R8A8_SRGB}) {
                VkImageViewCreateInfo info{VK_STRUCTURE_TYPE_IMAGE_VIEW_CREATE_INFO};
                info.image = image;
                info.viewType = VK_IMAGE_VIEW_TYPE_2D;
                info.format = of_view;
                info.subresourceRange = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1};
                VkImageView view = VK_NULL_HANDLE;
                ASSERT_EQ(vkCreateImageView(client_->device, &info, nullptr, &view), VK_SUCCESS);
                vkDestroyImageView(client_->device, view, nullptr);
            }
        }
        EXPECT_EQ(client_->show_every_image(swapchain), VK_SUCCESS);
    }
}

TEST_F(MutableFormat, AllowsUsagesOfAListedFormat) {
    const auto usages = capabilities_of(*client_).supportedUsageFlags;
    for (const auto usage : bits_of<VkImageUsageFlagBits>(usages)) {
        if (!has_usage(VK_FORMAT_B8G8R8A8_UNORM, usage))
            continue;
        SCOPED_TRACE(usage);
        const Swapchain swapchain = make_swapchain(VK_FORMAT_B8G8R8A8_SRGB, usage);
        ASSERT_EQ(swapchain.result, VK_SUCCESS);
        EXPECT_EQ(client_->show_every_image(swapchain), VK_SUCCESS);
    }
}

// --- VK_KHR_incremental_present ---

class IncrementalPresent : public WsiTest {};

TEST_F(IncrementalPresent, MayHaveAnyRectangles) {
    Client client(connect(), {},
                  {VK_KHR_SWAPCHAIN_EXTENSION_NAME, VK_KHR_INCREMENTAL_PRESENT_EXTENSION_NAME});
    const Swapchain swapchain = client.swapchain();
    const std::vector<VkRectLayerKHR> none;
    const std::vector<VkRectLayerKHR> all{{{0, 0}, {64, 64}, 0}};
    const std::vector<VkRectLayerKHR> corners{
        {{0, 0}, {1, 1}, 0}, {{63, 63}, {1, 1}, 0}, {{10, 10}, {0, 0}, 0}};
    const std::vector<VkRectLayerKHR> many(1000, {{1, 2}, {3, 4}, 0});
    for (int round = 0; round < 3; ++round)
        for (const auto* rectangles : {&all, &none, &corners, &many}) {
            const VkPresentRegionKHR region{uint32_t(rectangles->size()), rectangles->data()};
            const VkPresentRegionsKHR regions{VK_STRUCTURE_TYPE_PRESENT_REGIONS_KHR, nullptr, 1,
                                              rectangles->empty() && round ? nullptr : &region};
            const uint32_t index = client.acquire(swapchain).index;
            EXPECT_EQ(present(client.device.queue, swapchain, index, {}, &regions), VK_SUCCESS);
        }
    EXPECT_EQ(vkDeviceWaitIdle(client.device), VK_SUCCESS);
}

// --- VK_EXT_swapchain_colorspace and VK_EXT_hdr_metadata ---

class ColourSpaces : public WsiTest {
protected:
    void SetUp() override {
        WsiTest::SetUp();
        Script script = busy();
        script.globals.color = 1;
        InstanceOptions options;
        options.extensions.push_back(VK_EXT_SWAPCHAIN_COLOR_SPACE_EXTENSION_NAME);
        client_.emplace(
            connect(script), options,
            std::vector{VK_KHR_SWAPCHAIN_EXTENSION_NAME, VK_EXT_HDR_METADATA_EXTENSION_NAME});
    }
    void TearDown() override {
        vkDeviceWaitIdle(client_->device);
        client_.reset();
        WsiTest::TearDown();
    }
    static VkHdrMetadataEXT metadata(float max_luminance) {
        return {VK_STRUCTURE_TYPE_HDR_METADATA_EXT,
                nullptr,
                {0.68f, 0.32f},
                {0.265f, 0.69f},
                {0.15f, 0.06f},
                {0.3127f, 0.329f},
                max_luminance,
                0.01f,
                900,
                300};
    }
    void set_metadata(const std::vector<VkSwapchainKHR>& swapchains,
                      const std::vector<VkHdrMetadataEXT>& all) {
        reinterpret_cast<PFN_vkSetHdrMetadataEXT>(
            vkGetDeviceProcAddr(client_->device, "vkSetHdrMetadataEXT"))(
            client_->device, uint32_t(swapchains.size()), swapchains.data(), all.data());
    }

    std::optional<Client> client_;
};

TEST_F(ColourSpaces, ThatAreListedWorkWithTheirFormats) {
    Swapchain current;
    for (const VkSurfaceFormatKHR& pair : formats_of(*client_)) {
        SCOPED_TRACE(testing::Message() << pair.format << " in " << pair.colorSpace);
        Swapchain next =
            client_->swapchain({.format = pair.format, .space = pair.colorSpace, .old = current});
        ASSERT_EQ(next.result, VK_SUCCESS);
        EXPECT_EQ(client_->frame(next), VK_SUCCESS);
        EXPECT_EQ(vkDeviceWaitIdle(client_->device), VK_SUCCESS);
        current = std::move(next);
    }
}

TEST_F(ColourSpaces, AreListedOncePerFormat) {
    std::set<std::pair<VkFormat, VkColorSpaceKHR>> pairs;
    for (const VkSurfaceFormatKHR& pair : formats_of(*client_))
        EXPECT_TRUE(pairs.emplace(pair.format, pair.colorSpace).second)
            << pair.format << " in " << pair.colorSpace;
}

TEST_F(ColourSpaces, AnyMayHaveMetadata) {
    for (const VkSurfaceFormatKHR& pair : formats_of(*client_)) {
        if (pair.format != VK_FORMAT_B8G8R8A8_UNORM)
            continue;
        SCOPED_TRACE(pair.colorSpace);
        const Swapchain swapchain = client_->swapchain({.space = pair.colorSpace});
        ASSERT_EQ(swapchain.result, VK_SUCCESS);
        const VkHdrMetadataEXT unknown{.sType = VK_STRUCTURE_TYPE_HDR_METADATA_EXT};
        for (const VkHdrMetadataEXT& each : {unknown, metadata(1000), metadata(4000), unknown}) {
            set_metadata({swapchain}, {each});
            EXPECT_EQ(client_->frame(swapchain), VK_SUCCESS);
        }
        EXPECT_EQ(vkDeviceWaitIdle(client_->device), VK_SUCCESS);
    }
}

TEST_F(ColourSpaces, MetadataAreEachSwapchainsOwn) {
    constexpr auto hdr10 = VK_COLOR_SPACE_HDR10_ST2084_EXT;
    if (std::ranges::count(formats_of(*client_), hdr10, &VkSurfaceFormatKHR::colorSpace) == 0)
        return; // this build lacks color-management-v1, and so does not offer the space
    SecondWindow second(*client_);
    const Swapchain swapchains[] = {
        client_->swapchain({.extent = {64, 32}, .space = hdr10}),
        Swapchain(client_->device, second.surface, {.extent = {32, 64}, .space = hdr10})};
    set_metadata({swapchains[0], swapchains[1]}, {metadata(1000), metadata(4000)});
    for (const size_t window : {0, 1, 1, 0}) {
        const Swapchain& swapchain = swapchains[window];
        ASSERT_EQ(client_->present(swapchain, client_->acquire(swapchain).index), VK_SUCCESS);
        const Commit shown = compositor_->last_commit();
        ASSERT_TRUE(shown.image_description);
        EXPECT_EQ(shown.image_description->mastering_luminance,
                  (Luminance{100, window == 0 ? 1000u : 4000u}));
    }
}

} // namespace
} // namespace fencebridge::test
