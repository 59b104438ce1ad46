// SPDX-License-Identifier: MIT
#include "sync/bridge.hpp"

#include "sync/cpu_bridge.hpp"
#include "sync/kernel_bridge.hpp"
#include "sync/module_bridge.hpp"

namespace fencebridge::sync {

namespace {

std::expected<std::unique_ptr<Bridge>, Obstacle> open(core::Transport transport,
                                                      const Fd& dma_buf) {
    switch (transport) {
    case core::Transport::explicit_sync:
        return std::unexpected("not in this version");
    case core::Transport::kernel:
        return KernelBridge::open(dma_buf);
    case core::Transport::module:
        return ModuleBridge::open(dma_buf);
    case core::Transport::cpu:
        break;
    }
    return std::make_unique<CpuBridge>();
}

} // namespace

std::expected<BridgeChoice, VkResult> choose_bridge(const Fd& dma_buf,
                                                    std::optional<core::Transport> requested) {
    core::TransportLacks lacks;
    // Ends at `cpu` at the latest, which lacks nothing.
    for (;;) {
        core::TransportChoice choice = core::choose_transport(lacks, requested);
        auto bridge = open(choice.transport, dma_buf);
        if (bridge)
            return BridgeChoice{std::move(*bridge), std::move(choice)};
        if (const auto* failure = std::get_if<VkResult>(&bridge.error()))
            return std::unexpected(*failure);
        lacks[choice.transport] = std::get<std::string>(bridge.error());
    }
}

} // namespace fencebridge::sync
