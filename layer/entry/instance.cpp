// SPDX-License-Identifier: MIT
#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "entry/entry_points.hpp"
#include "entry/guard.hpp"
#include "entry/loader.hpp"
#include "entry/platforms.hpp"
#include "entry/registry.hpp"
#include "settings/sources.hpp"
#include "util/trace.hpp"

namespace fencebridge::entry {

namespace {

/// Whether an extension belongs to a window system whose surfaces the layer may take over.
bool is_of_a_platform(std::string_view extension, TakeoverSetting setting) {
    bool found = false;
    for_each_platform([&]<class Platform>(std::type_identity<Platform>) {
        found = found || extension == Platform::extension;
    });
    return found && setting != TakeoverSetting::off;
}

Instance::Yielding find_yielding(const VkInstanceCreateInfo& info, const Settings& settings) {
    Instance::Yielding found;
    const std::span names(info.ppEnabledExtensionNames, info.enabledExtensionCount);
    for_each_platform([&]<class Platform>(std::type_identity<Platform>) {
        const bool is_used = std::ranges::any_of(
            names, [](std::string_view name) { return name == Platform::extension; });
        const core::Yield yield = yield_of<Platform>(settings);
        found.never |= is_used && yield == core::Yield::never;
        found.by_fences |= is_used && yield == core::Yield::if_it_carries_fences;
        if constexpr (Platform::yield == core::Yield::if_it_presents) {
            if (is_used && yield == core::Yield::if_it_presents) {
                found.extension = Platform::extension;
                found.create = &create_yielding<Platform>;
            }
        }
    });
    return found;
}

bool uses_a_platform(const VkInstanceCreateInfo& info, TakeoverSetting setting) {
    const std::span names(info.ppEnabledExtensionNames, info.enabledExtensionCount);
    return std::ranges::any_of(
        names, [&](std::string_view name) { return is_of_a_platform(name, setting); });
}

/// Whether the application uses a window system of the layer's that reads no images.
bool has_unread_images(const Instance& instance) {
    bool found = false;
    for_each_platform([&]<class Platform>(std::type_identity<Platform>) {
        found = found || (!Platform::reads_images && instance.enabled.has(Platform::extension));
    });
    return found;
}

/// The extension of another window system that the application uses, or null.
const char* find_other_window_system(const VkInstanceCreateInfo& info, TakeoverSetting setting) {
    const std::span names(info.ppEnabledExtensionNames, info.enabledExtensionCount);
    const auto other = std::ranges::find_if(names, [&](std::string_view name) {
        return name == VK_KHR_DISPLAY_EXTENSION_NAME ||
               (name.ends_with("_surface") && name != VK_KHR_SURFACE_EXTENSION_NAME &&
                !is_of_a_platform(name, setting));
    });
    return other == names.end() ? nullptr : *other;
}

uint32_t requested_version(const VkInstanceCreateInfo& info) {
    // VkApplicationInfo: a missing structure, or version 0, means 1.0.
    const bool given = info.pApplicationInfo != nullptr && info.pApplicationInfo->apiVersion != 0;
    return given ? info.pApplicationInfo->apiVersion : VK_API_VERSION_1_0;
}

/// vkCreateInstance of the next layer, which may be called again after a failure.
class NextCreate {
public:
    /// @param handle  the application's pointer
    NextCreate(VkLayerInstanceCreateInfo& link, const VkAllocationCallbacks* allocator,
               VkInstance* handle) :
        link_(link),
        next_(link.u.pLayerInfo), allocator_(allocator), handle_(handle), given_(*handle) {}

    [[nodiscard]] PFN_vkGetInstanceProcAddr proc() const {
        return next_->pfnNextGetInstanceProcAddr;
    }

