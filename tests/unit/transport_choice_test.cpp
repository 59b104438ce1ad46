// SPDX-License-Identifier: MIT
#include "core/transport_choice.hpp"

#include <gtest/gtest.h>

namespace fencebridge::core {
namespace {

const std::optional<std::string> works = std::nullopt;

struct Case {
    std::string name;
    TransportProbe probe;
    std::optional<Transport> requested;
    Transport expected;
    std::string reason;
    bool refused;
};

class TransportChoiceTable : public testing::TestWithParam<Case> {};

TEST_P(TransportChoiceTable, PicksAndSaysWhy) {
    const Case& c = GetParam();
    const TransportChoice choice = choose_transport(c.probe, c.requested);
    EXPECT_STREQ(name(choice.transport), name(c.expected));
    EXPECT_EQ(choice.reason, c.reason);
    EXPECT_EQ(choice.request_refused, c.refused);
}

INSTANTIATE_TEST_SUITE_P(
    All, TransportChoiceTable,
    testing::Values(Case{"ExplicitIsBest",
                         {works, works, works},
                         {},
                         Transport::explicit_sync,
                         "the best that works",
                         false},
                    Case{"KernelIsNext",
                         {"E", works, works},
                         {},
                         Transport::kernel,
                         "no explicit: E; the best that works",
                         false},
                    Case{"ThenTheModule",
                         {"E", "K", works},
                         {},
                         Transport::module,
                         "no explicit: E; no kernel: K; the best that works",
                         false},
                    Case{"CpuAlwaysWorks",
                         {"E", "K", "M"},
                         {},
                         Transport::cpu,
                         "no explicit: E; no kernel: K; no module: M; the best that works",
                         false},
                    Case{"ARequestGoesBeforeABetterOne",
                         {works, works, works},
                         Transport::cpu,
                         Transport::cpu,
                         "asked for",
                         false},
                    Case{"ARequestForAnyOfThem",
                         {"E", works, works},
                         Transport::module,
                         Transport::module,
                         "asked for",
                         false},
                    Case{"ARefusedRequestGetsTheBest",
                         {works, "K", works},
                         Transport::kernel,
                         Transport::explicit_sync,
                         "asked for kernel, but K; the best that works",
                         true},
                    Case{"ARefusalIsSaidOnce",
                         {"E", works, works},
                         Transport::explicit_sync,
                         Transport::kernel,
                         "asked for explicit, but E; the best that works",
                         true}),
    [](const auto& one) { return one.param.name; });

} // namespace
} // namespace fencebridge::core
