// SPDX-License-Identifier: MIT
#pragma once

#include <optional>

#include "core/transport_choice.hpp"

// Whether the layer or the driver makes the swapchains of a surface, where the settings leave the
// choice to the layer; docs/takeover.md, "Whose swapchains".

namespace fencebridge::core {

/// When a surface is left to a driver that can present to it.
enum class Yield {
    never,
    if_it_presents,       ///< always
    if_it_carries_fences, ///< unless its swapchains treat fences worse than the layer's
};

/// What happens to the fences of a swapchain, in either direction. A greater value is better.
enum class FenceCarriage {
    lost,       ///< somebody may read or draw too early
    waited_for, ///< a thread waits on the CPU: the application's or, with wl_shm, the layer's
    carried,
};

/// What a driver's own swapchains do with fences where the window system has no timelines.
enum class OwnFences {
    lost,
    waited_for,
    by_ioctls, ///< carried if the kernel has the dma-buf ioctls (Linux 6.0), else lost
    carried,   ///< on every kernel
};

/// @param ignored  whether the window system ignores fences that are attached to the images
[[nodiscard]] constexpr FenceCarriage carriage_by(Transport transport, bool ignored) {
    const bool attached = transport == Transport::kernel || transport == Transport::module;
    return transport == Transport::cpu || (attached && ignored) ? FenceCarriage::waited_for
                                                                : FenceCarriage::carried;
}

/// A driver's own swapchains.
struct OwnSwapchains {
    bool use_timelines = false; ///< if the window system has them
    OwnFences otherwise = OwnFences::by_ioctls;
};

/// What must be tried on an image, since only a dma-buf shows what the kernel can do.
struct TriedFences {
    bool kernel_ioctls;   ///< the dma-buf ioctls work
    FenceCarriage layers; ///< by the best transport of the layer's
};

/// @param timelines      whether the window system has timelines
/// @param kernel_ioctls  nothing: not known yet
/// @return nothing: it depends on the ioctls
[[nodiscard]] constexpr std::optional<FenceCarriage>
drivers_carriage(const OwnSwapchains& own, bool timelines, std::optional<bool> kernel_ioctls) {
    if (own.use_timelines && timelines)
        return FenceCarriage::carried;
    switch (own.otherwise) {
    case OwnFences::lost:
        return FenceCarriage::lost;
    case OwnFences::waited_for:
        return FenceCarriage::waited_for;
    case OwnFences::carried:
        return FenceCarriage::carried;
    case OwnFences::by_ioctls:
        break;
    }
    if (!kernel_ioctls)
        return std::nullopt;
    return *kernel_ioctls ? FenceCarriage::carried : FenceCarriage::lost;
}

/// Whether the driver's own swapchains are as good as the layer's on every kernel and with every
/// window system.
[[nodiscard]] constexpr bool always_carry_fences(const OwnSwapchains& own) {
    return own.otherwise == OwnFences::carried;
}

/// The reason for the log, if the layer's swapchains carry fences better than the driver's.
/// @return null if they do not
[[nodiscard]] constexpr const char* why_the_layers_are_better(FenceCarriage drivers,
                                                              FenceCarriage layers) {
    if (layers <= drivers)
        return nullptr;
    return drivers == FenceCarriage::lost ? "the driver's own swapchains may lose fences here"
                                          : "the driver's own swapchains wait on the CPU here";
}

} // namespace fencebridge::core
