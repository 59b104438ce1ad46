// SPDX-License-Identifier: MIT
// VK_EXT_swapchain_colorspace and VK_EXT_hdr_metadata by color-management-v1: which colour spaces a
// surface has, and what the compositor is told of a swapchain's images.
#include "fixture.hpp"

#include "fake_driver/control.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <future>

namespace fencebridge::test {
namespace {

constexpr auto srgb = VK_COLOR_SPACE_SRGB_NONLINEAR_KHR;
constexpr auto pass_through = VK_COLOR_SPACE_PASS_THROUGH_EXT;
constexpr auto pq = VK_COLOR_SPACE_HDR10_ST2084_EXT;
constexpr auto hlg = VK_COLOR_SPACE_HDR10_HLG_EXT;
constexpr auto scrgb = VK_COLOR_SPACE_EXTENDED_SRGB_LINEAR_EXT;
constexpr uint32_t drm_xbgr16f = fourcc('X', 'B', '4', 'H');
constexpr uint32_t drm_abgr16f = fourcc('A', 'B', '4', 'H');

Script with_colors(Script script = {}) {
    script.globals.color = 1;
    script.feedback.tranches[0].formats.push_back({drm_xbgr16f, drm_linear});
    script.feedback.tranches[0].formats.push_back({drm_abgr16f, drm_linear});
    return script;
}

// An application that enables both extensions.
struct ColourClient : Client {
    explicit ColourClient(Compositor& compositor) :
        Client(compositor.connect(), options(),
               {VK_KHR_SWAPCHAIN_EXTENSION_NAME, VK_EXT_HDR_METADATA_EXTENSION_NAME}),
        set_hdr_metadata(reinterpret_cast<PFN_vkSetHdrMetadataEXT>(
            vkGetDeviceProcAddr(device, "vkSetHdrMetadataEXT"))) {}

    static InstanceOptions options() {
        InstanceOptions options;
        options.extensions.push_back(VK_EXT_SWAPCHAIN_COLOR_SPACE_EXTENSION_NAME);
        return options;
    }

    Swapchain swapchain_in(VkColorSpaceKHR space, VkSwapchainKHR old = VK_NULL_HANDLE) {
        const auto format =
            space == scrgb ? VK_FORMAT_R16G16B16A16_SFLOAT : VK_FORMAT_B8G8R8A8_UNORM;
        return swapchain({.format = format, .space = space, .old = old});
    }
    void set_metadata(VkSwapchainKHR swapchain, const VkHdrMetadataEXT& metadata) {
        set_hdr_metadata(device, 1, &swapchain, &metadata);
    }

    PFN_vkSetHdrMetadataEXT set_hdr_metadata;
};

std::vector<VkSurfaceFormatKHR> pairs_of(Client& client) {
    uint32_t count = 0;
    vkGetPhysicalDeviceSurfaceFormatsKHR(client.device.physical, client.surface, &count, nullptr);
    std::vector<VkSurfaceFormatKHR> pairs(count);
    EXPECT_EQ(vkGetPhysicalDeviceSurfaceFormatsKHR(client.device.physical, client.surface, &count,
                                                   pairs.data()),
              VK_SUCCESS);
    return pairs;
}

// The spaces in the order of the list, each once.
std::vector<VkColorSpaceKHR> spaces_of(Client& client) {
    std::vector<VkColorSpaceKHR> spaces;
    for (const VkSurfaceFormatKHR& pair : pairs_of(client))
        if (spaces.empty() || spaces.back() != pair.colorSpace)
            spaces.push_back(pair.colorSpace);
    return spaces;
}

using Spaces = std::vector<VkColorSpaceKHR>;

class Colours : public CompositorTest {
protected:
    void SetUp() override {
        CompositorTest::SetUp();
        const FakeDriverModifier linear = driver_modifier(drm_linear);
        fake_driver().set_format(FAKE_DRIVER_ALL_DEVICES, VK_FORMAT_R16G16B16A16_SFLOAT, 1,
                                 &linear);
    }

