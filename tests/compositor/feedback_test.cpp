// SPDX-License-Identifier: MIT
// What the compositor's dma-buf feedback decides: formats, modifiers, alpha, and when a swapchain
// is suboptimal.
#include "fixture.hpp"

#include "fake_driver/control.hpp"

#include <sys/sysmacros.h>

#include <algorithm>
#include <chrono>
#include <future>

namespace fencebridge::test {
namespace {

constexpr uint64_t tiled = 0x0100000000000001;
constexpr uint64_t compressed = 0x0100000000000002;

std::vector<FormatModifier> formats_of(std::vector<uint64_t> modifiers) {
    std::vector<FormatModifier> formats;
    for (uint64_t modifier : modifiers)
        std::ranges::copy(common_formats(modifier), std::back_inserter(formats));
    return formats;
}

// Feedback with one tranche for each list of modifiers.
Feedback feedback_of(std::vector<std::vector<uint64_t>> tranches) {
    Feedback feedback;
    for (auto& modifiers : tranches)
        feedback.tranches.push_back({0, 0, formats_of(modifiers)});
    return feedback;
}

class FeedbackTest : public CompositorTest {
protected:
    // @param not_aliased  the modifiers whose images cannot have VK_IMAGE_CREATE_ALIAS_BIT
    static void driver_has(std::vector<uint64_t> modifiers,
                           std::vector<uint64_t> not_aliased = {}) {
        std::vector<FakeDriverModifier> list;
        std::ranges::transform(modifiers, std::back_inserter(list), driver_modifier);
        for (FakeDriverModifier& modifier : list)
            modifier.aliasable = std::ranges::count(not_aliased, modifier.modifier) == 0;
        for (VkFormat format : {VK_FORMAT_B8G8R8A8_UNORM, VK_FORMAT_B8G8R8A8_SRGB,
                                VK_FORMAT_R8G8B8A8_UNORM, VK_FORMAT_R8G8B8A8_SRGB})
            fake_driver().set_format(FAKE_DRIVER_ALL_DEVICES, format, uint32_t(list.size()),
                                     list.data());
    }

    uint64_t modifier_of(BufferId buffer) {
        return compositor_->on_thread(
            [=](Scene& scene) { return scene.buffer(buffer).planes.at(0).modifier; });
    }

    // The compositor refuses buffers with this modifier, although it may offer it.
    void refuse_buffers_with(uint64_t modifier) {
        compositor_->on_thread([=](Scene& scene) {
            scene.judge_buffers([=](wl_client*, const ClientBuffer& buffer) {
                return buffer.planes.at(0).modifier != modifier;
            });
        });
    }

