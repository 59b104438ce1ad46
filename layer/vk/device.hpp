// SPDX-License-Identifier: MIT
#pragma once

#include <expected>
#include <map>
#include <string>
#include <utility>
#include <vulkan/vk_layer.h>
#include <vulkan/vulkan.h>

#include "core/transport_choice.hpp"
#include "vk/dispatch.hpp"
#include "vk/driver_facts.hpp"
#include "vk/physical_device.hpp"

namespace fencebridge::vk {

/// The next layer's or driver's device, with the properties that the layer uses.
struct Device {
    VkDevice handle;
    VkPhysicalDevice physical;
    DeviceDispatch next;
    VkPhysicalDeviceMemoryProperties memory;
    core::DriverSyncFd sync_fd;
    bool semaphores_export_freely; ///< see PhysicalDevice
    DriverFacts facts;
    bool exports_copies;                 ///< can_share_copies() with exported_dma_buf
    bool imports_copies;                 ///< the same with imported_dma_buf
    bool foreign_queues;                 ///< VK_EXT_queue_family_foreign is enabled
    VkDeviceSize host_pointer_alignment; ///< VK_EXT_external_memory_host; 1 without it
    /// A queue that only the layer uses; null if none is needed.
    VkQueue own_queue = VK_NULL_HANDLE;
    std::map<VkQueue, uint32_t> queue_families; ///< of the application's queues
    core::DrmNodes drm_nodes;
    std::string name; ///< the physical device's, for the log
    /// The loader's function that sets the dispatch table of a queue or command buffer that the
    /// layer has requested; may be null.
    PFN_vkSetDeviceLoaderData set_loader_data = nullptr;
};

/// Describes a device that was just created, before it has a queue of the layer's own.
/// @param next_proc  vkGetDeviceProcAddr of the next layer or driver
[[nodiscard]] Device describe_device(const PhysicalDevice& physical, VkDevice handle,
                                     PFN_vkGetDeviceProcAddr next_proc);

/// Owns a child object of a device. `Destroy` is the member of DeviceDispatch that destroys it. The
/// device must outlive it.
template <class Handle, auto Destroy>
class Owned {
public:
    Owned() = default;
    Owned(const Device& device, Handle handle) : device_(&device), handle_(handle) {}
    Owned(Owned&& other) noexcept :
        device_(other.device_), handle_(std::exchange(other.handle_, Handle(VK_NULL_HANDLE))) {}
    Owned& operator=(Owned&& other) noexcept {
        std::swap(device_, other.device_);
        std::swap(handle_, other.handle_);
        return *this;
    }
    ~Owned() {
        if (handle_ != VK_NULL_HANDLE)
            (device_->next.*Destroy)(device_->handle, handle_, nullptr);
    }

    [[nodiscard]] Handle get() const { return handle_; }

private:
    const Device* device_ = nullptr;
    Handle handle_ = VK_NULL_HANDLE;
};

using Image = Owned<VkImage, &DeviceDispatch::DestroyImage>;
using Memory = Owned<VkDeviceMemory, &DeviceDispatch::FreeMemory>;
using Buffer = Owned<VkBuffer, &DeviceDispatch::DestroyBuffer>;
using CommandPool = Owned<VkCommandPool, &DeviceDispatch::DestroyCommandPool>;
using Semaphore = Owned<VkSemaphore, &DeviceDispatch::DestroySemaphore>;
using Fence = Owned<VkFence, &DeviceDispatch::DestroyFence>;

/// Creates a binary semaphore.
/// @param exports  VkExportSemaphoreCreateInfo::handleTypes
[[nodiscard]] std::expected<Semaphore, VkResult>
create_semaphore(const Device& device, VkExternalSemaphoreHandleTypeFlags exports);

/// Creates an unsignalled fence.
/// @param exports  VkExportFenceCreateInfo::handleTypes
[[nodiscard]] std::expected<Fence, VkResult> create_fence(const Device& device,
                                                          VkExternalFenceHandleTypeFlags exports);

} // namespace fencebridge::vk
