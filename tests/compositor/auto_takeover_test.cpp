// SPDX-License-Identifier: MIT
// The setting takeover=auto on Wayland, with the layer enabled for every application: a surface is
// left to the driver, unless the driver cannot present to it or treats fences worse than the layer.
#include "fake_module.hpp"
#include "fixture.hpp"

#include "driver/implicit_layer.hpp"
#include "fake_driver/control.hpp"

#include <sys/sysmacros.h>

#include <algorithm>
#include <cerrno>
#include <optional>

namespace fencebridge::test {
namespace {

class AutoTakeover : public CompositorTest {
protected:
    void SetUp() override {
        CompositorTest::SetUp();
        kernel_.emplace();
        kernel_->fail(FakeModule::opening, ENOENT);
    }
    void TearDown() override {
        kernel_.reset();
        CompositorTest::TearDown();
    }

    // What the kernel has for fences of dma-bufs.
    enum class Kernel { nothing, ioctls, module };
    void set_kernel(Kernel has) {
        if (has == Kernel::ioctls)
            kernel_->enable_dma_buf_ioctls();
        kernel_->fail(FakeModule::opening, has == Kernel::module ? 0 : ENOENT);
    }

    static VkBool32 supports(Client& client, VkResult expected = VK_SUCCESS) {
        VkBool32 supported = VK_FALSE;
        EXPECT_EQ(vkGetPhysicalDeviceSurfaceSupportKHR(client.device.physical, 0, client.surface,
                                                       &supported),
                  expected);
        return supported;
    }
    // Queries the surface, and expects that it is supported. minImageCount tells who answers.
    static bool is_the_layers(Client& client) {
        EXPECT_TRUE(supports(client));
        return is_the_layers(client.device.physical, client.surface);
    }
    static bool is_the_layers(VkPhysicalDevice device, VkSurfaceKHR surface) {
        VkSurfaceCapabilitiesKHR capabilities{};
        EXPECT_EQ(vkGetPhysicalDeviceSurfaceCapabilitiesKHR(device, surface, &capabilities),
                  VK_SUCCESS);
        return capabilities.minImageCount != FAKE_DRIVER_NATIVE_MIN_IMAGES;
    }
    // Whether the layer takes over a new surface. Expects one line in the log that says so, with
    // the reason.
    bool takes_over(const std::string& reason, const Script& script = {}) {
        ErrorLog log;
        bool taken_over = false;
        {
            Client client(start(script));
            taken_over = is_the_layers(client);
            Swapchain swapchain = taken_over
                                      ? client.swapchain()
                                      : client.swapchain({.format = FAKE_DRIVER_NATIVE_FORMAT,
                                                          .mode = VK_PRESENT_MODE_IMMEDIATE_KHR});
            EXPECT_EQ(client.frame(swapchain), VK_SUCCESS);
            EXPECT_EQ(fake_driver().live_objects(FAKE_DRIVER_SWAPCHAIN), taken_over ? 0u : 1u);
            EXPECT_EQ(compositor_->commits(), taken_over ? 1u : 0u);
            vkDeviceWaitIdle(client.device);
        }
        compositor_.reset();
        const char* words = taken_over ? "taking a surface over" : "to the driver";
        EXPECT_EQ(log.lines_with({words}).size(), 1u) << log.text();
        EXPECT_EQ(log.lines_with({words, reason}).size(), 1u) << log.text();
        return taken_over;
    }

    static constexpr const char* as_well = "fences as well as the layer's would";
    static constexpr const char* cannot = "the driver cannot present";
    static constexpr const char* lose = "the driver's own swapchains may lose fences";
    static constexpr const char* wait = "the driver's own swapchains wait";

