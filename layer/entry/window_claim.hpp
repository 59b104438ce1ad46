// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <utility>

namespace fencebridge::entry {

/// The right to present to a native window (Window::native()). One swapchain of the process has it
/// at a time, through whatever VkSurfaceKHR, VkInstance or VkDevice
/// (VK_ERROR_NATIVE_WINDOW_IN_USE_KHR).
class WindowClaim {
public:
    WindowClaim() = default; ///< to no window
    WindowClaim(WindowClaim&& other) noexcept : native_(std::exchange(other.native_, nullptr)) {}
    WindowClaim& operator=(WindowClaim&& other) noexcept {
        std::swap(native_, other.native_);
        return *this;
    }
    ~WindowClaim();

    /// @return nothing if the window is claimed
    [[nodiscard]] static std::optional<WindowClaim> claim(const void* native);

    [[nodiscard]] bool is_to(const void* native) const { return native_ == native; }

private:
    explicit WindowClaim(const void* native) : native_(native) {}

    const void* native_ = nullptr;
};

} // namespace fencebridge::entry
