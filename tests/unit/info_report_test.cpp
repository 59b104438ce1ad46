// SPDX-License-Identifier: MIT
// The report of fencebridge-info for people, as a whole and in its variants.
#include "info/report.hpp"

#include <gtest/gtest.h>

#include <sstream>

#include "info_machine.hpp"

namespace fencebridge::info {
namespace {

constexpr const char* golden = R"(fencebridge-info 1.2.3
  = The layer would take over, and carry fences.

Kernel
  release             6.1.0-21-amd64 (x86_64)
  fence ioctls        yes: export and import work on a dma-buf of /dev/udmabuf
  module fencebridge  not installed
  /dev/udmabuf        yes
  /dev/dri/card0      i915
  /dev/dri/renderD128 i915; timeline syncobjs work

Compositor
  socket              /run/user/1000/wayland-0
  + zwp_linux_dmabuf_v1 4: images in dma-bufs
  - wp_linux_drm_syncobj_manager_v1 (missing): no transport explicit
  main device         /dev/dri/renderD128
  dma-buf tranche 1   4 pairs of format and modifier, for /dev/dri/renderD128
  dma-buf formats     LINEAR, 0x0100000000000001: XR24 AR24
  wl_shm formats      AR24 XR24

Vulkan
  loader              1.3.239
  layer               found, for Vulkan 1.3.239
  manifest
    /usr/share/vulkan/implicit_layer.d/VkLayer_FENCEBRIDGE_wsi.json
  drivers             /usr/share/vulkan/icd.d/intel_icd.x86_64.json

Device 0: Intel(R) UHD Graphics
  the layer           carries fences by the transport kernel
  because             no explicit: the compositor has no linux-drm-syncobj-v1;
                      the best that works
  images              4 of B8G8R8A8_SRGB, modifier 0x100000000000001, by the
                      allocator driver-export
  driver              Intel open-source Mesa driver, Mesa 22.3.6 (driverID 5,
                      version 0x5803006)
  device              integrated, Vulkan 1.3.230
  render node         /dev/dri/renderD128
  memory              dma-buf (export and import), host-pointer (import)
  semaphores          sync-fd (export and import)
  fences              none
  dma-buf formats     LINEAR, 0x0100000000000001: B8G8R8A8_SRGB
  fence ioctls        yes: export and import work on a dma-buf of the driver
  known traits        its own swapchains treat fences as well as the layer's, on
                      every kernel
  allocators          driver-export
                      dma-heap: no, /dev/dma_heap cannot be opened

What to do
   Nothing: nothing better is known for this machine.
)";

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

TEST(InfoReport, AMachineThatCarriesFences) { EXPECT_EQ(report_text(machine(), false), golden); }

TEST(InfoReport, LinesHaveAtMost80Columns) {
    Facts facts = machine();
    facts.devices.front().choice.log = {"warning: " + std::string(200, 'x')};
    facts.loader.layer_manifests = {"/" + std::string(200, 'x')};
    facts.environment = {"VK_DRIVER_FILES=/" + std::string(200, 'x')};
    std::istringstream lines(report_text(facts, false));
    for (std::string line; std::getline(lines, line);)
        EXPECT_LE(line.size(), 80u) << line;
}

TEST(InfoReport, WithoutCompositorDriverAndLayer) {
    const std::string text = report_text({.version = "1.2.3"}, false);
    EXPECT_TRUE(has(text, "could not be found out")) << text;
    EXPECT_TRUE(has(text, "no DRM nodes")) << text;
    EXPECT_TRUE(has(text, "XDG_RUNTIME_DIR is not set")) << text;
}

TEST(InfoReport, AProbeThatCrashedShowsWhatTheDriverWrote) {
    Facts facts = machine();
    facts.devices.front().driver.probe = {.end = End::crashed,
                                          .step = "vkCreateDevice",
                                          .detail = "SIGSEGV",
                                          .output = {"MESA: error: no"}};
    const std::string text = report_text(facts, false);
    EXPECT_TRUE(has(text, "crashed in vkCreateDevice: SIGSEGV")) << text;
    EXPECT_TRUE(has(text, "MESA: error: no")) << text;
}

TEST(InfoReport, WarningsOfTheLayerAreShownAndItsOtherLinesAreNot) {
    Facts facts = machine();
    facts.devices.front().choice.log = {"warning: a warning", "info: some news"};
    const std::string text = report_text(facts, false);
    EXPECT_TRUE(has(text, "a warning")) << text;
    EXPECT_FALSE(has(text, "some news")) << text;
}

TEST(InfoReport, TheReportForProgramsHasTheVerdictTheAdviceAndTheFacts) {
    const std::string json = report_json(machine());
    EXPECT_TRUE(json.starts_with("{\n  \"verdict\": \"carried\",\n  \"advice\": [],\n"
                                 "  \"version\": \"1.2.3\",\n"))
        << json;
    EXPECT_TRUE(has(json, R"("transport": "kernel")")) << json;
}

} // namespace
} // namespace fencebridge::info
