// SPDX-License-Identifier: MIT
#include "swapchain/swapchain.hpp"

#include <algorithm>

#include "core/surface_limits.hpp"
#include "util/log.hpp"
#include "vk/chain.hpp"

namespace fencebridge {

struct Swapchain::Plan {
    const vk::Format* format;
    VkPresentModeKHR mode;
    uint32_t fourcc;
    core::DrmNodes nodes;
    std::shared_ptr<const core::DmabufFeedback> feedback;
    std::vector<vk::DriverModifier> driver;        ///< what the driver can do
    std::vector<std::vector<uint64_t>> candidates; ///< what both sides can do, best first
};

namespace {

/// What the images of the application's swapchain are, in VkImageCreateInfo's terms.
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
    // VK_KHR_swapchain_mutable_format says which image flags this one stands for.
    if (info.flags & VK_SWAPCHAIN_CREATE_MUTABLE_FORMAT_BIT_KHR) {
        parameters.flags |= VK_IMAGE_CREATE_MUTABLE_FORMAT_BIT | VK_IMAGE_CREATE_EXTENDED_USAGE_BIT;
        if (const auto* list = vk::find<VkImageFormatListCreateInfo>(info.pNext))
            parameters.view_formats.assign(list->pViewFormats,
                                           list->pViewFormats + list->viewFormatCount);
    }
    return parameters;
}

VkResult refuse(const char* why) {
    log::error("vkCreateSwapchainKHR: %s", why);
    return VK_ERROR_INITIALIZATION_FAILED;
}

std::vector<uint64_t> modifiers_of(std::span<const vk::DriverModifier> all) {
    std::vector<uint64_t> modifiers(all.size());
    std::ranges::transform(all, modifiers.begin(), &vk::DriverModifier::modifier);
    return modifiers;
}

/// A failure that another layout could avoid.
bool depends_on_layout(VkResult result) {
    return result != VK_ERROR_SURFACE_LOST_KHR && result != VK_ERROR_DEVICE_LOST &&
           result != VK_ERROR_OUT_OF_HOST_MEMORY && result != VK_ERROR_OUT_OF_DEVICE_MEMORY;
}

/// What vkCreateSwapchainKHR may return for something that the driver said to another call.
VkResult creation_error(VkResult result) {
    return depends_on_layout(result) ? VK_ERROR_INITIALIZATION_FAILED : result;
}

VkImageUsageFlags usage_of(VkFormatFeatureFlags features) {
    VkImageUsageFlags usage = 0;
    if (features & VK_FORMAT_FEATURE_COLOR_ATTACHMENT_BIT)
        usage |= VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT | VK_IMAGE_USAGE_INPUT_ATTACHMENT_BIT;
    if (features & VK_FORMAT_FEATURE_SAMPLED_IMAGE_BIT)
        usage |= VK_IMAGE_USAGE_SAMPLED_BIT;
    if (features & VK_FORMAT_FEATURE_STORAGE_IMAGE_BIT)
        usage |= VK_IMAGE_USAGE_STORAGE_BIT;
    if (features & VK_FORMAT_FEATURE_TRANSFER_SRC_BIT)
        usage |= VK_IMAGE_USAGE_TRANSFER_SRC_BIT;
    if (features & VK_FORMAT_FEATURE_TRANSFER_DST_BIT)
        usage |= VK_IMAGE_USAGE_TRANSFER_DST_BIT;
    return usage;
}

} // namespace

SurfaceFormats find_surface_formats(const vk::PhysicalDevice& physical,
                                    const core::DmabufFeedback& feedback) {
    // Alpha modes are told for the surface, not for a format: where any format can be shown both
    // ways, those that can are offered; else those that can be shown opaque.
    SurfaceFormats both = {.formats = {}, .usage = 0, .blends = true};
    SurfaceFormats opaque_only;
    for (const vk::Format& format : vk::formats()) {
        const auto driver =
            vk::find_modifiers(physical, {.format = format.format,
                                          .extent = {1, 1},
                                          .usage = VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT,
                                          .flags = 0,
                                          .view_formats = {},
                                          .queue_families = {}});
        const auto modifiers = modifiers_of(driver);
        const auto opaque =
            core::choose_modifiers(feedback, format.fourcc_opaque, modifiers, physical.drm_nodes);
        const auto blended =
            core::choose_modifiers(feedback, format.fourcc_alpha, modifiers, physical.drm_nodes);
        if (opaque.empty())
            continue;
        SurfaceFormats& found = blended.empty() ? opaque_only : both;
        found.formats.push_back(format.format);
        // Only of layouts that can be shared: a usage that needs another could not be had.
        for (const vk::DriverModifier& modifier : driver) {
            if (std::ranges::any_of(opaque, [&](const std::vector<uint64_t>& list) {
                    return std::ranges::find(list, modifier.modifier) != list.end();
                }))
                found.usage |= usage_of(modifier.features);
        }
    }
    return both.formats.empty() ? opaque_only : both;
}

