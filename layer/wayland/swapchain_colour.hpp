// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <vulkan/vulkan.h>

#include "core/colour.hpp"
#include "util/locked.hpp"
#include "wayland/colour.hpp"
#include "wayland/connection.hpp"
#include "wayland/event_queue.hpp"

namespace fencebridge::wayland {

/// The image descriptions of one swapchain: that of its colour space, and those with the HDR
/// metadata that the application sets later.
class SwapchainColour {
public:
    /// @param connection    must outlive this
    /// @param capabilities  of the compositor
    /// @param encoding      nothing if the compositor is told of no colour space
    SwapchainColour(Connection& connection, const core::ColourCapabilities& capabilities,
                    std::optional<core::ColourEncoding> encoding) :
        connection_(connection),
        capabilities_(capabilities), encoding_(encoding) {}

    /// Whether the swapchain's images have a description.
    [[nodiscard]] bool is_described() const { return encoding_.has_value(); }

    /// Requests the description of the colour space, if there is one. Called once, before the first
    /// commit.
    /// @param queue  receives the answer; must outlive this
    /// @return false if memory could not be allocated
    [[nodiscard]] bool request(wl_event_queue* queue);
    [[nodiscard]] bool is_answered() const { return !encoding_ || first_.is_answered(); }
    [[nodiscard]] bool is_refused() const { return first_.is_refused(); }

    /// Requests a description with this metadata, unless it is the same as before or the colour
    /// space takes none. If an earlier request was not used yet, leaves that to update(). Does not
    /// wait. Any thread may call it.
    void set_metadata(const VkHdrMetadataEXT& metadata);

    /// Whether update() has something to do.
    [[nodiscard]] bool has_change() const { return has_change_; }

    /// Called by the presenting thread before each commit. After set_metadata(), waits for the
    /// compositor's answer. If the compositor refuses the metadata, the description stays.
    /// @return VK_SUCCESS or VK_ERROR_SURFACE_LOST_KHR
    [[nodiscard]] VkResult update();

    /// The description of the next commit; null if there is none. Called by the presenting thread.
    [[nodiscard]] const ImageDescription* description() const;

private:
    /// A description on a queue of its own: the acquiring thread may be waiting on the presenter's
    /// queue.
    struct Request {
        Request(Display& display, const core::HdrMetadata& with) : queue(display), metadata(with) {}
        EventQueue queue;
        const core::HdrMetadata metadata;
        ImageDescription description; ///< destroyed before its queue
    };
    struct Metadata {
        core::HdrMetadata last;        ///< the last that was set
        std::unique_ptr<Request> next; ///< that no present has used; may have older metadata
    };

    [[nodiscard]] std::unique_ptr<Request> request_with(const core::HdrMetadata& metadata);

    Connection& connection_;
    const core::ColourCapabilities capabilities_;
    const std::optional<core::ColourEncoding> encoding_;
    ImageDescription first_;
    std::unique_ptr<Request> changed_; ///< replaces first_; used by the presenting thread only
    Locked<Metadata> metadata_;
    /// Metadata::last has changed since update() has requested it; written with the lock held.
    std::atomic<bool> has_change_ = false;
};

} // namespace fencebridge::wayland
