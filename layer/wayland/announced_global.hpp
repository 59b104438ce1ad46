// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string_view>
#include <wayland-client.h>

namespace fencebridge::wayland {

/// A global that the compositor announces. Used during wl_registry.global.
class AnnouncedGlobal {
public:
    AnnouncedGlobal(wl_registry* registry, uint32_t name, const char* interface, uint32_t version) :
        registry_(registry), name_(name), interface_(interface), version_(version) {}

    [[nodiscard]] bool is(const wl_interface& interface) const {
        return interface_ == interface.name;
    }
    [[nodiscard]] uint32_t version() const { return version_; }

    /// @param interface  is() must be true
    /// @param version    at most version()
    /// @return null if memory could not be allocated, see failed()
    template <class T>
    [[nodiscard]] T* bind(const wl_interface& interface, uint32_t version) {
        auto* const bound =
            static_cast<T*>(wl_registry_bind(registry_, name_, &interface, version));
        failed_ = failed_ || bound == nullptr;
        return bound;
    }
    /// Whether bind() has failed. Without this, the compositor would seem to lack the global.
    [[nodiscard]] bool failed() const { return failed_; }

private:
    wl_registry* const registry_;
    const uint32_t name_;
    const std::string_view interface_;
    const uint32_t version_;
    bool failed_ = false;
};

} // namespace fencebridge::wayland
