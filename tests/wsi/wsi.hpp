// SPDX-License-Identifier: MIT
// What the tests of the suite `wsi` share. Each test shows one thing that the chapter "Window
// System Integration (WSI)" of the Vulkan specification demands of an implementation.
// tests/wsi/musts.toml lists these demands with their tests.
#pragma once

#include "compositor/fixture.hpp"

#include <cstdlib>
#include <string_view>
#include <vector>

namespace fencebridge::test {

class WsiTest : public CompositorTest {
protected:
    // Starts the compositor of the test. It offers linux-drm-syncobj-v1 if the variable
    // FENCEBRIDGE_SYNC demands the transport that needs it.
    Compositor& start(Script script = {}) {
        const char* transport = getenv("FENCEBRIDGE_SYNC");
        script.globals.syncobj = transport && std::string_view(transport) == "explicit" ? 1 : 0;
        return CompositorTest::start(std::move(script));
    }
    void TearDown() override {
        // A test that runs on swapchains of the driver's shows nothing.
        EXPECT_EQ(fake_driver().call_count("vkCreateSwapchainKHR"), 0u);
        CompositorTest::TearDown();
    }

    // A connection to a compositor that presents on its own, for tests that control nothing. If the
    // variable FENCEBRIDGE_REAL_COMPOSITOR is set, it is that of WAYLAND_DISPLAY.
    wl_display* connect(Script script = busy()) {
        if (getenv("FENCEBRIDGE_REAL_COMPOSITOR"))
            return wl_display_connect(nullptr);
        return start(std::move(script)).connect();
    }
    // A compositor with every protocol for present modes, which repaints periodically.
    static Script busy() {
        return {.globals = {.fifo = 1, .tearing = 1}, .refresh = Refresh::periodic};
    }
};

// All elements of an enumeration: `query` receives a count and an array.
template <class T, class Query>
std::vector<T> list(Query&& query, T initial = {}) {
    uint32_t count = 0;
    EXPECT_EQ(query(&count, nullptr), VK_SUCCESS);
    std::vector<T> all(count, initial);
    EXPECT_EQ(query(&count, all.data()), VK_SUCCESS);
    EXPECT_EQ(count, all.size());
    return all;
}

// The present modes without those of VK_KHR_shared_presentable_image, whose swapchains have one
// image, and which the client's device does not enable.
inline std::vector<VkPresentModeKHR> modes_of(const Client& client) {
    auto all = list<VkPresentModeKHR>([&](uint32_t* count, VkPresentModeKHR* modes) {
        return vkGetPhysicalDeviceSurfacePresentModesKHR(client.device.physical, client.surface,
                                                         count, modes);
    });
    std::erase(all, VK_PRESENT_MODE_SHARED_DEMAND_REFRESH_KHR);
    std::erase(all, VK_PRESENT_MODE_SHARED_CONTINUOUS_REFRESH_KHR);
    return all;
}

inline std::vector<VkSurfaceFormatKHR> formats_of(const Client& client) {
    return list<VkSurfaceFormatKHR>([&](uint32_t* count, VkSurfaceFormatKHR* formats) {
        return vkGetPhysicalDeviceSurfaceFormatsKHR(client.device.physical, client.surface, count,
                                                    formats);
    });
}

inline VkSurfaceCapabilitiesKHR capabilities_of(const Client& client) {
    VkSurfaceCapabilitiesKHR capabilities{};
    EXPECT_EQ(vkGetPhysicalDeviceSurfaceCapabilitiesKHR(client.device.physical, client.surface,
                                                        &capabilities),
              VK_SUCCESS);
    return capabilities;
}

// The bits of a mask, each alone.
template <class Bit>
std::vector<Bit> bits_of(uint32_t mask) {
    std::vector<Bit> bits;
    for (uint32_t bit = 1; bit != 0; bit <<= 1)
        if (mask & bit)
            bits.push_back(Bit(bit));
    return bits;
}

} // namespace fencebridge::test
