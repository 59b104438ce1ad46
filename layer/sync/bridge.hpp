// SPDX-License-Identifier: MIT
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <poll.h>
#include <span>
#include <string>
#include <sys/types.h>
#include <vector>
#include <vulkan/vulkan.h>

#include "core/image_ring.hpp"
#include "core/timeline_point.hpp"
#include "core/transport_choice.hpp"
#include "image/swapchain_image.hpp"
#include "sync/obstacle.hpp"
#include "util/fd.hpp"
#include "vk/driver_facts.hpp"

namespace fencebridge::sync {

/// What the application must wait for before it draws to an image.
struct Snapshot {
    core::ImageIndex image;
    Fd fences; ///< a sync_file; empty: nothing is pending
};

/// The two timelines of one image, as descriptors of their syncobjs.
struct ImageTimelines {
    Fd acquire;
    Fd release;
};

/// A transport: carries fences between a swapchain's images and the window system. A sync_file is
/// the currency on both sides; an empty one has signalled already.
///
/// Called without any lock held. One thread at a time acquires, and one presents; the two may run
/// at the same time, for different images.
class Bridge {
public:
    virtual ~Bridge() = default;

    /// The images' timelines, for the window system to know them by; none where fences travel with
    /// the dma-bufs.
    [[nodiscard]] virtual std::expected<std::vector<ImageTimelines>, VkResult> share_timelines() {
        return {};
    }

    /// Those of the presented images that the window system has let go, where the transport tells.
    /// It need not ask for them when one of the free images is known to have nothing pending.
    [[nodiscard]] virtual std::expected<core::ImageList, VkResult>
    released(const core::ImageList& /*presented*/, const core::ImageList& /*free*/) {
        return {};
    }

    /// Chooses among images that have come back from the window system: one with nothing pending
    /// if that is cheap to tell, else the first. Snapshots the fences that the application must
    /// wait for before it draws to that image, and none that is attached later. Does not wait.
    /// @param free  not empty
    /// @return or nothing, where the transport carries no fences and all images have some pending
    [[nodiscard]] virtual std::expected<std::optional<Snapshot>, VkResult>
    acquire(const core::ImageList& free) = 0;

    /// When no image is free, or acquire() of those gave nothing: what to poll for, beside the
    /// window system's events, until that may change; be it by an image that another thread
    /// presents meanwhile. The events that come of it are for released() to look at.
    /// @return at most core::max_images
    [[nodiscard]] virtual std::expected<std::span<pollfd>, VkResult>
    await_release(const core::ImageList& /*free*/) {
        return {};
    }

    /// Whether the transport goes on using the images' dma-bufs once the window system has them.
    [[nodiscard]] virtual bool needs_dma_bufs() const { return true; }

    /// An image is about to go to the window system, which shall not read it before `rendering`
    /// has signalled. Never loses the fence: what cannot be carried is waited for.
    /// @return what the commit must say, where the transport has timelines
    [[nodiscard]] virtual std::expected<std::optional<core::CommitPoints>, VkResult>
    present(core::ImageIndex image, const Fd& rendering) = 0;
};

/// A window system that takes timelines.
struct TimelineTaker {
    std::optional<dev_t> main_device; ///< the DRM device that it works with
};

struct BridgeChoice {
    std::unique_ptr<Bridge> bridge;
    core::TransportChoice why;
};

/// Tries transports out on a swapchain's images, in the order of core::choose_transport(), and
/// takes the first that works. Those behind it are not touched.
/// @param images     must outlive the bridge, where they are
/// @param importers  what others that use the images' dma-bufs do with attached fences
/// @param taker      or why there is none, in words
/// @return or VK_ERROR_OUT_OF_HOST_MEMORY when trying failed for want of memory or descriptors
[[nodiscard]] std::expected<BridgeChoice, VkResult>
choose_bridge(std::span<const image::SwapchainImage> images, const core::DriverSyncFd& driver,
              vk::Importers importers, const std::expected<TimelineTaker, std::string>& taker,
              std::optional<core::Transport> requested);

} // namespace fencebridge::sync
