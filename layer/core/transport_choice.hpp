// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>

namespace fencebridge::core {

/// How fences cross between Vulkan and the window system; docs/design.md tells of each.
enum class Transport { explicit_sync, kernel, module, cpu };

/// The name that settings, log and reports use.
[[nodiscard]] const char* name(Transport transport);

/// What was found when each transport was tried: why it cannot be used, or nothing when it can.
/// `cpu` needs nothing.
struct TransportProbe {
    std::optional<std::string> explicit_sync_lacks;
    std::optional<std::string> kernel_lacks;
    std::optional<std::string> module_lacks;
};

struct TransportChoice {
    Transport transport;
    std::string reason;
    /// The setting named a transport that cannot be used; the reason says why.
    bool request_refused;
};

/// The transport of a swapchain: the one asked for if it can be used, else the best that can.
[[nodiscard]] TransportChoice choose_transport(const TransportProbe& probe,
                                               std::optional<Transport> requested);

} // namespace fencebridge::core