std::expected<std::unique_ptr<Swapchain>, VkResult>
Swapchain::create(const vk::Device& device, sync::PayloadImporter& payloads,
                  const vk::PhysicalDevice& physical, Window& window,
                  const VkSwapchainCreateInfoKHR& info, std::optional<core::Transport> requested) {
    const vk::Format* format = vk::find_format(info.imageFormat);
    if (format == nullptr)
        return std::unexpected(refuse("the format is none of the surface's"));
    if (!core::has_present_mode(info.presentMode))
        return std::unexpected(refuse("the present mode is none of the surface's"));
    if (info.imageExtent.width == 0 || info.imageExtent.height == 0 || info.imageArrayLayers != 1)
        return std::unexpected(refuse("the image size is none of the surface's"));
    if (info.minImageCount > core::max_images)
        return std::unexpected(refuse("too many images"));
    if (info.flags & VK_SWAPCHAIN_CREATE_PROTECTED_BIT_KHR)
        return std::unexpected(refuse("protected images cannot be shared"));

    auto parameters = fencebridge::image_parameters(info);
    const auto feedback = window.feedback();
    if (!feedback)
        return std::unexpected(feedback.error());
    const bool opaque = info.compositeAlpha == VK_COMPOSITE_ALPHA_OPAQUE_BIT_KHR;
    Plan plan = {
        .format = format,
        .mode = info.presentMode,
        .fourcc = opaque ? format->fourcc_opaque : format->fourcc_alpha,
        .nodes = physical.drm_nodes,
        .feedback = *feedback,
        .driver = vk::find_modifiers(physical, parameters),
        .candidates = {},
    };
    plan.candidates =
        core::choose_modifiers(**feedback, plan.fourcc, modifiers_of(plan.driver), plan.nodes);
    if (plan.candidates.empty())
        return std::unexpected(refuse("driver and compositor have no layout in common for images "
                                      "of this format and usage"));

    const uint32_t count = core::image_count(info.minImageCount, info.presentMode);
    VkResult result = VK_ERROR_INITIALIZATION_FAILED;
    for (const std::vector<uint64_t>& candidate : plan.candidates) {
        std::vector<vk::DriverModifier> modifiers;
        std::ranges::copy_if(
            plan.driver, std::back_inserter(modifiers), [&](const vk::DriverModifier& modifier) {
                return std::ranges::find(candidate, modifier.modifier) != candidate.end();
            });
        std::unique_ptr<Swapchain> self(new Swapchain(device, payloads, parameters, count));
        result = self->build(window, plan, modifiers, requested);
        if (result == VK_SUCCESS)
            return self;
        if (!depends_on_layout(result))
            break;
    }
    return std::unexpected(creation_error(result));
}

VkResult Swapchain::build(Window& window, const Plan& plan,
                          std::span<const vk::DriverModifier> modifiers,
                          std::optional<core::Transport> requested) {
    const size_t count = ring_.with([](const core::ImageRing& ring) { return ring.size(); });
    // The driver chooses once; the other images are made like the first.
    std::vector<vk::DriverModifier> allowed(modifiers.begin(), modifiers.end());
    while (images_.size() < count) {
        auto image = image::allocate_by_driver_export(device_, parameters_, allowed);
        if (!image)
            return image.error();
        images_.push_back(std::move(*image));
        std::erase_if(allowed, [&](const vk::DriverModifier& modifier) {
            return modifier.modifier != images_.front().layout.modifier;
        });
    }

    auto chosen = sync::choose_bridge(images_, device_.sync_fd, window.timeline_taker(), requested);
    if (!chosen)
        return chosen.error();
    bridge_ = std::move(chosen->bridge);
    if (chosen->why.request_refused)
        log::error("transport %s: %s", core::name(chosen->why.transport),
                   chosen->why.reason.c_str());

    auto timelines = bridge_->share_timelines();
    if (!timelines)
        return timelines.error();
    auto presenter = window.create_presenter({.extent = parameters_.extent,
                                              .fourcc = plan.fourcc,
                                              .mode = plan.mode,
                                              .feedback = plan.feedback,
                                              .driver_modifiers = modifiers_of(plan.driver),
                                              .nodes = plan.nodes,
                                              .timelines = std::move(*timelines)},
                                             images_, ring_);
    if (!presenter)
        return presenter.error();
    presenter_ = std::move(*presenter);
    if (!bridge_->needs_dma_bufs()) {
        // The window system has descriptors of its own by now.
        for (image::SwapchainImage& image : images_)
            image.dma_buf.reset();
    }
    log_opened(plan, chosen->why);
    return VK_SUCCESS;
}

void Swapchain::log_opened(const Plan& plan, const core::TransportChoice& choice) const {
    log::info("swapchain %ux%u VK_FORMAT_%s present_mode=%s images=%zu modifier=0x%llx "
              "transport=%s reason=\"%s\" driver=\"%s\"",
              parameters_.extent.width, parameters_.extent.height, plan.format->name,
              plan.mode == VK_PRESENT_MODE_MAILBOX_KHR ? "mailbox" : "fifo", images_.size(),
              static_cast<unsigned long long>(images_.front().layout.modifier),
              core::name(choice.transport), choice.reason.c_str(), device_.driver.c_str());
}

} // namespace fencebridge
