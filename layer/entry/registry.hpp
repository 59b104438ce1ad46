// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vulkan/vulkan.h>

#include "core/takeover_choice.hpp"
#include "entry/extensions.hpp"
#include "entry/loader.hpp"
#include "entry/messengers.hpp"
#include "entry/window_claim.hpp"
#include "settings/settings.hpp"
#include "swapchain/fence_trial.hpp"
#include "swapchain/surface_support.hpp"
#include "swapchain/swapchain.hpp"
#include "swapchain/window.hpp"
#include "sync/payload_signal.hpp"
#include "sync/wait_semaphores.hpp"
#include "util/locked.hpp"
#include "vk/device.hpp"
#include "vk/dispatch.hpp"
#include "vk/physical_device.hpp"

// The layer's records of the application's objects. This is the one place that tells the layer's
// swapchains and surfaces from the driver's.

namespace fencebridge::entry {

/// A VkSurfaceKHR on which the layer can make swapchains. The handle is the next layer's own, so
/// that a device that is not taken over can use it.
struct SurfaceRecord {
    std::shared_ptr<Window> window;
    /// When the surface is the driver's on a device.
    core::Yield yield;

    /// For each physical device that was asked about, the answer of the first query.
    Locked<std::unordered_map<VkPhysicalDevice, std::shared_ptr<const SurfaceSupport>>> support;
};

/// The native window of a VkSurfaceKHR, which has one of the layer's window systems, whether or not
/// the layer makes swapchains on it.
struct NativeSurface {
    NativeWindow window;
    /// Platform::leave_to_driver().
    void (*leave_to_driver)(const NativeWindow& window);
    /// Once a driver has made a swapchain on the VkSurfaceKHR, or tried to.
    DriverPresence driver = {};
};

struct Instance {
    Instance(uint32_t version, Settings given) :
        api_version(version), settings(std::move(given)), format_layouts(requested()) {}

    const uint32_t api_version;
    const Settings settings;
    // Set before the application gets the instance:
    VkInstance handle = VK_NULL_HANDLE;
    vk::InstanceDispatch next = {};
    LoaderDevices loader_devices;
    /// Whether the layer can take over devices and surfaces of this instance: the application uses
    /// a window system that the layer supports, the settings allow it, and the driver accepted the
    /// extensions that the layer needs.
    bool takes_over = false;
    /// Whether the application also uses surfaces of another window system, which are the driver's.
    bool other_window_system = false;
    /// Whether the application uses a window system of the layer's that reads no images.
    bool has_unread_images = false;
    EnabledExtensions enabled;
    Messengers messengers;
    /// The next layer's commands that belong to window systems, by name. Null if absent.
    std::unordered_map<std::string_view, PFN_vkVoidFunction> platform_next;

    Locked<std::unordered_map<VkPhysicalDevice, std::shared_ptr<const vk::PhysicalDevice>>>
        physical_devices;
    FormatLayouts format_layouts;
    FenceTrials fence_trials;
    Locked<std::unordered_map<VkSurfaceKHR, std::shared_ptr<SurfaceRecord>>> surfaces;
    Locked<std::unordered_map<VkSurfaceKHR, NativeSurface>> native_surfaces;

    /// When the surfaces of the platforms that the application uses are left to drivers.
    struct Yielding {
        /// The platform of Yield::if_it_presents. There is at most one. Without such a platform,
        /// `create` is null.
        const char* extension = nullptr;
        /// Creates a VkSurfaceKHR of the next layer's.
        VkResult (*create)(const Instance& instance, VkSurfaceKHR* surface) = nullptr;
        bool never = false;     ///< there is a platform of Yield::never
        bool by_fences = false; ///< there is a platform of Yield::if_it_carries_fences
    } yielding;
    Locked<std::unordered_map<VkPhysicalDevice, bool>> drivers_presenting;

    /// What the settings request for swapchains.
    [[nodiscard]] Requested requested() const { return {settings.image, settings.sync}; }

    /// Whether the surfaces of the platform of Yield::if_it_presents are the driver's on this
    /// device. The first call creates such a surface, and asks the driver.
    [[nodiscard]] bool yields_on(VkPhysicalDevice device);

    /// Whether all surfaces are the driver's on this device, whatever the window system has.
    [[nodiscard]] bool yields_all_on(VkPhysicalDevice device);

    /// Whether some surfaces may be the driver's on this device.
    [[nodiscard]] bool may_yield_on(VkPhysicalDevice device);

    /// Whether the layer can take over devices of this kind, and surfaces on them.
    [[nodiscard]] bool can_take_over(VkPhysicalDevice device) {
        return takes_over && physical(device)->can_be_taken_over() && !yields_all_on(device);
    }

    /// Whether the layer hides the extensions that act on swapchains and that it does not
    /// implement. It hides them on every device that it can take over.
    [[nodiscard]] bool hides_extensions(VkPhysicalDevice device) { return can_take_over(device); }

    /// Whether applications see a provided device extension on a device. An extension that the
    /// driver lacks and that cannot work on the driver's own surfaces is offered only in an
    /// instance that has none of those. Some extensions do not work with every driver.
    [[nodiscard]] bool offers(const Extension& extension, VkPhysicalDevice device);

