// SPDX-License-Identifier: MIT
#include "entry/takeover.hpp"

#include <string>
#include <type_traits>
#include <utility>

#include "entry/driver_surfaces.hpp"
#include "entry/entry_points.hpp"
#include "swapchain/fence_trial.hpp"
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

/// @param failure  of a step of a trial
/// @return the result of the query that made the trial, if the failure may pass: the next query
///         tries again. Nothing: the trial is not possible
std::optional<VkResult> passing_failure(const vk::PhysicalDevice& physical, VkResult failure) {
    if (failure == VK_ERROR_SURFACE_LOST_KHR)
        return failure;
    if (failure == VK_ERROR_DEVICE_LOST) {
        log::once(log::Level::error,
                  "device \"%s\": a VkDevice of the layer's own was lost (VK_ERROR_DEVICE_LOST); "
                  "the query of the surface fails",
                  physical.name.c_str());
        return VK_ERROR_UNKNOWN; // queries cannot return VK_ERROR_DEVICE_LOST
    }
    return transient_failure(failure);
}

/// Creates a VkDevice for the time of a trial.
/// @param use  the trial: called with a vk::Device, returns an std::expected<..., VkResult>
/// @return nothing if the trial is not possible: the loader creates no device for a layer, or the
///         driver refuses a second device. The error is that of passing_failure()
template <class Use, class Result = std::invoke_result_t<Use, const vk::Device&>>
std::expected<std::optional<typename Result::value_type>, VkResult>
with_trial_device(const Instance& instance, const vk::PhysicalDevice& physical, Use&& use) {
    if (instance.loader_devices.create == nullptr)
        return std::nullopt;
    TrialDevice trial(instance.loader_devices);
    const VkResult created = trial.create(instance, physical);
    const Result result =
        created == VK_SUCCESS ? use(trial.describe(physical)) : Result(std::unexpected(created));
    if (result)
        return *result;
    if (const auto failure = passing_failure(physical, result.error()))
        return std::unexpected(*failure);
    return std::nullopt;
}

/// Whether the window system imports this device's images, by a trial where that is needed:
///   - Only a trial shows whether the window system accepts what the allocator makes.
///   - The device is foreign, and its driver can present by itself. Such a device and the window
///     system have at most DRM_FORMAT_MOD_LINEAR in common, and not every GPU imports another GPU's
///     LINEAR buffers (other memory, other alignment).
/// @param presents  whether the driver can present by itself
/// @return true also if no trial decides: none is needed, or none is possible. The errors are those
///         of decide_takeover()
std::expected<bool, VkResult> may_import_buffers(const Instance& instance,
                                                 const vk::PhysicalDevice& physical, Window& window,
                                                 const SurfaceSupport& support, bool presents) {
    if (!support.needs_trial && !(presents && window.is_foreign(physical.drm_nodes)))
        return true;
    const auto imports = with_trial_device(instance, physical, [&](const vk::Device& device) {
        return can_import_images(instance.requested(), device, physical, window,
                                 support.formats.front().format);
    });
    if (!imports)
        return std::unexpected(imports.error());
    return imports->value_or(true);
}

/// Who makes the swapchains of a surface, and why.
struct Choice {
    bool layers;
    const char* reason;
};

/// Chooses between the layer and a driver that can present to the surface (Yield::
/// if_it_carries_fences). The layer is chosen if its swapchains carry fences better.
/// @return the errors are those of decide_takeover()
std::expected<Choice, VkResult> choose_better(Instance& instance,
                                              const vk::PhysicalDevice& physical, Window& window,
                                              VkFormat format) {
    constexpr Choice equal = {false, "the driver's own swapchains treat fences as well as the "
                                     "layer's would"};
    const core::OwnSwapchains own = physical.facts.own_swapchains;
    const bool timelines = window.timeline_support().has_value();
    if (core::drivers_carriage(own, timelines, std::nullopt) == core::FenceCarriage::carried)
        return equal;
    const auto trial = describe_trial(instance.requested(), physical, window, format);
    if (!trial)
        return std::unexpected(trial.error());
    const auto tried = instance.fence_trials.find_or_run(*trial, [&] {
        return with_trial_device(instance, physical, [&](const vk::Device& device) {
            return try_fences(instance.requested(), device, physical, window, format);
        });
    });
    if (!tried)
        return std::unexpected(tried.error());
    if (!*tried)
        return Choice{false, "the layer could not try its transports"};
    const auto drivers = core::drivers_carriage(own, timelines, (*tried)->kernel_ioctls);
    const char* const better = core::why_the_layers_are_better(*drivers, (*tried)->layers);
    return better == nullptr ? equal : Choice{true, better};
}

/// Chooses who makes the swapchains of a surface that the layer could take over.
/// @param presents  whether the driver can present by itself
/// @return the errors are those of decide_takeover()
std::expected<Choice, VkResult> choose(Instance& instance, const vk::PhysicalDevice& physical,
                                       const SurfaceRecord& surface, VkFormat format,
                                       bool presents) {
    if (surface.yield == core::Yield::never)
        return Choice{true, instance.settings.takeover == TakeoverSetting::on
                                ? "the setting takeover is on"
                                : "the layer was enabled by its name"};
    // Surfaces of Yield::if_it_presents do not get here, unless the driver cannot present to them.
    if (surface.yield == core::Yield::if_it_presents || !presents)
        return Choice{true, "the driver cannot present to it"};
    return choose_better(instance, physical, *surface.window, format);
}

/// Who makes the swapchains of a device on a surface, for good.
struct Decision {
    enum class Maker {
        layer,
        driver,      ///< although the layer could
        driver_only, ///< the layer cannot
        nobody,
    } maker;
    const char* reason;
    SurfaceSupport support = {}; ///< with formats if the layer makes them
};

