// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>
#include <vulkan/vulkan.h>

// The one table of the extensions and commands that concern the layer. Everything that an
// application sees of them comes from it: vkGetInstanceProcAddr and vkGetDeviceProcAddr, the lists
// of extensions and present modes, the answers to feature and surface queries, and the refusals of
// vkCreateDevice. tests/driver/vk_xml.py compares it with vk.xml and with the manifest.

namespace fencebridge::entry {

enum class Level { instance, device };

enum class Status {
    provided,    ///< by the layer, whether or not the driver has it; the manifest lists it
    intercepted, ///< the driver's; the layer intercepts some of its commands
    hidden,      ///< the driver's, for its own swapchains; not offered with the layer's
};

/// The kind of a command's first parameter. `instance`: VkInstance or VkPhysicalDevice. `device`:
/// VkDevice or VkQueue. It may differ from the level of the command's extension.
enum class Dispatch { instance, device };

struct Command {
    std::string_view name;
    PFN_vkVoidFunction function = nullptr; ///< the layer's; null for a hidden extension
    Dispatch dispatch = Dispatch::device;
};

template <class Function>
[[nodiscard]] Command instance_command(std::string_view name, Function* function) {
    return {name, reinterpret_cast<PFN_vkVoidFunction>(function), Dispatch::instance};
}

template <class Function>
[[nodiscard]] Command device_command(std::string_view name, Function* function) {
    return {name, reinterpret_cast<PFN_vkVoidFunction>(function), Dispatch::device};
}

/// A structure in which an application reads what an extension can do, in the chain of
/// VkPhysicalDeviceFeatures2, VkSurfaceCapabilities2KHR or VkSurfaceFormat2KHR. In the chain of
/// VkDeviceCreateInfo, a structure of features enables them. Described by numbers, since a driver
/// may be newer than the headers of this build.
struct AnswerStructure {
    uint32_t type; ///< VkStructureType
    std::string_view name;
    uint32_t words; ///< how many 32-bit words after pNext are 0 if the extension is absent
};

struct Extension {
    std::string_view name; ///< empty: commands of Vulkan itself
    Level level;
    Status status;
    uint32_t spec_version = 0; ///< of a provided extension
    std::vector<Command> commands = {};
    std::vector<AnswerStructure> structures = {}; ///< of a hidden extension
    /// Of a hidden extension. No extension that is offered has these modes.
    std::vector<VkPresentModeKHR> present_modes = {};
};

[[nodiscard]] const std::vector<Extension>& extensions();

/// @return the entry of that name, or null
[[nodiscard]] const Extension* find_extension(std::string_view name);
[[nodiscard]] inline bool is_hidden(std::string_view name) {
    const Extension* const found = find_extension(name);
    return found != nullptr && found->status == Status::hidden;
}

/// A command with the extension that it belongs to.
struct FoundCommand {
    const Extension* extension;
    const Command* command;
};
/// @return null pointers for a command that the layer does not intercept
[[nodiscard]] FoundCommand find_command(std::string_view name);

/// The provided device extensions, as the application enumerates them.
[[nodiscard]] std::vector<VkExtensionProperties> provided_device_extensions();

[[nodiscard]] bool is_hidden_present_mode(VkPresentModeKHR mode);

/// Overwrites the structures of hidden extensions in a chain of output structures with zeros, which
/// mean that the extension can do nothing.
void clear_hidden_answers(void* chain);

/// Finds a structure of a hidden extension that enables a feature, in the chain of a
/// VkDeviceCreateInfo.
/// @return the structure's name, or an empty string
[[nodiscard]] std::string_view find_hidden_feature(const void* chain);

} // namespace fencebridge::entry