    std::optional<FakeModule> kernel_;
    const ImplicitLayerEnvironment always_on_{ALWAYS_ON_MANIFEST};
};

TEST_F(AutoTakeover, ADriverUsesTheIoctlsUnlessMoreIsKnown) {
    set_kernel(Kernel::ioctls);
    EXPECT_FALSE(takes_over(as_well));
}

// Mesa's Wayland surfaces without linux-dmabuf.
TEST_F(AutoTakeover, ADriverThatSupportsTheSurfaceButHasNoFormatsIsNotUsed) {
    set_kernel(Kernel::ioctls);
    fake_driver().fail_call("vkGetPhysicalDeviceSurfaceFormatsKHR", 1, VK_ERROR_SURFACE_LOST_KHR);
    EXPECT_TRUE(takes_over(cannot));
}

// Its own swapchains need not use SYNC_FD.
TEST_F(AutoTakeover, ADriverWithoutSyncFdUsesTheIoctlsAsWell) {
    set_kernel(Kernel::ioctls);
    fake_driver().set_sync_fd_features(0, 0, 0);
    EXPECT_FALSE(takes_over(as_well));
}

TEST_F(AutoTakeover, TheDriversAnswersToQueriesOfFeaturesStay) {
    fake_driver().add_device_extension(0, VK_KHR_PRESENT_WAIT_EXTENSION_NAME);
    fake_driver().set_swapchain_features(0, VK_FALSE);
    Client client(start());
    VkPhysicalDevicePresentWaitFeaturesKHR present_wait{
        VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PRESENT_WAIT_FEATURES_KHR};
    VkPhysicalDeviceFeatures2 features{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, &present_wait};
    vkGetPhysicalDeviceFeatures2(client.device.physical, &features);
    EXPECT_FALSE(present_wait.presentWait);
}

TEST_F(AutoTakeover, WithoutTheIoctlsTheLayerTakesOver) {
    set_kernel(Kernel::module);
    EXPECT_TRUE(takes_over(lose));
}

// To wait is better than to lose fences.
TEST_F(AutoTakeover, WithoutTheIoctlsTheLayerTakesOverEvenIfItHasToWait) {
    set_kernel(Kernel::nothing);
    EXPECT_TRUE(takes_over(lose));
}

TEST_F(AutoTakeover, ADriverThatLosesFencesAlsoWithTheIoctlsIsNotUsed) {
    set_kernel(Kernel::ioctls);
    fake_driver().set_driver_id(0, VK_DRIVER_ID_MESA_VENUS);
    EXPECT_TRUE(takes_over(lose));
}

TEST_F(AutoTakeover, ADriverThatWaitsIsUsedIfTheLayerWouldWaitToo) {
    set_kernel(Kernel::ioctls);
    fake_driver().set_driver_id(0, VK_DRIVER_ID_NVIDIA_PROPRIETARY);
    EXPECT_FALSE(takes_over(as_well));
}

TEST_F(AutoTakeover, ADriverThatWaitsIsNotUsedIfTheLayerDoesNot) {
    set_kernel(Kernel::ioctls);
    fake_driver().set_driver_id(0, VK_DRIVER_ID_GOOGLE_SWIFTSHADER);
    EXPECT_TRUE(takes_over(wait));
}

TEST_F(AutoTakeover, ADriverThatCannotPresentIsNotUsed) {
    set_kernel(Kernel::ioctls);
    fake_driver().set_presents(0, 0, VK_FALSE);
    EXPECT_TRUE(takes_over(cannot));
}

TEST_F(AutoTakeover, ADriverWithoutSwapchainsIsNotUsed) {
    set_kernel(Kernel::ioctls);
    fake_driver().set_native_wsi(VK_FALSE);
    // Even one that is known to carry fences where it has swapchains.
    fake_driver().set_driver_id(0, VK_DRIVER_ID_MESA_RADV);
    EXPECT_TRUE(takes_over(cannot));
}

// The device passes through, too: nothing that a window system has can change the decision.
TEST_F(AutoTakeover, ADriverThatNeedsNoIoctlsIsUsedEverywhere) {
    for (const Kernel kernel : {Kernel::nothing, Kernel::module, Kernel::ioctls}) {
        set_kernel(kernel);
        fake_driver().set_driver_id(0, VK_DRIVER_ID_MESA_RADV);
        EXPECT_FALSE(takes_over(as_well));
        const FakeDriverCreate& received =
            *fake_driver().device_create(fake_driver().device_creates() - 1);
        EXPECT_EQ(received.extension_count, 1u);
    }
    EXPECT_EQ(fake_driver().device_creates(), 3u); // without a trial
}

TEST_F(AutoTakeover, TheLayerTakesOverIfTheEnvironmentNamesIt) {
    set_kernel(Kernel::ioctls);
    const EnvironmentVariable named{"ENABLE_FENCEBRIDGE", "1"};
    fake_driver().set_driver_id(0, VK_DRIVER_ID_MESA_RADV);
    EXPECT_TRUE(takes_over("by its name"));
}

TEST_F(AutoTakeover, TheLayerTakesOverIfTheSettingIsOn) {
    set_kernel(Kernel::ioctls);
    const EnvironmentVariable on{"FENCEBRIDGE_TAKEOVER", "on"};
    fake_driver().set_driver_id(0, VK_DRIVER_ID_MESA_RADV);
    EXPECT_TRUE(takes_over("the setting takeover is on"));
}

// A device that is not the compositor's.
class ForeignAutoTakeover : public AutoTakeover {
protected:
    void SetUp() override {
        AutoTakeover::SetUp();
        fake_driver().set_drm_nodes(0, makedev(226, 1), makedev(226, 129));
    }
    const Script others_ = {
        .feedback = {makedev(226, 0), {{makedev(226, 128), 0, common_formats()}}}};
};

TEST_F(ForeignAutoTakeover, TheDriversOwnSwapchainsAreUsedIfItHasAny) {
    set_kernel(Kernel::ioctls);
    EXPECT_FALSE(takes_over(as_well, others_));
    fake_driver().set_presents(0, 0, VK_FALSE);
    EXPECT_TRUE(takes_over(cannot, others_));
}

TEST_F(ForeignAutoTakeover, TheDriversOwnSwapchainsAreNotUsedIfTheyLoseFences) {
    set_kernel(Kernel::module);
    EXPECT_TRUE(takes_over(lose, others_));
}

TEST_F(ForeignAutoTakeover, TheLayerTakesOverIfTheSettingIsOn) {
    set_kernel(Kernel::ioctls);
    const EnvironmentVariable on{"FENCEBRIDGE_TAKEOVER", "on"};
    EXPECT_TRUE(takes_over("the setting takeover is on", others_));
}

TEST_F(AutoTakeover, TheDriverIsUsedIfItRefusesADeviceForTheTrial) {
    Client client(start());
    fake_driver().fail_call("vkCreateDevice", 1, VK_ERROR_INITIALIZATION_FAILED);
    EXPECT_FALSE(is_the_layers(client));
    EXPECT_EQ(fake_driver().injected_failures(), 1u);
}

TEST_F(AutoTakeover, ATrialThatFailsForLackOfMemoryIsRepeated) {
    for (const char* call : {"vkCreateDevice", "vkCreateImage", "vkAllocateMemory"}) {
        Client client(start());
        fake_driver().fail_call(call, 1, VK_ERROR_OUT_OF_HOST_MEMORY);
        supports(client, VK_ERROR_OUT_OF_HOST_MEMORY);
        EXPECT_EQ(fake_driver().live_objects(FAKE_DRIVER_DEVICE), 1u) << call;
        EXPECT_TRUE(is_the_layers(client)) << call;
    }
    EXPECT_EQ(fake_driver().injected_failures(), 3u);
}

TEST_F(AutoTakeover, ATrialWhoseDeviceIsLostIsRepeated) {
    for (const char* call : {"vkCreateDevice", "vkAllocateMemory"}) {
        Client client(start());
        fake_driver().fail_call(call, 1, VK_ERROR_DEVICE_LOST);
        supports(client, VK_ERROR_UNKNOWN);
        EXPECT_EQ(fake_driver().live_objects(FAKE_DRIVER_DEVICE), 1u) << call;
        EXPECT_TRUE(is_the_layers(client)) << call;
    }
    EXPECT_EQ(fake_driver().injected_failures(), 2u);
}

// The result of a trial belongs to the device and the compositor, not to the surface.
TEST_F(AutoTakeover, ASecondSurfaceNeedsNoTrial) {
    for (const Kernel kernel : {Kernel::module, Kernel::ioctls}) {
        set_kernel(kernel);
        Client client(start());
        const bool layers = is_the_layers(client);
        EXPECT_EQ(layers, kernel == Kernel::module);
        const uint32_t devices = fake_driver().device_creates();
        const SecondWindow second(client);
        EXPECT_EQ(is_the_layers(client.device.physical, second.surface), layers);
        EXPECT_EQ(fake_driver().device_creates(), devices);
    }
}

TEST_F(AutoTakeover, ASecondSurfaceWithOtherLayoutsNeedsATrial) {
    set_kernel(Kernel::ioctls);
    Compositor& compositor = start();
    Client client(compositor);
    EXPECT_FALSE(is_the_layers(client));
    const uint32_t devices = fake_driver().device_creates();
    Feedback more = linear_feedback();
    more.tranches.push_back({0, 0, common_formats(drm_linear)});
    compositor.on_thread([&](Scene& scene) { scene.set_feedback(more); });
    const SecondWindow second(client);
    EXPECT_FALSE(is_the_layers(client.device.physical, second.surface));
    EXPECT_EQ(fake_driver().device_creates(), devices + 1);
}

std::vector<std::string> extensions_of(const Client& client) {
    uint32_t count = 0;
    vkEnumerateDeviceExtensionProperties(client.device.physical, nullptr, &count, nullptr);
    std::vector<VkExtensionProperties> all(count);
    vkEnumerateDeviceExtensionProperties(client.device.physical, nullptr, &count, all.data());
    std::vector<std::string> names;
    for (const VkExtensionProperties& one : all)
        names.emplace_back(one.extensionName);
    return names;
}

// An application learns the extensions before the surface.
TEST_F(AutoTakeover, ExtensionsThatTheDriverLacksAreOnlyOfferedWhereAllSurfacesAreTheLayers) {
    const std::string only_on_ours = VK_KHR_PRESENT_WAIT_EXTENSION_NAME;
    for (const bool own : {true, false}) {
        fake_driver().set_native_wsi(own ? VK_TRUE : VK_FALSE);
        const Client client(start());
        const auto names = extensions_of(client);
        EXPECT_EQ(std::ranges::count(names, only_on_ours), own ? 0 : 1);
        EXPECT_EQ(std::ranges::count(names, VK_KHR_PRESENT_ID_EXTENSION_NAME), 1);
    }
}

TEST_F(AutoTakeover, QueueFamiliesThatPresentAreTheDriversIfItHasAny) {
    const VkQueueFlags flags[] = {VK_QUEUE_GRAPHICS_BIT, VK_QUEUE_TRANSFER_BIT};
    fake_driver().set_queue_families(0, 2, flags);
    const auto present = [&] {
        const Client client(start());
        std::vector<VkBool32> answers;
        for (const uint32_t family : {0u, 1u})
            answers.push_back(vkGetPhysicalDeviceWaylandPresentationSupportKHR(
                client.device.physical, family, client.app.display()));
        return answers;
    };
    EXPECT_EQ(present(), (std::vector<VkBool32>{VK_TRUE, VK_TRUE}));
    fake_driver().set_presents(0, 1, VK_FALSE);
    EXPECT_EQ(present(), (std::vector<VkBool32>{VK_TRUE, VK_FALSE}));
    fake_driver().set_presents(0, 0, VK_FALSE);
    EXPECT_EQ(present(), (std::vector<VkBool32>{VK_TRUE, VK_TRUE}));
}

} // namespace
} // namespace fencebridge::test
