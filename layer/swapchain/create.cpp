// SPDX-License-Identifier: MIT
#include "swapchain/swapchain.hpp"

#include <algorithm>
#include <atomic>

#include "core/surface_limits.hpp"
#include "swapchain/layouts.hpp"
#include "util/log.hpp"
#include "vk/chain.hpp"

namespace fencebridge {

struct Swapchain::Plan {
    const vk::Format* format;
    VkPresentModeKHR mode;
    uint32_t fourcc;
    core::DrmNodes nodes;
    std::shared_ptr<const core::DmabufFeedback> feedback;
    Layouts layouts;
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
    if (const auto* usage = vk::find<vk::ImageUsageFlags2>(info.pNext))
        parameters.usage = static_cast<VkImageUsageFlags>(usage->usage);
    // VK_KHR_swapchain and VK_KHR_swapchain_mutable_format say which image flags these stand for.
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

VkResult refuse(const char* why) {
    log::error("vkCreateSwapchainKHR: %s", why);
    return VK_ERROR_INITIALIZATION_FAILED;
}

/// The bits of VkSwapchainCreateInfoKHR::flags that image_parameters() serves. All others belong to
/// extensions that the layer does not offer.
constexpr VkSwapchainCreateFlagsKHR served_flags =
    VK_SWAPCHAIN_CREATE_MUTABLE_FORMAT_BIT_KHR |
    VK_SWAPCHAIN_CREATE_SPLIT_INSTANCE_BIND_REGIONS_BIT_KHR;

/// What vkCreateSwapchainKHR may return for something that the driver said to another call.
VkResult creation_error(VkResult result) {
    if (result == VK_ERROR_TOO_MANY_OBJECTS)
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    return depends_on_layout(result) ? VK_ERROR_INITIALIZATION_FAILED : result;
}

/// Once: applications make a swapchain for every step of a window that is being resized.
void log_waiting(core::Transport transport) {
    static std::atomic<bool> said = false;
    const bool attaches =
        transport == core::Transport::kernel || transport == core::Transport::module;
    if (attaches && !said.exchange(true))
        log::warning(
            "transport %s: each vkQueuePresentKHR waits for the rendering on the CPU, since "
            "fences attached to this driver's buffers are not waited for "
            "(AMDGPU_GEM_CREATE_EXPLICIT_SYNC); a compositor with linux-drm-syncobj-v1 "
            "makes that needless",
            core::name(transport));
}

} // namespace

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
    if (const auto* usage = vk::find<vk::ImageUsageFlags2>(info.pNext);
        usage != nullptr && usage->usage > UINT32_MAX)
        return std::unexpected(refuse("a usage that is none of the surface's"));
    if (const auto unknown = info.flags & ~served_flags; unknown != 0) {
        log::error("vkCreateSwapchainKHR: flags 0x%x are of extensions that the layer does not "
                   "provide",
                   unknown);
        return std::unexpected(VK_ERROR_INITIALIZATION_FAILED);
    }

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
        .layouts = {},
    };
    plan.layouts = find_layouts(physical, parameters, **feedback, plan.fourcc);
    if (plan.layouts.candidates.empty())
        return std::unexpected(refuse("driver and compositor have no layout in common for images "
                                      "of this format and usage"));
    parameters.flags = plan.layouts.flags;

    const uint32_t count = core::image_count(info.minImageCount, info.presentMode);
    VkResult result = VK_ERROR_INITIALIZATION_FAILED;
    for (const std::vector<vk::DriverModifier>& candidate : plan.layouts.candidates) {
        std::unique_ptr<Swapchain> self(new Swapchain(device, payloads, parameters, count));
        result = self->build(window, plan, candidate, requested);
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

    auto chosen = sync::choose_bridge(images_, device_.sync_fd, device_.facts.importers,
                                      window.timeline_taker(), requested);
    if (!chosen)
        return chosen.error();
    bridge_ = std::move(chosen->bridge);
    if (chosen->why.request_refused)
        log::error("transport %s: %s", core::name(chosen->why.transport),
                   chosen->why.reason.c_str());

    if (device_.facts.importers == vk::Importers::ignore_fences)
        log_waiting(chosen->why.transport);

    auto timelines = bridge_->share_timelines();
    if (!timelines)
        return timelines.error();
    auto presenter = window.create_presenter({.extent = parameters_.extent,
                                              .fourcc = plan.fourcc,
                                              .mode = plan.mode,
                                              .feedback = plan.feedback,
                                              .driver_modifiers = plan.layouts.driver,
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
