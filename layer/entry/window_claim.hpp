// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <utility>

#include "swapchain/window.hpp"

namespace fencebridge::entry {

/// The right to present to a native window (Window::native()). One swapchain of the process has it
/// at a time, through whatever VkSurfaceKHR, VkInstance or VkDevice
/// (VK_ERROR_NATIVE_WINDOW_IN_USE_KHR).
class WindowClaim {
public:
    WindowClaim() = default; ///< to no window
    WindowClaim(WindowClaim&& other) noexcept : native_(std::exchange(other.native_, {})) {}
    WindowClaim& operator=(WindowClaim&& other) noexcept {
        std::swap(native_, other.native_);
        return *this;
    }
    ~WindowClaim();

    /// @return nothing if the window is claimed
    [[nodiscard]] static std::optional<WindowClaim> claim(const NativeWindow& native);

    [[nodiscard]] bool is_to(const NativeWindow& native) const { return native_ == native; }

private:
    explicit WindowClaim(const NativeWindow& native) : native_(native) {}

    std::optional<NativeWindow> native_; ///< none: to no window
};

} // namespace fencebridge::entry
