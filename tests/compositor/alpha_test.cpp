// SPDX-License-Identifier: MIT
// VK_COMPOSITE_ALPHA_POST_MULTIPLIED_BIT_KHR by color-representation-v1.
#include "fixture.hpp"

#include <cstdlib>

namespace fencebridge::test {
namespace {

constexpr auto opaque = VK_COMPOSITE_ALPHA_OPAQUE_BIT_KHR;
constexpr auto premultiplied = VK_COMPOSITE_ALPHA_PRE_MULTIPLIED_BIT_KHR;
constexpr auto postmultiplied = VK_COMPOSITE_ALPHA_POST_MULTIPLIED_BIT_KHR;
constexpr uint32_t straight = 2; // wp_color_representation_surface_v1.alpha_mode

Script with_modes(std::vector<uint32_t> modes) {
    Script script;
    script.globals.color_representation = 1;
    script.alpha_modes = std::move(modes);
    return script;
}

class Alpha : public CompositorTest {
protected:
    static VkCompositeAlphaFlagsKHR modes_of(Client& client) {
        VkSurfaceCapabilitiesKHR capabilities{};
        EXPECT_EQ(vkGetPhysicalDeviceSurfaceCapabilitiesKHR(client.device.physical, client.surface,
                                                            &capabilities),
                  VK_SUCCESS);
        return capabilities.supportedCompositeAlpha;
    }
    // The alpha mode of a frame, and whether its format has an alpha channel.
    std::pair<std::optional<uint32_t>, bool> show(Client& client, const Swapchain& swapchain) {
        EXPECT_EQ(client.frame(swapchain), VK_SUCCESS);
        vkDeviceWaitIdle(client.device);
        const Commit commit = compositor_->last_commit();
        return {commit.alpha_mode, commit.format == drm_argb8888};
    }
};

using Shown = std::pair<std::optional<uint32_t>, bool>;

TEST_F(Alpha, StraightAlphaIsOfferedIfTheCompositorHasIt) {
    Client client(start(with_modes({0, 1, 2})));
    EXPECT_EQ(modes_of(client), VkCompositeAlphaFlagsKHR(opaque | premultiplied | postmultiplied));
}

TEST_F(Alpha, StraightAlphaIsNotOfferedIfTheCompositorLacksIt) {
    Client client(start(with_modes({0, 1})));
    EXPECT_EQ(modes_of(client), VkCompositeAlphaFlagsKHR(opaque | premultiplied));
}

TEST_F(Alpha, StraightAlphaIsNotOfferedIfTheSettingAvoidNamesItsProtocol) {
    setenv("FENCEBRIDGE_AVOID", "color-representation-v1", 1);
    Client client(start(with_modes({0, 1, 2})));
    unsetenv("FENCEBRIDGE_AVOID");
    EXPECT_EQ(modes_of(client), VkCompositeAlphaFlagsKHR(opaque | premultiplied));
    EXPECT_EQ(client.swapchain({.alpha = postmultiplied}).result, VK_ERROR_INITIALIZATION_FAILED);
    EXPECT_EQ(show(client, client.swapchain({.alpha = premultiplied})), Shown(std::nullopt, true));
}

TEST_F(Alpha, StraightAlphaIsNotOfferedWithoutAFormatThatBlends) {
    Script script = with_modes({0, 1, 2});
    script.feedback = {0, {{0, 0, {{drm_xrgb8888, drm_linear}}}}};
    Client client(start(script));
    EXPECT_EQ(modes_of(client), VkCompositeAlphaFlagsKHR(opaque));
}

TEST_F(Alpha, EachSwapchainIsShownWithItsMode) {
    Client client(start(with_modes({0, 1, 2})));
    const auto swapchain_of = [&](VkCompositeAlphaFlagBitsKHR alpha) {
        return client.swapchain({.alpha = alpha});
    };
    EXPECT_EQ(show(client, swapchain_of(opaque)), Shown(std::nullopt, false));
    EXPECT_EQ(show(client, swapchain_of(premultiplied)), Shown(std::nullopt, true));
    EXPECT_EQ(compositor_->requests("wp_color_representation_manager_v1", "get_surface"), 0u);
    EXPECT_EQ(show(client, swapchain_of(postmultiplied)), Shown(straight, true));
}

TEST_F(Alpha, TheModeIsSetOnceAndEndsWithTheNextSwapchain) {
    Client client(start(with_modes({0, 1, 2})));
    auto swapchain = client.swapchain({.alpha = postmultiplied});
    for (int frame = 0; frame < 5; ++frame)
        EXPECT_EQ(show(client, swapchain), Shown(straight, true));
    EXPECT_EQ(compositor_->requests("wp_color_representation_surface_v1", "set_alpha_mode"), 1u);
    auto next = client.swapchain({.alpha = premultiplied, .old = swapchain});
    EXPECT_EQ(show(client, next), Shown(std::nullopt, true));
    EXPECT_EQ(compositor_->requests("wp_color_representation_surface_v1", "destroy"), 1u);
}

} // namespace
} // namespace fencebridge::test
