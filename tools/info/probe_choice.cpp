// SPDX-License-Identifier: MIT
#include <algorithm>
#include <memory>
#include <string>

#include "info/probes.hpp"
#include "info/vulkan.hpp"
#include "info/wayland_connection.hpp"
#include "vk/enumerate.hpp"

namespace fencebridge::info {

namespace {

using Progress = ProbeProgress<ChoiceFacts>;

/// Owns a surface.
class TrialSurface {
public:
    explicit TrialSurface(const Instance& instance) : instance_(instance) {}
    ~TrialSurface() {
        if (handle_ != VK_NULL_HANDLE)
            instance_.function<PFN_vkDestroySurfaceKHR>("vkDestroySurfaceKHR")(instance_.handle(),
                                                                               handle_, nullptr);
    }
    TrialSurface(const TrialSurface&) = delete;
    TrialSurface& operator=(const TrialSurface&) = delete;

    VkResult create_headless() {
        const VkHeadlessSurfaceCreateInfoEXT info = {
            .sType = VK_STRUCTURE_TYPE_HEADLESS_SURFACE_CREATE_INFO_EXT};
        return instance_.function<PFN_vkCreateHeadlessSurfaceEXT>("vkCreateHeadlessSurfaceEXT")(
            instance_.handle(), &info, nullptr, &handle_);
    }
    VkResult create(const WaylandConnection& connection) {
        const VkWaylandSurfaceCreateInfoKHR info = {
            .sType = VK_STRUCTURE_TYPE_WAYLAND_SURFACE_CREATE_INFO_KHR,
            .display = connection.display(),
            .surface = connection.surface(),
        };
        return instance_.function<PFN_vkCreateWaylandSurfaceKHR>("vkCreateWaylandSurfaceKHR")(
            instance_.handle(), &info, nullptr, &handle_);
    }
    [[nodiscard]] VkSurfaceKHR handle() const { return handle_; }

private:
    const Instance& instance_;
    VkSurfaceKHR handle_ = VK_NULL_HANDLE;
};

/// Owns a device with VK_KHR_swapchain, and one swapchain on it.
class TrialSwapchain {
public:
    explicit TrialSwapchain(const Instance& instance) : instance_(instance) {}
    ~TrialSwapchain() {
        if (swapchain_ != VK_NULL_HANDLE)
            function<PFN_vkDestroySwapchainKHR>("vkDestroySwapchainKHR")(device_, swapchain_,
                                                                         nullptr);
        if (device_ != VK_NULL_HANDLE)
            function<PFN_vkDestroyDevice>("vkDestroyDevice")(device_, nullptr);
    }
    TrialSwapchain(const TrialSwapchain&) = delete;
    TrialSwapchain& operator=(const TrialSwapchain&) = delete;

    VkResult create_device(VkPhysicalDevice physical, uint32_t queue_family) {
        constexpr float priority = 1.0f;
        const VkDeviceQueueCreateInfo queue = {
            .sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
            .queueFamilyIndex = queue_family,
            .queueCount = 1,
            .pQueuePriorities = &priority,
        };
        const char* const extension = VK_KHR_SWAPCHAIN_EXTENSION_NAME;
        const VkDeviceCreateInfo info = {
            .sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
            .queueCreateInfoCount = 1,
            .pQueueCreateInfos = &queue,
            .enabledExtensionCount = 1,
            .ppEnabledExtensionNames = &extension,
        };
        return instance_.function<PFN_vkCreateDevice>("vkCreateDevice")(physical, &info, nullptr,
                                                                        &device_);
    }
    VkResult create(VkSurfaceKHR surface, const VkSurfaceFormatKHR& format, uint32_t images) {
        const VkSwapchainCreateInfoKHR info = {
            .sType = VK_STRUCTURE_TYPE_SWAPCHAIN_CREATE_INFO_KHR,
            .surface = surface,
            .minImageCount = images,
            .imageFormat = format.format,
            .imageColorSpace = format.colorSpace,
            .imageExtent = {256, 256},
            .imageArrayLayers = 1,
            .imageUsage = VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT,
            .imageSharingMode = VK_SHARING_MODE_EXCLUSIVE,
            .preTransform = VK_SURFACE_TRANSFORM_IDENTITY_BIT_KHR,
            .compositeAlpha = VK_COMPOSITE_ALPHA_OPAQUE_BIT_KHR,
            .presentMode = VK_PRESENT_MODE_FIFO_KHR,
            .clipped = VK_TRUE,
        };
        return function<PFN_vkCreateSwapchainKHR>("vkCreateSwapchainKHR")(device_, &info, nullptr,
                                                                          &swapchain_);
    }

private:
    template <class Function>
    [[nodiscard]] Function function(const char* name) const {
        return reinterpret_cast<Function>(
            instance_.function<PFN_vkGetDeviceProcAddr>("vkGetDeviceProcAddr")(device_, name));
    }

    const Instance& instance_;
    VkDevice device_ = VK_NULL_HANDLE;
    VkSwapchainKHR swapchain_ = VK_NULL_HANDLE;
};

/// What an application asks about a surface before it makes a swapchain.
struct SurfaceQueries {
    const Instance& instance;
    VkPhysicalDevice device;
    VkSurfaceKHR surface;

