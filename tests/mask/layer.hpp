// SPDX-License-Identifier: MIT
// The instances and devices below this layer, and the table of its commands.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>

#include <vulkan/vk_layer.h>
#include <vulkan/vulkan.h>

#include "masks.hpp"

namespace fencebridge::mask {

/// The next layer's commands by name, null those that it lacks. They are resolved when the instance
/// is created: later the loader, which is next below the last layer, would return its own commands,
/// which call the first layer.
using Resolved = std::map<std::string_view, PFN_vkVoidFunction>;

struct Instance {
    VkInstance handle;
    PFN_vkGetInstanceProcAddr proc;
    std::shared_ptr<const Resolved> next; // of the commands of this layer, without a device's
    PFN_GetPhysicalDeviceProcAddr physical_device_proc; // null with an old loader
    Masks masks;
};

struct Device {
    VkDevice handle;
    PFN_vkGetDeviceProcAddr proc;
    Masks masks;
};

/// The loader puts a pointer to its dispatch table behind each dispatchable handle. An instance has
/// it in common with its physical devices.
[[nodiscard]] Instance instance_of(const void* instance_or_physical_device);
[[nodiscard]] Device device_of(VkDevice device);

/// The command of the next layer, by any of its names: that of the core or of an extension.
template <class Function, class... Names>
[[nodiscard]] Function next_of(const Instance& instance, Names... names) {
    PFN_vkVoidFunction function = nullptr;
    ((function = function != nullptr ? function : instance.next->at(names)), ...);
    return reinterpret_cast<Function>(function);
}
template <class Function>
[[nodiscard]] Function next_of(const Device& device, const char* name) {
    return reinterpret_cast<Function>(device.proc(device.handle, name));
}

/// Prints a call that a driver without the masked features would not have to understand.
void report(const char* function);

struct Command {
    std::string_view name;
    PFN_vkVoidFunction function;
};
template <class Function, std::type_identity_t<Function> function>
Command command(std::string_view name) {
    return {name, reinterpret_cast<PFN_vkVoidFunction>(function)};
}

// One table per file of commands.
[[nodiscard]] std::span<const Command> physical_device_commands();
[[nodiscard]] std::span<const Command> device_commands();

} // namespace fencebridge::mask
