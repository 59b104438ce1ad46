// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <wayland-client.h>

#include "core/colour.hpp"
#include "wayland/announced_global.hpp"

// Not in every build's protocol headers.
struct wp_color_manager_v1;
struct wp_color_management_surface_v1;
struct wp_image_description_v1;

namespace fencebridge::wayland {

struct ColourDestroyer {
    void operator()(wp_color_manager_v1* manager) const;
    void operator()(wp_color_management_surface_v1* surface) const;
    void operator()(wp_image_description_v1* description) const;
};
template <class T>
using ColourProxy = std::unique_ptr<T, ColourDestroyer>;

/// The global of color-management-v1, if the build and the compositor have it.
class ColourManager {
public:
    ColourManager() = default;
    ColourManager(const ColourManager&) = delete;
    ColourManager& operator=(const ColourManager&) = delete;

    /// For each global of the registry: binds it if it is the protocol's.
    void bind(AnnouncedGlobal& global);

    /// Whether capabilities() is complete: there is no global, or its events have been dispatched.
    [[nodiscard]] bool is_described() const { return !manager_ || done_; }
    /// What the compositor can describe. Read only if is_described().
    [[nodiscard]] const core::ColourCapabilities& capabilities() const { return capabilities_; }

    /// Null if the build or the compositor lacks the protocol.
    [[nodiscard]] wp_color_manager_v1* get() const { return manager_.get(); }

private:
    struct Handlers;

    ColourProxy<wp_color_manager_v1> manager_;
    core::ColourCapabilities capabilities_; ///< written by the handlers, until done_
    std::atomic<bool> done_ = false;
};

/// An image description of color-management-v1, which can be used once the compositor has accepted
/// it. It is the data of the protocol object's listener, so it must not move.
class ImageDescription {
public:
    ImageDescription();
    ImageDescription(const ImageDescription&) = delete;
    ImageDescription& operator=(const ImageDescription&) = delete;

    /// Requests the description. Called once.
    /// @param encoding  one that the compositor can describe
    /// @param metadata  empty, or of an encoding with takes_hdr_metadata()
    /// @param queue     receives the answer; must outlive this
    /// @return false if memory could not be allocated
    [[nodiscard]] bool request(const ColourManager& manager, const core::ColourEncoding& encoding,
                               const core::HdrMetadata& metadata, wl_event_queue* queue);

    /// Whether no answer is awaited. Also before request(), and if it has failed.
    [[nodiscard]] bool is_answered() const { return !description_ || answer_ != Answer::none; }
    [[nodiscard]] bool is_refused() const { return answer_ == Answer::failed; }

    /// Used in other requests only once is_answered() and not is_refused().
    [[nodiscard]] wp_image_description_v1* get() const { return description_.get(); }
    /// Different for every description of the process.
    [[nodiscard]] uint64_t id() const { return id_; }

private:
    struct Handlers;
    enum class Answer { none, ready, failed };

    const uint64_t id_;
    ColourProxy<wp_image_description_v1> description_;
    Answer answer_ = Answer::none; ///< written by the dispatching thread
};

/// A wl_surface's wp_color_management_surface_v1, which exists while the images of a described
/// colour space are shown. Its functions are called between the requests of one commit.
class SurfaceColour {
public:
    /// Sets the description of the next commit. Makes no request if it is that of the last commit.
    /// @return false if memory could not be allocated
    [[nodiscard]] bool set(const ColourManager& manager, wl_surface* surface,
                           const ImageDescription& description);
    /// The next commit has no description. Destroys the surface's object, so that the application
    /// can create one.
    void set_none() { surface_.reset(); }

private:
    ColourProxy<wp_color_management_surface_v1> surface_;
    uint64_t last_ = 0; ///< ImageDescription::id(), while surface_ exists
};

} // namespace fencebridge::wayland
