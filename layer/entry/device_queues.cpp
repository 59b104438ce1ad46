// SPDX-License-Identifier: MIT
#include "entry/device_queues.hpp"

#include <algorithm>

namespace fencebridge::entry {

DeviceQueues::DeviceQueues(const vk::PhysicalDevice& physical, const VkDeviceCreateInfo& info) :
    applications_(info.pQueueCreateInfos, info.queueCreateInfoCount),
    infos_(applications_.begin(), applications_.end()) {
    if (physical.needs_queue())
        found_ = add_to_used_family(physical) || add_another_family(physical);
}

std::map<VkQueue, uint32_t> DeviceQueues::families(VkDevice device,
                                                   const vk::DeviceDispatch& next) const {
    std::map<VkQueue, uint32_t> families;
    for (const VkDeviceQueueCreateInfo& info : applications_) {
        for (uint32_t i = 0; i < info.queueCount; ++i) {
            VkQueue queue = VK_NULL_HANDLE;
            const VkDeviceQueueInfo2 which = {.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_INFO_2,
                                              .flags = info.flags,
                                              .queueFamilyIndex = info.queueFamilyIndex,
                                              .queueIndex = i};
            if (info.flags == 0)
                next.GetDeviceQueue(device, info.queueFamilyIndex, i, &queue);
            else if (next.GetDeviceQueue2 != nullptr)
                next.GetDeviceQueue2(device, &which, &queue);
            families.emplace(queue, info.queueFamilyIndex);
        }
    }
    return families;
}

void DeviceQueues::put_into(VkDeviceCreateInfo& info) const {
    info.queueCreateInfoCount = static_cast<uint32_t>(infos_.size());
    info.pQueueCreateInfos = infos_.data();
}

VkQueue DeviceQueues::get_own(VkDevice device, PFN_vkGetDeviceQueue get) const {
    VkQueue queue = VK_NULL_HANDLE;
    if (found_)
        get(device, family_, index_, &queue);
    return queue;
}

bool DeviceQueues::add_to_used_family(const vk::PhysicalDevice& physical) {
    for (VkDeviceQueueCreateInfo& used : infos_) {
        // vkGetDeviceQueue does not return queues that were created with flags, such as
        // protected ones.
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

/// The queues that the application creates of a family. Queues with different flags have
/// different VkDeviceQueueCreateInfo structures.
uint32_t DeviceQueues::count_used(uint32_t family) const {
    uint32_t count = 0;
    for (const VkDeviceQueueCreateInfo& used : infos_)
        count += used.queueFamilyIndex == family ? used.queueCount : 0;
    return count;
}

bool DeviceQueues::add_another_family(const vk::PhysicalDevice& physical) {
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

} // namespace fencebridge::entry
