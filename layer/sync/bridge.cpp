// SPDX-License-Identifier: MIT
#include "sync/bridge.hpp"

#include "sync/cpu_bridge.hpp"
#include "sync/explicit_bridge.hpp"
#include "sync/kernel_bridge.hpp"
#include "sync/module_bridge.hpp"
#include "sync/unfenced_bridge.hpp"
#include "util/log.hpp"

namespace fencebridge::sync {

namespace {

std::expected<std::unique_ptr<Bridge>, OpenError>
open(core::Transport transport, std::span<const image::SwapchainImage> images,
     vk::ImplicitFences implicit_fences,
     const std::expected<TimelineSupport, std::string>& timelines) {
    switch (transport) {
    case core::Transport::explicit_sync:
        if (!timelines)
            return std::unexpected(timelines.error());
        return ExplicitBridge::open(images.size(), *timelines);
    case core::Transport::kernel:
        return KernelBridge::open(images, implicit_fences);
    case core::Transport::module:
        return ModuleBridge::open(images, implicit_fences);
    case core::Transport::cpu:
        break;
    }
    return std::make_unique<CpuBridge>(images);
}

} // namespace

OpenError open_error(const char* call, ioctl::Errno error) {
    const std::string text = std::string(call) + ": " + ioctl::text(error);
    if (ioctl::means_unsupported(error))
        return text;
    log::error("%s; the Vulkan command returns VK_ERROR_OUT_OF_HOST_MEMORY", text.c_str());
    return VK_ERROR_OUT_OF_HOST_MEMORY;
}

std::expected<BridgeChoice, VkResult>
choose_bridge(std::span<const image::SwapchainImage> images, const core::DriverSyncFd& driver,
              vk::ImplicitFences implicit_fences,
              const std::expected<TimelineSupport, std::string>& timelines,
              std::optional<core::Transport> requested) {
    if (!images.front().carries_fences())
        return BridgeChoice{std::make_unique<UnfencedBridge>(requested == core::Transport::cpu),
                            core::choose_without_fences(requested)};
    core::TransportFacts facts = {.driver = driver, .lacks = {}};
    // The loop ends with `cpu` at the latest: a CpuBridge can always be created.
    for (;;) {
        core::TransportChoice choice = core::choose_transport(facts, requested);
        auto bridge = open(choice.transport, images, implicit_fences, timelines);
        if (bridge)
            return BridgeChoice{std::move(*bridge), std::move(choice)};
        if (const auto* failure = std::get_if<VkResult>(&bridge.error()))
            return std::unexpected(*failure);
        facts.lacks[choice.transport] = std::get<std::string>(bridge.error());
    }
}

} // namespace fencebridge::sync
