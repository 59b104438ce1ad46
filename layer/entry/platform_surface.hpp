// SPDX-License-Identifier: MIT
#pragma once

#include <utility>
#include <vulkan/vulkan.h>

#include "entry/driver_surfaces.hpp"
#include "entry/guard.hpp"
#include "entry/registry.hpp"
#include "util/log.hpp"

// The commands that each window system has of its own, for any Platform.

namespace fencebridge::entry {

/// Adds the platform's commands to Instance::platform_next, to be resolved.
template <class Platform>
void add_platform_commands(Instance& instance) {
    instance.platform_next.emplace(Platform::create_command, nullptr);
    if constexpr (requires { Platform::support_command; })
        instance.platform_next.emplace(Platform::support_command, nullptr);
}

template <class Function>
Function find_next(const Instance& instance, const char* command) {
    return reinterpret_cast<Function>(instance.platform_next.at(command));
}

/// When surfaces of a platform are left to the driver.
template <class Platform>
constexpr core::Yield yield_of(const Settings& settings) {
    if (settings.takeover != TakeoverSetting::automatic)
        return core::Yield::never;
    // Whoever enables the layer by name wants its swapchains.
    const bool wanted = settings.named && Platform::yield == core::Yield::if_it_carries_fences;
    return wanted ? core::Yield::never : Platform::yield;
}

/// Instance::Yielding::create of a platform whose surfaces need no native window.
template <class Platform>
VkResult create_yielding(const Instance& instance, VkSurfaceKHR* surface) {
    const auto create_next =
        find_next<typename Platform::CreateFunction>(instance, Platform::create_command);
    const typename Platform::CreateInfo info = Platform::any_surface();
    return create_next(instance.handle, &info, nullptr, surface);
}

template <class Platform>
auto open_window(const typename Platform::CreateInfo& info, const Settings& settings) {
    if constexpr (requires { Platform::open(info, settings.avoid); })
        return Platform::open(info, settings.avoid);
    else if constexpr (requires { Platform::open(info, settings.headless); })
        return Platform::open(info, settings.headless);
    else
        return Platform::open(info);
}

template <class Platform>
struct PlatformSurface {
    /// vkCreate...SurfaceKHR. The VkSurfaceKHR is the next layer's own, so that a device that is
    /// not taken over can use it.
    static VKAPI_ATTR VkResult VKAPI_CALL Create(VkInstance handle,
                                                 const typename Platform::CreateInfo* create_info,
                                                 const VkAllocationCallbacks* allocator,
                                                 VkSurfaceKHR* surface) {
        return guarded([&] {
            const auto instance = find_instance(handle);
            if (!instance)
                return VK_ERROR_INITIALIZATION_FAILED;
            const auto create_next =
                find_next<typename Platform::CreateFunction>(*instance, Platform::create_command);
            const VkResult result = create_next(handle, create_info, allocator, surface);
            if (result != VK_SUCCESS)
                return result;
            Rollback created([&] {
                instance->native_surfaces.with([&](auto& all) { all.erase(*surface); });
                instance->next.DestroySurfaceKHR(handle, *surface, allocator);
            });
            if constexpr (requires { Platform::native(*create_info); }) {
                instance->native_surfaces.with([&](auto& all) {
                    all.insert_or_assign(
                        *surface, NativeSurface{.window = Platform::native(*create_info),
                                                .leave_to_driver = &Platform::leave_to_driver});
                });
            }
            if (!instance->takes_over) {
                created.commit();
                return VK_SUCCESS;
            }
            auto window = open_window<Platform>(*create_info, instance->settings);
            if (window)
                instance->add_surface(*surface, std::move(*window),
                                      yield_of<Platform>(instance->settings));
            else
                log::once(log::Level::warning,
                          "using the driver's own swapchains for a surface: %s",
                          window.error().c_str());
            created.commit();
            return VK_SUCCESS;
        });
    }
};

/// vkGetPhysicalDevice...PresentationSupportKHR.
template <class Platform, class Function>
struct PlatformSupport;

template <class Platform, class... Native>
struct PlatformSupport<Platform, VkBool32(VKAPI_PTR*)(VkPhysicalDevice, uint32_t, Native...)> {
    using Function = VkBool32(VKAPI_PTR*)(VkPhysicalDevice, uint32_t, Native...);

    static VKAPI_ATTR VkBool32 VKAPI_CALL Get(VkPhysicalDevice device, uint32_t queue_family,
                                              Native... native) {
        VkBool32 supported = VK_FALSE;
        guarded_void([&] {
            const auto instance = find_instance(device);
            if (!instance)
                return;
            const auto drivers = [&](uint32_t family) {
                const auto ask = find_next<Function>(*instance, Platform::support_command);
                return ask == nullptr ? VK_FALSE : ask(device, family, native...);
            };
            if (!instance->can_take_over(device)) {
                supported = drivers(queue_family);
                return;
            }
            // Whether the window system imports this device's buffers is not considered here, since
            // that would take a round trip. vkGetPhysicalDeviceSurfaceSupportKHR answers it.
            const auto physical = instance->physical(device);
            supported = physical->can_present_from(queue_family);
            if (supported != VK_FALSE && has_swapchains(*physical) &&
                yield_of<Platform>(instance->settings) != core::Yield::never)
                supported = may_be_supported_by_driver(*physical, queue_family, drivers);
        });
        return supported;
    }

    /// Where the surface may be the driver's or the layer's. It is the layer's if the driver can
    /// present to it from no queue family.
    template <class Drivers>
    static VkBool32 may_be_supported_by_driver(const vk::PhysicalDevice& physical,
                                               uint32_t queue_family, const Drivers& drivers) {
        if (drivers(queue_family) != VK_FALSE)
            return VK_TRUE;
        for (uint32_t family = 0; family < physical.queue_families.size(); ++family) {
            if (drivers(family) != VK_FALSE)
                return VK_FALSE;
        }
        return VK_TRUE;
    }

    static constexpr Function get() { return &Get; }
};

} // namespace fencebridge::entry
