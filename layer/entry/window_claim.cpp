// SPDX-License-Identifier: MIT
#include "entry/window_claim.hpp"

#include <set>

#include "util/locked.hpp"

namespace fencebridge::entry {

namespace {

// Never destroyed: an application may use Vulkan from a static destructor of its own.
auto& claimed() {
    static auto* const the = new Locked<std::set<NativeWindow>>;
    return *the;
}

} // namespace

std::optional<WindowClaim> WindowClaim::claim(const NativeWindow& native) {
    if (!claimed().with([&](auto& all) { return all.insert(native).second; }))
        return std::nullopt;
    return WindowClaim(native);
}

WindowClaim::~WindowClaim() {
    if (native_)
        claimed().with([&](auto& all) { all.erase(*native_); });
}

} // namespace fencebridge::entry
