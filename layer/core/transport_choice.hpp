// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <optional>
#include <string>

namespace fencebridge::core {

/// How fences are carried between Vulkan and the window system; docs/transports.md.
enum class Transport { explicit_sync, kernel, module, cpu };

/// The name in the settings and in the log.
[[nodiscard]] const char* name(Transport transport);

/// What a driver can do with sync_files (VK_EXTERNAL_*_HANDLE_TYPE_SYNC_FD_BIT).
struct DriverSyncFd {
    bool export_semaphore = true;
    bool import_semaphore = true;
    bool export_fence = true;
    bool import_fence = true;
};

/// What is known so far for a choice of transport.
struct TransportFacts {
    DriverSyncFd driver;
    /// The transports that were tried and cannot be used, each with what is missing: in the
    /// compositor, the DRM device, the kernel or the module.
    std::map<Transport, std::string> lacks;
};

struct TransportChoice {
    Transport transport;
    std::string reason;
    /// The setting named a transport that cannot be used; the reason says why.
    bool request_refused;
};

/// Chooses the transport to try next for a swapchain: the requested one, then the others, best
/// first. It skips those that are known to lack something. `cpu` always works.
///
/// All transports but `cpu` carry sync_files. For them the driver must export a sync_file from
/// semaphores or from fences, and import one into semaphores. A driver that cannot import into a
/// fence can still signal one by an empty submission.
[[nodiscard]] TransportChoice choose_transport(const TransportFacts& facts,
                                               std::optional<Transport> requested);

/// The same for a swapchain whose images are in memory that carries no fences: `cpu`, whatever is
/// requested. If `cpu` is requested, vkQueuePresentKHR waits for the rendering; else the image is
/// shown later.
[[nodiscard]] TransportChoice choose_without_fences(std::optional<Transport> requested);

/// Whether the choice is likely to be `kernel` or `module`, as far as that can be told before there
/// are images.
/// @param timelines  whether the window system has timelines
[[nodiscard]] constexpr bool expects_attached_fences(std::optional<Transport> requested,
                                                     bool timelines) {
    if (requested == Transport::kernel || requested == Transport::module)
        return true;
    return requested != Transport::cpu && !timelines;
}

} // namespace fencebridge::core
