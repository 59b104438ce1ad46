// SPDX-License-Identifier: MIT
// The fake compositor's color-management-v1 and color-representation-v1, tested with a plain
// Wayland client: what the protocols forbid is an error.
#include "plain_client.hpp"

#include <color-management-v1-client-protocol.h>
#include <color-representation-v1-client-protocol.h>

namespace fencebridge::test {
namespace {

constexpr uint32_t bt2020 = WP_COLOR_MANAGER_V1_PRIMARIES_BT2020;
constexpr uint32_t pq = WP_COLOR_MANAGER_V1_TRANSFER_FUNCTION_ST2084_PQ;
constexpr uint32_t perceptual = WP_COLOR_MANAGER_V1_RENDER_INTENT_PERCEPTUAL;

Script colors_without(const std::vector<uint32_t>& features) {
    Script script;
    script.globals.color = 1;
    script.globals.color_representation = 1;
    for (const uint32_t feature : features)
        std::erase(script.colors.features, feature);
    script.colors.primaries = {bt2020};
    script.colors.transfers = {pq};
    script.alpha_modes = {0};
    return script;
}

// A client with the two managers and a surface.
struct ColorClient : PlainClient {
    explicit ColorClient(Compositor& server) : PlainClient(server), surface(new_surface()) {
        wl_registry* registry = wl_display_get_registry(display);
        static const wl_registry_listener listener = {bind_colors,
                                                      [](void*, wl_registry*, uint32_t) {}};
        wl_registry_add_listener(registry, &listener, this);
        wl_display_roundtrip(display);
        wl_registry_destroy(registry);
    }

    static void bind_colors(void* data, wl_registry* registry, uint32_t name, const char* interface,
                            uint32_t version) {
        ColorClient& self = *static_cast<ColorClient*>(data);
        const auto bind_if = [&](const wl_interface& wanted) -> void* {
            return std::strcmp(interface, wanted.name) == 0
                       ? self.own(wl_registry_bind(registry, name, &wanted, version))
                       : nullptr;
        };
        if (void* proxy = bind_if(wp_color_manager_v1_interface))
            self.colors = static_cast<wp_color_manager_v1*>(proxy);
        if (void* proxy = bind_if(wp_color_representation_manager_v1_interface))
            self.representations = static_cast<wp_color_representation_manager_v1*>(proxy);
    }

    wp_image_description_creator_params_v1* creator() {
        return own(wp_color_manager_v1_create_parametric_creator(colors));
    }
    wp_image_description_creator_params_v1* complete_creator() {
        auto* params = creator();
        wp_image_description_creator_params_v1_set_primaries_named(params, bt2020);
        wp_image_description_creator_params_v1_set_tf_named(params, pq);
        return params;
    }
    wp_image_description_v1* create(wp_image_description_creator_params_v1* params) {
        disown(params); // the request destroys it
        return own(wp_image_description_creator_params_v1_create(params));
    }
    wp_color_management_surface_v1* color_surface() {
        return own(wp_color_manager_v1_get_surface(colors, surface));
    }
    wp_color_representation_surface_v1* representation() {
        return own(wp_color_representation_manager_v1_get_surface(representations, surface));
    }
    void destroy_surface() {
        disown(surface);
        wl_surface_destroy(surface);
    }

