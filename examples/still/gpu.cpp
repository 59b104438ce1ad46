// SPDX-License-Identifier: MIT
#include "gpu.hpp"

#include <algorithm>
#include <optional>
#include <string_view>

#include <vulkan/vulkan_wayland.h>

#include "enumerate.hpp"
#include "failure.hpp"

namespace fencebridge::still {

namespace {

bool has_swapchains(VkPhysicalDevice device) {
    auto extensions = enumerate<VkExtensionProperties>(
        "vkEnumerateDeviceExtensionProperties", [&](uint32_t* count, VkExtensionProperties* all) {
            return vkEnumerateDeviceExtensionProperties(device, nullptr, count, all);
        });
    return std::ranges::any_of(extensions, [](const VkExtensionProperties& extension) {
        return std::string_view(extension.extensionName) == VK_KHR_SWAPCHAIN_EXTENSION_NAME;
    });
}

std::optional<uint32_t> find_queue_family(VkPhysicalDevice device, wl_display* display) {
    auto families = enumerate<VkQueueFamilyProperties>(
        "vkGetPhysicalDeviceQueueFamilyProperties",
        [&](uint32_t* count, VkQueueFamilyProperties* all) {
            vkGetPhysicalDeviceQueueFamilyProperties(device, count, all);
            return VK_SUCCESS;
        });
    for (uint32_t index = 0; index < families.size(); ++index)
        // VK_QUEUE_TRANSFER_BIT would suffice for copies. But the picture scrolls, and only a
        // graphics queue is guaranteed to copy to any pixel (minImageTransferGranularity).
        // Without a display, only a surface can tell whether the queue presents.
        if (families[index].queueFlags & VK_QUEUE_GRAPHICS_BIT &&
            (!display || vkGetPhysicalDeviceWaylandPresentationSupportKHR(device, index, display)))
            return index;
    return std::nullopt;
}

} // namespace

Gpu::Gpu(wl_display* display, const DeviceAdditions& additions) {
    create_instance(display ? VK_KHR_WAYLAND_SURFACE_EXTENSION_NAME
                            : VK_EXT_HEADLESS_SURFACE_EXTENSION_NAME,
                    additions.api_version);
    try {
        choose_device(display);
        create_device(additions);
    } catch (...) { // a constructor that throws has no destructor to clean up after it
        vkDestroyInstance(instance_, nullptr);
        throw;
    }
}

Gpu::~Gpu() {
    vkDestroyDevice(device_, nullptr);
    vkDestroyInstance(instance_, nullptr);
}

void Gpu::create_instance(const char* surface_extension, uint32_t api_version) {
    const char* extensions[] = {VK_KHR_SURFACE_EXTENSION_NAME, surface_extension};
    VkApplicationInfo application{};
    application.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO;
    application.pApplicationName = "fencebridge-still";
    application.apiVersion = api_version;
    VkInstanceCreateInfo info{};
    info.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO;
    info.pApplicationInfo = &application;
    info.enabledExtensionCount = std::size(extensions);
    info.ppEnabledExtensionNames = extensions;
    VkResult result = vkCreateInstance(&info, nullptr, &instance_);
    if (result == VK_ERROR_EXTENSION_NOT_PRESENT)
        throw Unsupported(std::string("no Vulkan driver or layer has ") + surface_extension);
    check(result, "vkCreateInstance");
}

void Gpu::choose_device(wl_display* display) {
    auto devices = enumerate<VkPhysicalDevice>(
        "vkEnumeratePhysicalDevices", [&](uint32_t* count, VkPhysicalDevice* all) {
            return vkEnumeratePhysicalDevices(instance_, count, all);
        });
    for (VkPhysicalDevice device : devices) {
        auto family = has_swapchains(device) ? find_queue_family(device, display) : std::nullopt;
        if (!family)
            continue;
        VkPhysicalDeviceProperties properties;
        vkGetPhysicalDeviceProperties(device, &properties);
        name_ = properties.deviceName;
        physical_device_ = device;
        queue_family_ = *family;
        return;
    }
    throw Unsupported("none of the " + std::to_string(devices.size()) +
                      " Vulkan devices has swapchains and a graphics queue that presents" +
                      (display ? " to this compositor" : ""));
}

void Gpu::create_device(const DeviceAdditions& additions) {
    float priority = 1.0f;
    VkDeviceQueueCreateInfo queue{};
    queue.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO;
    queue.queueFamilyIndex = queue_family_;
    queue.queueCount = 1;
    queue.pQueuePriorities = &priority;
    std::vector<const char*> extensions = additions.extensions;
    extensions.push_back(VK_KHR_SWAPCHAIN_EXTENSION_NAME);
    VkDeviceCreateInfo info{};
    info.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO;
    info.queueCreateInfoCount = 1;
    info.pQueueCreateInfos = &queue;
    info.pNext = additions.features;
    info.enabledExtensionCount = uint32_t(extensions.size());
    info.ppEnabledExtensionNames = extensions.data();
    const VkResult result = vkCreateDevice(physical_device_, &info, nullptr, &device_);
    if (result == VK_ERROR_EXTENSION_NOT_PRESENT) {
        std::string names;
        for (const char* name : extensions)
            names += std::string(names.empty() ? "" : ", ") + name;
        throw Unsupported("\"" + name_ + "\" lacks one of these extensions: " + names);
    }
    check(result, "vkCreateDevice");
    vkGetDeviceQueue(device_, queue_family_, 0, &queue_);
}

void Gpu::wait_idle() const { check(vkDeviceWaitIdle(device_), "vkDeviceWaitIdle"); }

Surface Gpu::create_surface(wl_display* display, wl_surface* surface) const {
    VkWaylandSurfaceCreateInfoKHR info{};
    info.sType = VK_STRUCTURE_TYPE_WAYLAND_SURFACE_CREATE_INFO_KHR;
    info.display = display;
    info.surface = surface;
    VkSurfaceKHR handle;
    check(vkCreateWaylandSurfaceKHR(instance_, &info, nullptr, &handle),
          "vkCreateWaylandSurfaceKHR");
    return adopt(handle);
}

Surface Gpu::create_headless_surface() const {
    VkHeadlessSurfaceCreateInfoEXT info{};
    info.sType = VK_STRUCTURE_TYPE_HEADLESS_SURFACE_CREATE_INFO_EXT;
    VkSurfaceKHR handle;
    check(vkCreateHeadlessSurfaceEXT(instance_, &info, nullptr, &handle),
          "vkCreateHeadlessSurfaceEXT");
    return adopt(handle);
}

// The queue family was chosen for the display. The specification requires the query for the surface
// as well.
Surface Gpu::adopt(VkSurfaceKHR handle) const {
    Surface surface(instance_, handle);
    VkBool32 supported = VK_FALSE;
    check(vkGetPhysicalDeviceSurfaceSupportKHR(physical_device_, queue_family_, surface.get(),
                                               &supported),
          "vkGetPhysicalDeviceSurfaceSupportKHR");
    if (!supported)
        throw Unsupported("\"" + name_ + "\" cannot present to this surface");
    return surface;
}

VkSurfaceCapabilitiesKHR Gpu::capabilities_of(const Surface& surface) const {
    VkSurfaceCapabilitiesKHR capabilities;
    check(vkGetPhysicalDeviceSurfaceCapabilitiesKHR(physical_device_, surface.get(), &capabilities),
          "vkGetPhysicalDeviceSurfaceCapabilitiesKHR");
    return capabilities;
}

std::vector<VkSurfaceFormatKHR> Gpu::formats_of(const Surface& surface) const {
    return enumerate<VkSurfaceFormatKHR>("vkGetPhysicalDeviceSurfaceFormatsKHR",
                                         [&](uint32_t* count, VkSurfaceFormatKHR* all) {
                                             return vkGetPhysicalDeviceSurfaceFormatsKHR(
                                                 physical_device_, surface.get(), count, all);
                                         });
}

Swapchain Gpu::create_swapchain(const Surface& surface, const SwapchainChoice& choice) const {
    VkSwapchainCreateInfoKHR info{};
    info.sType = VK_STRUCTURE_TYPE_SWAPCHAIN_CREATE_INFO_KHR;
    info.surface = surface.get();
    info.minImageCount = choice.min_images;
    info.imageFormat = choice.format;
    info.imageColorSpace = VK_COLOR_SPACE_SRGB_NONLINEAR_KHR;
    info.imageExtent = choice.extent;
    info.imageArrayLayers = 1;
    info.imageUsage = VK_IMAGE_USAGE_TRANSFER_DST_BIT;
    info.imageSharingMode = VK_SHARING_MODE_EXCLUSIVE;
    info.preTransform = capabilities_of(surface).currentTransform;
    info.compositeAlpha = choice.alpha;
    info.presentMode = choice.mode;
    info.clipped = VK_TRUE;
    info.oldSwapchain = choice.old;
    VkSwapchainKHR handle;
    check(vkCreateSwapchainKHR(device_, &info, nullptr, &handle), "vkCreateSwapchainKHR");
    return {device_, handle};
}

std::vector<VkImage> Gpu::images_of(const Swapchain& swapchain) const {
    return enumerate<VkImage>("vkGetSwapchainImagesKHR", [&](uint32_t* count, VkImage* all) {
        return vkGetSwapchainImagesKHR(device_, swapchain.get(), count, all);
    });
}

Semaphore Gpu::create_semaphore() const {
    VkSemaphoreCreateInfo info{};
    info.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO;
    VkSemaphore handle;
    check(vkCreateSemaphore(device_, &info, nullptr, &handle), "vkCreateSemaphore");
    return {device_, handle};
}

Fence Gpu::create_signalled_fence() const {
    VkFenceCreateInfo info{};
    info.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO;
    info.flags = VK_FENCE_CREATE_SIGNALED_BIT;
    VkFence handle;
    check(vkCreateFence(device_, &info, nullptr, &handle), "vkCreateFence");
    return {device_, handle};
}

CommandPool Gpu::create_command_pool(VkCommandPoolCreateFlags flags) const {
    VkCommandPoolCreateInfo info{};
    info.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO;
    info.flags = flags;
    info.queueFamilyIndex = queue_family_;
    VkCommandPool handle;
    check(vkCreateCommandPool(device_, &info, nullptr, &handle), "vkCreateCommandPool");
    return {device_, handle};
}

VkCommandBuffer Gpu::allocate_commands(const CommandPool& pool) const {
    VkCommandBufferAllocateInfo info{};
    info.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO;
    info.commandPool = pool.get();
    info.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY;
    info.commandBufferCount = 1;
    VkCommandBuffer commands;
    check(vkAllocateCommandBuffers(device_, &info, &commands), "vkAllocateCommandBuffers");
    return commands;
}

std::optional<uint32_t> Gpu::find_memory_type(uint32_t allowed,
                                              VkMemoryPropertyFlags wanted) const {
    VkPhysicalDeviceMemoryProperties memory;
    vkGetPhysicalDeviceMemoryProperties(physical_device_, &memory);
    for (uint32_t type = 0; type < memory.memoryTypeCount; ++type)
        if (allowed & 1u << type && (memory.memoryTypes[type].propertyFlags & wanted) == wanted)
            return type;
    return std::nullopt;
}

Memory Gpu::allocate(VkDeviceSize size, uint32_t memory_type, const void* next) const {
    VkMemoryAllocateInfo info{};
    info.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO;
    info.pNext = next;
    info.allocationSize = size;
    info.memoryTypeIndex = memory_type;
    VkDeviceMemory memory;
    check(vkAllocateMemory(device_, &info, nullptr, &memory), "vkAllocateMemory");
    return {device_, memory};
}

Gpu::Upload Gpu::create_upload(VkDeviceSize size) const {
    VkBufferCreateInfo buffer_info{};
    buffer_info.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO;
    buffer_info.size = size;
    buffer_info.usage = VK_BUFFER_USAGE_TRANSFER_SRC_BIT;
    buffer_info.sharingMode = VK_SHARING_MODE_EXCLUSIVE;
    VkBuffer buffer;
    check(vkCreateBuffer(device_, &buffer_info, nullptr, &buffer), "vkCreateBuffer");
    Upload upload;
    upload.buffer = Buffer(device_, buffer);

    VkMemoryRequirements requirements;
    vkGetBufferMemoryRequirements(device_, buffer, &requirements);
    constexpr VkMemoryPropertyFlags wanted =
        VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
    const auto type = find_memory_type(requirements.memoryTypeBits, wanted);
    // The specification guarantees such a type for every buffer, so no conformant driver gets here.
    if (!type)
        throw Failure("the driver has no host-visible and coherent memory for buffers");
    upload.memory = allocate(requirements.size, *type);

    check(vkBindBufferMemory(device_, buffer, upload.memory.get(), 0), "vkBindBufferMemory");
    check(vkMapMemory(device_, upload.memory.get(), 0, VK_WHOLE_SIZE, 0, &upload.mapping),
          "vkMapMemory");
    return upload;
}

} // namespace fencebridge::still
