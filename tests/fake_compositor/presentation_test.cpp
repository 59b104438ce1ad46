// SPDX-License-Identifier: MIT
// The fake compositor's wp_presentation, tested with a plain Wayland client.
#include "plain_client.hpp"

#include <algorithm>

namespace fencebridge::test {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;

struct Answer {
    bool presented = false; // else discarded
    uint32_t sec_hi = 0;
    uint32_t sec_lo = 0;
    uint32_t nsec = 0;
    uint32_t refresh = 0;
    uint32_t seq_hi = 0;
    uint32_t seq_lo = 0;
    uint32_t flags = 0;
    size_t sync_outputs = 0;
    bool operator==(const Answer&) const = default;
};

const Answer discarded;

// The function of the same name hides the structure.
using Proxy = struct wp_presentation_feedback;

// Receives the events of one wp_presentation_feedback.
struct FeedbackObject {
    std::optional<Answer> answer;
    size_t sync_outputs = 0;

    static const wp_presentation_feedback_listener listener;
};

FeedbackObject& object_of(void* data) { return *static_cast<FeedbackObject*>(data); }

const wp_presentation_feedback_listener FeedbackObject::listener = [] {
    wp_presentation_feedback_listener l{};
    l.sync_output = [](void* data, Proxy*, wl_output*) { ++object_of(data).sync_outputs; };
    l.presented = [](void* data, Proxy*, uint32_t sec_hi, uint32_t sec_lo, uint32_t nsec,
                     uint32_t refresh, uint32_t seq_hi, uint32_t seq_lo, uint32_t flags) {
        object_of(data).answer = {true,   sec_hi,  sec_lo,
                                  nsec,   refresh, seq_hi,
                                  seq_lo, flags,   object_of(data).sync_outputs};
    };
    l.discarded = [](void* data, Proxy*) { object_of(data).answer = discarded; };
    return l;
}();

struct PresentationClient : PlainClient {
    explicit PresentationClient(Compositor& server) : PlainClient(server), surface(new_surface()) {}

    FeedbackObject& request_feedback() {
        FeedbackObject& object = objects.emplace_back();
        auto* proxy = own(wp_presentation_feedback(presentation, surface));
        wp_presentation_feedback_add_listener(proxy, &FeedbackObject::listener, &object);
        return object;
    }
    FeedbackObject& show_with_feedback() {
        FeedbackObject& object = request_feedback();
        show(surface, make_buffer());
        return object;
    }
    void destroy_surface() {
        disown(surface);
        wl_surface_destroy(surface);
    }
    void receive() { EXPECT_GE(wl_display_roundtrip(display), 0); }

