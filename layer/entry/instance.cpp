// SPDX-License-Identifier: MIT
#include <algorithm>
#include <span>
#include <string>
#include <string_view>

#include "entry/guard.hpp"
#include "entry/intercepts.hpp"
#include "entry/layer_chain.hpp"
#include "entry/registry.hpp"

namespace fencebridge::entry {

namespace {

/// Wayland is what the layer can show things on.
bool can_show(const VkInstanceCreateInfo& info) {
    return contains(info.ppEnabledExtensionNames, info.enabledExtensionCount,
                    VK_KHR_WAYLAND_SURFACE_EXTENSION_NAME);
}

/// The extension of another window system that the application presents to, or null.
const char* find_other_window_system(const VkInstanceCreateInfo& info) {
    const std::span names(info.ppEnabledExtensionNames, info.enabledExtensionCount);
    const auto other = std::ranges::find_if(names, [](std::string_view name) {
        return name == VK_KHR_DISPLAY_EXTENSION_NAME ||
               (name.ends_with("_surface") && name != VK_KHR_SURFACE_EXTENSION_NAME &&
                name != VK_KHR_WAYLAND_SURFACE_EXTENSION_NAME);
    });
    return other == names.end() ? nullptr : *other;
}

uint32_t requested_version(const VkInstanceCreateInfo& info) {
    // No VkApplicationInfo, or version 0, means 1.0 (VkApplicationInfo).
    const bool given = info.pApplicationInfo != nullptr && info.pApplicationInfo->apiVersion != 0;
    return given ? info.pApplicationInfo->apiVersion : VK_API_VERSION_1_0;
}

} // namespace

VKAPI_ATTR VkResult VKAPI_CALL CreateInstance(const VkInstanceCreateInfo* create_info,
                                              const VkAllocationCallbacks* allocator,
                                              VkInstance* handle) {
    return guarded([&] {
        auto* link =
            find_link<VkLayerInstanceCreateInfo, VK_STRUCTURE_TYPE_LOADER_INSTANCE_CREATE_INFO>(
                create_info->pNext);
        if (link == nullptr)
            return VK_ERROR_INITIALIZATION_FAILED;
        const auto next_link = link->u.pLayerInfo;
        const auto next_proc = next_link->pfnNextGetInstanceProcAddr;
        const auto create_next =
            reinterpret_cast<PFN_vkCreateInstance>(next_proc(VK_NULL_HANDLE, "vkCreateInstance"));
        if (create_next == nullptr)
            return VK_ERROR_INITIALIZATION_FAILED;

        const Settings settings = read_settings(*create_info);
        log::set_level(settings.log_level);
        const uint32_t version = requested_version(*create_info);
        bool active = can_show(*create_info) && settings.takeover != Takeover::off;

        // Each call down starts with the link moved on; the layers below move it further. The
        // loader's terminator_CreateInstance() finds its own instance in *handle, which a layer
        // below that fails may have overwritten.
        const VkInstance given = *handle;
        const auto create = [&](const VkInstanceCreateInfo& info) {
            link->u.pLayerInfo = next_link->pNext;
            *handle = given;
            return create_next(&info, allocator, handle);
        };
        VkResult result = VK_ERROR_EXTENSION_NOT_PRESENT;
        std::string added;
        if (active) {
            const auto names = with_extensions(create_info->ppEnabledExtensionNames,
                                               create_info->enabledExtensionCount,
                                               vk::required_instance_extensions());
            for (const char* name : std::span(names).subspan(create_info->enabledExtensionCount))
                added.append(added.empty() ? "" : ", ").append(name);
            VkInstanceCreateInfo more = *create_info;
            more.enabledExtensionCount = static_cast<uint32_t>(names.size());
            more.ppEnabledExtensionNames = names.data();
            result = create(more);
        }
        if (result != VK_SUCCESS && result != VK_ERROR_OUT_OF_HOST_MEMORY) {
            // It may have been the additions; the loader says VK_ERROR_INCOMPATIBLE_DRIVER for
            // whatever the last driver said.
            const bool retried = std::exchange(active, false);
            result = create(*create_info);
            if (retried && result == VK_SUCCESS)
                log::warning("instance passes through: vkCreateInstance failed with the added "
                             "extensions %s",
                             added.c_str());
        }
        if (result != VK_SUCCESS)
            return result;
        // A device's extensions are the same for all surfaces.
        if (const char* other = find_other_window_system(*create_info); active && other != nullptr)
            log::info("instance enables %s as well: its surfaces, too, do without the device "
                      "extensions that the layer hides",
                      other);

        Rollback created([&] {
            const auto destroy =
                reinterpret_cast<PFN_vkDestroyInstance>(next_proc(*handle, "vkDestroyInstance"));
            destroy(*handle, allocator);
        });
        auto instance = std::make_shared<Instance>(*handle, next_proc, version, settings);
        instance->active = active;
        instance->loader_devices = find_loader_devices(create_info->pNext);
        add_instance(std::move(instance));
        created.commit();
        return VK_SUCCESS;
    });
}

VKAPI_ATTR void VKAPI_CALL DestroyInstance(VkInstance handle,
                                           const VkAllocationCallbacks* allocator) {
    guarded_void([&] {
        if (handle == VK_NULL_HANDLE)
            return;
        const auto instance = remove_instance(handle);
        if (!instance)
            return;
        instance->next.DestroyInstance(handle, allocator);
    });
}

} // namespace fencebridge::entry
