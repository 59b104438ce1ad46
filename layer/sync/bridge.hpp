// SPDX-License-Identifier: MIT
#pragma once

#include <compare>
#include <expected>
#include <memory>
#include <optional>
#include <poll.h>
#include <span>
#include <string>
#include <sys/types.h>
#include <variant>
#include <vector>
#include <vulkan/vulkan.h>

#include "core/image_ring.hpp"
#include "core/timeline_point.hpp"
#include "core/transport_choice.hpp"
#include "image/swapchain_image.hpp"
#include "ioctl/ioctl.hpp"
#include "sync/rendering.hpp"
#include "util/fd.hpp"
#include "vk/driver_facts.hpp"

namespace fencebridge::sync {

/// The fences that the application must wait for before it draws to an image.
struct Snapshot {
    core::ImageIndex image;
    Fd fences; ///< a sync_file; empty: no fence is pending
};

/// The two timelines of one image, as file descriptors of their syncobjs.
struct ImageTimelines {
    Fd acquire;
    Fd release;
};

/// Carries a swapchain's fences between its images and the window system, by one transport. Fences
/// go in and out as sync_files. An empty sync_file stands for fences that have signalled.
///
/// Called without any lock held. One thread at a time calls snapshot() and what belongs to it
/// (find_released(), prepare_wait()); one thread at a time calls attach_rendering(). The two may
/// run at the same time, for different images.
class Bridge {
public:
    virtual ~Bridge() = default;

    /// The images' timelines, for the window system to import. None where fences travel with the
    /// dma-bufs.
    [[nodiscard]] virtual std::expected<std::vector<ImageTimelines>, VkResult> share_timelines() {
        return {};
    }

    /// Whether find_released() can find any.
    [[nodiscard]] virtual bool reports_releases() const { return false; }

    /// The presented images that the window system has released, where the transport reports
    /// releases. Returns none, without a query, if a free image is known to be idle.
    [[nodiscard]] virtual std::expected<core::ImageList, VkResult>
    find_released(const core::ImageList& /*presented*/, const core::ImageList& /*free*/) {
        return {};
    }

    /// Chooses a free image: one without pending fences if that is cheap to find, else the first.
    /// Snapshots the fences that the application must wait for before it draws to that image. The
    /// snapshot contains no fence that is attached later. Does not wait.
    /// @param free  not empty
    /// @return nothing, where the transport cannot carry fences and every image has pending ones
    [[nodiscard]] virtual std::expected<std::optional<Snapshot>, VkResult>
    snapshot(const core::ImageList& free) = 0;

    /// Prepares a wait for an image: when none is free, or when snapshot() returned nothing.
    /// @return what to poll for beside the window system's events, at most core::max_images. Where
    ///         the transport reports releases, this includes the release of images that another
    ///         thread presents during the poll, and the next find_released() evaluates the result
    ///         of the poll.
    [[nodiscard]] virtual std::expected<std::span<pollfd>, VkResult>
    prepare_wait(const core::ImageList& /*free*/) {
        return {};
    }

    /// Whether the transport uses the images' dma-bufs after the window system has imported them.
    [[nodiscard]] virtual bool needs_dma_bufs() const { return true; }

    /// Makes the window system wait for the rendering before it reads an image that is about to be
    /// shown. Never loses the fence: if it cannot be carried, this waits for it. For images
    /// whose memory carries no fences it does nothing: the presenter waits.
    /// @return the timeline points for the commit, where the transport has timelines. The error is
    ///         VK_ERROR_DEVICE_LOST: the wait has failed, and the wait semaphores have been
    ///         consumed
    [[nodiscard]] virtual std::expected<std::optional<core::CommitPoints>, VkResult>
    attach_rendering(core::ImageIndex image, const Rendering& rendering) = 0;
};

/// What a window system that can carry fences by timelines reports about itself.
struct TimelineSupport {
    /// The DRM device that the window system renders with, if known.
    std::optional<dev_t> main_device;
    auto operator<=>(const TimelineSupport&) const = default;
};

/// Why a transport could not be opened: the reason, if something that it needs is missing; or
/// VK_ERROR_OUT_OF_HOST_MEMORY, if memory or descriptors ran out before that was known.
using OpenError = std::variant<std::string, VkResult>;

/// Converts the error of a call that was made to open a transport. Logs it if memory or descriptors
/// ran out.
[[nodiscard]] OpenError open_error(const char* call, ioctl::Errno error);

struct BridgeChoice {
    std::unique_ptr<Bridge> bridge;
    core::TransportChoice why;
};

/// Tries transports on a swapchain's images, in the order of core::choose_transport(), and returns
/// the first that works. Later ones are not tried.
/// @param images           must outlive the bridge, at the same address
/// @param implicit_fences  whether the window system waits for fences attached to the images
/// @param timelines        what the window system reports; or the reason why it cannot carry fences
///                         by timelines
/// @return the error is VK_ERROR_OUT_OF_HOST_MEMORY: memory or descriptors ran out
[[nodiscard]] std::expected<BridgeChoice, VkResult>
choose_bridge(std::span<const image::SwapchainImage> images, const core::DriverSyncFd& driver,
              vk::ImplicitFences implicit_fences,
              const std::expected<TimelineSupport, std::string>& timelines,
              std::optional<core::Transport> requested);

} // namespace fencebridge::sync
