// SPDX-License-Identifier: MIT
// What fencebridge-info reads in the layer's log.
#include "info/layer_log.hpp"

#include <gtest/gtest.h>

namespace fencebridge::info {
namespace {

const std::string swapchain =
    "fencebridge: info: swapchain 256x256 VK_FORMAT_B8G8R8A8_SRGB present_mode=fifo images=4 "
    "modifier=0x0 allocator=driver-export transport=kernel reason=\"no explicit: no DRM render "
    "node; the best that works\" device=\"A GPU\"";

ChoiceFacts read(const std::vector<std::string>& lines, Outcome outcome = Outcome::passes_through) {
    ChoiceFacts choice;
    choice.outcome = outcome;
    read_layer_log(lines, choice);
    return choice;
}

TEST(InfoLayerLog, ASwapchainOfTheLayers) {
    const ChoiceFacts choice = read({swapchain});
    EXPECT_EQ(choice.outcome, Outcome::carried);
    EXPECT_EQ(choice.transport, "kernel");
    EXPECT_EQ(choice.allocator, "driver-export");
    EXPECT_EQ(choice.format, "B8G8R8A8_SRGB");
    EXPECT_EQ(choice.modifier, "0x0");
    EXPECT_EQ(choice.present_mode, "fifo");
    EXPECT_EQ(choice.images, "4");
    EXPECT_EQ(choice.reason, "no explicit: no DRM render node; the best that works");
}

TEST(InfoLayerLog, TheTransportCpuWaits) {
    std::string line = swapchain;
    line.replace(line.find("transport=kernel"), 16, "transport=cpu");
    EXPECT_EQ(read({line}).outcome, Outcome::waiting);
}

TEST(InfoLayerLog, ATransportWhoseFencesAreIgnoredWaits) {
    EXPECT_EQ(read({"fencebridge: warning: transport kernel: each vkQueuePresentKHR waits for the "
                    "rendering on the CPU",
                    swapchain})
                  .outcome,
              Outcome::waiting);
}

TEST(InfoLayerLog, WithoutASwapchainTheLastDecisionIsTheReason) {
    const ChoiceFacts choice =
        read({"fencebridge: warning: the setting x is unknown",
              "fencebridge: info: device \"A GPU\": leaving its surfaces to the driver"});
    EXPECT_EQ(choice.outcome, Outcome::passes_through);
    EXPECT_EQ(choice.reason, "device \"A GPU\": leaving its surfaces to the driver");
}

TEST(InfoLayerLog, LinesOfOthersAreOutput) {
    const ChoiceFacts choice = read({"MESA: warning", swapchain});
    EXPECT_EQ(choice.probe.output, std::vector<std::string>{"MESA: warning"});
    EXPECT_EQ(choice.log.size(), 1u);
}

TEST(InfoLayerLog, AClosedSwapchainIsNoChoice) {
    const ChoiceFacts choice =
        read({"fencebridge: info: swapchain closed: acquired=0 presented=0"}, Outcome::refused);
    EXPECT_EQ(choice.outcome, Outcome::refused);
    EXPECT_TRUE(choice.transport.empty());
}

} // namespace
} // namespace fencebridge::info
