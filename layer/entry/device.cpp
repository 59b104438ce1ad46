// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <iterator>
#include <span>
#include <string>

#include "entry/device_queues.hpp"
#include "entry/entry_points.hpp"
#include "entry/extensions.hpp"
#include "entry/guard.hpp"
#include "entry/loader.hpp"
#include "entry/registry.hpp"
#include "vk/chain.hpp"
#include "vk/chain_copy.hpp"

namespace fencebridge::entry {

namespace {

bool has_several_devices(const VkDeviceCreateInfo& info) {
    const auto* group = vk::find<VkDeviceGroupDeviceCreateInfo>(info.pNext);
    return group != nullptr && group->physicalDeviceCount > 1;
}

bool enables(const VkDeviceCreateInfo& info, const char* extension) {
    return contains(info.ppEnabledExtensionNames, info.enabledExtensionCount, extension);
}

/// Decides whether the layer takes over a device that is about to be created. Logs why it cannot.
bool takes_over(Instance& instance, const vk::PhysicalDevice& physical,
                const VkDeviceCreateInfo& info) {
    if (!instance.takes_over || !enables(info, VK_KHR_SWAPCHAIN_EXTENSION_NAME))
        return false;
    if (instance.yields_all_on(physical.handle)) {
        if (instance.yielding.by_fences)
            log::info(
                "device \"%s\": leaving its surfaces to the driver, whose own swapchains treat "
                "fences as well as the layer's would; with FENCEBRIDGE_TAKEOVER=on the layer "
                "takes them over",
                physical.name.c_str());
        return false; // about headless surfaces, Instance::yields_on() has logged it
    }
    std::string reason = physical.obstacle();
    if (reason.empty() && has_several_devices(info))
        reason = "the device is a group of several physical devices";
    if (reason.empty())
        return true;
    const bool is_error = instance.settings.takeover == TakeoverSetting::on;
    log::once(is_error ? log::Level::error : log::Level::warning,
              "device \"%s\": using the driver's own swapchains: %s", physical.name.c_str(),
              reason.c_str());
    return false;
}

/// The extensions to enable on a device: the application's and, if the device is taken over, those
/// that the layer needs, without the ones that only the layer has. An extension that the driver has
/// under another name is enabled by that name.
std::vector<const char*> driver_extensions(const vk::PhysicalDevice& physical,
                                           const VkDeviceCreateInfo& info, bool taken_over) {
    std::vector<const char*> names;
    for (const char* name : std::span(info.ppEnabledExtensionNames, info.enabledExtensionCount)) {
        const Extension* const provided = find_provided(name, Level::device);
        const char* const drivers = provided != nullptr ? find_name(physical, *provided) : name;
        if (drivers != nullptr &&
            !contains(names.data(), static_cast<uint32_t>(names.size()), drivers))
            names.push_back(drivers);
    }
    if (taken_over) {
        names = with_extensions(names.data(), static_cast<uint32_t>(names.size()),
                                vk::used_device_extensions(physical));
    }
    return names;
}

/// Refuses a device that enables an extension that is not offered, or a feature of a hidden one.
/// The loader does not refuse an extension that the layer's manifest names.
/// @return VK_SUCCESS, or the error of vkCreateDevice for an absent extension or feature
VkResult refuse_absent(Instance& instance, VkPhysicalDevice device,
                       const VkDeviceCreateInfo& info) {
    const std::span names(info.ppEnabledExtensionNames, info.enabledExtensionCount);
    for (const char* name : names) {
        if (is_hidden(name)) {
            log::error("vkCreateDevice: the layer does not provide %s, and the driver's does not "
                       "work with the layer's swapchains",
                       name);
            return VK_ERROR_EXTENSION_NOT_PRESENT;
        }
        const Extension* const provided = find_provided(name, Level::device);
        if (provided != nullptr && !instance.offers(*provided, device)) {
            log::error("vkCreateDevice: the driver lacks %s, and the layer does not provide it %s",
                       name,
                       provided->reach == Reach::layers_surfaces
                           ? "beside the surfaces of another window system"
                           : "on this driver");
            return VK_ERROR_EXTENSION_NOT_PRESENT;
        }
    }
    if (const std::string_view feature = find_hidden_feature(info.pNext); !feature.empty()) {
        log::error("vkCreateDevice: the layer does not provide the features of %.*s",
                   static_cast<int>(feature.size()), feature.data());
        return VK_ERROR_FEATURE_NOT_PRESENT;
    }
    return VK_SUCCESS;
}

/// Whether a device that is not taken over can have a provided extension that the driver lacks.
/// Where the layer has not offered the extension, the loader leaves it out of what the driver sees.
bool works_without_takeover(const Extension& extension, bool offered) {
    if (extension.reach == Reach::every_device)
        return offered;
    const bool has_nothing_to_call = extension.commands.empty();
    return has_nothing_to_call && (offered || extension.reach == Reach::every_surface);
}

/// The provided extension that the application enables on a device that is not taken over, and that
/// neither the driver nor the layer has there; null if there is none. The loader does not refuse
/// it, since the layer's manifest names it.
const Extension* find_lacking(const vk::PhysicalDevice& physical, const EnabledExtensions& enabled,
                              bool offered) {
    const auto found = std::ranges::find_if(enabled.all(), [&](const Extension* extension) {
        return physical.extensions_known && find_name(physical, *extension) == nullptr &&
               !works_without_takeover(*extension, offered);
    });
    return found == enabled.all().end() ? nullptr : *found;
}

/// The structures with features of provided extensions in the chain of VkDeviceCreateInfo, as far
/// as the driver lacks such a feature. A driver may fail on them.
std::vector<vk::ReducedFeatures> find_unknown_features(const vk::PhysicalDevice& physical,
                                                       const void* chain) {
    struct Answer {
        VkBaseOutStructure head;
        std::array<VkBool32, 8> words;
        const VkBaseInStructure* given;
        uint32_t count;
    };
    std::vector<Answer> answers;
    for (const auto* node = static_cast<const VkBaseInStructure*>(chain); node != nullptr;
         node = node->pNext) {
        const auto [extension, structure] = find_structure(node->sType);
        if (extension != nullptr && extension->status == Status::provided)
            answers.push_back({{node->sType, nullptr}, {}, node, structure->words});
    }
    VkPhysicalDeviceFeatures2 features = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2};
    for (Answer& answer : answers) {
        answer.head.pNext = static_cast<VkBaseOutStructure*>(features.pNext);
        features.pNext = &answer.head;
    }
    if (!answers.empty() && physical.next->GetPhysicalDeviceFeatures2 != nullptr)
        physical.next->GetPhysicalDeviceFeatures2(physical.handle, &features);
    std::vector<vk::ReducedFeatures> unknown;
    for (const Answer& answer : answers) {
        const std::span wanted(reinterpret_cast<const VkBool32*>(answer.given + 1), answer.count);
        std::vector<VkBool32> kept;
        std::ranges::transform(
            wanted, answer.words, std::back_inserter(kept),
            [](VkBool32 wants, VkBool32 has) { return has == VK_FALSE ? VK_FALSE : wants; });
        if (std::ranges::equal(kept, wanted))
            continue;
        if (std::ranges::count(kept, VK_FALSE) == std::ssize(kept))
            kept.clear();
        unknown.push_back({answer.given, std::move(kept)});
    }
    return unknown;
}

/// vkCreateDevice of the next layer: without the extensions and features that only the layer has,
/// if the layer has offered them, and with the layer's additions if the device is taken over.
/// @param queues  null if the device is not taken over
VkResult create_next_device(PFN_vkCreateDevice create, const vk::PhysicalDevice& physical,
                            const VkDeviceCreateInfo& info, bool offered,
                            const DeviceQueues* queues, const VkAllocationCallbacks* allocator,
                            VkDevice* handle) {
    if (!offered)
        return create(physical.handle, &info, allocator, handle);
    const auto names = driver_extensions(physical, info, queues != nullptr);
    VkDeviceCreateInfo more = info;
    more.enabledExtensionCount = static_cast<uint32_t>(names.size());
    more.ppEnabledExtensionNames = names.data();
    const auto unknown = find_unknown_features(physical, info.pNext);
    const vk::ReducedChain chain(info.pNext, unknown);
    if (chain.obstacle() != VK_STRUCTURE_TYPE_MAX_ENUM)
        log::warning("vkCreateDevice: the driver receives features that it may not know: structure "
                     "%d precedes them, of unknown size",
                     static_cast<int>(chain.obstacle()));
    more.pNext = chain.first();
    if (queues != nullptr)
        queues->put_into(more);
    return create(physical.handle, &more, allocator, handle);
}

void log_sync_fd(const vk::Device& device) {
    const auto word = [](bool has) { return has ? "yes" : "no"; };
    log::debug("device \"%s\" SYNC_FD export_semaphore=%s import_semaphore=%s export_fence=%s "
               "import_fence=%s present_submits=%s own_queue=%s",
               device.name.c_str(), word(device.sync_fd.export_semaphore),
               word(device.sync_fd.import_semaphore), word(device.sync_fd.export_fence),
               word(device.sync_fd.import_fence), word(!device.semaphores_export_freely),
               word(device.own_queue != VK_NULL_HANDLE));
}

} // namespace