    // Shows a frame, and returns the modifier of its buffer.
    uint64_t used_modifier(Client& client) {
        Swapchain swapchain = client.swapchain();
        EXPECT_EQ(client.frame(swapchain), VK_SUCCESS);
        vkDeviceWaitIdle(client.device);
        return modifier_of(*compositor_->last_commit().buffer);
    }
};

TEST_F(FeedbackTest, TheFirstTranchesModifierIsPreferred) {
    driver_has({drm_linear, tiled, compressed});
    Client client(start({.feedback = feedback_of({{tiled}, {drm_linear, compressed}})}));
    EXPECT_EQ(used_modifier(client), tiled);
}

// The compositor refuses tiled buffers although it offers them. A new swapchain would use the
// second tranche as well, so this one is not suboptimal.
TEST_F(FeedbackTest, ALaterTrancheIsUsedIfTheCompositorRefusesBuffersOfTheFirst) {
    driver_has({drm_linear, tiled});
    Compositor& compositor = start({.feedback = feedback_of({{tiled}, {drm_linear}})});
    Client client(compositor);
    refuse_buffers_with(tiled);
    Swapchain swapchain = client.swapchain();
    ASSERT_EQ(swapchain.result, VK_SUCCESS);
    for (int i = 0; i < 5; ++i)
        EXPECT_EQ(client.frame(swapchain), VK_SUCCESS);
    vkDeviceWaitIdle(client.device);
    EXPECT_EQ(modifier_of(*compositor.last_commit().buffer), drm_linear);
}

class Refusals : public FeedbackTest {
protected:
    void SetUp() override {
        FeedbackTest::SetUp();
        driver_has({drm_linear, tiled});
        start({.feedback = feedback_of({{tiled}, {drm_linear}})});
        refuse_buffers_with(tiled);
    }
    size_t offers() { return compositor_->requests("zwp_linux_buffer_params_v1", "create"); }
};

// The first swapchain has offered tiled images, and then linear ones.
TEST_F(Refusals, AreNotRepeatedForEachSwapchain) {
    Client client(*compositor_);
    const Swapchain first = client.swapchain();
    EXPECT_EQ(offers(), 2 * first.images.size());
    ErrorLog log;
    const Swapchain second = client.swapchain({.extent = {200, 100}, .old = first.handle});
    EXPECT_EQ(offers(), 2 * first.images.size() + second.images.size());
    EXPECT_EQ(log.lines_with({"the compositor refused a buffer"}).size(), 0u) << log.text();
    EXPECT_EQ(client.frame(second), VK_SUCCESS);
    vkDeviceWaitIdle(client.device);
    EXPECT_EQ(modifier_of(*compositor_->last_commit().buffer), drm_linear);
}

TEST_F(Refusals, AreOfOneFormat) {
    Client client(*compositor_);
    const Swapchain first = client.swapchain({.format = VK_FORMAT_B8G8R8A8_UNORM});
    compositor_->on_thread([](Scene& scene) {
        scene.judge_buffers([](wl_client*, const ClientBuffer&) { return true; });
    });
    const Swapchain second =
        client.swapchain({.format = VK_FORMAT_R8G8B8A8_UNORM, .old = first.handle});
    EXPECT_EQ(client.frame(second), VK_SUCCESS);
    vkDeviceWaitIdle(client.device);
    EXPECT_EQ(modifier_of(*compositor_->last_commit().buffer), tiled);
}

// A compositor's failure may have passed.
TEST_F(Refusals, AreTriedAgainIfNothingElseIsAccepted) {
    Client client(*compositor_);
    const Swapchain first = client.swapchain();
    refuse_buffers_with(drm_linear);
    const Swapchain second = client.swapchain({.old = first.handle});
    EXPECT_EQ(client.frame(second), VK_SUCCESS);
    vkDeviceWaitIdle(client.device);
    EXPECT_EQ(modifier_of(*compositor_->last_commit().buffer), tiled);
}

TEST_F(Refusals, AreForgottenWhenTheFeedbackChanges) {
    Client client(*compositor_);
    const Swapchain first = client.swapchain();
    EXPECT_EQ(client.frame(first), VK_SUCCESS);
    compositor_->on_thread([](Scene& scene) {
        scene.judge_buffers([](wl_client*, const ClientBuffer&) { return true; });
        scene.set_feedback(feedback_of({{tiled}, {drm_linear}, {compressed}}));
    });
    client.app.round_trip();
    EXPECT_EQ(client.frame(first), VK_SUCCESS);
    const Swapchain second = client.swapchain({.old = first.handle});
    EXPECT_EQ(client.frame(second), VK_SUCCESS);
    vkDeviceWaitIdle(client.device);
    EXPECT_EQ(modifier_of(*compositor_->last_commit().buffer), tiled);
}

// The compositor refuses the first buffer and answers for the others later. The answer `created`
// brings the id of a new object. If the client has destroyed the params object by then, libwayland
// ignores the event, does not know the id, and the connection breaks.
TEST_F(FeedbackTest, LateAnswersToBufferRequestsDoNotBreakTheConnection) {
    driver_has({drm_linear, tiled});
    Compositor& compositor = start({.feedback = feedback_of({{tiled}, {drm_linear}})});
    Client client(compositor);
    std::promise<void> go_on;
    std::shared_future<void> may_go_on = go_on.get_future().share();
    compositor.on_thread([may_go_on](Scene& scene) {
        scene.judge_buffers([may_go_on, asked = 0](wl_client* peer, const ClientBuffer&) mutable {
            if (++asked == 2) {
                wl_client_flush(peer); // the refusal
                may_go_on.wait();
            }
            return asked != 1;
        });
    });
    auto made = std::async(std::launch::async, [&] { return client.swapchain(); });
    // The creation returns within this time only if it does not wait for the other answers.
    EXPECT_EQ(made.wait_for(std::chrono::milliseconds(300)), std::future_status::timeout);
    go_on.set_value();
    Swapchain swapchain = made.get();
    ASSERT_EQ(swapchain.result, VK_SUCCESS);
    EXPECT_EQ(client.frame(swapchain), VK_SUCCESS);
    vkDeviceWaitIdle(client.device);
    client.app.round_trip();
    EXPECT_EQ(wl_display_get_error(client.app.display()), 0);
}

TEST_F(FeedbackTest, ALaterTrancheIsUsedIfTheDriverLacksTheModifiersOfTheFirst) {
    driver_has({drm_linear});
    Client client(start({.feedback = feedback_of({{tiled, compressed}, {drm_linear}})}));
    EXPECT_EQ(used_modifier(client), drm_linear);
}

// ANV is a driver of which only LINEAR images can be aliased.
TEST_F(FeedbackTest, AModifierThatCannotBeAliasedIsStillPreferred) {
    driver_has({compressed, tiled, drm_linear}, {compressed, tiled});
    Client client(start({.feedback = feedback_of({{tiled, drm_linear}})}));
    EXPECT_EQ(used_modifier(client), tiled);
}

TEST_F(FeedbackTest, AModifierOfALaterTrancheThatCannotBeAliasedIsStillUsed) {
    driver_has({drm_linear, tiled}, {tiled});
    Client client(start({.feedback = feedback_of({{drm_linear}, {tiled}})}));
    refuse_buffers_with(drm_linear);
    EXPECT_EQ(used_modifier(client), tiled);
}

TEST_F(FeedbackTest, ADriverWhoseImagesCannotBeAliasedIsTakenOver) {
    driver_has({drm_linear}, {drm_linear});
    Client client(start({.feedback = feedback_of({{drm_linear}})}));
    EXPECT_EQ(used_modifier(client), drm_linear);
}

TEST_F(FeedbackTest, SurfaceFeedbackIsPreferredToTheDefault) {
    driver_has({drm_linear, tiled});
    Client client(start({.feedback = feedback_of({{drm_linear}}),
                         .surface_feedback = feedback_of({{tiled}, {drm_linear}})}));
    EXPECT_EQ(used_modifier(client), tiled);
}

TEST_F(FeedbackTest, TheModifiersOfLinuxDmabufVersion3AreUsed) {
    driver_has({tiled});
    Client client(
        start({.globals = {.dmabuf = 3}, .feedback = feedback_of({{drm_linear, tiled}})}));
    EXPECT_EQ(used_modifier(client), tiled);
}

TEST_F(FeedbackTest, TheBufferHasThePlanesAndStridesOfTheDriversImage) {
    FakeDriverModifier two_planes = driver_modifier(compressed);
    two_planes.plane_count = 2;
    two_planes.pitch_alignment = 512;
    two_planes.pitch_shift[1] = 3;
    fake_driver().set_format(FAKE_DRIVER_ALL_DEVICES, VK_FORMAT_B8G8R8A8_UNORM, 1, &two_planes);
    Compositor& compositor = start({.feedback = feedback_of({{compressed}})});
    Client client(compositor);
    Swapchain swapchain = client.swapchain({.extent = {200, 50}});
    ASSERT_EQ(client.frame(swapchain), VK_SUCCESS);
    vkDeviceWaitIdle(client.device);
    auto planes = compositor.on_thread([](Scene& scene) {
        std::vector<std::pair<uint32_t, uint64_t>> layout;
        for (const auto& [index, plane] : scene.buffer(*scene.commits().back().buffer).planes)
            layout.push_back({plane.stride, plane.modifier});
        return layout;
    });
    ASSERT_EQ(planes.size(), 2u);
    EXPECT_EQ(planes[0], std::pair(1024u, compressed));
    EXPECT_EQ(planes[1], std::pair(512u, compressed));
}

TEST_F(FeedbackTest, OnlyFormatsThatDriverAndCompositorShareAreListed) {
    Compositor& compositor =
        start({.feedback = {0, {{0, 0, {{drm_xbgr8888, 0}, {drm_abgr8888, 0}}}}}});
    Client client(compositor);
    uint32_t count = 0;
    ASSERT_EQ(vkGetPhysicalDeviceSurfaceFormatsKHR(client.device.physical, client.surface, &count,
                                                   nullptr),
              VK_SUCCESS);
    std::vector<VkSurfaceFormatKHR> formats(count);
    ASSERT_EQ(vkGetPhysicalDeviceSurfaceFormatsKHR(client.device.physical, client.surface, &count,
                                                   formats.data()),
              VK_SUCCESS);
    EXPECT_GE(count, 2u);
    for (const VkSurfaceFormatKHR& format : formats) {
        EXPECT_TRUE(format.format == VK_FORMAT_R8G8B8A8_UNORM ||
                    format.format == VK_FORMAT_R8G8B8A8_SRGB);
        EXPECT_EQ(format.colorSpace, VK_COLOR_SPACE_SRGB_NONLINEAR_KHR);
    }
}

struct AlphaCase {
    const char* name;
    VkFormat format;
    VkCompositeAlphaFlagBitsKHR alpha;
    uint32_t fourcc;
};

class CompositeAlpha : public FeedbackTest, public testing::WithParamInterface<AlphaCase> {};

TEST_P(CompositeAlpha, TheFourccFollowsTheFormatAndTheCompositeAlpha) {
    Compositor& compositor = start();
    Client client(compositor);
    Swapchain swapchain =
        client.swapchain({.format = GetParam().format, .alpha = GetParam().alpha});
    ASSERT_EQ(client.frame(swapchain), VK_SUCCESS);
    vkDeviceWaitIdle(client.device);
    EXPECT_EQ(compositor.last_commit().format, GetParam().fourcc);
}

constexpr auto opaque = VK_COMPOSITE_ALPHA_OPAQUE_BIT_KHR;
constexpr auto premultiplied = VK_COMPOSITE_ALPHA_PRE_MULTIPLIED_BIT_KHR;
INSTANTIATE_TEST_SUITE_P(
    , CompositeAlpha,
    testing::Values(
        AlphaCase{"BgraOpaque", VK_FORMAT_B8G8R8A8_UNORM, opaque, drm_xrgb8888},
        AlphaCase{"BgraPremultiplied", VK_FORMAT_B8G8R8A8_UNORM, premultiplied, drm_argb8888},
        AlphaCase{"BgraSrgbOpaque", VK_FORMAT_B8G8R8A8_SRGB, opaque, drm_xrgb8888},
        AlphaCase{"RgbaOpaque", VK_FORMAT_R8G8B8A8_UNORM, opaque, drm_xbgr8888},
        AlphaCase{"RgbaPremultiplied", VK_FORMAT_R8G8B8A8_UNORM, premultiplied, drm_abgr8888},
        AlphaCase{"RgbaSrgbPremultiplied", VK_FORMAT_R8G8B8A8_SRGB, premultiplied, drm_abgr8888}),
    [](auto& tested) { return std::string(tested.param.name); });

VkCompositeAlphaFlagsKHR alpha_modes(Client& client) {
    VkSurfaceCapabilitiesKHR capabilities{};
    EXPECT_EQ(vkGetPhysicalDeviceSurfaceCapabilitiesKHR(client.device.physical, client.surface,
                                                        &capabilities),
              VK_SUCCESS);
    return capabilities.supportedCompositeAlpha;
}

TEST_F(FeedbackTest, OpaqueAndPremultipliedAlphaAreOfferedIfTheCompositorHasBothKindsOfFormats) {
    Client client(start());
    EXPECT_EQ(alpha_modes(client) & (opaque | premultiplied),
              VkCompositeAlphaFlagsKHR(opaque | premultiplied));
}

TEST_F(FeedbackTest, PremultipliedAlphaIsNotOfferedWithoutAnAlphaFormat) {
    Client client(start({.feedback = {0, {{0, 0, {{drm_xrgb8888, 0}, {drm_xbgr8888, 0}}}}}}));
    EXPECT_EQ(alpha_modes(client), VkCompositeAlphaFlagsKHR(opaque));
}

// --- new feedback while a swapchain is in use ---

class NewFeedback : public FeedbackTest {
protected:
    // Returns the result of the first present after the compositor has replaced its feedback.
    VkResult frame_after(Feedback first, Feedback second, std::vector<uint64_t> not_aliased = {}) {
        driver_has({drm_linear, tiled}, std::move(not_aliased));
        Compositor& compositor = start({.feedback = std::move(first)});
        Client client(compositor);
        Swapchain swapchain = client.swapchain();
        EXPECT_EQ(client.frame(swapchain), VK_SUCCESS);
        EXPECT_EQ(client.frame(swapchain), VK_SUCCESS);
        auto [acquired, index] = client.acquire(swapchain);
        EXPECT_EQ(acquired, VK_SUCCESS);
        compositor.on_thread([&](Scene& scene) { scene.set_feedback(std::move(second)); });
        client.app.round_trip();
        VkResult result = client.present(swapchain, index);
        EXPECT_EQ(compositor.commits(), 3u); // a suboptimal frame is committed as well
        vkDeviceWaitIdle(client.device);
        return result;
    }
};

TEST_F(NewFeedback, PresentIsSuboptimalIfTheModifierIsNoLongerOffered) {
    EXPECT_EQ(frame_after(feedback_of({{tiled}, {drm_linear}}), feedback_of({{drm_linear}})),
              VK_SUBOPTIMAL_KHR);
}

TEST_F(NewFeedback, PresentIsSuboptimalIfAnotherModifierIsPreferred) {
    EXPECT_EQ(frame_after(feedback_of({{drm_linear}}), feedback_of({{tiled}, {drm_linear}})),
              VK_SUBOPTIMAL_KHR);
}

TEST_F(NewFeedback, PresentIsSuboptimalIfAModifierThatCannotBeAliasedIsPreferred) {
    EXPECT_EQ(
        frame_after(feedback_of({{drm_linear}}), feedback_of({{tiled}, {drm_linear}}), {tiled}),
        VK_SUBOPTIMAL_KHR);
}

TEST_F(NewFeedback, PresentIsNotSuboptimalIfTheFeedbackIsTheSame) {
    EXPECT_EQ(
        frame_after(feedback_of({{tiled}, {drm_linear}}), feedback_of({{tiled}, {drm_linear}})),
        VK_SUCCESS);
}

TEST_F(NewFeedback, PresentIsNotSuboptimalIfTheDriverLacksThePreferredModifier) {
    EXPECT_EQ(frame_after(feedback_of({{drm_linear}}), feedback_of({{compressed}, {drm_linear}})),
              VK_SUCCESS);
}

TEST_F(NewFeedback, PresentIsNotSuboptimalIfALessPreferredTrancheIsAdded) {
    EXPECT_EQ(frame_after(feedback_of({{drm_linear}}), feedback_of({{drm_linear}, {tiled}})),
              VK_SUCCESS);
}

// The compositor refuses tiled buffers, although it offers them before and after the change. A new
// swapchain would be linear, too.
TEST_F(NewFeedback, ALayoutThatTheCompositorHasRefusedIsNotPreferred) {
    driver_has({tiled, drm_linear, compressed});
    Compositor& compositor = start({.feedback = feedback_of({{tiled}, {drm_linear}})});
    Client client(compositor);
    refuse_buffers_with(tiled);
    Swapchain swapchain = client.swapchain();
    ASSERT_EQ(client.frame(swapchain), VK_SUCCESS);
    const auto frame_with = [&](Feedback feedback) {
        compositor.on_thread([&](Scene& scene) { scene.set_feedback(std::move(feedback)); });
        client.app.round_trip();
        const VkResult result = client.frame(swapchain);
        vkDeviceWaitIdle(client.device);
        return result;
    };
    EXPECT_EQ(frame_with(feedback_of({{tiled}, {drm_linear}, {compressed}})), VK_SUCCESS);
    EXPECT_EQ(frame_with(feedback_of({{tiled}, {drm_linear, compressed}})), VK_SUCCESS);
    // These may bring another layout.
    EXPECT_EQ(frame_with(feedback_of({{tiled}, {compressed}, {drm_linear}})), VK_SUBOPTIMAL_KHR);
    EXPECT_EQ(frame_with(feedback_of({{tiled, compressed}, {drm_linear}})), VK_SUBOPTIMAL_KHR);
    EXPECT_EQ(frame_with(feedback_of({{tiled}, {drm_linear}})), VK_SUCCESS);
}

// The same, if the driver cannot make the images.
TEST_F(NewFeedback, ALayoutThatTheDriverHasRefusedIsNotPreferred) {
    driver_has({tiled, drm_linear});
    Compositor& compositor = start({.feedback = feedback_of({{tiled}, {drm_linear}})});
    Client client(compositor);
    fake_driver().fail_call("vkCreateImage", 1, VK_ERROR_FORMAT_NOT_SUPPORTED);
    Swapchain swapchain = client.swapchain();
    ASSERT_EQ(client.frame(swapchain), VK_SUCCESS);
    compositor.on_thread([](Scene& scene) {
        scene.set_feedback(feedback_of({{tiled}, {drm_linear}, {compressed}}));
    });
    client.app.round_trip();
    EXPECT_EQ(client.frame(swapchain), VK_SUCCESS);
    vkDeviceWaitIdle(client.device);
    EXPECT_EQ(modifier_of(*compositor.last_commit().buffer), drm_linear);
}

// A window that is scanned out for a while.
TEST_F(NewFeedback, PresentIsSuboptimalOnlyAsLongAsAnotherModifierIsPreferred) {
    driver_has({drm_linear, tiled});
    Compositor& compositor = start({.feedback = feedback_of({{drm_linear}})});
    Client client(compositor);
    Swapchain swapchain = client.swapchain();
    for (int i = 0; i < 3; ++i) {
        ASSERT_EQ(client.frame(swapchain), VK_SUCCESS);
        compositor.on_thread([](Scene& scene) {
            scene.set_feedback(feedback_of({{tiled}, {drm_linear}}));
        });
        client.app.round_trip();
        EXPECT_EQ(client.frame(swapchain), VK_SUBOPTIMAL_KHR);
        compositor.on_thread([](Scene& scene) { scene.set_feedback(feedback_of({{drm_linear}})); });
        client.app.round_trip();
        EXPECT_EQ(client.frame(swapchain), VK_SUCCESS);
    }
    vkDeviceWaitIdle(client.device);
}

// The compositor changes to another GPU, with which the driver shares the linear layout at most.
TEST_F(NewFeedback, PresentIsSuboptimalUntilTheNextSwapchainIfTheCompositorChangesTheGpu) {
    const dev_t own = makedev(226, 128);
    const dev_t other = makedev(226, 129);
    const auto on = [](dev_t device) {
        return Feedback{device, {{device, 0, formats_of({tiled, drm_linear})}}};
    };
    fake_driver().set_drm_nodes(0, makedev(226, 0), own);
    driver_has({tiled, drm_linear});
    Compositor& compositor = start({.feedback = on(own)});
    Client client(compositor);
    Swapchain swapchain = client.swapchain();
    ASSERT_EQ(client.frame(swapchain), VK_SUCCESS);
    ASSERT_EQ(modifier_of(*compositor.last_commit().buffer), tiled);
    compositor.on_thread([&](Scene& scene) { scene.set_feedback(on(other)); });
    client.app.round_trip();
    EXPECT_EQ(client.frame(swapchain), VK_SUBOPTIMAL_KHR);
    Swapchain next = client.swapchain({.old = swapchain});
    EXPECT_EQ(client.frame(next), VK_SUCCESS);
    EXPECT_EQ(client.frame(next), VK_SUCCESS);
    vkDeviceWaitIdle(client.device);
    EXPECT_EQ(modifier_of(*compositor.last_commit().buffer), drm_linear);
}

// A suboptimal acquire returns an image as a successful one does.
TEST_F(NewFeedback, AcquireIsSuboptimalUntilTheSwapchainIsReplaced) {
    driver_has({drm_linear, tiled});
    Compositor& compositor = start({.feedback = feedback_of({{drm_linear}})});
    Client client(compositor);
    Swapchain swapchain = client.swapchain();
    ASSERT_EQ(client.frame(swapchain), VK_SUCCESS);
    compositor.on_thread([](Scene& scene) { scene.set_feedback(feedback_of({{tiled}})); });
    client.app.round_trip();
    for (int i = 0; i < 2; ++i) {
        auto [result, index] = client.acquire(swapchain);
        EXPECT_EQ(result, VK_SUBOPTIMAL_KHR);
        EXPECT_EQ(client.present(swapchain, index), VK_SUBOPTIMAL_KHR);
    }
    EXPECT_EQ(compositor.commits(), 3u);
    EXPECT_EQ(client.acquire(client.swapchain({.old = swapchain})).result, VK_SUCCESS);
    vkDeviceWaitIdle(client.device);
}

// Each of these swapchains is the only one on its wl_surface, so the layer requests the feedback
// again. The compositor refuses buffers of the first tranche, so a new swapchain would use the
// second tranche as well.
TEST_F(NewFeedback, TheNextSwapchainIsNotSuboptimalIfTheFeedbackIsRepeated) {
    driver_has({drm_linear, tiled});
    Client client(start({.feedback = feedback_of({{tiled}, {drm_linear}})}));
    refuse_buffers_with(tiled);
    for (int i = 0; i < 3; ++i) {
        Swapchain swapchain = client.swapchain();
        client.app.round_trip();
        EXPECT_EQ(client.frame(swapchain), VK_SUCCESS);
        EXPECT_EQ(client.frame(swapchain), VK_SUCCESS);
        vkDeviceWaitIdle(client.device);
    }
}

TEST_F(NewFeedback, TheNextSwapchainUsesTheNewModifier) {
    driver_has({drm_linear, tiled});
    Compositor& compositor = start({.feedback = feedback_of({{drm_linear}})});
    Client client(compositor);
    Swapchain first = client.swapchain();
    ASSERT_EQ(client.frame(first), VK_SUCCESS);
    compositor.on_thread([](Scene& scene) { scene.set_feedback(feedback_of({{tiled}})); });
    client.app.round_trip();
    EXPECT_EQ(client.frame(first), VK_SUBOPTIMAL_KHR);
    Swapchain second = client.swapchain({.old = first});
    ASSERT_EQ(client.frame(second), VK_SUCCESS);
    EXPECT_EQ(modifier_of(*compositor.last_commit().buffer), tiled);
    EXPECT_EQ(client.frame(second), VK_SUCCESS);
    vkDeviceWaitIdle(client.device);
}

} // namespace
} // namespace fencebridge::test
