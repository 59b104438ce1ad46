// SPDX-License-Identifier: MIT
#include "sync/bridge.hpp"

#include "sync/cpu_bridge.hpp"
#include "sync/explicit_bridge.hpp"
#include "sync/kernel_bridge.hpp"
#include "sync/module_bridge.hpp"

namespace fencebridge::sync {

namespace {

std::expected<std::unique_ptr<Bridge>, Obstacle>
open(core::Transport transport, std::span<const image::SwapchainImage> images,
     vk::Importers importers, const std::expected<TimelineTaker, std::string>& taker) {
    switch (transport) {
    case core::Transport::explicit_sync:
        if (!taker)
            return std::unexpected(taker.error());
        return ExplicitBridge::open(images.size(), *taker);
    case core::Transport::kernel:
        return KernelBridge::open(images, importers);
    case core::Transport::module:
        return ModuleBridge::open(images, importers);
    case core::Transport::cpu:
        break;
    }
    return std::make_unique<CpuBridge>(images);
}

} // namespace

std::expected<BridgeChoice, VkResult>
choose_bridge(std::span<const image::SwapchainImage> images, const core::DriverSyncFd& driver,
              vk::Importers importers, const std::expected<TimelineTaker, std::string>& taker,
              std::optional<core::Transport> requested) {
    core::TransportFacts facts = {.driver = driver, .lacks = {}};
    // Ends at `cpu` at the latest, which lacks nothing.
    for (;;) {
        core::TransportChoice choice = core::choose_transport(facts, requested);
        auto bridge = open(choice.transport, images, importers, taker);
        if (bridge)
            return BridgeChoice{std::move(*bridge), std::move(choice)};
        if (const auto* failure = std::get_if<VkResult>(&bridge.error()))
            return std::unexpected(*failure);
        facts.lacks[choice.transport] = std::get<std::string>(bridge.error());
    }
}

} // namespace fencebridge::sync
