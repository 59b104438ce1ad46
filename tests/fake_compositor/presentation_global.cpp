// SPDX-License-Identifier: MIT
// wp_presentation and wp_presentation_feedback.
#include "scene.hpp"

#include <presentation-time-server-protocol.h>

#include <algorithm>

namespace fencebridge::test {
namespace {

void destroy_resource(wl_client*, wl_resource* resource) { wl_resource_destroy(resource); }

void create_feedback(wl_client* client, wl_resource* presentation, wl_resource* wl_surface,
                     uint32_t id) {
    auto* surface = static_cast<ClientSurface*>(wl_resource_get_user_data(wl_surface));
    wl_resource* object = wl_resource_create(client, &wp_presentation_feedback_interface,
                                             wl_resource_get_version(presentation), id);
    wl_resource_set_implementation(object, nullptr, surface->scene, [](wl_resource* dying) {
        static_cast<Scene*>(wl_resource_get_user_data(dying))->forget_presentation_feedback(dying);
    });
    surface->pending.presentation_feedbacks.push_back(object);
}

const struct wp_presentation_interface presentation_requests = [] {
    struct wp_presentation_interface requests {};
    requests.destroy = destroy_resource;
    requests.feedback = create_feedback;
    return requests;
}();

void bind_presentation(wl_client* client, void* data, uint32_t version, uint32_t id) {
    wl_resource* resource =
        wl_resource_create(client, &wp_presentation_interface, int(version), id);
    wl_resource_set_implementation(resource, &presentation_requests, data, nullptr);
    wp_presentation_send_clock_id(resource, static_cast<Scene*>(data)->script().presentation_clock);
}

void send_presented(wl_resource* object, const PresentedEvent& presented,
                    const std::vector<wl_resource*>& outputs) {
    for (wl_resource* output : outputs)
        if (presented.sync_output &&
            wl_resource_get_client(output) == wl_resource_get_client(object))
            wp_presentation_feedback_send_sync_output(object, output);
    const auto seconds = std::chrono::floor<std::chrono::seconds>(*presented.time);
    const auto whole = uint64_t(seconds.count());
    const uint64_t sequence = *presented.sequence;
    wp_presentation_feedback_send_presented(
        object, uint32_t(whole >> 32), uint32_t(whole),
        uint32_t((*presented.time - seconds).count()), uint32_t(presented.refresh.count()),
        uint32_t(sequence >> 32), uint32_t(sequence), presented.flags);
}

} // namespace

void PresentationFeedbacks::add(size_t commit, wl_resource* surface,
                                std::vector<wl_resource*> objects) {
    if (!objects.empty())
        waiting_.emplace(commit, Waiting{surface, std::move(objects)});
}

// The destruction of an object calls forget(). Therefore the commit leaves the map first.
bool PresentationFeedbacks::present(size_t commit, const PresentedEvent& presented,
                                    const std::vector<wl_resource*>& outputs) {
    const auto waiting = waiting_.extract(commit);
    if (!waiting)
        return false;
    for (wl_resource* object : waiting.mapped().objects) {
        send_presented(object, presented, outputs);
        wl_resource_destroy(object);
    }
    return true;
}

bool PresentationFeedbacks::discard(size_t commit) {
    const auto waiting = waiting_.extract(commit);
    if (!waiting)
        return false;
    discard_presentation(waiting.mapped().objects);
    return true;
}

void PresentationFeedbacks::discard_all(wl_resource* surface) {
    for (const size_t commit : unanswered())
        if (waiting_.at(commit).surface == surface)
            discard(commit);
}

void PresentationFeedbacks::forget(wl_resource* object) {
    for (auto& [commit, waiting] : waiting_)
        std::erase(waiting.objects, object);
    std::erase_if(waiting_, [](const auto& entry) { return entry.second.objects.empty(); });
}

std::vector<size_t> PresentationFeedbacks::unanswered() const {
    std::vector<size_t> commits;
    for (const auto& [commit, waiting] : waiting_)
        commits.push_back(commit);
    return commits;
}

void discard_presentation(const std::vector<wl_resource*>& objects) {
    for (wl_resource* object : objects) {
        wp_presentation_feedback_send_discarded(object);
        wl_resource_destroy(object);
    }
}

void add_presentation_global(Scene& scene) {
    const int version =
        std::min(int(scene.script().globals.presentation), wp_presentation_interface.version);
    if (version > 0)
        scene.announce(wp_presentation_interface, version, bind_presentation);
}

} // namespace fencebridge::test
