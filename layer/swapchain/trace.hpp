// SPDX-License-Identifier: MIT
#pragma once

#include <vulkan/vulkan.h>

#include "core/image_ring.hpp"
#include "sync/rendering.hpp"
#include "util/fd.hpp"

/// Trace points of a frame. They do nothing today. Each is called without a lock held, and must not
/// wait. The thread is one of the application's, or that of a DeferredPresenter. `swapchain` names
/// a swapchain: it is the address of its PresentationState.
namespace fencebridge::trace {

/// The application acquires an image. It must wait for `fences` before it draws to the image.
/// Called before the semaphore and fence of the acquire receive the fences. If that fails, undone()
/// follows.
/// @param fences  a sync_file; empty: none was pending
inline void acquired(const void* /*swapchain*/, core::ImageIndex, const Fd& /*fences*/) {}

/// An acquire failed after acquired(), or the application releases the image without a present
/// (vkReleaseSwapchainImagesKHR). The image becomes free after this call.
inline void undone(const void* /*swapchain*/, core::ImageIndex) {}

/// The bridge attached the application's rendering to an image.
inline void attached(const void* /*swapchain*/, core::ImageIndex,
                     const sync::Rendering& /*rendering*/) {}

/// The presenter gave an image to the window system, or failed to.
/// @param result  of Presenter::show()
inline void committed(const void* /*swapchain*/, core::ImageIndex, VkResult) {}

/// The window system has released an image. The presenter or the bridge reports it.
inline void released(const void* /*swapchain*/, core::ImageIndex) {}

} // namespace fencebridge::trace
