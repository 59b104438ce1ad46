// SPDX-License-Identifier: MIT
#include <string_view>

#include "entry/entry_points.hpp"
#include "entry/extensions.hpp"
#include "entry/registry.hpp"

namespace fencebridge::entry {

namespace {

/// Whether the layer needs a device command also on a device that is not taken over. The two of
/// VK_KHR_swapchain keep the claims of the driver's own swapchains.
bool is_needed_without_takeover(std::string_view name) {
    return name == "vkGetDeviceProcAddr" || name == "vkDestroyDevice" ||
           name == "vkCreateSwapchainKHR" || name == "vkDestroySwapchainKHR";
}

} // namespace

VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL GetInstanceProcAddr(VkInstance handle, const char* name) {
    const auto [extension, command] = find_command(name);
    const PFN_vkVoidFunction ours = command == nullptr ? nullptr : command->function;
    const bool instance_level = ours != nullptr && command->dispatch == Dispatch::instance;
    const auto instance = find_instance(handle);
    if (!instance)
        return instance_level ? ours : nullptr;
    const PFN_vkVoidFunction next = instance->next.GetInstanceProcAddr(handle, name);
    if (ours == nullptr)
        return next;
    // A device command that this returns can be called on any device: for the driver's objects, it
    // calls the driver. The driver may lack a provided device extension.
    if (!instance_level) {
        const bool provided = extension->status == Status::provided;
        return instance->takes_over && (next != nullptr || provided) ? ours : next;
    }
    // A command of an extension that the instance has not enabled stays absent. One of a device
    // extension that the layer provides exists even if neither loader nor driver know it.
    const bool provided = instance->takes_over && extension->level == Level::device &&
                          extension->status == Status::provided;
    return next != nullptr || provided ? ours : nullptr;
}

VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL GetPhysicalDeviceProcAddr(VkInstance, const char* name) {
    const auto [extension, command] = find_command(name);
    const bool provided = command != nullptr && command->dispatch == Dispatch::instance &&
                          extension->level == Level::device &&
                          extension->status == Status::provided;
    return provided ? command->function : nullptr;
}

VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL GetDeviceProcAddr(VkDevice handle, const char* name) {
    const auto device = find_device(handle);
    if (!device)
        return nullptr;
    const auto [extension, command] = find_command(name);
    const PFN_vkVoidFunction next = device->vk.next.GetDeviceProcAddr(handle, name);
    if (command == nullptr || command->dispatch != Dispatch::device ||
        (extension->is_for_kept_signals && !device->signaller.keeps()))
        return next;
    // vkCreateDevice has refused the extension, but some drivers return its commands all the same.
    if (extension->status == Status::hidden)
        return device->hides_extensions ? nullptr : next;
    if (!device->taken_over && !is_needed_without_takeover(name)) {
        // The driver may have a provided extension under another name, and with it another command,
        // which the layer's calls.
        const bool renamed = next == nullptr && device->enabled.has(*extension);
        return renamed ? command->function : next;
    }
    // Commands of a provided extension exist even if the driver lacks the extension, on a device
    // that is taken over.
    const bool exists = device->taken_over && extension->status == Status::provided
                            ? device->enabled.has(*extension)
                            : next != nullptr;
    return exists ? command->function : nullptr;
}

} // namespace fencebridge::entry
