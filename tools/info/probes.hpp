// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "info/probe_pipe.hpp"

// The probes. Each is the main function of a process of its own. It may hang or crash: what it has
// found out until then has been sent.

namespace fencebridge::info {

/// The kernel's ioctls, the module, DRM nodes, and sources of dma-bufs.
void probe_kernel(ProbeProgress<KernelFacts>& progress);

/// The compositor of WAYLAND_DISPLAY.
void probe_display(ProbeProgress<DisplayFacts>& progress);

/// The Vulkan loader: whether it knows the layer, and the names of all physical devices.
void probe_loader(ProbeProgress<LoaderFacts>& progress);

/// What a driver says of its physical device, without the layer.
/// @param index  in the order of vkEnumeratePhysicalDevices
void probe_driver(ProbeProgress<DriverFacts>& progress, uint32_t index);

/// Makes a swapchain through the layer. The layer's log says what it has chosen.
/// @param headless  on a headless surface; else on a wl_surface, which is never shown
void probe_choice(ProbeProgress<ChoiceFacts>& progress, uint32_t index, bool headless);

} // namespace fencebridge::info
