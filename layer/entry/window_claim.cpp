// SPDX-License-Identifier: MIT
#include "entry/window_claim.hpp"

#include <map>

#include "util/locked.hpp"

namespace fencebridge::entry {

namespace {

/// The claims to one window.
struct Claims {
    bool layer = false; ///< a swapchain of the layer's has one
    size_t drivers = 0; ///< the number of swapchains of drivers that have one
};

// Never destroyed: an application may use Vulkan from a static destructor of its own.
auto& claimed() {
    static auto* const the = new Locked<std::map<NativeWindow, Claims>>;
    return *the;
}

/// For each window, the number of VkSurfaceKHRs on which a driver has made a swapchain.
auto& presences() {
    static auto* const the = new Locked<std::map<NativeWindow, size_t>>;
    return *the;
}

} // namespace

std::optional<WindowClaim> WindowClaim::claim(const NativeWindow& native, Maker maker) {
    const bool claimed_now = claimed().with([&](auto& all) {
        Claims& claims = all[native]; // with no claim, a new entry
        if (claims.layer || (maker == Maker::layer && claims.drivers > 0))
            return false;
        if (maker == Maker::layer)
            claims.layer = true;
        else
            ++claims.drivers;
        return true;
    });
    if (!claimed_now)
        return std::nullopt;
    return WindowClaim(native, maker);
}

void WindowClaim::pass_to_driver() {
    if (!native_ || maker_ == Maker::driver)
        return;
    claimed().with([&](auto& all) { all.at(*native_) = {.layer = false, .drivers = 1}; });
    maker_ = Maker::driver;
}

WindowClaim::~WindowClaim() {
    if (!native_)
        return;
    claimed().with([&](auto& all) {
        const auto found = all.find(*native_);
        if (maker_ == Maker::layer)
            found->second.layer = false;
        else
            --found->second.drivers;
        if (!found->second.layer && found->second.drivers == 0)
            all.erase(found);
    });
}

DriverPresence::DriverPresence(const NativeWindow& native) {
    presences().with([&](auto& all) { ++all[native]; });
    native_ = native;
}

DriverPresence::~DriverPresence() {
    if (!native_)
        return;
    presences().with([&](auto& all) {
        const auto found = all.find(*native_);
        if (--found->second == 0)
            all.erase(found);
    });
}

bool DriverPresence::is_on(const NativeWindow& native) {
    return presences().with([&](const auto& all) { return all.contains(native); });
}

} // namespace fencebridge::entry
