// SPDX-License-Identifier: MIT
#include "entry/driver_surfaces.hpp"

#include <utility>

#include "entry/registry.hpp"
#include "util/log.hpp"

namespace fencebridge::entry {

std::optional<VkResult> transient_failure(VkResult result) {
    switch (result) {
    case VK_ERROR_OUT_OF_HOST_MEMORY:
    case VK_ERROR_OUT_OF_DEVICE_MEMORY:
        return result;
    case VK_ERROR_TOO_MANY_OBJECTS: // file descriptors among them
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    default:
        return std::nullopt;
    }
}

namespace {

/// Mesa says of each Wayland surface that it is supported, and fails later if the compositor lacks
/// zwp_linux_dmabuf_v1 (wsi_wl_surface_get_support(), wsi_wl_display_init()).
std::expected<bool, VkResult> driver_has_formats(const Instance& instance, VkPhysicalDevice device,
                                                 VkSurfaceKHR surface) {
    uint32_t count = 0;
    const VkResult result =
        instance.next.GetPhysicalDeviceSurfaceFormatsKHR(device, surface, &count, nullptr);
    if (const auto failure = transient_failure(result))
        return std::unexpected(*failure);
    return result == VK_SUCCESS && count > 0;
}

} // namespace

bool has_swapchains(const vk::PhysicalDevice& driver) {
    return driver.has_extension(VK_KHR_SWAPCHAIN_EXTENSION_NAME);
}

std::expected<bool, VkResult> driver_presents(const Instance& instance, VkPhysicalDevice device,
                                              VkSurfaceKHR surface) {
    uint32_t families = 0;
    instance.next.GetPhysicalDeviceQueueFamilyProperties(device, &families, nullptr);
    for (uint32_t family = 0; family < families; ++family) {
        VkBool32 supported = VK_FALSE;
        const VkResult result =
            instance.next.GetPhysicalDeviceSurfaceSupportKHR(device, family, surface, &supported);
        if (const auto failure = transient_failure(result))
            return std::unexpected(*failure);
        if (result == VK_SUCCESS && supported)
            return driver_has_formats(instance, device, surface);
    }
    return false;
}

namespace {

/// Creates a surface as an application would, and asks the driver.
std::expected<bool, VkResult> try_surface(Instance& instance, VkPhysicalDevice device) {
    // Only headless surfaces yield.
    if (!instance.physical(device)->facts.answers_for_headless_surfaces)
        return false;
    VkSurfaceKHR surface = VK_NULL_HANDLE;
    const VkResult created = instance.yielding.create(instance, &surface);
    if (const auto failure = transient_failure(created))
        return std::unexpected(*failure);
    if (created != VK_SUCCESS)
        return false;
    const auto presents = driver_presents(instance, device, surface);
    instance.next.DestroySurfaceKHR(instance.handle, surface, nullptr);
    return presents;
}

} // namespace

bool Instance::yields_on(VkPhysicalDevice device) {
    if (!takes_over || yielding.create == nullptr)
        return false;
    const auto known = drivers_presenting.with([&](const auto& all) -> std::optional<bool> {
        const auto found = all.find(device);
        return found == all.end() ? std::nullopt : std::optional(found->second);
    });
    if (known)
        return *known;
    const auto presents = try_surface(*this, device);
    // Of two answers the first stays. After a failure, the surfaces stay the driver's: a decision
    // never changes.
    const auto [answer, is_first] = drivers_presenting.with([&](auto& all) {
        const auto added = all.try_emplace(device, presents.value_or(true));
        return std::pair(added.first->second, added.second);
    });
    if (is_first && !presents)
        log::warning("device \"%s\": leaving surfaces of %s to the driver: memory was short when "
                     "the driver was asked whether it can present to them",
                     physical(device)->name.c_str(), yielding.extension);
    else if (is_first && *presents)
        log::info("device \"%s\": leaving surfaces of %s to the driver, which can present to them; "
                  "with FENCEBRIDGE_TAKEOVER=on the layer takes them over",
                  physical(device)->name.c_str(), yielding.extension);
    return answer;
}

bool Instance::yields_all_on(VkPhysicalDevice device) {
    if (!takes_over || yielding.never)
        return false;
    if (yielding.by_fences && (!has_swapchains(*physical(device)) ||
                               !core::always_carry_fences(physical(device)->facts.own_swapchains)))
        return false;
    return yielding.create == nullptr || yields_on(device);
}

bool Instance::may_yield_on(VkPhysicalDevice device) {
    return (yielding.by_fences && has_swapchains(*physical(device))) || yields_on(device);
}

} // namespace fencebridge::entry
