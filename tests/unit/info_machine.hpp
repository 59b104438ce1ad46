// SPDX-License-Identifier: MIT
// A machine for the tests of fencebridge-info: a GPU, a compositor, and the transport `kernel`.
#pragma once

#include "info/facts.hpp"

namespace fencebridge::info {

inline FenceOperations working() { return {{State::yes}, {State::yes}}; }

inline Facts machine() {
    const ProbeEnd complete = {.end = End::complete};
    Facts facts = {
        .version = "1.2.3",
        .kernel = {.probe = complete,
                   .release = "6.1.0-21-amd64",
                   .architecture = "x86_64",
                   .buffer = "/dev/udmabuf",
                   .operations = working(),
                   .module = {.device = {State::absent, "/dev/fencebridge: No such file"}},
                   .memory_sources = {{"/dev/udmabuf", {State::yes}}},
                   .drm_nodes = {{"/dev/dri/card0", "i915", {State::yes}, {}},
                                 {"/dev/dri/renderD128", "i915", {State::yes}, {State::yes}}}},
        .display = {.probe = complete,
                    .socket = "/run/user/1000/wayland-0",
                    .connection = {State::yes},
                    .globals = {{"zwp_linux_dmabuf_v1", 4, true, "images in dma-bufs"},
                                {"wp_linux_drm_syncobj_manager_v1", 0, true, "transport explicit"}},
                    .main_device = "/dev/dri/renderD128",
                    .tranches = {{"/dev/dri/renderD128", 4}},
                    .dmabuf_formats = {{"XR24", {"0x0000000000000000", "0x0100000000000001"}},
                                       {"AR24", {"0x0000000000000000", "0x0100000000000001"}}},
                    .shm_formats = {"AR24", "XR24"}},
        .loader = {.probe = complete,
                   .library = {State::yes},
                   .version = "1.3.239",
                   .layer = {State::yes, "Vulkan 1.3.239"},
                   .layer_manifests = {"/usr/share/vulkan/implicit_layer.d/"
                                       "VkLayer_FENCEBRIDGE_wsi.json"},
                   .drivers = {"/usr/share/vulkan/icd.d/intel_icd.x86_64.json"},
                   .devices = {"Intel(R) UHD Graphics"}},
    };
    facts.devices.push_back(
        {.name = "Intel(R) UHD Graphics",
         .driver =
             {.probe = complete,
              .type = "integrated",
              .api_version = "1.3.230",
              .driver_id = 5,
              .driver_name = "Intel open-source Mesa driver",
              .driver_info = "Mesa 22.3.6",
              .driver_version = "0x5803006",
              .primary_node = "/dev/dri/card0",
              .render_node = "/dev/dri/renderD128",
              .handles = {{"memory", "dma-buf", true, true},
                          {"memory", "host-pointer", false, true},
                          {"semaphore", "sync-fd", true, true},
                          {"fence", "sync-fd", false, false}},
              .formats = {{"B8G8R8A8_SRGB", {"0x0000000000000000", "0x0100000000000001"}}},
              .traits = {"its own swapchains treat fences as well as the layer's, on every kernel"},
              .allocators = {{"driver-export", ""}, {"dma-heap", "/dev/dma_heap cannot be opened"}},
              .operations = working()},
         .choice = {.probe = complete,
                    .surface = "wayland",
                    .outcome = Outcome::carried,
                    .transport = "kernel",
                    .allocator = "driver-export",
                    .format = "B8G8R8A8_SRGB",
                    .modifier = "0x100000000000001",
                    .present_mode = "fifo",
                    .images = "4",
                    .reason = "no explicit: the compositor has no linux-drm-syncobj-v1; the best "
                              "that works"}});
    return facts;
}

} // namespace fencebridge::info
