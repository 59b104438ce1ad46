// SPDX-License-Identifier: MIT
#include "wayland/colour.hpp"

namespace fencebridge::wayland {

ImageDescription::ImageDescription() :
    id_([] {
        static std::atomic<uint64_t> last = 0;
        return ++last;
    }()) {}

} // namespace fencebridge::wayland

#ifdef FENCEBRIDGE_HAVE_COLOR_MANAGEMENT_V1

#include "color-management-v1-client-protocol.h"
#include "util/log.hpp"
#include "wayland/protocol_set.hpp"
#include "wayland/proxy.hpp"

namespace fencebridge::wayland {

static_assert(row_of(Protocol::color_management).exists_error ==
              WP_COLOR_MANAGER_V1_ERROR_SURFACE_EXISTS);

// The numbers of core/colour.hpp are the protocol's.
static_assert(static_cast<uint32_t>(core::Primaries::srgb) == WP_COLOR_MANAGER_V1_PRIMARIES_SRGB);
static_assert(static_cast<uint32_t>(core::Primaries::bt2020) ==
              WP_COLOR_MANAGER_V1_PRIMARIES_BT2020);
static_assert(static_cast<uint32_t>(core::Primaries::display_p3) ==
              WP_COLOR_MANAGER_V1_PRIMARIES_DISPLAY_P3);
static_assert(static_cast<uint32_t>(core::Primaries::adobe_rgb) ==
              WP_COLOR_MANAGER_V1_PRIMARIES_ADOBE_RGB);
static_assert(static_cast<uint32_t>(core::TransferFunction::bt1886) ==
              WP_COLOR_MANAGER_V1_TRANSFER_FUNCTION_BT1886);
static_assert(static_cast<uint32_t>(core::TransferFunction::gamma22) ==
              WP_COLOR_MANAGER_V1_TRANSFER_FUNCTION_GAMMA22);
static_assert(static_cast<uint32_t>(core::TransferFunction::ext_linear) ==
              WP_COLOR_MANAGER_V1_TRANSFER_FUNCTION_EXT_LINEAR);
static_assert(static_cast<uint32_t>(core::TransferFunction::srgb) ==
              WP_COLOR_MANAGER_V1_TRANSFER_FUNCTION_SRGB);
static_assert(static_cast<uint32_t>(core::TransferFunction::st2084_pq) ==
              WP_COLOR_MANAGER_V1_TRANSFER_FUNCTION_ST2084_PQ);
static_assert(static_cast<uint32_t>(core::TransferFunction::hlg) ==
              WP_COLOR_MANAGER_V1_TRANSFER_FUNCTION_HLG);

void ColourDestroyer::operator()(wp_color_manager_v1* manager) const {
    wp_color_manager_v1_destroy(manager);
}
void ColourDestroyer::operator()(wp_color_management_surface_v1* surface) const {
    wp_color_management_surface_v1_destroy(surface);
}
void ColourDestroyer::operator()(wp_image_description_v1* description) const {
    wp_image_description_v1_destroy(description);
}

struct ColourManager::Handlers {
    static core::ColourCapabilities& capabilities(void* data) {
        return static_cast<ColourManager*>(data)->capabilities_;
    }
    // Every compositor supports the perceptual intent, and the layer uses no other.
    static void supported_intent(void*, wp_color_manager_v1*, uint32_t) {}
    static void supported_feature(void* data, wp_color_manager_v1*, uint32_t feature) {
        switch (feature) {
        case WP_COLOR_MANAGER_V1_FEATURE_PARAMETRIC:
            capabilities(data).parametric = true;
            break;
        case WP_COLOR_MANAGER_V1_FEATURE_SET_MASTERING_DISPLAY_PRIMARIES:
            capabilities(data).mastering = true;
            break;
        case WP_COLOR_MANAGER_V1_FEATURE_WINDOWS_SCRGB:
            capabilities(data).windows_scrgb = true;
            break;
        default:
            break;
        }
    }
    static void supported_tf_named(void* data, wp_color_manager_v1*, uint32_t transfer) {
        capabilities(data).add_transfer(transfer);
    }
    static void supported_primaries_named(void* data, wp_color_manager_v1*, uint32_t primaries) {
        capabilities(data).add_primaries(primaries);
    }
    static void done(void* data, wp_color_manager_v1*) {
        static_cast<ColourManager*>(data)->done_ = true;
    }
};

void ColourManager::bind(AnnouncedGlobal& global) {
    static constexpr wp_color_manager_v1_listener listener = {
        .supported_intent = &Handlers::supported_intent,
        .supported_feature = &Handlers::supported_feature,
        .supported_tf_named = &Handlers::supported_tf_named,
        .supported_primaries_named = &Handlers::supported_primaries_named,
        .done = &Handlers::done,
    };
    if (manager_ || !global.is(wp_color_manager_v1_interface))
        return;
    // Version 1: later ones no longer list the transfer function `srgb`.
    manager_.reset(global.bind<wp_color_manager_v1>(wp_color_manager_v1_interface, 1));
    if (manager_)
        wp_color_manager_v1_add_listener(manager_.get(), &listener, this);
}

struct ImageDescription::Handlers {
    static void failed(void* data, wp_image_description_v1*, uint32_t cause, const char* message) {
        log::error("the compositor refused an image description (cause %u): %s", cause, message);
        static_cast<ImageDescription*>(data)->answer_ = Answer::failed;
    }
    static void ready(void* data, wp_image_description_v1*, uint32_t) {
        static_cast<ImageDescription*>(data)->answer_ = Answer::ready;
    }
};

namespace {

wp_image_description_v1* create_parametric(wp_color_manager_v1* manager,
                                           const core::ColourEncoding& encoding,
                                           const core::HdrMetadata& metadata) {
    wp_image_description_creator_params_v1* const creator =
        wp_color_manager_v1_create_parametric_creator(manager);
    if (creator == nullptr)
        return nullptr;
    wp_image_description_creator_params_v1_set_tf_named(creator,
                                                        static_cast<uint32_t>(encoding.transfer));
    wp_image_description_creator_params_v1_set_primaries_named(
        creator, static_cast<uint32_t>(encoding.primaries));
    if (const auto& p = metadata.mastering_primaries)
        wp_image_description_creator_params_v1_set_mastering_display_primaries(
            creator, (*p)[0], (*p)[1], (*p)[2], (*p)[3], (*p)[4], (*p)[5], (*p)[6], (*p)[7]);
    if (const auto& luminance = metadata.mastering_luminance)
        wp_image_description_creator_params_v1_set_mastering_luminance(creator, luminance->min,
                                                                       luminance->max);
    if (metadata.max_cll)
        wp_image_description_creator_params_v1_set_max_cll(creator, *metadata.max_cll);
    if (metadata.max_fall)
        wp_image_description_creator_params_v1_set_max_fall(creator, *metadata.max_fall);
    return wp_image_description_creator_params_v1_create(creator); // destroys the creator
}

} // namespace

bool ImageDescription::request(const ColourManager& manager, const core::ColourEncoding& encoding,
                               const core::HdrMetadata& metadata, wl_event_queue* queue) {
    static constexpr wp_image_description_v1_listener listener = {
        .failed = &Handlers::failed,
        .ready = &Handlers::ready,
    };
    // The description inherits the queue of the object that creates it.
    const auto on_queue = wrap(manager.get(), queue);
    if (!on_queue)
        return false;
    description_.reset(encoding.windows_scrgb
                           ? wp_color_manager_v1_create_windows_scrgb(on_queue.get())
                           : create_parametric(on_queue.get(), encoding, metadata));
    if (!description_)
        return false;
    wp_image_description_v1_add_listener(description_.get(), &listener, this);
    return true;
}

bool SurfaceColour::set(const ColourManager& manager, wl_surface* surface,
                        const ImageDescription& description) {
    if (surface_ && description.id() == last_)
        return true;
    if (!surface_)
        surface_.reset(wp_color_manager_v1_get_surface(manager.get(), surface));
    if (!surface_)
        return false;
    wp_color_management_surface_v1_set_image_description(
        surface_.get(), description.get(), WP_COLOR_MANAGER_V1_RENDER_INTENT_PERCEPTUAL);
    last_ = description.id();
    return true;
}

} // namespace fencebridge::wayland

#else // the protocol's file was not there at build time: nothing is ever bound

namespace fencebridge::wayland {

void ColourDestroyer::operator()(wp_color_manager_v1*) const {}
void ColourDestroyer::operator()(wp_color_management_surface_v1*) const {}
void ColourDestroyer::operator()(wp_image_description_v1*) const {}

void ColourManager::bind(AnnouncedGlobal&) {}

bool ImageDescription::request(const ColourManager&, const core::ColourEncoding&,
                               const core::HdrMetadata&, wl_event_queue*) {
    return false;
}

bool SurfaceColour::set(const ColourManager&, wl_surface*, const ImageDescription&) {
    return false;
}

} // namespace fencebridge::wayland

#endif
