// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <utility>

namespace fencebridge::entry {

/// The right to show things on a native window: Window::native(). One swapchain at a time has it,
/// in the whole process, through whatever VkSurfaceKHR, VkInstance or VkDevice
/// (VK_ERROR_NATIVE_WINDOW_IN_USE_KHR).
class WindowClaim {
public:
    WindowClaim() = default; ///< to nothing
    WindowClaim(WindowClaim&& other) noexcept : native_(std::exchange(other.native_, nullptr)) {}
    WindowClaim& operator=(WindowClaim&& other) noexcept {
        std::swap(native_, other.native_);
        return *this;
    }
    ~WindowClaim();

    /// @return nothing when another claim has the window
    [[nodiscard]] static std::optional<WindowClaim> take(const void* native);

    [[nodiscard]] bool is_to(const void* native) const { return native_ == native; }

private:
    explicit WindowClaim(const void* native) : native_(native) {}

    const void* native_ = nullptr;
};

} // namespace fencebridge::entry
