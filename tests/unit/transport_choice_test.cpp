// SPDX-License-Identifier: MIT
#include "core/transport_choice.hpp"

#include <gtest/gtest.h>

namespace fencebridge::core {
namespace {

struct Case {
    std::string name;
    TransportLacks lacks; ///< of those that were tried
    std::optional<Transport> requested;
    Transport expected;
    std::string reason;
    bool refused;
};

class TransportChoiceTable : public testing::TestWithParam<Case> {};

TEST_P(TransportChoiceTable, PicksAndSaysWhy) {
    const Case& c = GetParam();
    const TransportChoice choice = choose_transport(c.lacks, c.requested);
    EXPECT_STREQ(name(choice.transport), name(c.expected));
    EXPECT_EQ(choice.reason, c.reason);
    EXPECT_EQ(choice.request_refused, c.refused);
}

INSTANTIATE_TEST_SUITE_P(
    All, TransportChoiceTable,
    testing::Values(
        Case{"ExplicitIsBest", {}, {}, Transport::explicit_sync, "the best that works", false},
        Case{"KernelIsNext",
             {{Transport::explicit_sync, "E"}},
             {},
             Transport::kernel,
             "no explicit: E; the best that works",
             false},
        Case{"ThenTheModule",
             {{Transport::explicit_sync, "E"}, {Transport::kernel, "K"}},
             {},
             Transport::module,
             "no explicit: E; no kernel: K; the best that works",
             false},
        Case{"CpuAlwaysWorks",
             {{Transport::explicit_sync, "E"}, {Transport::kernel, "K"}, {Transport::module, "M"}},
             {},
             Transport::cpu,
             "no explicit: E; no kernel: K; no module: M; the best that works",
             false},
        Case{
            "ARequestGoesBeforeABetterOne", {}, Transport::cpu, Transport::cpu, "asked for", false},
        Case{"ARequestForAnyOfThem", {}, Transport::module, Transport::module, "asked for", false},
        Case{"ARefusedRequestGetsTheBest",
             {{Transport::kernel, "K"}},
             Transport::kernel,
             Transport::explicit_sync,
             "asked for kernel, but K; the best that works",
             true},
        Case{"ARefusedModuleGetsTheKernel",
             {{Transport::module, "M"}, {Transport::explicit_sync, "E"}},
             Transport::module,
             Transport::kernel,
             "asked for module, but M; no explicit: E; the best that works",
             true},
        Case{"ARefusalIsSaidOnce",
             {{Transport::explicit_sync, "E"}},
             Transport::explicit_sync,
             Transport::kernel,
             "asked for explicit, but E; the best that works",
             true},
        Case{"ARefusedRequestWhereNothingWorks",
             {{Transport::module, "M"}, {Transport::explicit_sync, "E"}, {Transport::kernel, "K"}},
             Transport::module,
             Transport::cpu,
             "asked for module, but M; no explicit: E; no kernel: K; the best that works",
             true}),
    [](const auto& one) { return one.param.name; });

} // namespace
} // namespace fencebridge::core
