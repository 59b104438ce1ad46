// SPDX-License-Identifier: MIT
#include "sync/bridge.hpp"

#include "sync/cpu_bridge.hpp"
#include "sync/kernel_bridge.hpp"

namespace fencebridge::sync {

std::expected<BridgeChoice, VkResult> choose_bridge(const Fd& dma_buf,
                                                    std::optional<core::Transport> requested) {
    // Needs no probe, and must work where a probe fails.
    if (requested == core::Transport::cpu)
        return BridgeChoice{std::make_unique<CpuBridge>(), core::choose_transport({}, requested)};
    const auto kernel_lacks = KernelBridge::probe(dma_buf);
    if (!kernel_lacks)
        return std::unexpected(kernel_lacks.error());
    const core::TransportProbe probe = {
        .explicit_sync_lacks = "not in this version",
        .kernel_lacks = *kernel_lacks,
        .module_lacks = "not in this version",
    };
    core::TransportChoice choice = core::choose_transport(probe, requested);
    if (choice.transport == core::Transport::kernel)
        return BridgeChoice{std::make_unique<KernelBridge>(), std::move(choice)};
    return BridgeChoice{std::make_unique<CpuBridge>(), std::move(choice)};
}

} // namespace fencebridge::sync
