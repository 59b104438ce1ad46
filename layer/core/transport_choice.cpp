// SPDX-License-Identifier: MIT
#include "core/transport_choice.hpp"

#include <array>

namespace fencebridge::core {

namespace {

constexpr std::array best_first = {Transport::explicit_sync, Transport::kernel, Transport::module};

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

TransportChoice choose_transport(const TransportLacks& lacks, std::optional<Transport> requested) {
    std::string reason;
    if (requested) {
        const auto missing = lacks.find(*requested);
        if (missing == lacks.end())
            return {*requested, "asked for", false};
        reason = std::string("asked for ") + name(*requested) + ", but " + missing->second + "; ";
    }
    // What is said of the better ones that were passed over explains the choice.
    for (const Transport transport : best_first) {
        const auto missing = lacks.find(transport);
        if (missing == lacks.end())
            return {transport, reason + "the best that works", requested.has_value()};
        if (transport != requested)
            reason += std::string("no ") + name(transport) + ": " + missing->second + "; ";
    }
    return {Transport::cpu, reason + "the best that works", requested.has_value()};
}

} // namespace fencebridge::core
