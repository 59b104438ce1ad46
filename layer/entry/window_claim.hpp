// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <utility>

#include "swapchain/window.hpp"

namespace fencebridge::entry {

/// The right to present to a native window (Window::native()), in the whole process, through
/// whatever VkSurfaceKHR, VkInstance or VkDevice (VK_ERROR_NATIVE_WINDOW_IN_USE_KHR). One swapchain
/// of the layer's has it at a time, and then none of a driver's. Whether a window can have several
/// swapchains of drivers is for the drivers to say: each of those has a claim.
class WindowClaim {
public:
    /// Who made the swapchain.
    enum class Maker { layer, driver };

    WindowClaim() = default; ///< to no window
    WindowClaim(WindowClaim&& other) noexcept :
        native_(std::exchange(other.native_, {})), maker_(other.maker_) {}
    WindowClaim& operator=(WindowClaim&& other) noexcept {
        std::swap(native_, other.native_);
        std::swap(maker_, other.maker_);
        return *this;
    }
    ~WindowClaim();

    /// @return nothing if a swapchain that excludes this one has a claim
    [[nodiscard]] static std::optional<WindowClaim> claim(const NativeWindow& native, Maker maker);

    [[nodiscard]] bool is_to(const NativeWindow& native) const { return native_ == native; }

    /// Makes a claim of the layer's one of the driver's.
    void pass_to_driver();

private:
    WindowClaim(const NativeWindow& native, Maker maker) : native_(native), maker_(maker) {}

    std::optional<NativeWindow> native_; ///< none: to no window
    Maker maker_ = Maker::layer;
};

/// That a driver has made a swapchain on a VkSurfaceKHR. A driver may keep objects on the native
/// window until that VkSurfaceKHR is destroyed (Mesa its wp_linux_drm_syncobj_surface_v1).
class DriverPresence {
public:
    DriverPresence() = default; ///< on no window
    explicit DriverPresence(const NativeWindow& native);
    DriverPresence(DriverPresence&& other) noexcept : native_(std::exchange(other.native_, {})) {}
    DriverPresence& operator=(DriverPresence&& other) noexcept {
        std::swap(native_, other.native_);
        return *this;
    }
    ~DriverPresence();

    /// Whether there is one on the window, through whatever VkSurfaceKHR.
    [[nodiscard]] static bool is_on(const NativeWindow& native);

    /// Whether this is one.
    [[nodiscard]] explicit operator bool() const { return native_.has_value(); }

private:
    std::optional<NativeWindow> native_;
};

} // namespace fencebridge::entry
