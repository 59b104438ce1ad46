// SPDX-License-Identifier: MIT
#include "core/transport_choice.hpp"

#include <array>

namespace fencebridge::core {

namespace {

constexpr std::array best_first = {Transport::explicit_sync, Transport::kernel, Transport::module,
                                   Transport::cpu};

std::optional<std::string> lacks(const TransportProbe& probe, Transport transport) {
    switch (transport) {
    case Transport::explicit_sync:
        return probe.explicit_sync_lacks;
    case Transport::kernel:
        return probe.kernel_lacks;
    case Transport::module:
        return probe.module_lacks;
    case Transport::cpu:
        break;
    }
    return std::nullopt;
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

TransportChoice choose_transport(const TransportProbe& probe, std::optional<Transport> requested) {
    std::string reason;
    if (requested) {
        const auto missing = lacks(probe, *requested);
        if (!missing)
            return {*requested, "asked for", false};
        reason = std::string("asked for ") + name(*requested) + ", but " + *missing + "; ";
    }
    // What is said of the better ones that were passed over explains the choice.
    for (const Transport transport : best_first) {
        const auto missing = lacks(probe, transport);
        if (!missing)
            return {transport, reason + "the best that works", requested.has_value()};
        if (transport != requested)
            reason += std::string("no ") + name(transport) + ": " + *missing + "; ";
    }
    return {Transport::cpu, reason, requested.has_value()};
}

} // namespace fencebridge::core
