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

/// What a driver can do with sync_files (VK_EXTERNAL_*_HANDLE_TYPE_SYNC_FD_BIT).
struct DriverSyncFd {
    bool export_semaphore = true;
    bool import_semaphore = true;
    bool export_fence = true;
    bool import_fence = true;
};

/// What has been found out so far for a choice of transport.
struct TransportFacts {
    DriverSyncFd driver;
    /// Why transports cannot be used, for those that were tried and found to lack something: in the
    /// compositor, in the DRM device, in the kernel, the module.
    std::map<Transport, std::string> lacks;
};

struct TransportChoice {
    Transport transport;
    std::string reason;
    /// The setting named a transport that cannot be used; the reason says why.
    bool request_refused;
};

/// The transport to try next, as the one of a swapchain if it turns out to work: the one asked for,
/// and after that the best, unless it is known to lack something. `cpu` always works.
///
/// All others carry sync_files, for which the driver must turn semaphores into them, itself or by
/// way of a fence, and them into semaphores. A fence it can signal by a submission, too.
[[nodiscard]] TransportChoice choose_transport(const TransportFacts& facts,
                                               std::optional<Transport> requested);

} // namespace fencebridge::core