VKAPI_ATTR VkResult VKAPI_CALL CreateDevice(VkPhysicalDevice physical_device,
                                            const VkDeviceCreateInfo* create_info,
                                            const VkAllocationCallbacks* allocator,
                                            VkDevice* handle) {
    return guarded([&] {
        const auto instance = find_instance(physical_device);
        auto* link =
            find_loader_info<VkLayerDeviceCreateInfo, VK_STRUCTURE_TYPE_LOADER_DEVICE_CREATE_INFO>(
                create_info->pNext);
        if (!instance || link == nullptr)
            return VK_ERROR_INITIALIZATION_FAILED;
        const auto next_link = link->u.pLayerInfo;
        const auto next_proc = next_link->pfnNextGetDeviceProcAddr;
        const auto create = reinterpret_cast<PFN_vkCreateDevice>(
            next_link->pfnNextGetInstanceProcAddr(instance->handle, "vkCreateDevice"));
        if (create == nullptr)
            return VK_ERROR_INITIALIZATION_FAILED;
        const auto physical = instance->physical(physical_device);
        const bool hides = instance->hides_extensions(physical_device);
        if (const VkResult refused =
                hides ? refuse_absent(*instance, physical_device, *create_info) : VK_SUCCESS;
            refused != VK_SUCCESS)
            return refused;
        EnabledExtensions enabled(Level::device, create_info->ppEnabledExtensionNames,
                                  create_info->enabledExtensionCount);
        const DeviceQueues queues(*physical, *create_info);
        const bool taken_over = takes_over(*instance, *physical, *create_info);
        if (const Extension* const lacking =
                taken_over ? nullptr : find_lacking(*physical, enabled, hides)) {
            log::error("vkCreateDevice: the driver lacks %s, and the layer provides it only on "
                       "devices that it takes over",
                       lacking->name.data());
            return VK_ERROR_EXTENSION_NOT_PRESENT;
        }

        link->u.pLayerInfo = next_link->pNext;
        VkResult result = create_next_device(create, *physical, *create_info, hides,
                                             taken_over ? &queues : nullptr, allocator, handle);
        if (result != VK_SUCCESS)
            return result;
        Rollback created([&] {
            const auto destroy =
                reinterpret_cast<PFN_vkDestroyDevice>(next_proc(*handle, "vkDestroyDevice"));
            destroy(*handle, allocator);
        });
        vk::Device below = vk::describe_device(*physical, *handle, next_proc);
        // Without a takeover, semaphores are created as the application asks.
        below.semaphores_export_freely = below.semaphores_export_freely && taken_over;
        if (taken_over) {
            below.own_queue = queues.get_own(*handle, below.next.GetDeviceQueue);
            below.queue_families = queues.families(*handle, below.next);
            // The loader sets the dispatch table only of queues that the application gets. For its
            // own queue, the layer asks the loader to do so.
            below.set_loader_data = find_set_device_loader_data(create_info->pNext);
            if (below.own_queue != VK_NULL_HANDLE && below.set_loader_data != nullptr)
                result = below.set_loader_data(*handle, below.own_queue);
            if (result != VK_SUCCESS)
                return result;
            log_sync_fd(below);
        }
        add_device(std::make_shared<Device>(instance.shared(), *physical, std::move(below),
                                            taken_over, hides, std::move(enabled)));
        created.commit();
        return VK_SUCCESS;
    });
}

VKAPI_ATTR void VKAPI_CALL DestroyDevice(VkDevice handle, const VkAllocationCallbacks* allocator) {
    guarded_void([&] {
        if (handle == VK_NULL_HANDLE)
            return;
        auto device = remove_device(handle);
        if (!device)
            return;
        const Called<Instance> instance(device->instance);
        const auto destroy = device->vk.next.DestroyDevice;
        // The layer destroys its objects before the device. Its own submissions may still use them,
        // and the application does not know of those submissions.
        if (device->taken_over)
            static_cast<void>(device->vk.next.DeviceWaitIdle(handle));
        device.reset();
        destroy(handle, allocator);
    });
}

} // namespace fencebridge::entry
