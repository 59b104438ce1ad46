// SPDX-License-Identifier: MIT
// The manifests of the implicit layer that are installed, and the environment variables that switch
// the layer on and off.
#include "fixture.hpp"
#include "implicit_layer.hpp"
#include "layer.hpp"

namespace fencebridge::test {
namespace {

class ImplicitLayer : public DriverTest {
protected:
    explicit ImplicitLayer(const char* manifest) : layer_{manifest} {}

    static bool layer_takes_over() {
        const Instance instance;
        const Device device{instance.physical_device()};
        EXPECT_EQ(device.result(), VK_SUCCESS);
        return is_taken_over(device);
    }

private:
    const ImplicitLayerEnvironment layer_;
    const EnvironmentVariable no_path_{"VK_LAYER_PATH", ""};
};

class OptInManifest : public ImplicitLayer {
protected:
    OptInManifest() : ImplicitLayer{OPT_IN_MANIFEST} {}
};

TEST_F(OptInManifest, TheLayerIsOffByDefault) { EXPECT_FALSE(layer_takes_over()); }

TEST_F(OptInManifest, TheLayerIsOnIfEnableFencebridgeIsSet) {
    const EnvironmentVariable on{"ENABLE_FENCEBRIDGE", "1"};
    EXPECT_TRUE(layer_takes_over());
}

TEST_F(OptInManifest, TheLayerIsOffIfDisableFencebridgeIsSetToo) {
    const EnvironmentVariable on{"ENABLE_FENCEBRIDGE", "1"};
    const EnvironmentVariable off{"DISABLE_FENCEBRIDGE", "1"};
    EXPECT_FALSE(layer_takes_over());
}

TEST_F(OptInManifest, TheLayersInstanceExtensionsAreListedIfTheDriverLacksThem) {
    fake_driver().set_native_wsi(VK_FALSE);
    EXPECT_FALSE(as_set(instance_extensions()).contains("VK_KHR_wayland_surface"));
    const EnvironmentVariable on{"ENABLE_FENCEBRIDGE", "1"};
    const Names names = as_set(instance_extensions());
    for (const char* const name :
         {"VK_KHR_surface", "VK_KHR_wayland_surface", "VK_KHR_get_surface_capabilities2"})
        EXPECT_TRUE(names.contains(name)) << name;
}

// The loader adds the device extensions of an implicit layer's manifest to those of every physical
// device. So when the layer enumerates the driver's extensions, VK_KHR_swapchain of its own
// manifest is among them.
TEST_F(OptInManifest, VkKhrSwapchainIsListedOnceAndNotEnabledOnADriverWithoutIt) {
    fake_driver().set_native_wsi(VK_FALSE);
    const EnvironmentVariable on{"ENABLE_FENCEBRIDGE", "1"};
    const Instance instance;
    ASSERT_EQ(instance.result(), VK_SUCCESS);
    expect_that_only_the_layer_has_swapchains(instance);
}

// The layer's vkEnumerateDeviceExtensionProperties removes what the loader added. It sees that from
// the order of the list.
TEST_F(OptInManifest, OnADeviceThatPassesThroughOnlyTheDriversExtensionsAreListed) {
    const EnvironmentVariable on{"ENABLE_FENCEBRIDGE", "1"};
    const EnvironmentVariable off{"FENCEBRIDGE_TAKEOVER", "off"};
    const Instance instance;
    Names names = as_set(device_extensions(instance.physical_device()));
    EXPECT_TRUE(names.contains("VK_KHR_swapchain"));
    EXPECT_FALSE(names.contains("VK_KHR_present_id"));
    fake_driver().add_device_extension(0, "VK_KHR_present_id");
    fake_driver().hide_device_extension(0, "VK_KHR_swapchain");
    const Instance other;
    names = as_set(device_extensions(other.physical_device()));
    EXPECT_FALSE(names.contains("VK_KHR_swapchain"));
    EXPECT_TRUE(names.contains("VK_KHR_present_id"));
}

TEST_F(OptInManifest, AnExtensionThatTheDriverLacksIsRefusedOnADeviceThatPassesThrough) {
    const EnvironmentVariable on{"ENABLE_FENCEBRIDGE", "1"};
    const EnvironmentVariable off{"FENCEBRIDGE_TAKEOVER", "off"};
    const Instance instance;
    const Device device{instance.physical_device(),
                        {.extensions = {"VK_KHR_swapchain", "VK_KHR_swapchain_mutable_format"}}};
    EXPECT_EQ(device.result(), VK_ERROR_EXTENSION_NOT_PRESENT);
}

class AlwaysOnManifest : public ImplicitLayer {
protected:
    AlwaysOnManifest() : ImplicitLayer{ALWAYS_ON_MANIFEST} {}
};

TEST_F(AlwaysOnManifest, TheLayerIsOnByDefault) { EXPECT_TRUE(layer_takes_over()); }

TEST_F(AlwaysOnManifest, TheLayerIsOffIfDisableFencebridgeIsSet) {
    const EnvironmentVariable off{"DISABLE_FENCEBRIDGE", "1"};
    EXPECT_FALSE(layer_takes_over());
}

} // namespace
} // namespace fencebridge::test
