// SPDX-License-Identifier: MIT
#include "entry/foreign_device.hpp"

#include <optional>

#include "entry/intercepts.hpp"
#include "util/log.hpp"

namespace fencebridge::entry {

namespace {

/// A failure that will pass, as a query of a surface can return it; nothing for any other.
std::optional<VkResult> passing_failure(VkResult result) {
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

/// Whether the driver itself can present to the surface. Its list of extensions does not tell: the
/// loader adds what an implicit layer's manifest names.
/// @return or a failure that will pass
std::expected<bool, VkResult> driver_presents(const Instance& instance,
                                              const vk::PhysicalDevice& physical,
                                              VkSurfaceKHR surface) {
    uint32_t families = 0;
    instance.next.GetPhysicalDeviceQueueFamilyProperties(physical.handle, &families, nullptr);
    for (uint32_t family = 0; family < families; ++family) {
        VkBool32 supported = VK_FALSE;
        const VkResult result = instance.next.GetPhysicalDeviceSurfaceSupportKHR(
            physical.handle, family, surface, &supported);
        if (const auto failure = passing_failure(result))
            return std::unexpected(*failure);
        if (result == VK_SUCCESS && supported)
            return true;
    }
    return false;
}

/// Owns a VkDevice from below the layer, for as long as a trial takes.
class TrialDevice {
public:
    explicit TrialDevice(const LoaderDevices& loader) : loader_(loader) {}
    ~TrialDevice() {
        if (handle_ != VK_NULL_HANDLE)
            loader_.destroy(
                handle_, nullptr,
                reinterpret_cast<PFN_vkDestroyDevice>(next_proc_(handle_, "vkDestroyDevice")));
    }
    TrialDevice(const TrialDevice&) = delete;
    TrialDevice& operator=(const TrialDevice&) = delete;

    /// Once; what vkCreateDevice returns.
    VkResult create(const Instance& instance, const vk::PhysicalDevice& physical) {
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
        const VkResult result = loader_.create(instance.handle, physical.handle, &info, nullptr,
                                               &handle_, &GetInstanceProcAddr, &next_proc_);
        if (result != VK_SUCCESS)
            handle_ = VK_NULL_HANDLE;
        return result;
    }

    /// What the layer needs to know of it, once it is created.
    [[nodiscard]] vk::Device describe(const Instance& instance,
                                      const vk::PhysicalDevice& physical) const {
        vk::Device device = {
            .handle = handle_,
            .physical = physical.handle,
            .next = vk::DeviceDispatch(handle_, next_proc_, physical.api_version),
            .memory = {},
            .sync_fd = {},
            .semaphores_export_freely = false,
            .facts = {},
            .own_queue = VK_NULL_HANDLE,
            .driver = physical.name,
        };
        instance.next.GetPhysicalDeviceMemoryProperties(physical.handle, &device.memory);
        return device;
    }

private:
    const LoaderDevices loader_;
    VkDevice handle_ = VK_NULL_HANDLE;
    PFN_vkGetDeviceProcAddr next_proc_ = nullptr;
};

/// Makes one image on a VkDevice of the layer's own and offers it to the window system.
/// @return also true when that cannot be tried; or VK_ERROR_SURFACE_LOST_KHR, or a failure that
///         will pass
std::expected<bool, VkResult> try_to_share(const Instance& instance,
                                           const vk::PhysicalDevice& physical, Window& window,
                                           VkFormat format) {
    if (instance.loader_devices.create == nullptr)
        return true;
    TrialDevice trial(instance.loader_devices);
    const VkResult created = trial.create(instance, physical);
    if (const auto failure = passing_failure(created))
        return std::unexpected(*failure);
    if (created != VK_SUCCESS)
        return true;
    const vk::Device device = trial.describe(instance, physical);
    const auto shown = can_show_an_image(device, physical, window, format);
    if (shown || shown.error() == VK_ERROR_SURFACE_LOST_KHR)
        return shown;
    if (const auto failure = passing_failure(shown.error()))
        return std::unexpected(*failure);
    return true;
}

} // namespace

std::expected<bool, VkResult>
shares_buffers(const Instance& instance, const vk::PhysicalDevice& physical, VkSurfaceKHR handle,
               Window& window, const core::DmabufFeedback& feedback, VkFormat format) {
    if (!core::is_foreign(feedback, physical.drm_nodes))
        return true;
    const auto presents = driver_presents(instance, physical, handle);
    if (!presents)
        return presents;
    if (!*presents)
        return true;
    const auto shown = try_to_share(instance, physical, window, format);
    if (!shown)
        return shown;
    if (!*shown)
        log::warning("device \"%s\" passes through on this surface: it is not the compositor's, "
                     "which refused its buffers",
                     physical.name.c_str());
    return shown;
}

} // namespace fencebridge::entry
