// SPDX-License-Identifier: MIT
#include "core/surface_limits.hpp"
#include "entry/extensions.hpp"
#include "entry/guard.hpp"
#include "entry/intercepts.hpp"
#include "entry/registry.hpp"
#include "entry/surface_chain.hpp"
#include "vk/enumerate.hpp"
#include "wayland/window.hpp"

namespace fencebridge::entry {

namespace {

VkSurfaceCapabilitiesKHR capabilities_of(const Served& served) {
    return core::surface_capabilities(served.formats->usage, served.formats->blends,
                                      served.physical->max_image_extent);
}

/// Answers for every surface of the application's (VK_GOOGLE_surfaceless_query), which asks for no
/// other formats than these two.
std::expected<std::optional<Served>, VkResult> serve_any_surface(Instance& instance,
                                                                 VkPhysicalDevice device) {
    if (!instance.active || !instance.physical(device)->is_served())
        return std::nullopt;
    const auto physical = instance.physical(device);
    SurfaceFormats common;
    for (const VkFormat format : {VK_FORMAT_R8G8B8A8_UNORM, VK_FORMAT_R8G8B8A8_SRGB}) {
        if (!vk::find_modifiers(*physical, smallest_image(format)).empty())
            common.formats.push_back(format);
    }
    return Served{physical, nullptr, std::make_shared<const SurfaceFormats>(std::move(common))};
}

/// Without a surface: those that every surface has (VK_GOOGLE_surfaceless_query).
std::span<const VkPresentModeKHR> present_modes_of(const Served& served) {
    const std::span<const VkPresentModeKHR> all(core::present_modes);
    return served.surface ? all : all.first(1);
}

/// Answers a query of a surface: by `ours(served)` where the layer serves it with this device, else
/// by `drivers(next)`.
template <class Drivers, class Ours>
VkResult answer(VkPhysicalDevice device, VkSurfaceKHR surface, Drivers&& drivers, Ours&& ours) {
    return guarded([&] {
        const auto instance = find_instance(device);
        const auto served = surface == VK_NULL_HANDLE ? serve_any_surface(*instance, device)
                                                      : find_served(*instance, device, surface);
        if (!served)
            return served.error();
        return *served ? ours(**served) : drivers(instance->next);
    });
}

VkResult give_drivers_present_modes(const vk::InstanceDispatch& next, VkPhysicalDevice device,
                                    VkSurfaceKHR surface, uint32_t* count,
                                    VkPresentModeKHR* modes) {
    if (!find_instance(device)->hides_extensions(device))
        return next.GetPhysicalDeviceSurfacePresentModesKHR(device, surface, count, modes);
    auto all = vk::enumerate<VkPresentModeKHR>([&](uint32_t* room, VkPresentModeKHR* array) {
        return next.GetPhysicalDeviceSurfacePresentModesKHR(device, surface, room, array);
    });
    if (!all)
        return all.error();
    std::erase_if(*all, is_hidden_present_mode);
    return vk::give(std::span<const VkPresentModeKHR>(*all), count, modes);
}

VkSurfaceFormatKHR surface_format(VkFormat format) {
    return {format, VK_COLOR_SPACE_SRGB_NONLINEAR_KHR};
}

} // namespace

VKAPI_ATTR VkResult VKAPI_CALL
CreateWaylandSurfaceKHR(VkInstance handle, const VkWaylandSurfaceCreateInfoKHR* create_info,
                        const VkAllocationCallbacks* allocator, VkSurfaceKHR* surface) {
    return guarded([&] {
        const auto instance = find_instance(handle);
        if (!instance)
            return VK_ERROR_INITIALIZATION_FAILED;
        const VkResult result =
            instance->next.CreateWaylandSurfaceKHR(handle, create_info, allocator, surface);
        if (result != VK_SUCCESS || !instance->active)
            return result;

        Rollback created([&] { instance->next.DestroySurfaceKHR(handle, *surface, allocator); });
        auto window = wayland::WaylandWindow::create(create_info->display, create_info->surface);
        if (!window) {
            log::warning("surface passes through: %s", window.error().c_str());
            created.commit();
            return VK_SUCCESS;
        }
        auto ours = std::make_shared<Surface>();
        ours->window = std::move(*window);
        instance->surfaces.with(
            [&](auto& all) { all.insert_or_assign(*surface, std::move(ours)); });
        created.commit();
        return VK_SUCCESS;
    });
}

VKAPI_ATTR void VKAPI_CALL DestroySurfaceKHR(VkInstance handle, VkSurfaceKHR surface,
                                             const VkAllocationCallbacks* allocator) {
    guarded_void([&] {
        const auto instance = find_instance(handle);
        if (!instance)
            return;
        // The application may have disconnected the wl_display: nothing here needs it.
        instance->surfaces.with([&](auto& all) { all.erase(surface); });
        instance->next.DestroySurfaceKHR(handle, surface, allocator);
    });
}

VKAPI_ATTR VkBool32 VKAPI_CALL GetPhysicalDeviceWaylandPresentationSupportKHR(
    VkPhysicalDevice device, uint32_t queue_family, wl_display* display) {
    VkBool32 supported = VK_FALSE;
    guarded_void([&] {
        const auto instance = find_instance(device);
        if (!instance)
            return;
        // Presenting takes an empty submission, which every queue can do. Whether this compositor
        // shares buffers would take a round trip to know; the query of a surface's support tells.
        if (instance->active && instance->physical(device)->is_served())
            supported = VK_TRUE;
        else
            supported = instance->next.GetPhysicalDeviceWaylandPresentationSupportKHR(
                device, queue_family, display);
    });
    return supported;
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
        [&](const Served&) {
            *supported = VK_TRUE;
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
        [&](const Served& served) {
            *capabilities = capabilities_of(served);
            return VK_SUCCESS;
        });
}

VKAPI_ATTR VkResult VKAPI_CALL GetPhysicalDeviceSurfaceCapabilities2KHR(
    VkPhysicalDevice device, const VkPhysicalDeviceSurfaceInfo2KHR* info,
    VkSurfaceCapabilities2KHR* capabilities) {
    return answer(
        device, info->surface,
        [&](const vk::InstanceDispatch& next) {
            const VkResult result =
                next.GetPhysicalDeviceSurfaceCapabilities2KHR(device, info, capabilities);
            if (find_instance(device)->hides_extensions(device))
                clear_hidden_answers(capabilities->pNext);
            return result;
        },
        [&](const Served& served) {
            capabilities->surfaceCapabilities = capabilities_of(served);
            fill_capabilities_chain(*info, *capabilities);
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
        [&](const Served& served) {
            const VkSurfaceCapabilitiesKHR ours = capabilities_of(served);
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
            // Counters are read with VK_EXT_display_control, which the layer hides.
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
        [&](const Served& served) {
            return vk::give(
                std::span<const VkFormat>(served.formats->formats), count, formats,
                [](VkSurfaceFormatKHR& to, VkFormat format) { to = surface_format(format); });
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
        [&](const Served& served) {
            return vk::give(std::span<const VkFormat>(served.formats->formats), count, formats,
                            [](VkSurfaceFormat2KHR& to, VkFormat format) {
                                to.surfaceFormat = surface_format(format);
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
            return give_drivers_present_modes(next, device, surface, count, modes);
        },
        [&](const Served& served) { return vk::give(present_modes_of(served), count, modes); });
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
        [&](const Served&) {
            // One device shows all of the surface, whatever its size.
            const std::array whole = {VkRect2D{{0, 0}, {UINT32_MAX, UINT32_MAX}}};
            return vk::give(std::span<const VkRect2D>(whole), count, rectangles);
        });
}

} // namespace fencebridge::entry
