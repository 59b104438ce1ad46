// SPDX-License-Identifier: MIT
// The driver's functions by name, and the versions and extensions in which a name is found.
#pragma once

#include <span>
#include <string_view>
#include <type_traits>

#include <vulkan/vulkan.h>

namespace fencebridge::fake_driver {

struct Instance;
struct Device;

enum class Level { global, instance, physical_device, device };

constexpr uint32_t never_core = UINT32_MAX;

struct EntryPoint {
    std::string_view name;
    PFN_vkVoidFunction function;
    Level level;
    uint32_t core{VK_API_VERSION_1_0}; // the version that has it, or never_core
    std::string_view extension{};      // the extension that has it as well
};

/// Reports a misuse and aborts unless the handle is a live dispatchable object of this driver. The
/// driver cannot go on with another handle, which points to an object of unknown type.
void require_live(VkInstance handle);
void require_live(VkPhysicalDevice handle);
void require_live(VkDevice handle);
void require_live(VkQueue handle);
void require_live(VkCommandBuffer handle);
template <class Other>
void require_live(const Other&) {}

/// `function` as the loader calls it, with a check of its first parameter, the dispatchable handle.
template <auto function>
struct Checked;
template <class Result, class First, class... Rest, Result (*function)(First, Rest...)>
struct Checked<function> {
    static Result call(First first, Rest... rest) {
        require_live(first);
        return function(first, rest...);
    }
};

/// A row of a table. The caller names the PFN_ type, and the compiler checks the function against
/// it.
template <class Function, std::type_identity_t<Function> function>
EntryPoint entry_point(std::string_view name, Level level, uint32_t core = VK_API_VERSION_1_0,
                       std::string_view extension = {}) {
    const Function checked = &Checked<function>::call;
    return {name, reinterpret_cast<PFN_vkVoidFunction>(checked), level, core, extension};
}

// One table per file of entry points.
[[nodiscard]] std::span<const EntryPoint> instance_entry_points();
[[nodiscard]] std::span<const EntryPoint> physical_device_entry_points();
[[nodiscard]] std::span<const EntryPoint> format_entry_points();
[[nodiscard]] std::span<const EntryPoint> device_entry_points();
[[nodiscard]] std::span<const EntryPoint> memory_entry_points();
[[nodiscard]] std::span<const EntryPoint> image_entry_points();
[[nodiscard]] std::span<const EntryPoint> sync_entry_points();
[[nodiscard]] std::span<const EntryPoint> queue_entry_points();
[[nodiscard]] std::span<const EntryPoint> command_entry_points();
[[nodiscard]] std::span<const EntryPoint> recording_entry_points();
[[nodiscard]] std::span<const EntryPoint> native_wsi_entry_points();
[[nodiscard]] std::span<const EntryPoint> object_data_entry_points();
[[nodiscard]] std::span<const EntryPoint> calibrated_timestamps_entry_points();

PFN_vkVoidFunction get_instance_function(VkInstance instance, const char* name);
PFN_vkVoidFunction get_physical_device_function(VkInstance instance, const char* name);
PFN_vkVoidFunction get_device_function(VkDevice device, const char* name);

} // namespace fencebridge::fake_driver
