// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <optional>
#include <string>

namespace fencebridge::core {

/// How fences cross between Vulkan and the window system; docs/design.md tells of each.
enum class Transport { explicit_sync, kernel, module, cpu };

/// The name that settings, log and reports use.
[[nodiscard]] const char* name(Transport transport);

/// Why transports cannot be used, for those that were tried and found to lack something.
using TransportLacks = std::map<Transport, std::string>;

struct TransportChoice {
    Transport transport;
    std::string reason;
    /// The setting named a transport that cannot be used; the reason says why.
    bool request_refused;
};

/// The transport to try next, as the one of a swapchain if it turns out to work: the one asked for,
/// and after that the best, unless it is known to lack something. `cpu` always works.
[[nodiscard]] TransportChoice choose_transport(const TransportLacks& lacks,
                                               std::optional<Transport> requested);

} // namespace fencebridge::core