    wl_surface* surface;
    std::deque<FeedbackObject> objects;
};

Script script_with(Presentation presentation, Refresh refresh = Refresh::at_once) {
    return {.globals = {.presentation = 1}, .refresh = refresh, .presentation = presentation};
}

size_t live_feedbacks(Compositor& compositor) {
    return compositor.on_thread(
        [](Scene& scene) { return scene.live_objects()["wp_presentation_feedback"]; });
}

TEST(FakePresentation, IsOfferedOnlyIfTheScriptSaysSo) {
    Compositor compositor;
    PresentationClient client(compositor);
    EXPECT_FALSE(client.globals.contains("wp_presentation"));
}

class FakePresentationVersion : public testing::TestWithParam<uint32_t> {};

TEST_P(FakePresentationVersion, IsTheScriptsUpToThatOfTheProtocolFile) {
    Compositor compositor({.globals = {.presentation = GetParam()}});
    PresentationClient client(compositor);
    EXPECT_EQ(client.globals["wp_presentation"],
              std::min(GetParam(), uint32_t(wp_presentation_interface.version)));
    FeedbackObject& feedback = client.show_with_feedback();
    client.receive();
    EXPECT_TRUE(compositor.present(0));
    client.receive();
    EXPECT_TRUE(feedback.answer);
}

INSTANTIATE_TEST_SUITE_P(, FakePresentationVersion, testing::Values(1u, 2u));

TEST(FakePresentation, AnnouncesTheClockOfTheScript) {
    for (const uint32_t clock : {uint32_t(CLOCK_MONOTONIC), uint32_t(CLOCK_MONOTONIC_RAW)}) {
        Compositor compositor({.globals = {.presentation = 1}, .presentation_clock = clock});
        PresentationClient client(compositor);
        std::optional<uint32_t> announced;
        static const wp_presentation_listener listener = {
            [](void* data, wp_presentation*, uint32_t id) {
                *static_cast<std::optional<uint32_t>*>(data) = id;
            }};
        wp_presentation_add_listener(client.presentation, &listener, &announced);
        client.receive();
        EXPECT_EQ(announced, clock);
    }
}

TEST(FakePresentation, SplitsTheTimeAndTheSequenceIntoWords) {
    Compositor compositor(script_with(Presentation::manual));
    PresentationClient client(compositor);
    FeedbackObject& feedback = client.show_with_feedback();
    const PresentedEvent presented{.time = seconds(0x1'0000'0002) + nanoseconds(999'999'999),
                                   .refresh = nanoseconds(6'944'444),
                                   .sequence = 0x3'0000'0004,
                                   .flags = 0xf};
    EXPECT_TRUE(compositor.present(0, presented));
    client.receive();
    EXPECT_EQ(feedback.answer, (Answer{true, 1, 2, 999'999'999, 6'944'444, 3, 4, 0xf, 0}));
}

TEST(FakePresentation, NamesEveryOutputThatTheClientHasBound) {
    Compositor compositor(script_with(Presentation::manual));
    PresentationClient client(compositor);
    PresentationClient other(compositor);
    auto bind_output = [](PlainClient& binder) {
        wl_registry* registry = binder.own(wl_display_get_registry(binder.display));
        static const wl_registry_listener listener = {
            [](void* data, wl_registry* sender, uint32_t name, const char* interface, uint32_t) {
                if (std::string_view(interface) == wl_output_interface.name)
                    static_cast<PlainClient*>(data)->own(
                        wl_registry_bind(sender, name, &wl_output_interface, 1));
            },
            [](void*, wl_registry*, uint32_t) {}};
        wl_registry_add_listener(registry, &listener, &binder);
        EXPECT_GE(wl_display_roundtrip(binder.display), 0); // the announcements
        EXPECT_GE(wl_display_roundtrip(binder.display), 0); // the binding
    };
    bind_output(client);
    bind_output(client);
    bind_output(other);
    FeedbackObject& named = client.show_with_feedback();
    client.receive();
    EXPECT_TRUE(compositor.present(0));
    FeedbackObject& unnamed = client.show_with_feedback();
    client.receive();
    EXPECT_TRUE(compositor.present(1, {.sync_output = false}));
    client.receive();
    ASSERT_TRUE(named.answer && unnamed.answer);
    EXPECT_EQ(named.answer->sync_outputs, 2u);
    EXPECT_EQ(unnamed.answer->sync_outputs, 0u);
}

TEST(FakePresentation, BelongsToTheNextCommitOfItsSurface) {
    Compositor compositor(script_with(Presentation::manual));
    PresentationClient client(compositor);
    FeedbackObject& first = client.request_feedback();
    FeedbackObject& same = client.request_feedback();
    client.show(client.new_surface(), client.make_buffer());
    client.show(client.surface, client.make_buffer());
    FeedbackObject& second = client.show_with_feedback();
    FeedbackObject& uncommitted = client.request_feedback();
    client.receive();
    std::vector<size_t> counts;
    for (size_t i = 0; i < 3; ++i)
        counts.push_back(compositor.commit_at(i).presentation_feedbacks);
    EXPECT_EQ(counts, (std::vector<size_t>{0, 2, 1}));
    EXPECT_EQ(compositor.unanswered_commits(), (std::vector<size_t>{1, 2}));
    EXPECT_TRUE(compositor.present(1, {.time = seconds(5), .sequence = 7}));
    client.receive();
    ASSERT_TRUE(first.answer);
    EXPECT_EQ(first.answer->seq_lo, 7u);
    EXPECT_EQ(first.answer, same.answer);
    EXPECT_FALSE(second.answer);
    EXPECT_TRUE(compositor.discard(2));
    client.receive();
    EXPECT_EQ(second.answer, discarded);
    EXPECT_FALSE(uncommitted.answer);
    EXPECT_EQ(compositor.requests("wp_presentation", "feedback"), 4u);
    EXPECT_EQ(live_feedbacks(compositor), 1u); // the one without a commit
}

TEST(FakePresentation, AnswersInTheOrderOfTheTestAndOnlyOnce) {
    Compositor compositor(script_with(Presentation::manual));
    PresentationClient client(compositor);
    FeedbackObject* objects[] = {&client.show_with_feedback(), &client.show_with_feedback(),
                                 &client.show_with_feedback()};
    auto answered = [&] {
        client.receive();
        return std::vector<bool>{objects[0]->answer.has_value(), objects[1]->answer.has_value(),
                                 objects[2]->answer.has_value()};
    };
    EXPECT_EQ(answered(), (std::vector<bool>{false, false, false}));
    EXPECT_TRUE(compositor.present(2));
    EXPECT_EQ(answered(), (std::vector<bool>{false, false, true}));
    EXPECT_TRUE(compositor.discard(0));
    EXPECT_EQ(answered(), (std::vector<bool>{true, false, true}));
    EXPECT_FALSE(compositor.present(2));
    EXPECT_FALSE(compositor.discard(0));
    EXPECT_FALSE(compositor.present(3));
    EXPECT_EQ(compositor.unanswered_commits(), std::vector<size_t>{1});
}

TEST(FakePresentation, DiscardsACommitThatIsSupersededBeforeARefreshShowsIt) {
    for (const bool without_feedback : {false, true}) {
        Compositor compositor(script_with(Presentation::manual, Refresh::manual));
        PresentationClient client(compositor);
        FeedbackObject& shown = client.show_with_feedback();
        client.receive();
        compositor.refresh();
        FeedbackObject& superseded = client.show_with_feedback();
        client.receive();
        EXPECT_FALSE(superseded.answer);
        if (without_feedback)
            client.show(client.surface, client.make_buffer());
        else
            client.show_with_feedback();
        client.receive();
        EXPECT_EQ(superseded.answer, discarded);
        EXPECT_FALSE(shown.answer);
        EXPECT_TRUE(compositor.present(0));
    }
}

TEST(FakePresentation, LeavesASupersededCommitToTheTestIfTheScriptSaysSo) {
    Script script = script_with(Presentation::manual, Refresh::manual);
    script.discard_superseded = false;
    Compositor compositor(script);
    PresentationClient client(compositor);
    FeedbackObject& superseded = client.show_with_feedback();
    client.show_with_feedback();
    client.receive();
    EXPECT_FALSE(superseded.answer);
    EXPECT_EQ(compositor.unanswered_commits(), (std::vector<size_t>{0, 1}));
    EXPECT_TRUE(compositor.present(0));
    client.receive();
    EXPECT_TRUE(superseded.answer && superseded.answer->presented);
}

TEST(FakePresentation, DiscardsWhatWaitsForAnAnswerWhenTheSurfaceIsDestroyed) {
    Compositor compositor(script_with(Presentation::manual, Refresh::manual));
    PresentationClient client(compositor);
    FeedbackObject& shown = client.show_with_feedback();
    client.receive();
    compositor.refresh();
    FeedbackObject& unseen = client.show_with_feedback();
    FeedbackObject& uncommitted = client.request_feedback();
    client.destroy_surface();
    client.receive();
    EXPECT_EQ(shown.answer, discarded);
    EXPECT_EQ(unseen.answer, discarded);
    EXPECT_EQ(uncommitted.answer, discarded);
    EXPECT_EQ(live_feedbacks(compositor), 0u);
}

TEST(FakePresentation, KeepsTheFeedbackOfAnotherSurfaceWhenOneIsDestroyed) {
    Compositor compositor(script_with(Presentation::manual));
    PresentationClient client(compositor);
    PresentationClient other(compositor);
    client.show_with_feedback();
    client.receive();
    FeedbackObject& kept = other.show_with_feedback();
    other.receive();
    client.destroy_surface();
    client.receive();
    EXPECT_EQ(compositor.unanswered_commits(), std::vector<size_t>{1});
    other.receive();
    EXPECT_FALSE(kept.answer);
}

TEST(FakePresentation, ForgetsTheFeedbackOfAClientThatIsGone) {
    Compositor compositor(script_with(Presentation::manual));
    {
        PresentationClient client(compositor);
        client.show_with_feedback();
        client.request_feedback();
        client.receive();
    }
    EXPECT_TRUE(compositor.wait_until([](const Scene& scene) { return scene.clients() == 0; }));
    EXPECT_EQ(compositor.unanswered_commits(), std::vector<size_t>{});
    EXPECT_FALSE(compositor.present(0));
}

// libwayland destroys the objects of a client in the order of their ids, and reuses ids.
TEST(FakePresentation, ForgetsFeedbackThatIsDestroyedBeforeItsSurface) {
    Compositor compositor(script_with(Presentation::manual));
    {
        PresentationClient client(compositor);
        wl_buffer* buffer = client.make_buffer();
        wl_surface* lower = std::exchange(client.surface, client.new_surface());
        client.disown(lower);
        const uint32_t freed = wl_proxy_get_id(reinterpret_cast<wl_proxy*>(lower));
        wl_surface_destroy(lower);
        client.receive();
        for (int i = 0; i < 8 && wl_proxy_get_id(client.owned.back()) != freed; ++i)
            client.request_feedback();
        EXPECT_EQ(wl_proxy_get_id(client.owned.back()), freed);
        client.show(client.surface, buffer);
        client.receive();
        EXPECT_EQ(compositor.unanswered_commits(), std::vector<size_t>{0});
    }
    EXPECT_TRUE(compositor.wait_until([](const Scene& scene) { return scene.clients() == 0; }));
    EXPECT_EQ(compositor.unanswered_commits(), std::vector<size_t>{});
}

TEST(FakePresentation, PresentsWhatEachRefreshShowsIfTheScriptSaysSo) {
    Script script = script_with(Presentation::presented, Refresh::manual);
    script.presented = {.refresh = nanoseconds(123), .flags = 1};
    Compositor compositor(script);
    PresentationClient client(compositor);
    FeedbackObject& superseded = client.show_with_feedback();
    FeedbackObject& shown = client.show_with_feedback();
    client.receive();
    EXPECT_EQ(superseded.answer, discarded);
    EXPECT_FALSE(shown.answer);
    timespec before{};
    clock_gettime(CLOCK_MONOTONIC, &before);
    compositor.refresh();
    compositor.refresh();
    FeedbackObject& later = client.show_with_feedback();
    client.receive();
    compositor.refresh();
    client.receive();
    ASSERT_TRUE(shown.answer && later.answer);
    EXPECT_TRUE(shown.answer->presented);
    EXPECT_EQ(shown.answer->refresh, 123u);
    EXPECT_EQ(shown.answer->flags, 1u);
    EXPECT_EQ(shown.answer->seq_lo, 1u);
    EXPECT_EQ(later.answer->seq_lo, 3u);
    EXPECT_GE(std::pair(shown.answer->sec_lo, shown.answer->nsec),
              std::pair(uint32_t(before.tv_sec), uint32_t(before.tv_nsec)));
    EXPECT_LE(std::pair(shown.answer->sec_lo, shown.answer->nsec),
              std::pair(later.answer->sec_lo, later.answer->nsec));
}

TEST(FakePresentation, PresentsAtOnceIfRefreshesAreAtOnce) {
    Compositor compositor(script_with(Presentation::presented));
    PresentationClient client(compositor);
    FeedbackObject& first = client.show_with_feedback();
    FeedbackObject& second = client.show_with_feedback();
    client.receive();
    ASSERT_TRUE(first.answer && second.answer);
    EXPECT_TRUE(first.answer->presented && second.answer->presented);
    EXPECT_EQ(second.answer->seq_lo, first.answer->seq_lo + 1);
}

TEST(FakePresentation, DiscardsWhatEachRefreshShowsIfTheScriptSaysSo) {
    Compositor compositor(script_with(Presentation::discarded, Refresh::manual));
    PresentationClient client(compositor);
    FeedbackObject& feedback = client.show_with_feedback();
    client.receive();
    EXPECT_FALSE(feedback.answer);
    compositor.refresh();
    client.receive();
    EXPECT_EQ(feedback.answer, discarded);
}

TEST(FakePresentation, NeverShowsAHiddenSurface) {
    Compositor compositor(script_with(Presentation::presented));
    PresentationClient client(compositor);
    client.receive();
    compositor.on_thread([](Scene& scene) { scene.set_hidden(SurfaceId(0), true); });
    FeedbackObject& first = client.show_with_feedback();
    client.receive();
    compositor.refresh();
    client.receive();
    EXPECT_FALSE(first.answer);
    FeedbackObject& second = client.show_with_feedback();
    client.receive();
    EXPECT_EQ(first.answer, discarded);
    EXPECT_FALSE(second.answer);
    compositor.on_thread([](Scene& scene) {
        scene.set_hidden(SurfaceId(0), false);
        scene.refresh();
    });
    client.receive();
    EXPECT_TRUE(second.answer && second.answer->presented);
}

#ifdef FAKE_COMPOSITOR_HAS_FIFO
TEST(FakePresentation, DoesNotSupersedeACommitByOneThatWaitsForItsBarrier) {
    Script script = script_with(Presentation::presented, Refresh::manual);
    script.globals.fifo = 1;
    Compositor compositor(script);
    PresentationClient client(compositor);
    wp_fifo_v1* fifo = client.own(wp_fifo_manager_v1_get_fifo(client.fifo_manager, client.surface));
    FeedbackObject* objects[2];
    for (FeedbackObject*& object : objects) {
        wp_fifo_v1_set_barrier(fifo);
        wp_fifo_v1_wait_barrier(fifo);
        object = &client.show_with_feedback();
    }
    client.receive();
    EXPECT_FALSE(objects[0]->answer);
    compositor.refresh();
    client.receive();
    EXPECT_TRUE(objects[0]->answer && objects[0]->answer->presented);
    EXPECT_FALSE(objects[1]->answer);
    compositor.refresh();
    client.receive();
    EXPECT_TRUE(objects[1]->answer && objects[1]->answer->presented);
}
#endif

TEST(FakePresentation, OutlivesTheObjectThatRequestedFeedback) {
    Compositor compositor(script_with(Presentation::manual));
    PresentationClient client(compositor);
    FeedbackObject& feedback = client.request_feedback();
    client.disown(client.presentation);
    wp_presentation_destroy(client.presentation);
    client.show(client.surface, client.make_buffer());
    client.receive();
    EXPECT_TRUE(compositor.present(0));
    client.receive();
    EXPECT_TRUE(feedback.answer);
}

TEST(FakePresentation, ReportsAClockThatCannotBeReadIfTheTestNamesNoTime) {
    Compositor compositor({.globals = {.presentation = 1}, .presentation_clock = 1000});
    PresentationClient client(compositor);
    client.show_with_feedback();
    client.show_with_feedback();
    client.receive();
    auto violations = [&] {
        return compositor.on_thread([](Scene& scene) { return scene.violations().size(); });
    };
    EXPECT_TRUE(compositor.present(0, {.time = seconds(1)}));
    EXPECT_EQ(violations(), 0u);
    EXPECT_TRUE(compositor.present(1));
    EXPECT_EQ(violations(), 1u);
}

} // namespace
} // namespace fencebridge::test
