// SPDX-License-Identifier: MIT
#include <array>

#include "core/surface_limits.hpp"
#include "entry/entry_points.hpp"
#include "entry/extensions.hpp"
#include "entry/guard.hpp"
#include "entry/registry.hpp"
#include "entry/surface_chain.hpp"
#include "entry/takeover.hpp"
#include "vk/enumerate.hpp"

namespace fencebridge::entry {

namespace {

/// The limits of the surface. A query without a surface gets FIFO alone:
/// VK_GOOGLE_surfaceless_query allows no other present mode that the layer provides.
std::expected<core::SurfaceLimits, VkResult> limits_of(const Takeover& taken_over) {
    static constexpr std::array fifo = {
        core::PresentModeLimits{VK_PRESENT_MODE_FIFO_KHR, UINT32_MAX}};
    if (!taken_over.surface)
        return core::SurfaceLimits{.modes = fifo};
    auto limits = taken_over.surface->window->limits();
    if (limits)
        limits->modes = core::usable_modes(limits->modes, taken_over.support->shared_image);
    return limits;
}

VkSurfaceCapabilitiesKHR capabilities_of(const Takeover& taken_over,
                                         const core::SurfaceLimits& limits) {
    auto capabilities =
        core::surface_capabilities(limits, taken_over.support->usage, taken_over.support->blends,
                                   taken_over.physical->max_image_extent);
    if (taken_over.support->straight_alpha)
        capabilities.supportedCompositeAlpha |= VK_COMPOSITE_ALPHA_POST_MULTIPLIED_BIT_KHR;
    if (!taken_over.surface) {
        // VK_GOOGLE_surfaceless_query: these depend on the surface.
        capabilities.maxImageCount = UINT32_MAX;
        capabilities.currentTransform = VK_SURFACE_TRANSFORM_INHERIT_BIT_KHR;
    }
    return capabilities;
}

/// The answer for a query without a surface. It has at most two formats, R8G8B8A8_UNORM and
/// R8G8B8A8_SRGB: VK_GOOGLE_surfaceless_query requires no particular format.
/// @return the error is lack of memory
std::expected<std::optional<Takeover>, VkResult> surfaceless_answer(Instance& instance,
                                                                    VkPhysicalDevice device) {
    if (!instance.can_take_over(device))
        return std::nullopt;
    const auto physical = instance.physical(device);
    SurfaceSupport common;
    for (const VkFormat format : {VK_FORMAT_R8G8B8A8_UNORM, VK_FORMAT_R8G8B8A8_SRGB}) {
        const auto usages = makeable_usages(instance.format_layouts, *physical, format);
        if (!usages)
            return std::unexpected(usages.error());
        if (*usages != 0)
            common.formats.push_back({format, VK_COLOR_SPACE_SRGB_NONLINEAR_KHR});
        common.usage |= *usages;
    }
    return Takeover{physical, nullptr, std::make_shared<const SurfaceSupport>(std::move(common))};
}

/// Answers a query of a surface: by `ours(taken_over)` if the layer makes the swapchains of this
/// device on the surface, else by `drivers(next)`.
template <class Drivers, class Ours>
VkResult answer(VkPhysicalDevice device, VkSurfaceKHR surface, Drivers&& drivers, Ours&& ours) {
    return guarded([&] {
        const auto instance = find_instance(device);
        const auto taken_over = surface == VK_NULL_HANDLE
                                    ? surfaceless_answer(*instance, device)
                                    : decide_takeover(*instance, device, surface);
        if (!taken_over)
            return taken_over.error();
        return *taken_over ? ours(**taken_over) : drivers(instance->next);
    });
}

} // namespace

VKAPI_ATTR void VKAPI_CALL DestroySurfaceKHR(VkInstance handle, VkSurfaceKHR surface,
                                             const VkAllocationCallbacks* allocator) {
    guarded_void([&] {
        const auto instance = find_instance(handle);
        if (!instance)
            return;
        // The record's destruction makes no call to the window system: the application may have
        // destroyed the native window, or disconnected its display.
        instance->surfaces.with([&](auto& all) { all.erase(surface); });
        // Forgotten after the driver has destroyed its objects, and before another thread can get
        // the same handle.
        auto native =
            instance->native_surfaces.with([&](auto& all) { return all.extract(surface); });
        instance->next.DestroySurfaceKHR(handle, surface, allocator);
    });
}

VKAPI_ATTR VkResult VKAPI_CALL GetPhysicalDeviceSurfaceSupportKHR(VkPhysicalDevice device,
                                                                  uint32_t queue_family,
                                                                  VkSurfaceKHR surface,
                                                                  VkBool32* supported) {
    return answer(
        device, surface,
        [&](const vk::InstanceDispatch& next) {
            return next.GetPhysicalDeviceSurfaceSupportKHR(device, queue_family, surface,
                                                           supported);
        },
        [&](const Takeover& takeover) {
            *supported = takeover.physical->can_present_from(queue_family);
            return VK_SUCCESS;
        });
}

VKAPI_ATTR VkResult VKAPI_CALL GetPhysicalDeviceSurfaceCapabilitiesKHR(
    VkPhysicalDevice device, VkSurfaceKHR surface, VkSurfaceCapabilitiesKHR* capabilities) {
    return answer(
        device, surface,
        [&](const vk::InstanceDispatch& next) {
            return next.GetPhysicalDeviceSurfaceCapabilitiesKHR(device, surface, capabilities);
        },
        [&](const Takeover& taken_over) {
            const auto limits = limits_of(taken_over);
            if (!limits)
                return limits.error();
            *capabilities = capabilities_of(taken_over, *limits);
            return VK_SUCCESS;
        });
}

VKAPI_ATTR VkResult VKAPI_CALL GetPhysicalDeviceSurfaceCapabilities2KHR(
    VkPhysicalDevice device, const VkPhysicalDeviceSurfaceInfo2KHR* info,
    VkSurfaceCapabilities2KHR* capabilities) {
    return answer(
        device, info->surface,
        [&](const vk::InstanceDispatch& next) {
            const DriverCapabilities answers(*info, *capabilities);
            const VkResult result =
                next.GetPhysicalDeviceSurfaceCapabilities2KHR(device, info, capabilities);
            answers.complete();
            const auto instance = find_instance(device);
            if (!instance->hides_extensions(device))
                return result;
            clear_hidden_answers(capabilities->pNext);
            // The driver may not know the structures of an extension that only the layer has.
            const auto physical = instance->physical(device);
            set_provided_answers(capabilities->pNext, VK_FALSE, [&](const Extension& extension) {
                return !physical->has_extension(extension.name.data());
            });
            return result;
        },
        [&](const Takeover& taken_over) {
            const auto limits = limits_of(taken_over);
            if (!limits)
                return limits.error();
            capabilities->surfaceCapabilities = capabilities_of(taken_over, *limits);
            // Without a surface, the query is about what every surface has.
            const auto presentation = taken_over.surface
                                          ? taken_over.surface->window->presentation()
                                          : PresentationSupport();
            fill_capabilities_chain(*limits, taken_over.support->shared_image, presentation, *info,
                                    *capabilities);
            return VK_SUCCESS;
        });
}

VKAPI_ATTR VkResult VKAPI_CALL GetPhysicalDeviceSurfaceCapabilities2EXT(
    VkPhysicalDevice device, VkSurfaceKHR surface, VkSurfaceCapabilities2EXT* capabilities) {
    return answer(
        device, surface,
        [&](const vk::InstanceDispatch& next) {
            return next.GetPhysicalDeviceSurfaceCapabilities2EXT(device, surface, capabilities);
        },
        [&](const Takeover& taken_over) {
            const auto limits = limits_of(taken_over);
            if (!limits)
                return limits.error();
            const VkSurfaceCapabilitiesKHR ours = capabilities_of(taken_over, *limits);
            capabilities->minImageCount = ours.minImageCount;
            capabilities->maxImageCount = ours.maxImageCount;
            capabilities->currentExtent = ours.currentExtent;
            capabilities->minImageExtent = ours.minImageExtent;
            capabilities->maxImageExtent = ours.maxImageExtent;
            capabilities->maxImageArrayLayers = ours.maxImageArrayLayers;
            capabilities->supportedTransforms = ours.supportedTransforms;
            capabilities->currentTransform = ours.currentTransform;
            capabilities->supportedCompositeAlpha = ours.supportedCompositeAlpha;
            capabilities->supportedUsageFlags = ours.supportedUsageFlags;
            // Counters are read by VK_EXT_display_control, which is hidden.
            capabilities->supportedSurfaceCounters = 0;
            return VK_SUCCESS;
        });
}

VKAPI_ATTR VkResult VKAPI_CALL GetPhysicalDeviceSurfaceFormatsKHR(VkPhysicalDevice device,
                                                                  VkSurfaceKHR surface,
                                                                  uint32_t* count,
                                                                  VkSurfaceFormatKHR* formats) {
    return answer(
        device, surface,
        [&](const vk::InstanceDispatch& next) {
            return next.GetPhysicalDeviceSurfaceFormatsKHR(device, surface, count, formats);
        },
        [&](const Takeover& taken_over) {
            return vk::write_array(std::span(taken_over.support->formats), count, formats);
        });
}

VKAPI_ATTR VkResult VKAPI_CALL GetPhysicalDeviceSurfaceFormats2KHR(
    VkPhysicalDevice device, const VkPhysicalDeviceSurfaceInfo2KHR* info, uint32_t* count,
    VkSurfaceFormat2KHR* formats) {
    return answer(
        device, info->surface,
        [&](const vk::InstanceDispatch& next) {
            const VkResult result =
                next.GetPhysicalDeviceSurfaceFormats2KHR(device, info, count, formats);
            if (formats != nullptr && find_instance(device)->hides_extensions(device)) {
                for (VkSurfaceFormat2KHR& format : std::span(formats, *count))
                    clear_hidden_answers(format.pNext);
            }
            return result;
        },
        [&](const Takeover& taken_over) {
            return vk::write_array(std::span(taken_over.support->formats), count, formats,
                                   [](VkSurfaceFormat2KHR& to, const VkSurfaceFormatKHR& format) {
                                       to.surfaceFormat = format;
                                       clear_hidden_answers(to.pNext);
                                   });
        });
}

VKAPI_ATTR VkResult VKAPI_CALL GetPhysicalDeviceSurfacePresentModesKHR(VkPhysicalDevice device,
                                                                       VkSurfaceKHR surface,
                                                                       uint32_t* count,
                                                                       VkPresentModeKHR* modes) {
    return answer(
        device, surface,
        [&](const vk::InstanceDispatch& next) {
            return next.GetPhysicalDeviceSurfacePresentModesKHR(device, surface, count, modes);
        },
        [&](const Takeover& taken_over) {
            const auto limits = limits_of(taken_over);
            if (!limits)
                return limits.error();
            return vk::write_array(
                limits->modes, count, modes,
                [](VkPresentModeKHR& to, const core::PresentModeLimits& from) { to = from.mode; });
        });
}

VKAPI_ATTR VkResult VKAPI_CALL GetPhysicalDevicePresentRectanglesKHR(VkPhysicalDevice device,
                                                                     VkSurfaceKHR surface,
                                                                     uint32_t* count,
                                                                     VkRect2D* rectangles) {
    return answer(
        device, surface,
        [&](const vk::InstanceDispatch& next) {
            return next.GetPhysicalDevicePresentRectanglesKHR(device, surface, count, rectangles);
        },
        [&](const Takeover&) {
            // One device presents to all of the surface, whatever its size.
            const std::array whole = {VkRect2D{{0, 0}, {UINT32_MAX, UINT32_MAX}}};
            return vk::write_array(std::span<const VkRect2D>(whole), count, rectangles);
        });
}

} // namespace fencebridge::entry
