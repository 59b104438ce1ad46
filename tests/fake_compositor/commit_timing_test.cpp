// SPDX-License-Identifier: MIT
// The fake compositor's commit-timing-v1, tested with a plain Wayland client.
#include "plain_client.hpp"

namespace fencebridge::test {
namespace {

constexpr TargetTime target{0x1'0000'0002, 999'999'999};

struct TimingClient : PlainClient {
    explicit TimingClient(Compositor& server) : PlainClient(server), surface(new_surface()) {}

    wp_commit_timer_v1* timer() {
        return own(wp_commit_timing_manager_v1_get_timer(commit_timing, surface));
    }
    void destroy_timer(wp_commit_timer_v1* timer) {
        disown(timer);
        wp_commit_timer_v1_destroy(timer);
    }
    void destroy_surface() {
        disown(surface);
        wl_surface_destroy(surface);
    }

    wl_surface* surface;
};

void set_target(wp_commit_timer_v1* timer) {
    wp_commit_timer_v1_set_timestamp(timer, 1, 2, target.nanoseconds);
}

Script with_commit_timing() { return {.globals = {.commit_timing = 1}}; }

TEST(FakeCommitTiming, IsOfferedOnlyIfTheScriptSaysSo) {
    Compositor without;
    EXPECT_FALSE(TimingClient(without).globals.contains("wp_commit_timing_manager_v1"));
    Compositor with(with_commit_timing());
    EXPECT_EQ(TimingClient(with).globals["wp_commit_timing_manager_v1"], 1u);
}

TEST(FakeCommitTiming, RecordsTheTargetTimeOfTheNextCommitAlone) {
    Compositor compositor(with_commit_timing());
    TimingClient client(compositor);
    wp_commit_timer_v1* timer = client.timer();
    client.show(client.surface, client.make_buffer());
    set_target(timer);
    client.show(client.new_surface(), client.make_buffer());
    client.show(client.surface, client.make_buffer());
    client.show(client.surface, client.make_buffer());
    ASSERT_GE(wl_display_roundtrip(client.display), 0);
    EXPECT_EQ(compositor.commit_at(0).target_time, std::nullopt);
    EXPECT_EQ(compositor.commit_at(1).target_time, std::nullopt);
    EXPECT_EQ(compositor.commit_at(2).target_time, target);
    EXPECT_EQ(compositor.commit_at(3).target_time, std::nullopt);
    EXPECT_EQ(compositor.requests("wp_commit_timer_v1", "set_timestamp"), 1u);
}

TEST(FakeCommitTiming, KeepsTheTargetTimeWhenTheTimerIsDestroyed) {
    Compositor compositor(with_commit_timing());
    TimingClient client(compositor);
    wp_commit_timer_v1* timer = client.timer();
    set_target(timer);
    client.destroy_timer(timer);
    client.timer();
    client.show(client.surface, client.make_buffer());
    ASSERT_GE(wl_display_roundtrip(client.display), 0);
    EXPECT_EQ(compositor.last_commit().target_time, target);
}

struct Forbidden {
    const char* name;
    const wl_interface& interface;
    uint32_t code;
    void (*requests)(TimingClient&);
};

class ForbiddenCommitTiming : public testing::TestWithParam<Forbidden> {};

TEST_P(ForbiddenCommitTiming, IsAProtocolError) {
    Compositor compositor(with_commit_timing());
    TimingClient client(compositor);
    ASSERT_GE(wl_display_roundtrip(client.display), 0);
    GetParam().requests(client);
    EXPECT_LT(wl_display_roundtrip(client.display), 0);
    const wl_interface* interface = nullptr;
    uint32_t object = 0;
    EXPECT_EQ(wl_display_get_protocol_error(client.display, &interface, &object), GetParam().code);
    ASSERT_NE(interface, nullptr);
    EXPECT_STREQ(interface->name, GetParam().interface.name);
}

const Forbidden all_forbidden[] = {
    {"ASecondTimer", wp_commit_timing_manager_v1_interface,
     WP_COMMIT_TIMING_MANAGER_V1_ERROR_COMMIT_TIMER_EXISTS,
     [](TimingClient& client) {
         client.timer();
         client.timer();
     }},
    {"ASecondOfNanoseconds", wp_commit_timer_v1_interface,
     WP_COMMIT_TIMER_V1_ERROR_INVALID_TIMESTAMP,
     [](TimingClient& client) {
         wp_commit_timer_v1_set_timestamp(client.timer(), 0, 1, 1'000'000'000);
     }},
    {"ASecondTimestamp", wp_commit_timer_v1_interface, WP_COMMIT_TIMER_V1_ERROR_TIMESTAMP_EXISTS,
     [](TimingClient& client) {
         wp_commit_timer_v1* timer = client.timer();
         set_target(timer);
         set_target(timer);
     }},
    {"ASecondTimestampOfANewTimer", wp_commit_timer_v1_interface,
     WP_COMMIT_TIMER_V1_ERROR_TIMESTAMP_EXISTS,
     [](TimingClient& client) {
         wp_commit_timer_v1* timer = client.timer();
         set_target(timer);
         client.destroy_timer(timer);
         set_target(client.timer());
     }},
    {"ATimestampWithoutASurface", wp_commit_timer_v1_interface,
     WP_COMMIT_TIMER_V1_ERROR_SURFACE_DESTROYED,
     [](TimingClient& client) {
         wp_commit_timer_v1* timer = client.timer();
         client.destroy_surface();
         set_target(timer);
     }},
};

INSTANTIATE_TEST_SUITE_P(, ForbiddenCommitTiming, testing::ValuesIn(all_forbidden),
                         [](const auto& tested) { return std::string(tested.param.name); });

} // namespace
} // namespace fencebridge::test
