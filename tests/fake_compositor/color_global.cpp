// SPDX-License-Identifier: MIT
// wp_color_manager_v1, its image descriptions, and wp_color_management_surface_v1. Version 1.
#include "scene.hpp"

#include <color-management-v1-server-protocol.h>

#include <algorithm>

namespace fencebridge::test {
namespace {

void destroy_resource(wl_client*, wl_resource* resource) { wl_resource_destroy(resource); }

template <class T>
T& data_of(wl_resource* resource) {
    return *static_cast<T*>(wl_resource_get_user_data(resource));
}

bool lists(const std::vector<uint32_t>& names, uint32_t name) {
    return std::ranges::find(names, name) != names.end();
}

// --- wp_image_description_v1 ---
struct Description {
    Scene& scene;
    ImageDescription contents;
    bool ready = false;
};

const struct wp_image_description_v1_interface description_requests = [] {
    struct wp_image_description_v1_interface requests {};
    requests.destroy = destroy_resource;
    requests.get_information = [](wl_client*, wl_resource* description, uint32_t) {
        const bool ready = data_of<Description>(description).ready;
        wl_resource_post_error(description,
                               ready ? WP_IMAGE_DESCRIPTION_V1_ERROR_NO_INFORMATION
                                     : WP_IMAGE_DESCRIPTION_V1_ERROR_NOT_READY,
                               "no information");
    };
    return requests;
}();

void answer(wl_resource* resource, bool accept) {
    Description& description = data_of<Description>(resource);
    std::erase(description.scene.unanswered_descriptions(), resource);
    description.ready = accept;
    if (accept)
        wp_image_description_v1_send_ready(resource, description.scene.next_identity());
    else
        wp_image_description_v1_send_failed(resource, WP_IMAGE_DESCRIPTION_V1_CAUSE_UNSUPPORTED,
                                            "the test refuses it");
}

void create_description(wl_client* client, Scene& scene, uint32_t id, ImageDescription contents) {
    wl_resource* resource = wl_resource_create(client, &wp_image_description_v1_interface, 1, id);
    wl_resource_set_implementation(resource, &description_requests,
                                   new Description{scene, std::move(contents)},
                                   [](wl_resource* dying) {
                                       Description& data = data_of<Description>(dying);
                                       std::erase(data.scene.unanswered_descriptions(), dying);
                                       delete &data;
                                   });
    scene.unanswered_descriptions().push_back(resource);
    if (scene.script().descriptions != Descriptions::manual)
        answer(resource, scene.script().descriptions == Descriptions::accepted);
}

// --- wp_image_description_creator_params_v1 ---
struct Creator {
    Scene& scene;
    ImageDescription contents{};
};

bool has_feature(const Scene& scene, uint32_t feature) {
    return lists(scene.script().colors.features, feature);
}

void fail(wl_resource* creator, uint32_t code, const char* text) {
    wl_resource_post_error(creator, code, "%s", text);
}

// Sets a property once; another time is a protocol error.
template <class T>
void set_once(wl_resource* creator, std::optional<T>& property, T value) {
    if (property)
        fail(creator, WP_IMAGE_DESCRIPTION_CREATOR_PARAMS_V1_ERROR_ALREADY_SET, "already set");
    else
        property = std::move(value);
}

void unsupported(wl_resource* creator) {
    fail(creator, WP_IMAGE_DESCRIPTION_CREATOR_PARAMS_V1_ERROR_UNSUPPORTED_FEATURE, "unsupported");
}

// Version 1 compares each light level with the mastering luminances, which default to those of the
// transfer function.
bool is_legal(const ImageDescription& contents) {
    const bool pq = contents.transfer == WP_COLOR_MANAGER_V1_TRANSFER_FUNCTION_ST2084_PQ;
    const Luminance range =
        contents.mastering_luminance.value_or(Luminance{50, pq ? 10000u : 1000u});
    const auto is_within = [&](const std::optional<uint32_t>& level) {
        return !level || (uint64_t(*level) * 10000 > range.min && *level <= range.max);
    };
    const bool ordered =
        !contents.max_cll || !contents.max_fall || *contents.max_fall <= *contents.max_cll;
    return ordered && is_within(contents.max_cll) && is_within(contents.max_fall);
}

const struct wp_image_description_creator_params_v1_interface creator_requests = [] {
    struct wp_image_description_creator_params_v1_interface requests {};
    requests.create = [](wl_client* client, wl_resource* resource, uint32_t id) {
        Creator& creator = data_of<Creator>(resource);
        if (!creator.contents.transfer || !creator.contents.primaries) {
            fail(resource, WP_IMAGE_DESCRIPTION_CREATOR_PARAMS_V1_ERROR_INCOMPLETE_SET,
                 "incomplete");
            return;
        }
        if (!is_legal(creator.contents)) {
            fail(resource, WP_IMAGE_DESCRIPTION_CREATOR_PARAMS_V1_ERROR_INVALID_LUMINANCE,
                 "light levels");
            return;
        }
        create_description(client, creator.scene, id, creator.contents);
        wl_resource_destroy(resource);
    };
    requests.set_tf_named = [](wl_client*, wl_resource* resource, uint32_t transfer) {
        Creator& creator = data_of<Creator>(resource);
        if (!lists(creator.scene.script().colors.transfers, transfer))
            fail(resource, WP_IMAGE_DESCRIPTION_CREATOR_PARAMS_V1_ERROR_INVALID_TF, "not listed");
        else
            set_once(resource, creator.contents.transfer, transfer);
    };
    requests.set_tf_power = [](wl_client*, wl_resource* resource, uint32_t) {
        unsupported(resource);
    };
    requests.set_primaries_named = [](wl_client*, wl_resource* resource, uint32_t primaries) {
        Creator& creator = data_of<Creator>(resource);
        if (!lists(creator.scene.script().colors.primaries, primaries))
            fail(resource, WP_IMAGE_DESCRIPTION_CREATOR_PARAMS_V1_ERROR_INVALID_PRIMARIES_NAMED,
                 "not listed");
        else
            set_once(resource, creator.contents.primaries, primaries);
    };
    requests.set_primaries = [](wl_client*, wl_resource* resource, int32_t, int32_t, int32_t,
                                int32_t, int32_t, int32_t, int32_t,
                                int32_t) { unsupported(resource); };
    requests.set_luminances = [](wl_client*, wl_resource* resource, uint32_t, uint32_t, uint32_t) {
        unsupported(resource);
    };
    requests.set_mastering_display_primaries =
        [](wl_client*, wl_resource* resource, int32_t r_x, int32_t r_y, int32_t g_x, int32_t g_y,
           int32_t b_x, int32_t b_y, int32_t w_x, int32_t w_y) {
            Creator& creator = data_of<Creator>(resource);
            if (!has_feature(creator.scene,
                             WP_COLOR_MANAGER_V1_FEATURE_SET_MASTERING_DISPLAY_PRIMARIES))
                unsupported(resource);
            else
                set_once(resource, creator.contents.mastering_primaries,
                         std::array{r_x, r_y, g_x, g_y, b_x, b_y, w_x, w_y});
        };
    requests.set_mastering_luminance = [](wl_client*, wl_resource* resource, uint32_t min,
                                          uint32_t max) {
        Creator& creator = data_of<Creator>(resource);
        if (!has_feature(creator.scene,
                         WP_COLOR_MANAGER_V1_FEATURE_SET_MASTERING_DISPLAY_PRIMARIES))
            unsupported(resource);
        else if (uint64_t(max) * 10000 <= min)
            fail(resource, WP_IMAGE_DESCRIPTION_CREATOR_PARAMS_V1_ERROR_INVALID_LUMINANCE,
                 "mastering luminances");
        else
            set_once(resource, creator.contents.mastering_luminance, Luminance{min, max});
    };
    requests.set_max_cll = [](wl_client*, wl_resource* resource, uint32_t level) {
        set_once(resource, data_of<Creator>(resource).contents.max_cll, level);
    };
    requests.set_max_fall = [](wl_client*, wl_resource* resource, uint32_t level) {
        set_once(resource, data_of<Creator>(resource).contents.max_fall, level);
    };
    return requests;
}();

// --- wp_color_management_surface_v1 ---

// Null once the surface is destroyed.
ClientSurface* surface_of(wl_resource* color) {
    return static_cast<ClientSurface*>(wl_resource_get_user_data(color));
}

const struct wp_color_management_surface_v1_interface surface_requests = [] {
    struct wp_color_management_surface_v1_interface requests {};
    requests.destroy = destroy_resource;
    requests.set_image_description = [](wl_client*, wl_resource* color, wl_resource* description,
                                        uint32_t intent) {
        ClientSurface* surface = surface_of(color);
        const Description& described = data_of<Description>(description);
        if (!surface)
            fail(color, WP_COLOR_MANAGEMENT_SURFACE_V1_ERROR_INERT, "the surface is gone");
        else if (!described.ready)
            fail(color, WP_COLOR_MANAGEMENT_SURFACE_V1_ERROR_IMAGE_DESCRIPTION, "not ready");
        else if (intent != WP_COLOR_MANAGER_V1_RENDER_INTENT_PERCEPTUAL)
            fail(color, WP_COLOR_MANAGEMENT_SURFACE_V1_ERROR_RENDER_INTENT, "not listed");
        else
            surface->image_description = described.contents;
    };
    requests.unset_image_description = [](wl_client*, wl_resource* color) {
        if (ClientSurface* surface = surface_of(color))
            surface->image_description.reset();
        else
            fail(color, WP_COLOR_MANAGEMENT_SURFACE_V1_ERROR_INERT, "the surface is gone");
    };
    return requests;
}();

// --- wp_color_manager_v1 ---
void get_surface(wl_client* client, wl_resource* manager, uint32_t id, wl_resource* wl_surface) {
    ClientSurface& surface = data_of<ClientSurface>(wl_surface);
    if (surface.color) {
        fail(manager, WP_COLOR_MANAGER_V1_ERROR_SURFACE_EXISTS, "the surface has one already");
        return;
    }
    surface.color = wl_resource_create(client, &wp_color_management_surface_v1_interface, 1, id);
    wl_resource_set_implementation(surface.color, &surface_requests, &surface,
                                   [](wl_resource* color) {
                                       if (ClientSurface* owner = surface_of(color)) {
                                           owner->color = nullptr;
                                           owner->image_description.reset();
                                       }
                                   });
}

void refuse(wl_resource* manager) {
    fail(manager, WP_COLOR_MANAGER_V1_ERROR_UNSUPPORTED_FEATURE, "unsupported");
}

const struct wp_color_manager_v1_interface manager_requests = [] {
    struct wp_color_manager_v1_interface requests {};
    requests.destroy = destroy_resource;
    // The clients of the tests use neither outputs nor feedback.
    requests.get_output = [](wl_client*, wl_resource* manager, uint32_t, wl_resource*) {
        refuse(manager);
    };
    requests.get_surface = get_surface;
    requests.get_surface_feedback = [](wl_client*, wl_resource* manager, uint32_t, wl_resource*) {
        refuse(manager);
    };
    requests.create_icc_creator = [](wl_client*, wl_resource* manager, uint32_t) {
        refuse(manager);
    };
    requests.create_parametric_creator = [](wl_client* client, wl_resource* manager, uint32_t id) {
        Scene& scene = data_of<Scene>(manager);
        if (!has_feature(scene, WP_COLOR_MANAGER_V1_FEATURE_PARAMETRIC)) {
            refuse(manager);
            return;
        }
        wl_resource* resource =
            wl_resource_create(client, &wp_image_description_creator_params_v1_interface, 1, id);
        wl_resource_set_implementation(resource, &creator_requests, new Creator{scene},
                                       [](wl_resource* dying) { delete &data_of<Creator>(dying); });
    };
    requests.create_windows_scrgb = [](wl_client* client, wl_resource* manager, uint32_t id) {
        Scene& scene = data_of<Scene>(manager);
        if (has_feature(scene, WP_COLOR_MANAGER_V1_FEATURE_WINDOWS_SCRGB))
            create_description(client, scene, id, {.windows_scrgb = true});
        else
            refuse(manager);
    };
    return requests;
}();

void bind_manager(wl_client* client, void* data, uint32_t version, uint32_t id) {
    wl_resource* resource =
        wl_resource_create(client, &wp_color_manager_v1_interface, int(version), id);
    wl_resource_set_implementation(resource, &manager_requests, data, nullptr);
    const Colors& colors = static_cast<Scene*>(data)->script().colors;
    wp_color_manager_v1_send_supported_intent(resource,
                                              WP_COLOR_MANAGER_V1_RENDER_INTENT_PERCEPTUAL);
    for (const uint32_t feature : colors.features)
        wp_color_manager_v1_send_supported_feature(resource, feature);
    for (const uint32_t transfer : colors.transfers)
        wp_color_manager_v1_send_supported_tf_named(resource, transfer);
    for (const uint32_t primaries : colors.primaries)
        wp_color_manager_v1_send_supported_primaries_named(resource, primaries);
    wp_color_manager_v1_send_done(resource);
}

} // namespace

void Scene::answer_descriptions(bool accept) {
    for (wl_resource* description : std::vector(unanswered_descriptions_))
        answer(description, accept);
}

void add_color_global(Scene& scene) {
    if (scene.script().globals.color > 0)
        scene.announce(wp_color_manager_v1_interface, 1, bind_manager);
}

} // namespace fencebridge::test
