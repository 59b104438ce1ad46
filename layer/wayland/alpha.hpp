// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <memory>
#include <wayland-client.h>

#include "wayland/announced_global.hpp"

// Not in every build's protocol headers.
struct wp_color_representation_manager_v1;
struct wp_color_representation_surface_v1;

namespace fencebridge::wayland {

struct AlphaDestroyer {
    void operator()(wp_color_representation_manager_v1* manager) const;
    void operator()(wp_color_representation_surface_v1* surface) const;
};

/// The global of color-representation-v1, if the build and the compositor have it. The layer uses
/// its alpha modes only.
class AlphaManager {
public:
    AlphaManager() = default;
    AlphaManager(const AlphaManager&) = delete;
    AlphaManager& operator=(const AlphaManager&) = delete;

    /// For each global of the registry: binds it if it is the protocol's.
    void bind(AnnouncedGlobal& global);

    /// Whether has_straight() is final: there is no global, or its events have been dispatched.
    [[nodiscard]] bool is_described() const { return !manager_ || done_; }
    /// Whether the compositor can multiply the colours by the alpha channel.
    [[nodiscard]] bool has_straight() const { return straight_; }

    /// Null if the build or the compositor lacks the protocol.
    [[nodiscard]] wp_color_representation_manager_v1* get() const { return manager_.get(); }

private:
    struct Handlers;

    std::unique_ptr<wp_color_representation_manager_v1, AlphaDestroyer> manager_;
    std::atomic<bool> straight_ = false;
    std::atomic<bool> done_ = false;
};

/// A wl_surface's wp_color_representation_surface_v1, which exists while images with straight alpha
/// are shown. Its functions are called between the requests of one commit.
class SurfaceAlpha {
public:
    /// The next commit has straight alpha. Makes no request if the last commit had.
    /// @return false if memory could not be allocated
    [[nodiscard]] bool set_straight(const AlphaManager& manager, wl_surface* surface);
    /// The next commit has pre-multiplied alpha, which surfaces without the object have.
    void set_premultiplied() { surface_.reset(); }

private:
    std::unique_ptr<wp_color_representation_surface_v1, AlphaDestroyer> surface_;
};

} // namespace fencebridge::wayland