    /// The first queue family that can present; nothing if none can.
    [[nodiscard]] std::optional<uint32_t> queue_family() const {
        uint32_t count = 0;
        instance.function<PFN_vkGetPhysicalDeviceQueueFamilyProperties>(
            "vkGetPhysicalDeviceQueueFamilyProperties")(device, &count, nullptr);
        const auto supports = instance.function<PFN_vkGetPhysicalDeviceSurfaceSupportKHR>(
            "vkGetPhysicalDeviceSurfaceSupportKHR");
        for (uint32_t family = 0; family < count; ++family) {
            VkBool32 supported = VK_FALSE;
            if (supports(device, family, surface, &supported) == VK_SUCCESS && supported)
                return family;
        }
        return std::nullopt;
    }
    [[nodiscard]] std::expected<uint32_t, VkResult> min_images() const {
        VkSurfaceCapabilitiesKHR capabilities = {};
        const VkResult result = instance.function<PFN_vkGetPhysicalDeviceSurfaceCapabilitiesKHR>(
            "vkGetPhysicalDeviceSurfaceCapabilitiesKHR")(device, surface, &capabilities);
        if (result != VK_SUCCESS)
            return std::unexpected(result);
        return capabilities.minImageCount;
    }
    [[nodiscard]] std::expected<std::vector<VkSurfaceFormatKHR>, VkResult> formats() const {
        const auto list = instance.function<PFN_vkGetPhysicalDeviceSurfaceFormatsKHR>(
            "vkGetPhysicalDeviceSurfaceFormatsKHR");
        return vk::enumerate<VkSurfaceFormatKHR>(
            [&](uint32_t* count, auto* array) { return list(device, surface, count, array); });
    }
};

/// Makes a swapchain as an application does. The layer's log reports it.
void make_swapchain(Progress& progress, const SurfaceQueries& queries) {
    progress.begin("vkGetPhysicalDeviceSurfaceSupportKHR");
    const auto family = queries.queue_family();
    if (!family) {
        progress.facts.outcome = Outcome::refused;
        return progress.fail("no queue family can present");
    }
    progress.begin("vkGetPhysicalDeviceSurfaceCapabilitiesKHR");
    const auto images = queries.min_images();
    if (!images)
        return progress.fail(name_of(images.error()));
    progress.begin("vkGetPhysicalDeviceSurfaceFormatsKHR");
    const auto formats = queries.formats();
    if (!formats || formats->empty())
        return progress.fail(formats ? "the surface has no formats" : name_of(formats.error()));
    if (!contains(queries.instance.device_extensions(queries.device),
                  VK_KHR_SWAPCHAIN_EXTENSION_NAME)) {
        progress.facts.outcome = Outcome::refused;
        progress.begin("VK_KHR_swapchain");
        return progress.fail("neither layer nor driver has the extension");
    }
    TrialSwapchain swapchain(queries.instance);
    progress.begin("vkCreateDevice");
    if (const VkResult result = swapchain.create_device(queries.device, *family);
        result != VK_SUCCESS)
        return progress.fail(name_of(result));
    progress.begin("vkCreateSwapchainKHR");
    if (const VkResult result = swapchain.create(queries.surface, formats->front(), *images);
        result != VK_SUCCESS) {
        progress.facts.outcome = Outcome::refused;
        return progress.fail(name_of(result));
    }
    // Unless the layer's log has a line about this swapchain, the driver has made it.
    progress.facts.outcome = Outcome::passes_through;
    progress.begin("vkDestroySwapchainKHR");
}

void choose_on(Progress& progress, const Instance& instance, uint32_t index,
               const WaylandConnection* connection) {
    progress.begin("vkEnumeratePhysicalDevices");
    const auto devices = instance.physical_devices();
    if (!devices || index >= devices->size())
        return progress.fail(devices ? "there are fewer devices now" : name_of(devices.error()));
    TrialSurface surface(instance);
    progress.begin(connection != nullptr ? "vkCreateWaylandSurfaceKHR"
                                         : "vkCreateHeadlessSurfaceEXT");
    const VkResult made =
        connection != nullptr ? surface.create(*connection) : surface.create_headless();
    if (made != VK_SUCCESS)
        return progress.fail(name_of(made));
    make_swapchain(progress, {instance, (*devices)[index], surface.handle()});
}

} // namespace

void probe_choice(Progress& progress, uint32_t index, bool headless) {
    progress.facts.surface = headless ? "headless" : "wayland";
    std::unique_ptr<WaylandConnection> connection;
    if (!headless) {
        progress.begin("wl_display_connect");
        connection = std::make_unique<WaylandConnection>();
        if (!*connection || !connection->receive_globals() || connection->surface() == nullptr)
            return progress.fail("no wl_surface");
    }
    const auto library = VulkanLibrary::open();
    if (!library)
        return progress.fail(library.error());
    progress.begin("vkCreateInstance");
    const auto instance = Instance::create(
        *library, {layer_name},
        {VK_KHR_SURFACE_EXTENSION_NAME, headless ? VK_EXT_HEADLESS_SURFACE_EXTENSION_NAME
                                                 : VK_KHR_WAYLAND_SURFACE_EXTENSION_NAME});
    if (!instance)
        return progress.fail(name_of(instance.error()));
    choose_on(progress, *instance, index, connection.get());
}

} // namespace fencebridge::info
