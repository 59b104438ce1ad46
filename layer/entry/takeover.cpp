// SPDX-License-Identifier: MIT
#include "entry/takeover.hpp"

#include "entry/driver_surfaces.hpp"
#include "entry/entry_points.hpp"
#include "util/log.hpp"

namespace fencebridge::entry {

namespace {

/// Owns a VkDevice of the layer's own, for the time of a trial.
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

    /// Called once.
    /// @return the result of vkCreateDevice
    VkResult create(const Instance& instance, const vk::PhysicalDevice& physical) {
        constexpr float priority = 1.0f;
        const VkDeviceQueueCreateInfo queue = {
            .sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
            .queueFamilyIndex = 0,
            .queueCount = 1,
            .pQueuePriorities = &priority,
        };
        const auto extensions = vk::used_device_extensions(physical);
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

    /// After create().
    [[nodiscard]] vk::Device describe(const vk::PhysicalDevice& physical) const {
        return vk::describe_device(physical, handle_, next_proc_);
    }

private:
    const LoaderDevices loader_;
    VkDevice handle_ = VK_NULL_HANDLE;
    PFN_vkGetDeviceProcAddr next_proc_ = nullptr;
};

/// Creates a VkDevice, and offers the window system one image of each candidate until it accepts
/// one.
/// @return true also if that cannot be tried. The error is VK_ERROR_SURFACE_LOST_KHR or a transient
///         failure
std::expected<bool, VkResult> try_to_share(const Instance& instance,
                                           const vk::PhysicalDevice& physical, Window& window,
                                           VkFormat format) {
    if (instance.loader_devices.create == nullptr)
        return true;
    TrialDevice trial(instance.loader_devices);
    const VkResult created = trial.create(instance, physical);
    if (const auto failure = transient_failure(created))
        return std::unexpected(*failure);
    if (created != VK_SUCCESS)
        return true;
    const vk::Device device = trial.describe(physical);
    const auto shown = can_import_images(instance.settings.image, device, physical, window, format);
    if (shown || shown.error() == VK_ERROR_SURFACE_LOST_KHR)
        return shown;
    if (const auto failure = transient_failure(shown.error()))
        return std::unexpected(*failure);
    return true;
}

/// Whether the window system imports this device's images, by a trial where that is needed:
///   - Only a trial shows whether the window system accepts what the allocator makes.
///   - The device is foreign, and its driver can present by itself. Such a device and the window
///     system have at most DRM_FORMAT_MOD_LINEAR in common, and not every GPU imports another GPU's
///     LINEAR buffers (other memory, other alignment).
/// @param presents  whether the driver can present by itself
/// @return true also if no trial decides: none is needed, the loader creates no device for a layer,
///         or the driver refuses or loses a second device. The errors are those of
///         decide_takeover()
std::expected<bool, VkResult> may_import_buffers(const Instance& instance,
                                                 const vk::PhysicalDevice& physical, Window& window,
                                                 const SurfaceSupport& support, bool presents) {
    if (!support.needs_trial && !(presents && window.is_foreign(physical.drm_nodes)))
        return true;
    return try_to_share(instance, physical, window, support.formats.front().format);
}

/// Logs that the layer makes no swapchains of a device on a surface.
void log_refusal(const Instance& instance, const vk::PhysicalDevice& physical, bool presents,
                 const char* reason) {
    if (presents) {
        log::warning("device \"%s\": using the driver's own swapchains on this surface: %s",
                     physical.name.c_str(), reason);
        return;
    }
    std::string obstacles;
    for (const image::ImageAllocator* allocator :
         image::allocators(physical, instance.settings.image)) {
        if (const auto obstacle = allocator->obstacle(physical))
            obstacles.append("; ").append(allocator->name()).append(": ").append(*obstacle);
    }
    log::error("device \"%s\": no swapchains on this surface: the driver has none of its own, and "
               "%s%s",
               physical.name.c_str(), reason, obstacles.c_str());
}

/// Queries what swapchains of the device on the surface support. Tries an import where that is
/// needed.
/// @return without formats if the driver makes the swapchains. The errors are those of
///         decide_takeover()
std::expected<SurfaceSupport, VkResult> decide(Instance& instance,
                                               const vk::PhysicalDevice& physical,
                                               VkSurfaceKHR handle, Window& window) {
    auto support =
        find_surface_support(instance.format_layouts, physical, window,
                             instance.enabled.has(VK_EXT_SWAPCHAIN_COLOR_SPACE_EXTENSION_NAME));
    if (!support)
        return support;
    const bool asks_driver =
        window.is_known_to(physical.facts) &&
        (support->formats.empty() || support->needs_trial || window.is_foreign(physical.drm_nodes));
    const auto presents = asks_driver ? driver_presents(instance, physical.handle, handle)
                                      : std::expected<bool, VkResult>(false);
    if (!presents)
        return std::unexpected(presents.error());
    if (support->formats.empty()) {
        log_refusal(instance, physical, *presents,
                    "driver and window system have no buffer layout in common");
        return support;
    }
    const auto imports = may_import_buffers(instance, physical, window, *support, *presents);
    if (!imports)
        return std::unexpected(imports.error());
    if (!*imports) {
        log_refusal(instance, physical, *presents,
                    "the window system accepted no buffer of this device");
        return SurfaceSupport{};
    }
    return support;
}

} // namespace

std::expected<std::optional<Takeover>, VkResult>
decide_takeover(Instance& instance, VkPhysicalDevice device, VkSurfaceKHR handle) {
    if (!instance.can_take_over(device))
        return std::nullopt;
    Takeover found = {instance.physical(device), instance.find_surface(handle), nullptr};
    if (!found.surface || (found.surface->yields && instance.yields_on(device)))
        return std::nullopt;
    found.support = found.surface->support.with([&](const auto& all) {
        const auto known = all.find(device);
        return known == all.end() ? nullptr : known->second;
    });
    if (!found.support) {
        auto decided = decide(instance, *found.physical, handle, *found.surface->window);
        if (!decided)
            return std::unexpected(decided.error());
        auto support = std::make_shared<const SurfaceSupport>(std::move(*decided));
        found.support = found.surface->support.with(
            [&](auto& all) { return all.try_emplace(device, std::move(support)).first->second; });
    }
    if (found.support->formats.empty())
        return std::nullopt;
    return found;
}

} // namespace fencebridge::entry
