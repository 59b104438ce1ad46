// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>
#include <vulkan/vulkan.h>

// The Vulkan loader, loaded at run time: a machine without one gets an answer as well.

namespace fencebridge::info {

inline constexpr const char* layer_name = "VK_LAYER_FENCEBRIDGE_wsi";

/// The name of a result, such as VK_ERROR_INCOMPATIBLE_DRIVER, or its number.
[[nodiscard]] std::string name_of(VkResult result);

/// MAJOR.MINOR.PATCH.
[[nodiscard]] std::string version_name(uint32_t version);

/// libvulkan.so.1. It stays loaded until the process ends.
class VulkanLibrary {
public:
    /// @return the error is that of dlopen(3)
    [[nodiscard]] static std::expected<VulkanLibrary, std::string> open();

    /// A function; null if there is none.
    /// @param instance  null for functions without an instance
    template <class Function>
    [[nodiscard]] Function function(VkInstance instance, const char* name) const {
        return reinterpret_cast<Function>(get_(instance, name));
    }
    [[nodiscard]] PFN_vkGetInstanceProcAddr get_proc() const { return get_; }
    /// The version of Vulkan that the loader knows.
    [[nodiscard]] uint32_t version() const;
    /// The version that a probe requests of an instance: the loader's, at most 1.3.
    [[nodiscard]] uint32_t requested_version() const;
    [[nodiscard]] std::vector<VkLayerProperties> layers() const;
    /// The instance extensions of loader, drivers and implicit layers; or those of a layer.
    /// @param layer  null for the former
    [[nodiscard]] std::vector<std::string> extensions(const char* layer) const;

private:
    explicit VulkanLibrary(PFN_vkGetInstanceProcAddr get) : get_(get) {}
    PFN_vkGetInstanceProcAddr get_;
};

/// Owns a VkInstance.
class Instance {
public:
    /// @param layers, extensions  to enable
    [[nodiscard]] static std::expected<Instance, VkResult>
    create(const VulkanLibrary& library, const std::vector<const char*>& layers,
           const std::vector<const char*>& extensions);
    ~Instance();
    Instance(Instance&& other) noexcept : library_(other.library_), handle_(other.handle_) {
        other.handle_ = VK_NULL_HANDLE;
    }
    Instance& operator=(Instance&&) = delete;

    [[nodiscard]] VkInstance handle() const { return handle_; }
    template <class Function>
    [[nodiscard]] Function function(const char* name) const {
        return library_->function<Function>(handle_, name);
    }
    [[nodiscard]] std::expected<std::vector<VkPhysicalDevice>, VkResult> physical_devices() const;
    [[nodiscard]] std::vector<std::string> device_extensions(VkPhysicalDevice device) const;

private:
    Instance(const VulkanLibrary& library, VkInstance handle) :
        library_(&library), handle_(handle) {}

    const VulkanLibrary* library_;
    VkInstance handle_;
};

[[nodiscard]] bool contains(const std::vector<std::string>& names, std::string_view name);

} // namespace fencebridge::info
