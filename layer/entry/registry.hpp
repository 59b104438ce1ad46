// SPDX-License-Identifier: MIT
#pragma once

#include <expected>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>
#include <vulkan/vulkan.h>

#include "entry/layer_chain.hpp"
#include "entry/window_claim.hpp"
#include "swapchain/layouts.hpp"
#include "swapchain/swapchain.hpp"
#include "swapchain/window.hpp"
#include "sync/payload.hpp"
#include "sync/rendering.hpp"
#include "util/locked.hpp"
#include "util/settings.hpp"
#include "vk/device.hpp"
#include "vk/dispatch.hpp"
#include "vk/physical_device.hpp"

namespace fencebridge::entry {

/// A VkSurfaceKHR for which the layer can make swapchains. The handle is the next layer's own, so
/// that a device which is not served can go on using it.
struct Surface {
    std::shared_ptr<Window> window;

    /// What was found for each physical device that has been asked about, when first asked.
    Locked<std::unordered_map<VkPhysicalDevice, std::shared_ptr<const SurfaceFormats>>> formats;
};

/// A VkInstance.
struct Instance {
    Instance(VkInstance instance, PFN_vkGetInstanceProcAddr next_proc, uint32_t version,
             Settings given) :
        handle(instance),
        api_version(version), settings(given), next(instance, next_proc, version) {}

    const VkInstance handle;
    const uint32_t api_version;
    const Settings settings;
    const vk::InstanceDispatch next;
    /// Set, like `active`, before the application gets the instance.
    LoaderDevices loader_devices;
    /// Whether the layer does anything for this instance: it can show things on Wayland, and has
    /// what the layer needs. Set before the application gets the instance.
    bool active = false;

    Locked<std::unordered_map<VkPhysicalDevice, std::shared_ptr<const vk::PhysicalDevice>>>
        physical_devices;
    Locked<std::unordered_map<VkSurfaceKHR, std::shared_ptr<Surface>>> surfaces;

    /// Whether the extensions that act on swapchains, and that the layer does not implement, are
    /// hidden from the application on this device: everywhere where it could present to a surface
    /// of the layer's.
    [[nodiscard]] bool hides_extensions(VkPhysicalDevice device) {
        return active && physical(device)->is_served();
    }

    /// What is known of a physical device; asked for when it is first met.
    [[nodiscard]] std::shared_ptr<const vk::PhysicalDevice> physical(VkPhysicalDevice device);

    /// The layer's own part of a surface, or null.
    [[nodiscard]] std::shared_ptr<Surface> find_surface(VkSurfaceKHR surface);
};

/// A surface and a physical device that the layer serves together.
struct Served {
    std::shared_ptr<const vk::PhysicalDevice> physical;
    std::shared_ptr<Surface> surface;
    std::shared_ptr<const SurfaceFormats> formats;
};

/// Whether the layer serves the two is found out once, and stays so: a swapchain must not change
/// hands in its life.
/// @return nothing when the driver's own window system integration is to be used; or
///         VK_ERROR_SURFACE_LOST_KHR when the compositor went before it was found out; or, when
///         memory was out, VK_ERROR_OUT_OF_HOST_MEMORY or VK_ERROR_OUT_OF_DEVICE_MEMORY: then the
///         next call finds out
[[nodiscard]] std::expected<std::optional<Served>, VkResult>
find_served(Instance& instance, VkPhysicalDevice device, VkSurfaceKHR surface);

/// A VkSwapchainKHR of the layer's, whose handle is the address of `chain`.
struct SwapchainRecord {
    /// Empty once the swapchain is retired. Destroyed last: everything on the window is gone by
    /// then.
    WindowClaim claim;
    std::shared_ptr<Surface> surface;
    std::unique_ptr<Swapchain> chain;
    /// vkSetPrivateData on the swapchain, of which the driver has never heard.
    Locked<std::map<VkPrivateDataSlot, uint64_t>> private_data = {};
};

/// A VkDevice.
struct Device {
    Device(std::shared_ptr<Instance> parent, vk::Device below, bool is_served, bool hides) :
        instance(std::move(parent)), vk(std::move(below)), served(is_served),
        hides_extensions(hides), payloads(vk), renderings(vk) {}

    const std::shared_ptr<Instance> instance;
    const vk::Device vk;
    /// Whether it can have swapchains of the layer's. If not, it sees nothing of the layer.
    const bool served;
    const bool hides_extensions; ///< see Instance::hides_extensions()
    sync::PayloadImporter payloads;
    sync::RenderingExporter renderings;

    Locked<std::unordered_map<VkSwapchainKHR, std::shared_ptr<SwapchainRecord>>> swapchains;

    /// The layer's own record of a swapchain, or null for the driver's.
    [[nodiscard]] std::shared_ptr<SwapchainRecord> find_record(VkSwapchainKHR swapchain);
    /// The layer's own swapchain, or null for the driver's.
    [[nodiscard]] std::shared_ptr<Swapchain> find_swapchain(VkSwapchainKHR swapchain);
};

/// The loader's dispatch table, which is the first word of each dispatchable handle, is the same
/// for an instance and its physical devices, and for a device and its queues.
[[nodiscard]] inline void* dispatch_key(const void* handle) {
    return *static_cast<void* const*>(handle);
}

/// The instance that an instance or a physical device belongs to.
[[nodiscard]] std::shared_ptr<Instance> find_instance(const void* handle);
void add_instance(std::shared_ptr<Instance> instance);
[[nodiscard]] std::shared_ptr<Instance> remove_instance(VkInstance instance);

/// The device that a device or a queue belongs to.
[[nodiscard]] std::shared_ptr<Device> find_device(const void* handle);
void add_device(std::shared_ptr<Device> device);
[[nodiscard]] std::shared_ptr<Device> remove_device(VkDevice device);

} // namespace fencebridge::entry
