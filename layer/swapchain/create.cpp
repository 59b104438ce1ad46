// SPDX-License-Identifier: MIT
#include "swapchain/swapchain.hpp"

#include <algorithm>
#include <atomic>

#include "core/commit_plan.hpp"
#include "core/surface_limits.hpp"
#include "image/alias.hpp"
#include "swapchain/deferred_presenter.hpp"
#include "util/log.hpp"
#include "vk/chain.hpp"
#include "vk/format.hpp"
#include "vk/newer_headers.hpp"

namespace fencebridge {

/// What is decided before the images are made.
struct Swapchain::Plan {
    PixelFormat pixels;
    PixelColours colours;
    VkPresentModeKHR mode; ///< of the first present, unless that names another
    const vk::PhysicalDevice& physical;
    Candidates candidates;
    SwapchainSettings settings;
};

namespace {

/// The members of VkImageCreateInfo that vkCreateSwapchainKHR determines.
vk::ImageParameters image_parameters(const VkSwapchainCreateInfoKHR& info) {
    vk::ImageParameters parameters = {
        .format = info.imageFormat,
        .extent = info.imageExtent,
        .usage = info.imageUsage,
        .flags = 0,
        .view_formats = {},
        .sharing = info.imageSharingMode,
        .queue_families = {},
    };
    if (info.imageSharingMode == VK_SHARING_MODE_CONCURRENT)
        parameters.queue_families.assign(info.pQueueFamilyIndices,
                                         info.pQueueFamilyIndices + info.queueFamilyIndexCount);
    if (const auto* usage = vk::find<vk::ImageUsageFlags2>(info.pNext))
        parameters.usage = static_cast<VkImageUsageFlags>(usage->usage);
    // VK_KHR_swapchain and VK_KHR_swapchain_mutable_format define these image flags.
    if (info.flags & VK_SWAPCHAIN_CREATE_SPLIT_INSTANCE_BIND_REGIONS_BIT_KHR)
        parameters.flags |= VK_IMAGE_CREATE_SPLIT_INSTANCE_BIND_REGIONS_BIT;
    if (info.flags & VK_SWAPCHAIN_CREATE_MUTABLE_FORMAT_BIT_KHR) {
        parameters.flags |= VK_IMAGE_CREATE_MUTABLE_FORMAT_BIT | VK_IMAGE_CREATE_EXTENDED_USAGE_BIT;
        if (const auto* list = vk::find<VkImageFormatListCreateInfo>(info.pNext))
            parameters.view_formats.assign(list->pViewFormats,
                                           list->pViewFormats + list->viewFormatCount);
    }
    return parameters;
}

PixelColours colours_of(const Window& window, const PixelFormat& pixels,
                        const VkSwapchainCreateInfoKHR& info) {
    const bool straight = info.compositeAlpha == VK_COMPOSITE_ALPHA_POST_MULTIPLIED_BIT_KHR;
    return {.space = info.imageColorSpace,
            .straight_alpha =
                straight && pixels.format->has_alpha() && window.has_straight_alpha()};
}

VkResult refuse(const char* why) {
    log::error("vkCreateSwapchainKHR: %s", why);
    return VK_ERROR_INITIALIZATION_FAILED;
}

/// The bits of VkSwapchainCreateInfoKHR::flags that are obeyed.
/// VK_SWAPCHAIN_CREATE_DEFERRED_MEMORY_ALLOCATION_BIT_KHR lets the layer allocate the memory later,
/// or at once. All others but VK_SWAPCHAIN_CREATE_PROTECTED_BIT_KHR belong to extensions that the
/// layer does not provide.
constexpr VkSwapchainCreateFlagsKHR obeyed_flags =
    VK_SWAPCHAIN_CREATE_MUTABLE_FORMAT_BIT_KHR |
    VK_SWAPCHAIN_CREATE_SPLIT_INSTANCE_BIND_REGIONS_BIT_KHR |
    VK_SWAPCHAIN_CREATE_DEFERRED_MEMORY_ALLOCATION_BIT_EXT |
    VK_SWAPCHAIN_CREATE_PRESENT_ID_2_BIT_KHR | VK_SWAPCHAIN_CREATE_PRESENT_WAIT_2_BIT_KHR |
    VK_SWAPCHAIN_CREATE_PRESENT_TIMING_BIT_EXT;

/// The present modes between which the swapchain can change, its first one included.
std::vector<VkPresentModeKHR> modes_of(const VkSwapchainCreateInfoKHR& info,
                                       const SwapchainSettings& settings) {
    std::vector modes = {info.presentMode};
    const auto* listed = settings.maintenance1
                             ? vk::find<VkSwapchainPresentModesCreateInfoEXT>(info.pNext)
                             : nullptr;
    if (listed != nullptr)
        modes.insert(modes.end(), listed->pPresentModes,
                     listed->pPresentModes + listed->presentModeCount);
    return modes;
}

/// Whether images are to be scaled to the size of the surface, or shown in one part of it.
bool is_scaled(const VkSwapchainCreateInfoKHR& info, const SwapchainSettings& settings) {
    const auto* scaling = settings.maintenance1
                              ? vk::find<VkSwapchainPresentScalingCreateInfoEXT>(info.pNext)
                              : nullptr;
    return scaling != nullptr && (scaling->scalingBehavior != 0 || scaling->presentGravityX != 0 ||
                                  scaling->presentGravityY != 0);
}

bool has_format(const SurfaceSupport& support, const VkSwapchainCreateInfoKHR& info) {
    return std::ranges::any_of(support.formats, [&](const VkSurfaceFormatKHR& format) {
        return format.format == info.imageFormat && format.colorSpace == info.imageColorSpace;
    });
}

/// Whether the window system can be told of the colour space. What the surface lists may have been
/// decided before a driver used the window.
bool can_describe(const Window& window, VkColorSpaceKHR space) {
    if (space == VK_COLOR_SPACE_SRGB_NONLINEAR_KHR || space == VK_COLOR_SPACE_PASS_THROUGH_EXT)
        return true;
    const std::vector<VkColorSpaceKHR> described = window.described_spaces();
    return std::ranges::find(described, space) != described.end();
}

/// Refuses what this surface does not support, and what the layer does not provide. The validation
/// layer would report most of these errors, but need not be enabled.
VkResult check(const Window& window, const SurfaceSupport& support,
               const core::SurfaceLimits& limits, std::span<const VkPresentModeKHR> modes,
               const VkSwapchainCreateInfoKHR& info, const SwapchainSettings& settings) {
    if (!has_format(support, info))
        return refuse("the surface does not have this format and colour space");
    if (!can_describe(window, info.imageColorSpace))
        return refuse("a driver has used the window, and may have described its colours");
    if (info.compositeAlpha == VK_COMPOSITE_ALPHA_POST_MULTIPLIED_BIT_KHR &&
        !window.has_straight_alpha())
        return refuse("the surface does not have VK_COMPOSITE_ALPHA_POST_MULTIPLIED_BIT_KHR");
    const auto compatible = core::compatible_modes(limits, info.presentMode);
    const auto is_compatible = [&](VkPresentModeKHR mode) {
        return std::ranges::find(compatible, mode) != compatible.end();
    };
    if (!std::ranges::all_of(modes, is_compatible))
        return refuse("the surface does not have this present mode, or not with the others");
    if (is_scaled(info, settings))
        return refuse("the surface has the size of the images, and does not scale them");
    if (info.imageExtent.width == 0 || info.imageExtent.height == 0 || info.imageArrayLayers != 1)
        return refuse("the surface does not allow this image size or number of layers");
    if (info.minImageCount > core::max_images)
        return refuse("minImageCount is larger than maxImageCount of the surface");
    if (core::shares_image(info.presentMode) && info.minImageCount > 1)
        return refuse("a swapchain that shares its image has one image");
    if (info.flags & VK_SWAPCHAIN_CREATE_PROTECTED_BIT_KHR)
        return refuse("protected images cannot be shared");
    if (const auto* usage = vk::find<vk::ImageUsageFlags2>(info.pNext);
        usage != nullptr && usage->usage > UINT32_MAX)
        return refuse("the surface does not have this image usage");
    if (const auto unknown = info.flags & ~obeyed_flags; unknown != 0) {
        log::error("vkCreateSwapchainKHR: flags 0x%x belong to extensions that the layer does not "
                   "provide",
                   unknown);
        return VK_ERROR_INITIALIZATION_FAILED;
    }
    return VK_SUCCESS;
}

/// Converts the error of a failed step to one that vkCreateSwapchainKHR may return.
VkResult creation_error(VkResult result) {
    if (result == VK_ERROR_TOO_MANY_OBJECTS)
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    const bool allowed = result == VK_ERROR_OUT_OF_DEVICE_MEMORY ||
                         (!is_of_candidate(result) && result != VK_ERROR_FEATURE_NOT_PRESENT);
    return allowed ? result : VK_ERROR_INITIALIZATION_FAILED;
}

/// The log's name for a present mode that a window system offers.
const char* name(VkPresentModeKHR mode) {
    switch (mode) {
    case VK_PRESENT_MODE_SHARED_DEMAND_REFRESH_KHR:
        return "shared_demand_refresh";
    case VK_PRESENT_MODE_IMMEDIATE_KHR:
        return "immediate";
    case VK_PRESENT_MODE_MAILBOX_KHR:
        return "mailbox";
    case VK_PRESENT_MODE_FIFO_RELAXED_KHR:
        return "fifo_relaxed";
    default:
        return mode == core::present_mode_fifo_latest_ready ? "fifo_latest_ready" : "fifo";
    }
}

/// Whether the window system waits for fences that are attached to the images' dma-bufs. All images
/// have one transport, so one image whose fences are ignored decides.
vk::ImplicitFences implicit_fences_of(const Window& window,
                                      std::span<const image::SwapchainImage> images) {
    if (!window.reads_images())
        return vk::ImplicitFences::honoured;
    const auto ignoring = std::ranges::find(images, vk::ImplicitFences::ignored,
                                            &image::SwapchainImage::implicit_fences);
    return (ignoring == images.end() ? images.front() : *ignoring).implicit_fences;
}

/// What else would avoid the wait on this driver, for the log; empty if nothing would.
std::string remedy_by_gbm(const vk::PhysicalDevice& physical, const Candidates& candidates) {
    if (physical.facts.implicit_fences_on_imports != vk::ImplicitFences::honoured)
        return {};
    const auto is_gbm = [](const image::ImageAllocator* allocator) {
        return allocator->source() == core::ImageSource::gbm;
    };
    if (std::ranges::any_of(candidates.all, [&](const Candidate& candidate) {
            return is_gbm(candidate.allocator) && candidates.is_refused(candidate);
        }))
        return "; so would the image allocator gbm, which failed";
    const auto all = image::allocators(physical, {}, std::nullopt);
    const auto obstacle = (*std::ranges::find_if(all, is_gbm))->obstacle(physical);
    return obstacle ? "; so would the image allocator gbm: " + *obstacle
                    : "; so does FENCEBRIDGE_IMAGE=gbm";
}

/// Warns that presents wait on the CPU, only once in a process: applications create a swapchain for
/// every step of a resize.
void log_waiting(const vk::PhysicalDevice& physical, const Candidates& candidates,
                 core::Transport transport) {
    static std::atomic<bool> logged = false;
    const bool attaches =
        transport == core::Transport::kernel || transport == core::Transport::module;
    if (attaches && !logged.exchange(true))
        log::slow(
            log::Level::warning,
            "transport %s: each vkQueuePresentKHR waits for the rendering on the CPU, since the "
            "window system does not wait for fences attached to this driver's buffers; a "
            "compositor with linux-drm-syncobj-v1 avoids the wait%s",
            core::name(transport), remedy_by_gbm(physical, candidates).c_str());
}

} // namespace

std::expected<std::unique_ptr<Swapchain>, VkResult>
Swapchain::create(const vk::Device& device, sync::PayloadSignaller& signaller,
                  const vk::PhysicalDevice& physical, Window& window, const SurfaceSupport& support,
                  const VkSwapchainCreateInfoKHR& info, const SwapchainSettings& settings) {
    auto limits = window.limits();
    if (!limits)
        return std::unexpected(limits.error());
    limits->modes = core::usable_modes(limits->modes, support.shared_image);
    const auto modes = modes_of(info, settings);
    if (const VkResult result = check(window, support, *limits, modes, info, settings);
        result != VK_SUCCESS)
        return std::unexpected(result);
    auto parameters = fencebridge::image_parameters(info);
    const bool opaque = info.compositeAlpha == VK_COMPOSITE_ALPHA_OPAQUE_BIT_KHR;
    const PixelFormat pixels = {vk::find_format(info.imageFormat), opaque};
    auto candidates = find_candidates(settings.requested, physical, parameters, window, pixels);
    if (!candidates)
        return std::unexpected(candidates.error());
    if (candidates->all.empty())
        return std::unexpected(refuse("driver and window system have no layout in common for "
                                      "images of this format and usage"));
    Plan plan = {.pixels = pixels,
                 .colours = colours_of(window, pixels, info),
                 .mode = info.presentMode,
                 .physical = physical,
                 .candidates = std::move(*candidates),
                 .settings = settings};
    const uint32_t count = core::image_count(*limits, info.minImageCount, modes);
    VkResult failure = VK_ERROR_INITIALIZATION_FAILED;
    for (const Candidate& candidate : plan.candidates.all) {
        parameters.flags = candidate.flags;
        std::unique_ptr<Swapchain> self(
            new Swapchain(device, signaller, parameters, count, modes, settings.present_wait));
        const VkResult result = self->build(window, plan, candidate);
        if (result == VK_SUCCESS)
            return self;
        if (!is_of_candidate(result))
            return std::unexpected(creation_error(result));
        failure = combine_failures(failure, result);
        if (result == VK_ERROR_OUT_OF_DEVICE_MEMORY)
            continue; // nobody has refused it
        plan.candidates.refuse(candidate,
                               self->images_.empty()
                                   ? std::nullopt
                                   : std::optional(self->images_.front().layout.modifier));
    }
    return std::unexpected(creation_error(failure));
}

VkResult Swapchain::build(Window& window, const Plan& plan, const Candidate& candidate) {
    if (const VkResult result = allocate_images(candidate); result != VK_SUCCESS)
        return result;

    const auto implicit_fences = implicit_fences_of(window, images_);
    auto chosen = sync::choose_bridge(images_, device_.sync_fd, implicit_fences,
                                      window.timeline_support(), plan.settings.requested.transport);
    if (!chosen)
        return chosen.error();
    bridge_ = std::move(chosen->bridge);
    if (chosen->why.request_refused)
        log::error("using transport %s: %s", core::name(chosen->why.transport),
                   chosen->why.reason.c_str());
    if (implicit_fences == vk::ImplicitFences::ignored)
        log_waiting(plan.physical, plan.candidates, chosen->why.transport);

    if (plan.settings.timing.timing || plan.settings.timing.display_timing)
        state_.timing.emplace(window.presentation(), plan.settings.timing);
    if (!state_.trace)
        state_.trace = trace::FrameTrace::create(images_.size());
    auto timelines = bridge_->share_timelines();
    if (!timelines)
        return timelines.error();
    auto presenter = window.create_presenter({.extent = parameters_.extent,
                                              .pixels = plan.pixels,
                                              .colours = plan.colours,
                                              .mode = plan.mode,
                                              .reports_presents = plan.settings.present_wait,
                                              .basis = plan.candidates.basis,
                                              .makeable = plan.candidates.makeable,
                                              .nodes = plan.physical.drm_nodes,
                                              .timelines = std::move(*timelines)},
                                             images_, state_);
    // The window system may have lost its timelines since they were chosen. The images stay.
    if (!presenter && chosen->why.transport == core::Transport::explicit_sync &&
        !window.timeline_support())
        return build(window, plan, candidate);
    if (!presenter && presenter.error() == VK_ERROR_INITIALIZATION_FAILED)
        plan.candidates.report_refusal(window, candidate, images_.front().layout.modifier);
    if (!presenter)
        return presenter.error();
    is_deferred_ = !images_.front().carries_fences();
    if (is_deferred_)
        presenter = DeferredPresenter::wrap(std::move(*presenter), state_);
    if (!presenter)
        return presenter.error();
    presenter_ = std::move(*presenter);
    if (!bridge_->needs_dma_bufs()) {
        // The window system has imported them, and has descriptors of its own.
        for (image::SwapchainImage& image : images_) {
            if (!image::alias_needs_dma_buf(image))
                image.dma_buf.reset();
        }
    }
    log_opened(plan, candidate, chosen->why);
    return VK_SUCCESS;
}

/// The driver chooses the layout of the first image; the others are made with the same one.
VkResult Swapchain::allocate_images(const Candidate& candidate) {
    const size_t count = state_.ring.with([](const core::ImageRing& ring) { return ring.size(); });
    std::vector<vk::ImageLayout> allowed = candidate.layouts;
    while (images_.size() < count) {
        auto image = candidate.allocator->allocate(device_, parameters_, allowed);
        if (!image)
            return image.error();
        images_.push_back(std::move(*image));
        std::erase_if(allowed, [&](const vk::ImageLayout& layout) {
            return layout.modifier != images_.front().layout.modifier;
        });
    }
    return VK_SUCCESS;
}

void Swapchain::log_opened(const Plan& plan, const Candidate& candidate,
                           const core::TransportChoice& choice) const {
    log::info("swapchain %ux%u VK_FORMAT_%s present_mode=%s images=%zu modifier=0x%llx "
              "allocator=%s transport=%s reason=\"%s\" device=\"%s\"",
              parameters_.extent.width, parameters_.extent.height, plan.pixels.format->name,
              name(plan.mode), images_.size(),
              static_cast<unsigned long long>(images_.front().layout.modifier),
              candidate.allocator->name(), core::name(choice.transport), choice.reason.c_str(),
              device_.name.c_str());
}

} // namespace fencebridge
