// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>
#include <vulkan/vulkan.h>

#include "vk/physical_device.hpp"

// The one table of the extensions and commands that concern the layer, whose rows are in
// extension_table.cpp. Everything that an application sees of them comes from it:
// vkGetInstanceProcAddr and vkGetDeviceProcAddr, the lists of extensions, the answers to feature
// and surface queries, and the refusals of vkCreateDevice. tests/driver/vk_xml.py compares it with
// vk.xml and with the manifest.

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
    /// How many 32-bit words after pNext are 0 if the extension is absent.
    uint32_t words;
    /// Whether each word is a VkBool32, as in all structures of features.
    bool is_boolean = true;
};

/// Where a provided extension works, if the driver lacks it.
enum class Reach {
    layers_surfaces, ///< only on surfaces whose swapchains are the layer's
    every_surface,   ///< also on the driver's own
    every_device,    ///< it is not about surfaces: also on devices that are not taken over
};

struct Extension {
    std::string_view name; ///< empty: commands of Vulkan itself
    Level level = Level::device;
    Status status = Status::intercepted;
    uint32_t spec_version = 0; ///< of a provided extension
    std::vector<Command> commands = {};
    /// Of a hidden extension, all; of a provided one, those of features and of surfaces.
    std::vector<AnswerStructure> structures = {};
    Reach reach = Reach::every_surface; ///< of a provided device extension
    /// Of a provided device extension that does not work with every driver.
    bool (*works_on)(const vk::PhysicalDevice& device) = nullptr;
    /// Of a provided device extension: its older or newer name, with the same structures. A driver
    /// may have either.
    const char* other_name = nullptr;
    /// Commands that the layer intercepts only on devices where it keeps signals
    /// (sync::PayloadSignaller::keeps()).
    bool is_for_kept_signals = false;
};

[[nodiscard]] const std::vector<Extension>& extensions();

/// @return the entry of that name, or null
[[nodiscard]] const Extension* find_extension(std::string_view name);
[[nodiscard]] inline bool is_hidden(std::string_view name) {
    const Extension* const found = find_extension(name);
    return found != nullptr && found->status == Status::hidden;
}
/// @return the entry of a provided extension of that name and level, or null
[[nodiscard]] const Extension* find_provided(std::string_view name, Level level);

/// A structure with the extension that it belongs to.
struct FoundStructure {
    const Extension* extension;
    const AnswerStructure* structure;
};
/// @return null pointers for a structure that is not in the table
[[nodiscard]] FoundStructure find_structure(VkStructureType type);

/// The provided extensions among those that an application enables on an instance or a device.
class EnabledExtensions {
public:
    EnabledExtensions() = default;
    EnabledExtensions(Level level, const char* const* names, uint32_t count);

    [[nodiscard]] bool has(const Extension& extension) const {
        return std::ranges::find(all_, &extension) != all_.end();
    }
    [[nodiscard]] bool has(std::string_view name) const {
        return std::ranges::find(all_, name, &Extension::name) != all_.end();
    }
    [[nodiscard]] std::span<const Extension* const> all() const { return all_; }

private:
    std::vector<const Extension*> all_;
};

/// A command with the extension that it belongs to.
struct FoundCommand {
    const Extension* extension;
    const Command* command;
};
/// @return null pointers for a command that the layer does not intercept
[[nodiscard]] FoundCommand find_command(std::string_view name);

/// The provided device extensions, as the application enumerates them.
[[nodiscard]] std::vector<VkExtensionProperties> provided_device_extensions();

/// Removes from a device's list of extensions those that the driver lacks. If the layer is
/// implicit, the loader appends those of the layer's manifest, in the manifest's order
/// (terminator_EnumerateDeviceExtensionProperties()).
void remove_appended_extensions(std::vector<VkExtensionProperties>& listed);

/// Writes a structure's words.
inline void write_words(VkBaseOutStructure* node, const AnswerStructure& structure,
                        VkBool32 value) {
    const std::span words(reinterpret_cast<VkBool32*>(node + 1), structure.words);
    std::ranges::fill(words, value);
}

/// Answers the structures of provided extensions in a chain of output structures.
/// @param value  VK_TRUE is written to boolean structures only, VK_FALSE to all
/// @param which  is called for the extension of each structure; false: the structure is left alone
template <class Which>
void set_provided_answers(void* chain, VkBool32 value, Which&& which) {
    for (auto* node = static_cast<VkBaseOutStructure*>(chain); node != nullptr;
         node = node->pNext) {
        const auto [extension, structure] = find_structure(node->sType);
        if (extension != nullptr && extension->status == Status::provided &&
            (structure->is_boolean || value == VK_FALSE) && which(*extension))
            write_words(node, *structure, value);
    }
}

/// Overwrites the structures of hidden extensions in a chain of output structures with zeros, which
/// mean that the extension can do nothing.
void clear_hidden_answers(void* chain);

/// Finds a structure that enables a feature of a hidden extension, in the chain of a
/// VkDeviceCreateInfo.
/// @return the structure's name, or an empty string
[[nodiscard]] std::string_view find_hidden_feature(const void* chain);

} // namespace fencebridge::entry
