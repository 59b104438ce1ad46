// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vulkan/vulkan.h>

namespace fencebridge::entry {

/// What the layer itself provides; the manifest says the same.
inline constexpr std::array<VkExtensionProperties, 1> provided_device_extensions = {
    {{VK_KHR_SWAPCHAIN_EXTENSION_NAME, VK_KHR_SWAPCHAIN_SPEC_VERSION}},
};

/// The device commands of those extensions.
[[nodiscard]] bool is_provided_command(std::string_view name);

/// A structure in which an application reads what an extension can do: one of the chain of
/// VkPhysicalDeviceFeatures2, VkSurfaceCapabilities2KHR or VkSurfaceFormat2KHR. A driver may be
/// newer than the headers of this build, so the structure is described by numbers.
struct AnswerStructure {
    uint32_t type; ///< a VkStructureType; 0: no structure
    std::string_view name;
    uint32_t words; ///< 32-bit words after sType and pNext that read 0 when the extension is absent
};

/// A device extension that acts on swapchains or surfaces and that the layer does not implement. A
/// driver that has it means its own swapchains; it would be given one of the layer's.
struct HiddenExtension {
    std::string_view name;
    std::array<std::string_view, 5> commands = {};
    std::array<AnswerStructure, 2> structures = {};
    std::array<uint32_t, 2> present_modes = {}; ///< VkPresentModeKHR; 0: none
};

/// All of them. tests/driver/registry.py compares them with the registry of Vulkan (vk.xml).
[[nodiscard]] std::span<const HiddenExtension> hidden_extensions();

/// @return the entry of that name, or null
[[nodiscard]] const HiddenExtension* find_hidden_extension(std::string_view name);

[[nodiscard]] bool is_hidden_command(std::string_view name);

/// Whether only a hidden extension has the present mode.
[[nodiscard]] bool is_hidden_present_mode(VkPresentModeKHR mode);

/// Makes the structures of hidden extensions in a chain of output structures say that there is
/// nothing.
void clear_hidden_answers(void* chain);

/// The first structure of a hidden extension in a VkDeviceCreateInfo's chain that enables a
/// feature.
/// @return its name, or an empty string
[[nodiscard]] std::string_view find_hidden_feature(const void* chain);

} // namespace fencebridge::entry
