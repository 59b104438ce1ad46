// SPDX-License-Identifier: MIT
#include "core/transport_choice.hpp"

#include <array>

namespace fencebridge::core {

namespace {

constexpr std::array best_first = {Transport::explicit_sync, Transport::kernel, Transport::module};

std::optional<std::string> find_lack(const TransportFacts& facts, Transport transport) {
    if (transport == Transport::cpu)
        return std::nullopt;
    if (!facts.driver.export_semaphore && !facts.driver.export_fence)
        return "the driver exports no SYNC_FD";
    if (!facts.driver.import_semaphore)
        return "the driver imports no SYNC_FD into semaphores";
    const auto tried = facts.lacks.find(transport);
    return tried == facts.lacks.end() ? std::nullopt : std::optional(tried->second);
}

} // namespace

const char* name(Transport transport) {
    switch (transport) {
    case Transport::explicit_sync:
        return "explicit";
    case Transport::kernel:
        return "kernel";
    case Transport::module:
        return "module";
    case Transport::cpu:
        break;
    }
    return "cpu";
}

TransportChoice choose_transport(const TransportFacts& facts, std::optional<Transport> requested) {
    std::string reason;
    if (requested) {
        const auto missing = find_lack(facts, *requested);
        if (!missing)
            return {*requested, "the setting", false};
        reason = std::string("the setting is ") + name(*requested) + ", but " + *missing + "; ";
    }
    // The reason says what the better transports lack.
    for (const Transport transport : best_first) {
        const auto missing = find_lack(facts, transport);
        if (!missing)
            return {transport, reason + "the best that works", requested.has_value()};
        if (transport != requested)
            reason += std::string("no ") + name(transport) + ": " + *missing + "; ";
    }
    return {Transport::cpu, reason + "the best that works", requested.has_value()};
}

TransportChoice choose_without_fences(std::optional<Transport> requested) {
    if (requested == Transport::cpu)
        return {Transport::cpu, "the setting; each vkQueuePresentKHR waits for the rendering",
                false};
    const std::string why = "the memory of the images carries no fences; each image is shown when "
                            "its rendering has ended";
    if (!requested)
        return {Transport::cpu, why, false};
    return {Transport::cpu, std::string("the setting is ") + name(*requested) + ", but " + why,
            true};
}

} // namespace fencebridge::core