    /// Whether the layer alone provides an extension that it offers. If not, swapchains that the
    /// extension acts on may be the driver's.
    [[nodiscard]] bool is_layers_alone(const Extension& extension, VkPhysicalDevice device);

    /// The properties of a physical device. The first call queries the driver.
    [[nodiscard]] std::shared_ptr<const vk::PhysicalDevice> physical(VkPhysicalDevice device);

    /// @param yield  SurfaceRecord::yield
    void add_surface(VkSurfaceKHR surface, std::shared_ptr<Window> window, core::Yield yield);
    /// The layer's record of a surface, or null for a surface of the driver's only.
    [[nodiscard]] std::shared_ptr<SurfaceRecord> find_surface(VkSurfaceKHR surface);
};

/// A VkSwapchainKHR of the layer's. Its handle is the address of the Swapchain.
struct SwapchainRecord {
    /// Empty once the swapchain is retired. Destroyed last, after everything that the swapchain
    /// made on the window.
    WindowClaim claim;
    std::shared_ptr<SurfaceRecord> surface;
    std::unique_ptr<Swapchain> swapchain;
    /// vkSetPrivateData on the swapchain, of which the driver does not know.
    Locked<std::map<VkPrivateDataSlot, uint64_t>> private_data = {};
};

/// The name under which a driver has a provided device extension; null if it lacks the extension.
[[nodiscard]] const char* find_name(const vk::PhysicalDevice& driver, const Extension& extension);

struct Device {
    Device(std::shared_ptr<Instance> parent, const vk::PhysicalDevice& driver, vk::Device below,
           bool is_taken_over, bool hides, EnabledExtensions with);

    const std::shared_ptr<Instance> instance;
    const vk::Device vk;
    /// Whether the device can have swapchains of the layer's. If not, every command passes through.
    const bool taken_over;
    const bool hides_extensions; ///< see Instance::hides_extensions()
    const EnabledExtensions enabled;
    /// Whether the application enables VK_EXT_swapchain_maintenance1 or its KHR version.
    const bool has_maintenance1;
    /// Whether the driver has it, too.
    const bool driver_has_maintenance1;
    sync::PayloadSignaller signaller;
    sync::WaitSemaphoreExporter wait_semaphores;

    Locked<std::unordered_map<VkSwapchainKHR, std::shared_ptr<SwapchainRecord>>> swapchains;
    /// The claims of the driver's own swapchains. A retired one has none.
    Locked<std::map<VkSwapchainKHR, WindowClaim>> driver_claims;

    /// The layer's record of a swapchain, or null for one of the driver's.
    [[nodiscard]] std::shared_ptr<SwapchainRecord> find_record(VkSwapchainKHR swapchain);
    /// The layer's own swapchain, or null for one of the driver's.
    [[nodiscard]] std::shared_ptr<Swapchain> find_swapchain(VkSwapchainKHR swapchain);
};

/// The loader's dispatch table. Its address is the first word of each dispatchable handle, and is
/// the same for an instance and its physical devices, and for a device and its queues.
[[nodiscard]] inline void* dispatch_key(const void* handle) {
    return *static_cast<void* const*>(handle);
}

/// The object that the application's call is made on; null if it is unknown. The messages of the
/// thread go to the messengers of its instance, when this is destroyed. So it is the first in its
/// block, before any lock.
template <class Object>
class Called {
public:
    explicit Called(std::shared_ptr<Object> object);
    ~Called() = default;
    Called(const Called&) = delete;
    Called& operator=(const Called&) = delete;

    [[nodiscard]] Object* operator->() const { return object_.get(); }
    [[nodiscard]] Object& operator*() const { return *object_; }
    [[nodiscard]] explicit operator bool() const { return object_ != nullptr; }
    [[nodiscard]] const std::shared_ptr<Object>& shared() const { return object_; }

private:
    const std::shared_ptr<Object> object_;
    std::optional<MessageScope> messages_; ///< if a messenger wants any
};

template <>
Called<Instance>::Called(std::shared_ptr<Instance> object);
template <>
Called<Device>::Called(std::shared_ptr<Device> object);

/// The instance of a VkInstance or VkPhysicalDevice.
[[nodiscard]] Called<Instance> find_instance(const void* handle);
/// An entry of the table of instances, allocated before the instance exists. So its insertion
/// cannot fail.
using InstanceEntry = std::map<void*, std::shared_ptr<Instance>>::node_type;
[[nodiscard]] InstanceEntry allocate_entry(std::shared_ptr<Instance> instance);
void add_instance(InstanceEntry entry) noexcept;
[[nodiscard]] std::shared_ptr<Instance> remove_instance(VkInstance instance);

/// The device of a VkDevice or VkQueue.
[[nodiscard]] Called<Device> find_device(const void* handle);
void add_device(std::shared_ptr<Device> device);
[[nodiscard]] std::shared_ptr<Device> remove_device(VkDevice device);

} // namespace fencebridge::entry
