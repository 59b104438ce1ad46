// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

namespace fencebridge::wayland {

/// A Wayland protocol of which a wl_surface can have one object at a time. If the application or a
/// toolkit makes that object, the layer must not: the compositor ends the connection of a client
/// that makes two, and no client can ask whether there is one.
enum class Protocol : uint8_t {
    fifo,
    syncobj,
    tearing_control,
    color_management,
    color_representation,
    commit_timing,
};

struct ProtocolRow {
    Protocol protocol;
    std::string_view name;    ///< of the file in wayland-protocols; used by the setting `avoid`
    std::string_view manager; ///< the interface of the global
    uint32_t exists_error;    ///< of the manager: the wl_surface has such an object already
};
inline constexpr std::array<ProtocolRow, 6> protocol_rows = {{
    {Protocol::fifo, "fifo-v1", "wp_fifo_manager_v1", 0},
    {Protocol::syncobj, "linux-drm-syncobj-v1", "wp_linux_drm_syncobj_manager_v1", 0},
    {Protocol::tearing_control, "tearing-control-v1", "wp_tearing_control_manager_v1", 0},
    {Protocol::color_management, "color-management-v1", "wp_color_manager_v1", 1},
    {Protocol::color_representation, "color-representation-v1",
     "wp_color_representation_manager_v1", 1},
    {Protocol::commit_timing, "commit-timing-v1", "wp_commit_timing_manager_v1", 0},
}};

[[nodiscard]] constexpr const ProtocolRow& row_of(Protocol protocol) {
    return *std::ranges::find(protocol_rows, protocol, &ProtocolRow::protocol);
}

/// A set of these protocols.
class ProtocolSet {
public:
    constexpr ProtocolSet() = default; ///< empty
    [[nodiscard]] static constexpr ProtocolSet all() {
        ProtocolSet set;
        for (const ProtocolRow& row : protocol_rows)
            set.add(row.protocol);
        return set;
    }

    constexpr void add(Protocol protocol) { bits_ |= bit(protocol); }
    [[nodiscard]] constexpr bool has(Protocol protocol) const {
        return (bits_ & bit(protocol)) != 0;
    }
    constexpr bool operator==(const ProtocolSet&) const = default;

private:
    static constexpr uint32_t bit(Protocol protocol) {
        return uint32_t{1} << static_cast<uint32_t>(protocol);
    }
    uint32_t bits_ = 0;
};

/// The protocol whose second object on a wl_surface a protocol error is about.
/// @param interface  of the object that has the error
/// @return null if the error is about something else
[[nodiscard]] constexpr const ProtocolRow* find_exists_error(std::string_view interface,
                                                             uint32_t code) {
    const auto* found = std::ranges::find_if(protocol_rows, [&](const ProtocolRow& row) {
        return row.manager == interface && row.exists_error == code;
    });
    return found == protocol_rows.end() ? nullptr : found;
}

} // namespace fencebridge::wayland