/// The layer makes no swapchains of the device on the surface.
/// @param presents  whether the driver can present by itself
Decision refuse(bool presents, const char* reason) {
    return {presents ? Decision::Maker::driver_only : Decision::Maker::nobody, reason};
}

/// What each allocator lacks on a device, for the log.
std::string obstacles(const Instance& instance, const vk::PhysicalDevice& physical) {
    std::string all;
    for (const image::ImageAllocator* allocator :
         image::allocators(physical, {}, instance.settings.image)) {
        if (const auto obstacle = allocator->obstacle(physical))
            all.append("; ").append(allocator->name()).append(": ").append(*obstacle);
    }
    return all;
}

void log_decision(const Instance& instance, const vk::PhysicalDevice& physical,
                  const Decision& decision) {
    const char* const name = physical.name.c_str();
    switch (decision.maker) {
    case Decision::Maker::layer:
        log::info("device \"%s\": taking a surface over: %s", name, decision.reason);
        break;
    case Decision::Maker::driver:
        log::info("device \"%s\": leaving a surface to the driver: %s; with "
                  "FENCEBRIDGE_TAKEOVER=on the layer takes it over",
                  name, decision.reason);
        break;
    case Decision::Maker::driver_only:
        log::once(log::Level::warning,
                  "device \"%s\": using the driver's own swapchains on this surface: %s", name,
                  decision.reason);
        break;
    case Decision::Maker::nobody:
        log::once(log::Level::error,
                  "device \"%s\": no swapchains on this surface: the driver has none of its own, "
                  "and %s%s",
                  name, decision.reason, obstacles(instance, physical).c_str());
        break;
    }
}

/// Queries what swapchains of the device on the surface support. Tries an import where that is
/// needed.
/// @return the errors are those of decide_takeover()
std::expected<Decision, VkResult> decide(Instance& instance, const vk::PhysicalDevice& physical,
                                         VkSurfaceKHR handle, const SurfaceRecord& surface) {
    Window& window = *surface.window;
    auto support =
        find_surface_support(instance.format_layouts, physical, window,
                             instance.enabled.has(VK_EXT_SWAPCHAIN_COLOR_SPACE_EXTENSION_NAME));
    if (!support)
        return std::unexpected(support.error());
    const bool asks_driver = has_swapchains(physical) && window.is_known_to(physical.facts) &&
                             (support->formats.empty() || support->needs_trial ||
                              surface.yield == core::Yield::if_it_carries_fences ||
                              window.is_foreign(physical.drm_nodes));
    const auto presents = asks_driver ? driver_presents(instance, physical.handle, handle)
                                      : std::expected<bool, VkResult>(false);
    if (!presents)
        return std::unexpected(presents.error());
    if (support->formats.empty())
        return refuse(*presents, "driver and window system have no buffer layout in common");
    const auto choice =
        choose(instance, physical, surface, support->formats.front().format, *presents);
    if (!choice)
        return std::unexpected(choice.error());
    if (!choice->layers)
        return Decision{Decision::Maker::driver, choice->reason};
    const auto imports = may_import_buffers(instance, physical, window, *support, *presents);
    if (!imports)
        return std::unexpected(imports.error());
    if (!*imports)
        return refuse(*presents, "the window system accepted no buffer of this device");
    return Decision{Decision::Maker::layer, choice->reason, std::move(*support)};
}

/// Logs, once for a surface, that nobody makes swapchains of a device on it. An application that
/// asks about the surface first creates no VkDevice, for which the layer would say so.
void log_lack(const vk::PhysicalDevice& physical, SurfaceRecord& surface) {
    auto none = std::make_shared<const SurfaceSupport>();
    const bool is_first = surface.support.with(
        [&](auto& all) { return all.try_emplace(physical.handle, std::move(none)).second; });
    if (is_first)
        log::once(log::Level::error,
                  "device \"%s\": no swapchains on this surface: the driver has none of its own, "
                  "and the layer makes none: %s",
                  physical.name.c_str(), physical.obstacle().c_str());
}

} // namespace

std::expected<std::optional<Takeover>, VkResult>
decide_takeover(Instance& instance, VkPhysicalDevice device, VkSurfaceKHR handle) {
    if (!instance.can_take_over(device)) {
        const auto physical = instance.physical(device);
        const auto surface = instance.find_surface(handle);
        // If the query of its extensions failed, the next call asks again.
        const bool is_known = physical->extensions_known;
        if (surface && is_known && !physical->can_be_taken_over() && !has_swapchains(*physical))
            log_lack(*physical, *surface);
        return std::nullopt;
    }
    Takeover found = {instance.physical(device), instance.find_surface(handle), nullptr};
    if (!found.surface ||
        (found.surface->yield == core::Yield::if_it_presents && instance.yields_on(device)))
        return std::nullopt;
    found.support = found.surface->support.with([&](const auto& all) {
        const auto known = all.find(device);
        return known == all.end() ? nullptr : known->second;
    });
    if (!found.support) {
        auto decided = decide(instance, *found.physical, handle, *found.surface);
        if (!decided)
            return std::unexpected(decided.error());
        // If two threads decide at the same time, the first decision is kept, and logged.
        auto support = std::make_shared<const SurfaceSupport>(std::move(decided->support));
        const auto [kept, is_first] = found.surface->support.with([&](auto& all) {
            const auto added = all.try_emplace(device, std::move(support));
            return std::pair(added.first->second, added.second);
        });
        found.support = kept;
        if (is_first)
            log_decision(instance, *found.physical, *decided);
    }
    if (found.support->formats.empty())
        return std::nullopt;
    return found;
}

} // namespace fencebridge::entry