    VkResult operator()(const VkInstanceCreateInfo& info) const {
        const auto create =
            reinterpret_cast<PFN_vkCreateInstance>(proc()(VK_NULL_HANDLE, "vkCreateInstance"));
        if (create == nullptr)
            return VK_ERROR_INITIALIZATION_FAILED;
        // Each call sets the link anew, since the layers below advance it. Each call also restores
        // *handle: the loader's terminator_CreateInstance() finds its own instance there, and a
        // failed call may have overwritten it.
        link_.u.pLayerInfo = next_->pNext;
        *handle_ = given_;
        return create(&info, allocator_, handle_);
    }

private:
    VkLayerInstanceCreateInfo& link_;
    VkLayerInstanceLink* const next_;
    const VkAllocationCallbacks* const allocator_;
    VkInstance* const handle_;
    const VkInstance given_;
};

/// Creates the instance with the extensions that the layer needs. If that fails, other than for
/// lack of host memory, creates it as the application asked, and the layer takes nothing over.
/// @param takes_over  set to false in that case
VkResult create_with_fallback(const NextCreate& create, const VkInstanceCreateInfo& info,
                              bool& takes_over) {
    if (!takes_over)
        return create(info);
    const auto names = with_extensions(info.ppEnabledExtensionNames, info.enabledExtensionCount,
                                       vk::required_instance_extensions());
    VkInstanceCreateInfo more = info;
    more.enabledExtensionCount = static_cast<uint32_t>(names.size());
    more.ppEnabledExtensionNames = names.data();
    // Built before the call: an exception after it would leak the instance.
    std::string added;
    for (const char* name : std::span(names).subspan(info.enabledExtensionCount))
        added.append(added.empty() ? "" : ", ").append(name);
    VkResult result = create(more);
    if (result == VK_SUCCESS || result == VK_ERROR_OUT_OF_HOST_MEMORY)
        return result;
    // The added extensions may be the cause. The result does not show it: the loader returns
    // VK_ERROR_INCOMPATIBLE_DRIVER for any failure of the last driver.
    takes_over = false;
    result = create(info);
    if (result == VK_SUCCESS)
        log::once(log::Level::warning,
                  "using the drivers' own swapchains for this instance: vkCreateInstance failed "
                  "with the added extensions %s",
                  added.c_str());
    return result;
}

} // namespace

VKAPI_ATTR VkResult VKAPI_CALL CreateInstance(const VkInstanceCreateInfo* create_info,
                                              const VkAllocationCallbacks* allocator,
                                              VkInstance* handle) {
    return guarded([&] {
        auto* link =
            find_loader_info<VkLayerInstanceCreateInfo,
                             VK_STRUCTURE_TYPE_LOADER_INSTANCE_CREATE_INFO>(create_info->pNext);
        if (link == nullptr)
            return VK_ERROR_INITIALIZATION_FAILED;
        const NextCreate create(*link, allocator, handle);
        const Messengers messengers(*create_info);
        const MessageScope messages(messengers, VK_OBJECT_TYPE_UNKNOWN, nullptr);
        const Settings settings = read_settings(*create_info);
        log::set_level(settings.log_level);
        log::set_file(settings.log_file);
        for (const std::string& ignored : settings.ignored)
            log::once(log::Level::warning, "%s", ignored.c_str());
        trace::open(settings.trace_file);
        // Everything is allocated before the instance is created, so that nothing can fail
        // afterwards. After a failure the layer would have to destroy the instance. Since 2023
        // (pull request 1143) the loader would then free it twice: in terminator_DestroyInstance(),
        // and in vkCreateInstance(), because the creation failed.
        const auto instance = std::make_shared<Instance>(requested_version(*create_info), settings);
        instance->enabled = EnabledExtensions(Level::instance, create_info->ppEnabledExtensionNames,
                                              create_info->enabledExtensionCount);
        for_each_platform([&]<class Platform>(std::type_identity<Platform>) {
            add_platform_commands<Platform>(*instance);
        });
        InstanceEntry entry = allocate_entry(instance);
        instance->has_unread_images = has_unread_images(*instance);
        instance->yielding = find_yielding(*create_info, settings);
        bool takes_over = uses_a_platform(*create_info, settings.takeover);
        const VkResult result = create_with_fallback(create, *create_info, takes_over);
        if (result != VK_SUCCESS)
            return result;
        // Extensions are hidden for a device, whatever surface the application presents to.
        const char* const other = find_other_window_system(*create_info, settings.takeover);
        if (takes_over && other != nullptr)
            log::info("this instance also enables %s: swapchains on its surfaces are the driver's, "
                      "and cannot use the device extensions that the layer hides; with "
                      "FENCEBRIDGE_TAKEOVER=off the layer takes nothing over and hides nothing",
                      other);
        instance->other_window_system = other != nullptr;

        instance->handle = *handle;
        instance->next = vk::InstanceDispatch(*handle, create.proc(), instance->api_version);
        instance->takes_over = takes_over;
        instance->loader_devices = find_loader_devices(create_info->pNext);
        // Resolved now: later the loader would return its own commands, which call this layer.
        for (auto& [command, next] : instance->platform_next)
            next = create.proc()(*handle, command.data());
        add_instance(std::move(entry));
        return VK_SUCCESS;
    });
}

VKAPI_ATTR void VKAPI_CALL DestroyInstance(VkInstance handle,
                                           const VkAllocationCallbacks* allocator) {
    guarded_void([&] {
        if (handle == VK_NULL_HANDLE)
            return;
        const auto instance = remove_instance(handle);
        if (!instance)
            return;
        instance->next.DestroyInstance(handle, allocator);
    });
}

} // namespace fencebridge::entry