    size_t live(const std::string& interface) {
        return compositor_->on_thread(
            [&](Scene& scene) { return scene.live_objects()[interface]; });
    }
    size_t color_surfaces() { return live("wp_color_management_surface_v1"); }
    size_t descriptions() {
        return compositor_->requests("wp_image_description_creator_params_v1", "create") +
               compositor_->requests("wp_color_manager_v1", "create_windows_scrgb");
    }
    std::optional<ImageDescription> last_description() {
        return compositor_->last_commit().image_description;
    }
};

// --- the list ---

TEST_F(Colours, WithoutTheExtensionASurfaceIsSrgb) {
    Client client(start(with_colors()));
    EXPECT_EQ(spaces_of(client), Spaces{srgb});
    EXPECT_EQ(client.swapchain({.space = pq}).result, VK_ERROR_INITIALIZATION_FAILED);
    EXPECT_EQ(client.swapchain({.space = pass_through}).result, VK_ERROR_INITIALIZATION_FAILED);
}

TEST_F(Colours, WithoutColorManagementASurfaceHasNoSpaceThatNeedsIt) {
    ColourClient client(start());
    EXPECT_EQ(spaces_of(client), (Spaces{srgb, pass_through}));
}

TEST_F(Colours, WithTheSettingAvoidASurfaceHasNoSpaceThatNeedsColorManagement) {
    setenv("FENCEBRIDGE_AVOID", "color-management-v1", 1);
    ColourClient client(start(with_colors()));
    unsetenv("FENCEBRIDGE_AVOID");
    EXPECT_EQ(spaces_of(client), (Spaces{srgb, pass_through}));
    EXPECT_EQ(client.swapchain_in(pq).result, VK_ERROR_INITIALIZATION_FAILED);
    const Swapchain swapchain = client.swapchain_in(pass_through);
    EXPECT_EQ(client.frame(swapchain), VK_SUCCESS);
    EXPECT_EQ(compositor_->requests("wp_color_manager_v1", "get_surface"), 0u);
}

TEST_F(Colours, TheListHasWhatTheCompositorCanDescribe) {
    Script script = with_colors();
    script.colors = {.features = {1, 5}, .transfers = {11}, .primaries = {1, 6, 9}};
    ColourClient client(start(script));
    EXPECT_EQ(spaces_of(client), (Spaces{srgb, pq, pass_through}));
}

TEST_F(Colours, EverySpaceHasTheFormatsThatCanHoldIt) {
    ColourClient client(start(with_colors()));
    const auto pairs = pairs_of(client);
    const auto count = [&](VkColorSpaceKHR space) {
        return std::ranges::count(pairs, space, &VkSurfaceFormatKHR::colorSpace);
    };
    EXPECT_EQ(count(srgb), 5);
    EXPECT_EQ(count(pass_through), 5);
    EXPECT_EQ(count(VK_COLOR_SPACE_DISPLAY_P3_NONLINEAR_EXT), 5);
    EXPECT_EQ(count(pq), 3); // no SRGB formats
    EXPECT_EQ(count(scrgb), 1);
    EXPECT_EQ(spaces_of(client).front(), srgb);
}

TEST_F(Colours, SurfacesAreCreatedWithoutAnotherRoundTrip) {
    {
        ColourClient without(start());
        pairs_of(without);
    }
    const size_t usual = compositor_->round_trips();
    compositor_.reset();
    ColourClient with(start(with_colors()));
    pairs_of(with);
    EXPECT_EQ(compositor_->round_trips(), usual);
}

// --- the description ---

TEST_F(Colours, TheFirstCommitDescribesTheSpaceAndLaterOnesSayNothing) {
    const struct {
        VkColorSpaceKHR space;
        uint32_t primaries;
        uint32_t transfer;
    } expected[] = {
        {VK_COLOR_SPACE_DISPLAY_P3_NONLINEAR_EXT, 9, 9},
        {VK_COLOR_SPACE_DISPLAY_P3_LINEAR_EXT, 9, 5},
        {VK_COLOR_SPACE_BT709_LINEAR_EXT, 1, 5},
        {VK_COLOR_SPACE_BT709_NONLINEAR_EXT, 1, 1},
        {VK_COLOR_SPACE_BT2020_LINEAR_EXT, 6, 5},
        {pq, 6, 11},
        {hlg, 6, 13},
        {VK_COLOR_SPACE_ADOBERGB_LINEAR_EXT, 10, 5},
        {VK_COLOR_SPACE_ADOBERGB_NONLINEAR_EXT, 10, 2},
    };
    ColourClient client(start(with_colors()));
    size_t set = 0;
    for (const auto& [space, primaries, transfer] : expected) {
        SCOPED_TRACE(space);
        const auto swapchain = client.swapchain_in(space);
        ASSERT_EQ(swapchain.result, VK_SUCCESS);
        for (int frame = 0; frame < 3; ++frame) {
            ASSERT_EQ(client.frame(swapchain), VK_SUCCESS);
            vkDeviceWaitIdle(client.device);
            EXPECT_EQ(last_description(),
                      (ImageDescription{.primaries = primaries, .transfer = transfer}));
        }
        EXPECT_EQ(compositor_->requests("wp_color_management_surface_v1", "set_image_description"),
                  ++set);
    }
}

TEST_F(Colours, ExtendedSrgbLinearIsWindowsScrgb) {
    ColourClient client(start(with_colors()));
    const auto swapchain = client.swapchain_in(scrgb);
    ASSERT_EQ(client.frame(swapchain), VK_SUCCESS);
    vkDeviceWaitIdle(client.device);
    EXPECT_EQ(last_description(), ImageDescription{.windows_scrgb = true});
}

// An application can then have objects of its own.
TEST_F(Colours, SrgbAndPassThroughNeedNoObject) {
    ColourClient client(start(with_colors()));
    for (const VkColorSpaceKHR space : {srgb, pass_through}) {
        const auto swapchain = client.swapchain_in(space);
        ASSERT_EQ(client.frame(swapchain), VK_SUCCESS);
        vkDeviceWaitIdle(client.device);
        EXPECT_EQ(last_description(), std::nullopt);
    }
    EXPECT_EQ(compositor_->requests("wp_color_manager_v1", "get_surface"), 0u);
    EXPECT_EQ(descriptions(), 0u);
}

TEST_F(Colours, ARefusedDescriptionFailsTheCreation) {
    constexpr uint64_t tiled = 0x0100000000000001;
    const std::array layouts{driver_modifier(tiled), driver_modifier(drm_linear)};
    fake_driver().set_format(FAKE_DRIVER_ALL_DEVICES, VK_FORMAT_B8G8R8A8_UNORM,
                             uint32_t(layouts.size()), layouts.data());
    Script script = with_colors();
    script.descriptions = Descriptions::refused;
    for (const uint64_t modifier : {tiled, drm_linear})
        script.feedback.tranches.push_back({0, 0, common_formats(modifier)});
    ColourClient client(start(script));
    EXPECT_EQ(client.swapchain_in(pq).result, VK_ERROR_INITIALIZATION_FAILED);
    // Images of another layout would be refused, too.
    EXPECT_EQ(compositor_->requests("wp_color_manager_v1", "create_parametric_creator"), 1u);
    compositor_->on_thread([](Scene& scene) { scene.set_descriptions(Descriptions::accepted); });
    const auto swapchain = client.swapchain_in(pq);
    EXPECT_EQ(client.frame(swapchain), VK_SUCCESS);
    vkDeviceWaitIdle(client.device);
}

TEST_F(Colours, TheObjectEndsWithTheFirstCommitThatNeedsNone) {
    ColourClient client(start(with_colors()));
    auto described = client.swapchain_in(pq);
    ASSERT_EQ(client.frame(described), VK_SUCCESS);
    EXPECT_EQ(color_surfaces(), 1u);
    auto plain = client.swapchain_in(srgb, described);
    ASSERT_EQ(client.frame(plain), VK_SUCCESS);
    vkDeviceWaitIdle(client.device);
    EXPECT_EQ(color_surfaces(), 0u);
    EXPECT_EQ(last_description(), std::nullopt);
    described = client.swapchain_in(hlg, plain);
    ASSERT_EQ(client.frame(described), VK_SUCCESS);
    vkDeviceWaitIdle(client.device);
    EXPECT_EQ(last_description(), (ImageDescription{.primaries = 6, .transfer = 13}));
}

// VK_KHR_wayland_surface: none exists if there are only swapchains with PASS_THROUGH.
TEST_F(Colours, TheObjectEndsWithTheLastSwapchainThatNeedsIt) {
    ColourClient client(start(with_colors()));
    auto described = client.swapchain_in(pq);
    ASSERT_EQ(client.frame(described), VK_SUCCESS);
    vkDeviceWaitIdle(client.device);
    const auto passing = client.swapchain_in(pass_through, described);
    ASSERT_EQ(passing.result, VK_SUCCESS);
    EXPECT_EQ(color_surfaces(), 1u);
    const size_t commits = compositor_->commits();
    described = {};
    EXPECT_EQ(color_surfaces(), 0u);
    EXPECT_EQ(compositor_->commits(), commits);
    client.app.round_trip(); // sends what the destruction has left in the connection's buffer
    EXPECT_EQ(live("wp_image_description_v1"), 0u);
}

// The application must not have one of its own then. The protocol error ends the connection.
TEST_F(Colours, AnotherObjectOfTheSurfaceLosesIt) {
    ColourClient client(start(with_colors()));
    compositor_->on_thread([](Scene& scene) {
        scene.add_fault({.interface = "wp_color_manager_v1", .request = "get_surface", .code = 1});
    });
    const auto swapchain = client.swapchain_in(pq);
    VkResult result = VK_SUCCESS;
    for (int frame = 0; frame < 100 && result == VK_SUCCESS; ++frame)
        result = client.frame(swapchain);
    EXPECT_EQ(result, VK_ERROR_SURFACE_LOST_KHR);
    vkDeviceWaitIdle(client.device);
}

// --- metadata ---

VkHdrMetadataEXT metadata(float max_luminance) {
    return {.sType = VK_STRUCTURE_TYPE_HDR_METADATA_EXT,
            .pNext = nullptr,
            .displayPrimaryRed = {0.68f, 0.32f},
            .displayPrimaryGreen = {0.265f, 0.69f},
            .displayPrimaryBlue = {0.15f, 0.06f},
            .whitePoint = {0.3127f, 0.329f},
            .maxLuminance = max_luminance,
            .minLuminance = 0.01f,
            .maxContentLightLevel = 900,
            .maxFrameAverageLightLevel = 300};
}

ImageDescription described_by(uint32_t transfer, uint32_t max_luminance) {
    return {
        .primaries = 6,
        .transfer = transfer,
        .mastering_primaries = {{680000, 320000, 265000, 690000, 150000, 60000, 312700, 329000}},
        .mastering_luminance = Luminance{100, max_luminance},
        .max_cll = 900,
        .max_fall = 300};
}

TEST_F(Colours, MetadataAreOfTheNextPresentAndStay) {
    ColourClient client(start(with_colors()));
    for (const auto& [space, transfer] : {std::pair(pq, 11u), std::pair(hlg, 13u)}) {
        const auto swapchain = client.swapchain_in(space);
        ASSERT_EQ(client.frame(swapchain), VK_SUCCESS);
        client.set_metadata(swapchain, metadata(1000));
        const size_t commits = compositor_->commits();
        for (int frame = 0; frame < 3; ++frame) {
            ASSERT_EQ(client.frame(swapchain), VK_SUCCESS);
            vkDeviceWaitIdle(client.device);
            EXPECT_EQ(last_description(), described_by(transfer, 1000));
        }
        EXPECT_EQ(compositor_->commits(), commits + 3);
        client.set_metadata(swapchain, metadata(2000));
        client.set_metadata(swapchain, metadata(4000));
        ASSERT_EQ(client.frame(swapchain), VK_SUCCESS);
        vkDeviceWaitIdle(client.device);
        EXPECT_EQ(last_description(), described_by(transfer, 4000));
    }
}

TEST_F(Colours, MetadataThatNoPresentUsesAreRequestedOnce) {
    ColourClient client(start(with_colors()));
    const auto swapchain = client.swapchain_in(pq);
    ASSERT_EQ(client.frame(swapchain), VK_SUCCESS);
    const size_t before = descriptions();
    for (int luminance = 1; luminance <= 1000; ++luminance)
        client.set_metadata(swapchain, metadata(float(1000 + luminance)));
    client.app.round_trip();
    EXPECT_EQ(descriptions(), before + 1);
    ASSERT_EQ(client.frame(swapchain), VK_SUCCESS);
    vkDeviceWaitIdle(client.device);
    EXPECT_EQ(descriptions(), before + 2);
    EXPECT_EQ(last_description(), described_by(11, 2000));
}

TEST_F(Colours, MetadataBeforeTheFirstPresentAreOfTheFirstCommit) {
    ColourClient client(start(with_colors()));
    const auto swapchain = client.swapchain_in(pq);
    client.set_metadata(swapchain, metadata(1000));
    ASSERT_EQ(client.frame(swapchain), VK_SUCCESS);
    vkDeviceWaitIdle(client.device);
    EXPECT_EQ(last_description(), described_by(11, 1000));
    EXPECT_EQ(compositor_->requests("wp_color_management_surface_v1", "set_image_description"), 1u);
}

TEST_F(Colours, EqualMetadataSendNothing) {
    ColourClient client(start(with_colors()));
    const auto swapchain = client.swapchain_in(pq);
    client.set_metadata(swapchain, metadata(1000));
    ASSERT_EQ(client.frame(swapchain), VK_SUCCESS);
    const size_t before = descriptions();
    for (int frame = 0; frame < 100; ++frame) {
        client.set_metadata(swapchain, metadata(1000));
        ASSERT_EQ(client.frame(swapchain), VK_SUCCESS);
    }
    vkDeviceWaitIdle(client.device);
    EXPECT_EQ(descriptions(), before);
    EXPECT_EQ(compositor_->requests("wp_color_management_surface_v1", "set_image_description"), 1u);
}

TEST_F(Colours, MetadataOfOtherSpacesAreIgnored) {
    ColourClient client(start(with_colors()));
    for (const VkColorSpaceKHR space :
         {srgb, pass_through, scrgb, VK_COLOR_SPACE_DISPLAY_P3_LINEAR_EXT}) {
        const auto swapchain = client.swapchain_in(space);
        const size_t before = descriptions();
        client.set_metadata(swapchain, metadata(1000));
        EXPECT_EQ(client.frame(swapchain), VK_SUCCESS);
        vkDeviceWaitIdle(client.device);
        EXPECT_EQ(descriptions(), before) << space;
    }
}

// What the protocol does not allow is left out. The compositor would answer with an error.
TEST_F(Colours, MetadataThatTheProtocolForbidsAreUnknown) {
    Script script = with_colors();
    script.colors.features = {1}; // no mastering display
    ColourClient client(start(script));
    const auto swapchain = client.swapchain_in(hlg);
    VkHdrMetadataEXT forbidden = metadata(1000);
    forbidden.maxContentLightLevel = 4000;
    client.set_metadata(swapchain, forbidden);
    ASSERT_EQ(client.frame(swapchain), VK_SUCCESS);
    vkDeviceWaitIdle(client.device);
    EXPECT_EQ(last_description(),
              (ImageDescription{.primaries = 6, .transfer = 13, .max_fall = 300}));
}

TEST_F(Colours, RefusedMetadataLeaveTheDescriptionAsItWas) {
    ColourClient client(start(with_colors()));
    const auto swapchain = client.swapchain_in(pq);
    client.set_metadata(swapchain, metadata(1000));
    ASSERT_EQ(client.frame(swapchain), VK_SUCCESS);
    compositor_->on_thread([](Scene& scene) { scene.set_descriptions(Descriptions::refused); });
    client.set_metadata(swapchain, metadata(2000));
    ASSERT_EQ(client.frame(swapchain), VK_SUCCESS);
    vkDeviceWaitIdle(client.device);
    EXPECT_EQ(last_description(), described_by(11, 1000));
}

class SlowAnswer : public Colours {
protected:
    // Waits until the compositor has a description to answer, and the present waits for it.
    void wait_for_request() {
        EXPECT_TRUE(compositor_->wait_until(
            [](const Scene& scene) { return !scene.unanswered_descriptions().empty(); }));
    }
};

TEST_F(SlowAnswer, TheNextPresentWaitsAndNoOtherCall) {
    ColourClient client(start(with_colors()));
    const auto swapchain = client.swapchain_in(pq);
    const SecondWindow other(client);
    const Swapchain elsewhere(client.device, other.surface);
    ASSERT_EQ(client.frame(swapchain), VK_SUCCESS);
    const auto [acquired, index] = client.acquire(swapchain);
    ASSERT_EQ(acquired, VK_SUCCESS);
    compositor_->on_thread([](Scene& scene) { scene.set_descriptions(Descriptions::manual); });
    client.set_metadata(swapchain, metadata(1000));
    wait_for_request();
    const size_t commits = compositor_->commits();
    auto presented = std::async(std::launch::async,
                                [&, image = index] { return client.present(swapchain, image); });
    // While the present waits, other calls do not.
    const auto [acquired_too, second] = client.acquire(swapchain);
    EXPECT_EQ(acquired_too, VK_SUCCESS);
    client.set_metadata(swapchain, metadata(1000));
    const auto [acquired_elsewhere, third] = client.acquire(elsewhere);
    EXPECT_EQ(acquired_elsewhere, VK_SUCCESS);
    EXPECT_EQ(test::present(client.device.other_queue, elsewhere, third), VK_SUCCESS);
    EXPECT_EQ(presented.wait_for(std::chrono::milliseconds(50)), std::future_status::timeout);
    EXPECT_EQ(compositor_->commits(), commits + 1);
    compositor_->on_thread([](Scene& scene) { scene.answer_descriptions(true); });
    EXPECT_EQ(presented.get(), VK_SUCCESS);
    EXPECT_EQ(last_description(), described_by(11, 1000));
    EXPECT_EQ(client.present(swapchain, second), VK_SUCCESS);
    vkDeviceWaitIdle(client.device);
}

TEST_F(SlowAnswer, TheEndOfTheConnectionEndsTheWait) {
    ColourClient client(start(with_colors()));
    const auto swapchain = client.swapchain_in(pq);
    ASSERT_EQ(client.frame(swapchain), VK_SUCCESS);
    const auto [acquired, index] = client.acquire(swapchain);
    ASSERT_EQ(acquired, VK_SUCCESS);
    compositor_->on_thread([](Scene& scene) { scene.set_descriptions(Descriptions::manual); });
    client.set_metadata(swapchain, metadata(1000));
    wait_for_request();
    auto presented = std::async(std::launch::async,
                                [&, image = index] { return client.present(swapchain, image); });
    compositor_->disconnect_clients();
    EXPECT_EQ(presented.get(), VK_ERROR_SURFACE_LOST_KHR);
    vkDeviceWaitIdle(client.device);
}

TEST_F(SlowAnswer, AReplacedRequestIsGivenUp) {
    ColourClient client(start(with_colors()));
    const auto swapchain = client.swapchain_in(pq);
    compositor_->on_thread([](Scene& scene) { scene.set_descriptions(Descriptions::manual); });
    client.set_metadata(swapchain, metadata(1000));
    wait_for_request();
    compositor_->on_thread([](Scene& scene) { scene.set_descriptions(Descriptions::accepted); });
    client.set_metadata(swapchain, metadata(2000));
    ASSERT_EQ(client.frame(swapchain), VK_SUCCESS);
    vkDeviceWaitIdle(client.device);
    EXPECT_EQ(last_description(), described_by(11, 2000));
}

} // namespace
} // namespace fencebridge::test