    wl_surface* surface;
    wp_color_manager_v1* colors = nullptr;
    wp_color_representation_manager_v1* representations = nullptr;
};

struct Forbidden {
    const char* name;
    uint32_t code;
    void (*requests)(ColorClient&);
};

class ForbiddenColors : public testing::TestWithParam<Forbidden> {};

TEST_P(ForbiddenColors, AreAProtocolError) {
    Compositor compositor(
        colors_without({WP_COLOR_MANAGER_V1_FEATURE_SET_MASTERING_DISPLAY_PRIMARIES,
                        WP_COLOR_MANAGER_V1_FEATURE_WINDOWS_SCRGB}));
    ColorClient client(compositor);
    ASSERT_GE(wl_display_roundtrip(client.display), 0);
    GetParam().requests(client);
    EXPECT_LT(wl_display_roundtrip(client.display), 0);
    const wl_interface* interface = nullptr;
    uint32_t object = 0;
    EXPECT_EQ(wl_display_get_protocol_error(client.display, &interface, &object), GetParam().code);
}

const Forbidden all_forbidden[] = {
    {"AnIncompleteDescription", WP_IMAGE_DESCRIPTION_CREATOR_PARAMS_V1_ERROR_INCOMPLETE_SET,
     [](ColorClient& client) { client.create(client.creator()); }},
    {"PrimariesThatAreNotListed",
     WP_IMAGE_DESCRIPTION_CREATOR_PARAMS_V1_ERROR_INVALID_PRIMARIES_NAMED,
     [](ColorClient& client) {
         wp_image_description_creator_params_v1_set_primaries_named(client.creator(), bt2020 + 1);
     }},
    {"ATransferFunctionThatIsNotListed", WP_IMAGE_DESCRIPTION_CREATOR_PARAMS_V1_ERROR_INVALID_TF,
     [](ColorClient& client) {
         wp_image_description_creator_params_v1_set_tf_named(client.creator(), pq + 1);
     }},
    {"APropertyTwice", WP_IMAGE_DESCRIPTION_CREATOR_PARAMS_V1_ERROR_ALREADY_SET,
     [](ColorClient& client) {
         wp_image_description_creator_params_v1_set_tf_named(client.complete_creator(), pq);
     }},
    {"AMasteringDisplayWithoutTheFeature",
     WP_IMAGE_DESCRIPTION_CREATOR_PARAMS_V1_ERROR_UNSUPPORTED_FEATURE,
     [](ColorClient& client) {
         wp_image_description_creator_params_v1_set_mastering_luminance(client.creator(), 1, 1000);
     }},
    {"ALightLevelAboveTheLuminances",
     WP_IMAGE_DESCRIPTION_CREATOR_PARAMS_V1_ERROR_INVALID_LUMINANCE,
     [](ColorClient& client) {
         auto* params = client.complete_creator();
         wp_image_description_creator_params_v1_set_max_cll(params, 10001);
         client.create(params);
     }},
    {"AnAverageAboveTheMaximum", WP_IMAGE_DESCRIPTION_CREATOR_PARAMS_V1_ERROR_INVALID_LUMINANCE,
     [](ColorClient& client) {
         auto* params = client.complete_creator();
         wp_image_description_creator_params_v1_set_max_cll(params, 100);
         wp_image_description_creator_params_v1_set_max_fall(params, 101);
         client.create(params);
     }},
    {"WindowsScrgbWithoutTheFeature", WP_COLOR_MANAGER_V1_ERROR_UNSUPPORTED_FEATURE,
     [](ColorClient& client) {
         client.own(wp_color_manager_v1_create_windows_scrgb(client.colors));
     }},
    {"ASecondColorSurface", WP_COLOR_MANAGER_V1_ERROR_SURFACE_EXISTS,
     [](ColorClient& client) {
         client.color_surface();
         client.color_surface();
     }},
    {"AnotherIntent", WP_COLOR_MANAGEMENT_SURFACE_V1_ERROR_RENDER_INTENT,
     [](ColorClient& client) {
         auto* description = client.create(client.complete_creator());
         wp_color_management_surface_v1_set_image_description(client.color_surface(), description,
                                                              perceptual + 1);
     }},
    {"AColorOfNoSurface", WP_COLOR_MANAGEMENT_SURFACE_V1_ERROR_INERT,
     [](ColorClient& client) {
         auto* color = client.color_surface();
         client.destroy_surface();
         wp_color_management_surface_v1_unset_image_description(color);
     }},
    {"ASecondRepresentation", WP_COLOR_REPRESENTATION_MANAGER_V1_ERROR_SURFACE_EXISTS,
     [](ColorClient& client) {
         client.representation();
         client.representation();
     }},
    {"AnAlphaModeThatIsNotListed", WP_COLOR_REPRESENTATION_SURFACE_V1_ERROR_ALPHA_MODE,
     [](ColorClient& client) {
         wp_color_representation_surface_v1_set_alpha_mode(
             client.representation(), WP_COLOR_REPRESENTATION_SURFACE_V1_ALPHA_MODE_STRAIGHT);
     }},
    {"AnAlphaModeOfNoSurface", WP_COLOR_REPRESENTATION_SURFACE_V1_ERROR_INERT,
     [](ColorClient& client) {
         auto* representation = client.representation();
         client.destroy_surface();
         wp_color_representation_surface_v1_set_alpha_mode(representation, 0);
     }},
};
INSTANTIATE_TEST_SUITE_P(, ForbiddenColors, testing::ValuesIn(all_forbidden),
                         [](const auto& tested) { return std::string(tested.param.name); });

TEST(FakeColors, ADescriptionThatIsNotReadyCannotBeSet) {
    Script script = colors_without({});
    script.descriptions = Descriptions::manual;
    Compositor compositor(script);
    ColorClient client(compositor);
    auto* description = client.create(client.complete_creator());
    wp_color_management_surface_v1_set_image_description(client.color_surface(), description,
                                                         perceptual);
    EXPECT_LT(wl_display_roundtrip(client.display), 0);
    const wl_interface* interface = nullptr;
    uint32_t object = 0;
    EXPECT_EQ(wl_display_get_protocol_error(client.display, &interface, &object),
              uint32_t(WP_COLOR_MANAGEMENT_SURFACE_V1_ERROR_IMAGE_DESCRIPTION));
}

TEST(FakeColors, ADescriptionIsOfTheCommitsAfterItUntilTheObjectEnds) {
    Compositor compositor(colors_without({}));
    ColorClient client(compositor);
    auto* description = client.create(client.complete_creator());
    auto* color = client.color_surface();
    wp_color_management_surface_v1_set_image_description(color, description, perceptual);
    client.show(client.surface, client.make_buffer());
    client.show(client.surface, client.make_buffer());
    client.disown(color);
    wp_color_management_surface_v1_destroy(color);
    client.show(client.surface, client.make_buffer());
    wl_display_roundtrip(client.display);
    const ImageDescription expected{.primaries = bt2020, .transfer = pq};
    EXPECT_EQ(compositor.commit_at(0).image_description, expected);
    EXPECT_EQ(compositor.commit_at(1).image_description, expected);
    EXPECT_EQ(compositor.commit_at(2).image_description, std::nullopt);
}

} // namespace
} // namespace fencebridge::test
