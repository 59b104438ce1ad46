// SPDX-License-Identifier: MIT
#include "core/transport_choice.hpp"

#include <gtest/gtest.h>

namespace fencebridge::core {
namespace {

struct Case {
    std::string name;
    std::map<Transport, std::string> lacks; ///< what each transport that was tried lacks
    std::optional<Transport> requested;
    Transport expected;
    std::string reason;
    bool refused;
    DriverSyncFd driver = {};
};

class TransportChoiceTable : public testing::TestWithParam<Case> {};

TEST_P(TransportChoiceTable, TheBestUsableTransportIsChosenAndTheReasonNamed) {
    const Case& c = GetParam();
    const TransportChoice choice = choose_transport({c.driver, c.lacks}, c.requested);
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
        Case{"ARequestGoesBeforeABetterOne",
             {},
             Transport::cpu,
             Transport::cpu,
             "the setting",
             false},
        Case{
            "ARequestForAnyOfThem", {}, Transport::module, Transport::module, "the setting", false},
        Case{"ARefusedRequestGetsTheBest",
             {{Transport::kernel, "K"}},
             Transport::kernel,
             Transport::explicit_sync,
             "the setting is kernel, but K; the best that works",
             true},
        Case{"ARefusedModuleGetsTheKernel",
             {{Transport::module, "M"}, {Transport::explicit_sync, "E"}},
             Transport::module,
             Transport::kernel,
             "the setting is module, but M; no explicit: E; the best that works",
             true},
        Case{"ARefusalIsSaidOnce",
             {{Transport::explicit_sync, "E"}},
             Transport::explicit_sync,
             Transport::kernel,
             "the setting is explicit, but E; the best that works",
             true},
        Case{"ARefusedRequestWhereNothingWorks",
             {{Transport::module, "M"}, {Transport::explicit_sync, "E"}, {Transport::kernel, "K"}},
             Transport::module,
             Transport::cpu,
             "the setting is module, but M; no explicit: E; no kernel: K; the best that works",
             true},
        Case{"ADriverThatExportsFencesAlone",
             {},
             {},
             Transport::explicit_sync,
             "the best that works",
             false,
             {.export_semaphore = false}},
        Case{"ADriverThatImportsSemaphoresAlone",
             {},
             Transport::kernel,
             Transport::kernel,
             "the setting",
             false,
             {.import_fence = false}},
        Case{"ADriverThatExportsNothing",
             {},
             {},
             Transport::cpu,
             "no explicit: the driver exports no SYNC_FD; no kernel: the driver exports no "
             "SYNC_FD; no module: the driver exports no SYNC_FD; the best that works",
             false,
             {.export_semaphore = false, .export_fence = false}},
        Case{"ADriverThatImportsNoSemaphores",
             {},
             Transport::kernel,
             Transport::cpu,
             "the setting is kernel, but the driver imports no SYNC_FD into semaphores; no "
             "explicit: the driver imports no SYNC_FD into semaphores; no module: the driver "
             "imports no SYNC_FD into semaphores; the best that works",
             true,
             {.import_semaphore = false}},
        Case{"CpuNeedsNothingOfTheDriver",
             {},
             Transport::cpu,
             Transport::cpu,
             "the setting",
             false,
             {.export_semaphore = false,
              .import_semaphore = false,
              .export_fence = false,
              .import_fence = false}}),
    [](const auto& one) { return one.param.name; });

TEST(ExpectedFences, AreAttachedUnlessTheWindowSystemHasTimelines) {
    EXPECT_TRUE(expects_attached_fences(std::nullopt, false));
    EXPECT_FALSE(expects_attached_fences(std::nullopt, true));
    EXPECT_TRUE(expects_attached_fences(Transport::explicit_sync, false));
    EXPECT_FALSE(expects_attached_fences(Transport::explicit_sync, true));
}

TEST(ExpectedFences, FollowTheSetting) {
    for (const bool timelines : {false, true}) {
        EXPECT_TRUE(expects_attached_fences(Transport::kernel, timelines));
        EXPECT_TRUE(expects_attached_fences(Transport::module, timelines));
        EXPECT_FALSE(expects_attached_fences(Transport::cpu, timelines));
    }
}

// Memory that carries no fences leaves no choice. Only the setting `cpu` makes presents wait.
TEST(TransportChoiceWithoutFences, IsCpuAndNamesWhoWaits) {
    const std::string later =
        "the memory of the images carries no fences; each image is shown when its rendering has "
        "ended";
    const TransportChoice chosen = choose_without_fences(std::nullopt);
    EXPECT_EQ(chosen.transport, Transport::cpu);
    EXPECT_EQ(chosen.reason, later);
    EXPECT_FALSE(chosen.request_refused);

    const TransportChoice requested = choose_without_fences(Transport::cpu);
    EXPECT_EQ(requested.transport, Transport::cpu);
    EXPECT_EQ(requested.reason, "the setting; each vkQueuePresentKHR waits for the rendering");
    EXPECT_FALSE(requested.request_refused);

    const TransportChoice refused = choose_without_fences(Transport::kernel);
    EXPECT_EQ(refused.transport, Transport::cpu);
    EXPECT_EQ(refused.reason, "the setting is kernel, but " + later);
    EXPECT_TRUE(refused.request_refused);
}

} // namespace
} // namespace fencebridge::core
