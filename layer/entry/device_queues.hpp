// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>
#include <vulkan/vulkan.h>

#include "vk/dispatch.hpp"
#include "vk/physical_device.hpp"

namespace fencebridge::entry {

/// The queues of a device that is created: the application's, and one of the layer's own if the
/// layer has to signal semaphores or fences by submissions (vk::PhysicalDevice::needs_queue()).
class DeviceQueues {
public:
    /// @param info  the application's; must outlive this
    DeviceQueues(const vk::PhysicalDevice& physical, const VkDeviceCreateInfo& info);
    DeviceQueues(const DeviceQueues&) = delete;
    DeviceQueues& operator=(const DeviceQueues&) = delete;

    /// The family of each of the application's queues, after the device was created.
    [[nodiscard]] std::map<VkQueue, uint32_t> families(VkDevice device,
                                                       const vk::DeviceDispatch& next) const;

    /// Sets the queues of `info`, which must not outlive this.
    void put_into(VkDeviceCreateInfo& info) const;

    /// The layer's own queue, after the device was created; null if none is needed, or if the
    /// application leaves none free. A family from which the application takes only queues with
    /// flags is not searched.
    [[nodiscard]] VkQueue get_own(VkDevice device, PFN_vkGetDeviceQueue get) const;

private:
    bool add_to_used_family(const vk::PhysicalDevice& physical);
    bool add_another_family(const vk::PhysicalDevice& physical);
    [[nodiscard]] uint32_t count_used(uint32_t family) const;

    const std::span<const VkDeviceQueueCreateInfo> applications_;
    std::vector<VkDeviceQueueCreateInfo> infos_;
    std::vector<float> priorities_;
    bool found_ = false;
    uint32_t family_ = 0;
    uint32_t index_ = 0;
};

} // namespace fencebridge::entry
