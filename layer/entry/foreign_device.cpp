// SPDX-License-Identifier: MIT
#include "entry/foreign_device.hpp"

#include "entry/intercepts.hpp"
#include "util/log.hpp"

namespace fencebridge::entry {

namespace {

/// Whether the driver itself can present to the surface. Its list of extensions does not tell: the
/// loader adds what an implicit layer's manifest names.
bool driver_presents(const Instance& instance, const vk::PhysicalDevice& physical,
                     VkSurfaceKHR surface) {
    uint32_t families = 0;
    instance.next.GetPhysicalDeviceQueueFamilyProperties(physical.handle, &families, nullptr);
    for (uint32_t family = 0; family < families; ++family) {
        VkBool32 supported = VK_FALSE;
        if (instance.next.GetPhysicalDeviceSurfaceSupportKHR(physical.handle, family, surface,
                                                             &supported) == VK_SUCCESS &&
            supported)
            return true;
    }
    return false;
}

/// A VkDevice from below the layer, for as long as a trial takes.
class TrialDevice {
public:
    TrialDevice(const Instance& instance, const vk::PhysicalDevice& physical) :
        destroy_(instance.loader_devices.destroy) {
        PFN_vkGetDeviceProcAddr next_proc = nullptr;
        const VkDevice handle = create(instance, physical, &next_proc);
        if (handle == VK_NULL_HANDLE)
            return;
        device_ = std::make_unique<vk::Device>(vk::Device{
            .handle = handle,
            .physical = physical.handle,
            .next = vk::DeviceDispatch(handle, next_proc, physical.api_version),
            .memory = {},
            .sync_fd = {},
            .semaphores_export_freely = false,
            .facts = {},
            .own_queue = VK_NULL_HANDLE,
            .driver = physical.name,
        });
        instance.next.GetPhysicalDeviceMemoryProperties(physical.handle, &device_->memory);
    }
    ~TrialDevice() {
        if (device_)
            destroy_(device_->handle, nullptr, device_->next.DestroyDevice);
    }
    TrialDevice(const TrialDevice&) = delete;
    TrialDevice& operator=(const TrialDevice&) = delete;

    /// Null when there is none.
    [[nodiscard]] const vk::Device* get() const { return device_.get(); }

private:
    static VkDevice create(const Instance& instance, const vk::PhysicalDevice& physical,
                           PFN_vkGetDeviceProcAddr* next_proc) {
        if (instance.loader_devices.create == nullptr)
            return VK_NULL_HANDLE;
        constexpr float priority = 1.0f;
        const VkDeviceQueueCreateInfo queue = {
            .sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
            .queueFamilyIndex = 0,
            .queueCount = 1,
            .pQueuePriorities = &priority,
        };
        const auto extensions = vk::required_device_extensions(physical.api_version);
        const VkDeviceCreateInfo info = {
            .sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
            .queueCreateInfoCount = 1,
            .pQueueCreateInfos = &queue,
            .enabledExtensionCount = static_cast<uint32_t>(extensions.size()),
            .ppEnabledExtensionNames = extensions.data(),
        };
        VkDevice device = VK_NULL_HANDLE;
        const VkResult result =
            instance.loader_devices.create(instance.handle, physical.handle, &info, nullptr,
                                           &device, &GetInstanceProcAddr, next_proc);
        return result == VK_SUCCESS ? device : VK_NULL_HANDLE;
    }

    const PFN_vkLayerDestroyDevice destroy_;
    std::unique_ptr<vk::Device> device_;
};

} // namespace

std::expected<bool, VkResult>
shares_buffers(const Instance& instance, const vk::PhysicalDevice& physical, VkSurfaceKHR handle,
               Window& window, const core::DmabufFeedback& feedback, VkFormat format) {
    if (!core::is_foreign(feedback, physical.drm_nodes) ||
        !driver_presents(instance, physical, handle))
        return true;
    const TrialDevice device(instance, physical);
    if (device.get() == nullptr)
        return true;
    const auto shown = can_show_an_image(*device.get(), physical, window, format);
    if (!shown)
        return shown.error() == VK_ERROR_SURFACE_LOST_KHR ? shown : true;
    if (!*shown)
        log::warning("device \"%s\" passes through on this surface: it is not the compositor's, "
                     "which refused its buffers",
                     physical.name.c_str());
    return shown;
}

} // namespace fencebridge::entry
