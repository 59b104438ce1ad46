// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstring>
#include <span>

#include "entry/extensions.hpp"
#include "entry/guard.hpp"
#include "entry/intercepts.hpp"
#include "entry/layer_chain.hpp"
#include "entry/registry.hpp"
#include "vk/chain.hpp"

namespace fencebridge::entry {

namespace {

bool has_several_devices(const VkDeviceCreateInfo& info) {
    const auto* group = vk::find<VkDeviceGroupDeviceCreateInfo>(info.pNext);
    return group != nullptr && group->physicalDeviceCount > 1;
}

/// The application's queues, and one more of the layer's own where it needs one.
class Queues {
public:
    Queues(const vk::PhysicalDevice& physical, const VkDeviceCreateInfo& info) :
        infos_(info.pQueueCreateInfos, info.pQueueCreateInfos + info.queueCreateInfoCount),
        needed_(physical.needs_queue()) {
        if (needed_)
            found_ = add_to_used_family(physical) || add_another_family(physical);
    }
    Queues(const Queues&) = delete;
    Queues& operator=(const Queues&) = delete;

    [[nodiscard]] bool lack_one() const { return needed_ && !found_; }

    void put_into(VkDeviceCreateInfo& info) const {
        info.queueCreateInfoCount = static_cast<uint32_t>(infos_.size());
        info.pQueueCreateInfos = infos_.data();
    }

    /// The layer's own, once the device is there; null where none is needed.
    [[nodiscard]] VkQueue get_own(VkDevice device, PFN_vkGetDeviceQueue get) const {
        VkQueue queue = VK_NULL_HANDLE;
        if (found_)
            get(device, family_, index_, &queue);
        return queue;
    }

private:
    bool add_to_used_family(const vk::PhysicalDevice& physical) {
        for (VkDeviceQueueCreateInfo& used : infos_) {
            // A queue of another kind, such as a protected one, is not asked for by its index
            // alone.
            if (used.flags != 0 || used.queueFamilyIndex >= physical.queue_families.size() ||
                count_used(used.queueFamilyIndex) >=
                    physical.queue_families[used.queueFamilyIndex].queueCount)
                continue;
            family_ = used.queueFamilyIndex;
            index_ = used.queueCount;
            priorities_.assign(used.pQueuePriorities, used.pQueuePriorities + used.queueCount);
            priorities_.push_back(1.0f);
            used.pQueuePriorities = priorities_.data();
            ++used.queueCount;
            return true;
        }
        return false;
    }

    /// Of a family's queues: those of each kind are asked for apart.
    [[nodiscard]] uint32_t count_used(uint32_t family) const {
        uint32_t count = 0;
        for (const VkDeviceQueueCreateInfo& used : infos_)
            count += used.queueFamilyIndex == family ? used.queueCount : 0;
        return count;
    }

    bool add_another_family(const vk::PhysicalDevice& physical) {
        for (uint32_t family = 0; family < physical.queue_families.size(); ++family) {
            if (std::ranges::find(infos_, family, &VkDeviceQueueCreateInfo::queueFamilyIndex) !=
                infos_.end())
                continue;
            family_ = family;
            priorities_ = {1.0f};
            infos_.push_back({.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
                              .queueFamilyIndex = family,
                              .queueCount = 1,
                              .pQueuePriorities = priorities_.data()});
            return true;
        }
        return false;
    }

    std::vector<VkDeviceQueueCreateInfo> infos_;
    std::vector<float> priorities_;
    bool needed_;
    bool found_ = false;
    uint32_t family_ = 0;
    uint32_t index_ = 0;
};

/// Whether the layer serves the device that is about to be created; says so where it cannot.
bool is_served(const Instance& instance, const vk::PhysicalDevice& physical,
               const VkDeviceCreateInfo& info, const Queues& queues) {
    if (!instance.active || !contains(info.ppEnabledExtensionNames, info.enabledExtensionCount,
                                      VK_KHR_SWAPCHAIN_EXTENSION_NAME))
        return false;
    std::string lacks;
    for (const std::string& missing : physical.lacks)
        lacks += (lacks.empty() ? "driver lacks " : ", ") + missing;
    if (lacks.empty() && has_several_devices(info))
        lacks = "it is a group of several";
    if (lacks.empty() && queues.lack_one())
        lacks = "driver does not import SYNC_FD into semaphores and fences, and has no queue left "
                "for the layer to signal them with";
    if (lacks.empty())
        return true;
    const auto say = instance.settings.takeover == Takeover::on ? log::error : log::warning;
    say("device \"%s\" passes through: %s", physical.name.c_str(), lacks.c_str());
    return false;
}

/// The application's extensions with what the layer needs of the driver, less what only the layer
/// has.
std::vector<const char*> driver_extensions(const vk::PhysicalDevice& physical,
                                           const VkDeviceCreateInfo& info) {
    auto names = with_extensions(info.ppEnabledExtensionNames, info.enabledExtensionCount,
                                 vk::required_device_extensions(physical.api_version));
    names = with_extensions(names.data(), static_cast<uint32_t>(names.size()),
                            vk::optional_device_extensions(physical));
    if (!physical.has_extension(VK_KHR_SWAPCHAIN_EXTENSION_NAME))
        std::erase_if(names, [](const char* name) {
            return std::strcmp(name, VK_KHR_SWAPCHAIN_EXTENSION_NAME) == 0;
        });
    return names;
}

/// What the application enables of the extensions that the layer hides from it, on a device that
/// the layer may serve. vkCreateDevice: an extension or a feature that is not there is refused.
VkResult refuse_hidden(const VkDeviceCreateInfo& info) {
    const std::span names(info.ppEnabledExtensionNames, info.enabledExtensionCount);
    for (const char* name : names) {
        if (find_hidden_extension(name) != nullptr) {
            log::error("vkCreateDevice: the layer does not provide %s, and the driver's does not "
                       "work with the layer's swapchains",
                       name);
            return VK_ERROR_EXTENSION_NOT_PRESENT;
        }
    }
    if (const std::string_view feature = find_hidden_feature(info.pNext); !feature.empty()) {
        log::error("vkCreateDevice: %.*s enables what the layer does not provide",
                   static_cast<int>(feature.size()), feature.data());
        return VK_ERROR_FEATURE_NOT_PRESENT;
    }
    return VK_SUCCESS;
}

void log_sync_fd(const vk::Device& device) {
    const auto word = [](bool has) { return has ? "yes" : "no"; };
    log::debug("device \"%s\" SYNC_FD export_semaphore=%s import_semaphore=%s export_fence=%s "
               "import_fence=%s present_submits=%s",
               device.driver.c_str(), word(device.sync_fd.export_semaphore),
               word(device.sync_fd.import_semaphore), word(device.sync_fd.export_fence),
               word(device.sync_fd.import_fence), word(!device.semaphores_export_freely));
}

} // namespace

VKAPI_ATTR VkResult VKAPI_CALL CreateDevice(VkPhysicalDevice physical_device,
                                            const VkDeviceCreateInfo* create_info,
                                            const VkAllocationCallbacks* allocator,
                                            VkDevice* handle) {
    return guarded([&] {
        const auto instance = find_instance(physical_device);
        auto* link =
            find_link<VkLayerDeviceCreateInfo, VK_STRUCTURE_TYPE_LOADER_DEVICE_CREATE_INFO>(
                create_info->pNext);
        if (!instance || link == nullptr)
            return VK_ERROR_INITIALIZATION_FAILED;
        const auto next_link = link->u.pLayerInfo;
        const auto set_loader_data = find_set_device_loader_data(create_info->pNext);
        const auto create_next = reinterpret_cast<PFN_vkCreateDevice>(
            next_link->pfnNextGetInstanceProcAddr(instance->handle, "vkCreateDevice"));
        if (create_next == nullptr)
            return VK_ERROR_INITIALIZATION_FAILED;
        const auto physical = instance->physical(physical_device);
        const bool hides = instance->hides_extensions(physical_device);
        if (hides) {
            if (const VkResult refused = refuse_hidden(*create_info); refused != VK_SUCCESS)
                return refused;
        }
        // The layers below move it further.
        link->u.pLayerInfo = next_link->pNext;
        const Queues queues(*physical, *create_info);
        const bool served = is_served(*instance, *physical, *create_info, queues);
        // The loader lets the extension pass, since the layer's manifest names it.
        if (!served && instance->active &&
            contains(create_info->ppEnabledExtensionNames, create_info->enabledExtensionCount,
                     VK_KHR_SWAPCHAIN_EXTENSION_NAME) &&
            !physical->has_extension(VK_KHR_SWAPCHAIN_EXTENSION_NAME))
            return VK_ERROR_EXTENSION_NOT_PRESENT;
        VkResult result;
        if (served) {
            const auto names = driver_extensions(*physical, *create_info);
            VkDeviceCreateInfo more = *create_info;
            more.enabledExtensionCount = static_cast<uint32_t>(names.size());
            more.ppEnabledExtensionNames = names.data();
            queues.put_into(more);
            result = create_next(physical_device, &more, allocator, handle);
        } else {
            result = create_next(physical_device, create_info, allocator, handle);
        }
        if (result != VK_SUCCESS)
            return result;

        const auto next_proc = next_link->pfnNextGetDeviceProcAddr;
        Rollback created([&] {
            const auto destroy =
                reinterpret_cast<PFN_vkDestroyDevice>(next_proc(*handle, "vkDestroyDevice"));
            destroy(*handle, allocator);
        });
        vk::Device below = {
            .handle = *handle,
            .physical = physical_device,
            .next = vk::DeviceDispatch(*handle, next_proc, physical->api_version),
            .memory = {},
            .sync_fd = physical->sync_fd,
            .semaphores_export_freely = served && physical->semaphores_export_freely,
            .facts = physical->facts,
            .own_queue = VK_NULL_HANDLE,
            .driver = physical->name,
        };
        if (served) {
            below.own_queue = queues.get_own(*handle, below.next.GetDeviceQueue);
            // The loader does this for queues that it hands out.
            if (below.own_queue != VK_NULL_HANDLE && set_loader_data != nullptr)
                result = set_loader_data(*handle, below.own_queue);
            if (result != VK_SUCCESS)
                return result;
            log_sync_fd(below);
        }
        instance->next.GetPhysicalDeviceMemoryProperties(physical_device, &below.memory);
        add_device(std::make_shared<Device>(instance, std::move(below), served, hides));
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
        const auto destroy = device->vk.next.DestroyDevice;
        // Everything of the layer's on this device goes before the device. The submissions of its
        // presents may still be under way: the application can only wait for its own.
        if (device->served)
            static_cast<void>(device->vk.next.DeviceWaitIdle(handle));
        device.reset();
        destroy(handle, allocator);
    });
}

} // namespace fencebridge::entry
