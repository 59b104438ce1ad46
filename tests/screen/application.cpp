// SPDX-License-Identifier: MIT
#include "application.hpp"

#include <algorithm>
#include <limits>
#include <span>

#include <vulkan/vulkan_wayland.h>

#include "still/enumerate.hpp"
#include "still/layout.hpp"

namespace fencebridge::screen {

using still::check;
using still::enumerate;

namespace {

constexpr uint64_t forever = std::numeric_limits<uint64_t>::max();
constexpr uint32_t width = 400;
constexpr uint32_t height = 300;

constexpr std::array instance_extensions = {
    VK_KHR_SURFACE_EXTENSION_NAME,
    VK_KHR_WAYLAND_SURFACE_EXTENSION_NAME,
    VK_KHR_GET_SURFACE_CAPABILITIES_2_EXTENSION_NAME,
    VK_KHR_SURFACE_MAINTENANCE_1_EXTENSION_NAME,
    VK_EXT_SURFACE_MAINTENANCE_1_EXTENSION_NAME,
    VK_KHR_SURFACE_PROTECTED_CAPABILITIES_EXTENSION_NAME,
    VK_GOOGLE_SURFACELESS_QUERY_EXTENSION_NAME,
    VK_EXT_SWAPCHAIN_COLOR_SPACE_EXTENSION_NAME,
};

constexpr std::array device_extensions = {
    VK_KHR_SWAPCHAIN_EXTENSION_NAME,
    VK_KHR_INCREMENTAL_PRESENT_EXTENSION_NAME,
    VK_KHR_PRESENT_ID_EXTENSION_NAME,
    VK_KHR_PRESENT_WAIT_EXTENSION_NAME,
    VK_KHR_PRESENT_ID_2_EXTENSION_NAME,
    VK_KHR_PRESENT_WAIT_2_EXTENSION_NAME,
    VK_KHR_CALIBRATED_TIMESTAMPS_EXTENSION_NAME,
    VK_EXT_PRESENT_TIMING_EXTENSION_NAME,
    VK_GOOGLE_DISPLAY_TIMING_EXTENSION_NAME,
    VK_KHR_SWAPCHAIN_MAINTENANCE_1_EXTENSION_NAME,
    VK_EXT_SWAPCHAIN_MAINTENANCE_1_EXTENSION_NAME,
    VK_KHR_PRESENT_MODE_FIFO_LATEST_READY_EXTENSION_NAME,
    VK_EXT_PRESENT_MODE_FIFO_LATEST_READY_EXTENSION_NAME,
    VK_KHR_SHARED_PRESENTABLE_IMAGE_EXTENSION_NAME,
    VK_KHR_SWAPCHAIN_MUTABLE_FORMAT_EXTENSION_NAME,
    VK_EXT_HDR_METADATA_EXTENSION_NAME,
};

std::set<std::string, std::less<>> names_of(const std::vector<VkExtensionProperties>& all) {
    std::set<std::string, std::less<>> names;
    for (const VkExtensionProperties& one : all)
        names.insert(one.extensionName);
    return names;
}

template <class List>
std::vector<const char*> present_in(const List& wanted,
                                    const std::set<std::string, std::less<>>& offered) {
    std::vector<const char*> found;
    for (const char* name : wanted) {
        if (offered.contains(name))
            found.push_back(name);
    }
    return found;
}

// The features of the extensions. All that the query reports are enabled.
struct Features {
    VkPhysicalDevicePresentIdFeaturesKHR id{};
    VkPhysicalDevicePresentWaitFeaturesKHR wait{};
    VkPhysicalDevicePresentId2FeaturesKHR id2{};
    VkPhysicalDevicePresentWait2FeaturesKHR wait2{};
    VkPhysicalDevicePresentTimingFeaturesEXT timing{};
    VkPhysicalDeviceSwapchainMaintenance1FeaturesKHR maintenance{};
    VkPhysicalDevicePresentModeFifoLatestReadyFeaturesKHR latest_ready{};
    VkPhysicalDeviceFeatures2 all{};

    explicit Features(const std::set<std::string, std::less<>>& offered) {
        all.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2;
        const auto add = [&](auto& structure, VkStructureType type, const char* extension) {
            if (!offered.contains(extension))
                return;
            structure.sType = type;
            structure.pNext = all.pNext;
            all.pNext = &structure;
        };
        add(id, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PRESENT_ID_FEATURES_KHR,
            VK_KHR_PRESENT_ID_EXTENSION_NAME);
        add(wait, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PRESENT_WAIT_FEATURES_KHR,
            VK_KHR_PRESENT_WAIT_EXTENSION_NAME);
        add(id2, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PRESENT_ID_2_FEATURES_KHR,
            VK_KHR_PRESENT_ID_2_EXTENSION_NAME);
        add(wait2, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PRESENT_WAIT_2_FEATURES_KHR,
            VK_KHR_PRESENT_WAIT_2_EXTENSION_NAME);
        add(timing, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PRESENT_TIMING_FEATURES_EXT,
            VK_EXT_PRESENT_TIMING_EXTENSION_NAME);
        add(maintenance, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SWAPCHAIN_MAINTENANCE_1_FEATURES_KHR,
            VK_KHR_SWAPCHAIN_MAINTENANCE_1_EXTENSION_NAME);
        add(latest_ready,
            VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PRESENT_MODE_FIFO_LATEST_READY_FEATURES_KHR,
            VK_KHR_PRESENT_MODE_FIFO_LATEST_READY_EXTENSION_NAME);
    }
    Features(const Features&) = delete;
    Features& operator=(const Features&) = delete;
};

} // namespace

Application::Application() : window_(connection_, {width, height}, options_), judge_(connection_) {
    create_instance();
    choose_device();
    create_device();
    VkWaylandSurfaceCreateInfoKHR info{};
    info.sType = VK_STRUCTURE_TYPE_WAYLAND_SURFACE_CREATE_INFO_KHR;
    info.display = connection_.display();
    info.surface = window_.surface();
    VkSurfaceKHR surface;
    check(vkCreateWaylandSurfaceKHR(instance_, &info, nullptr, &surface),
          "vkCreateWaylandSurfaceKHR");
    surface_ = still::Surface(instance_, surface);
    VkBool32 supported = VK_FALSE;
    check(
        vkGetPhysicalDeviceSurfaceSupportKHR(physical_device_, queue_family_, surface, &supported),
        "vkGetPhysicalDeviceSurfaceSupportKHR");
    if (!supported)
        throw still::Unsupported("the device cannot present to this window");
}

Application::~Application() {
    surface_ = {};
    vkDestroyDevice(device_, nullptr);
    vkDestroyInstance(instance_, nullptr);
}

void Application::create_instance() {
    const auto offered = names_of(enumerate<VkExtensionProperties>(
        "vkEnumerateInstanceExtensionProperties", [](uint32_t* count, VkExtensionProperties* all) {
            return vkEnumerateInstanceExtensionProperties(nullptr, count, all);
        }));
    const auto extensions = present_in(instance_extensions, offered);
    VkApplicationInfo application{};
    application.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO;
    application.pApplicationName = "screen_client";
    application.apiVersion = VK_API_VERSION_1_3;
    VkInstanceCreateInfo info{};
    info.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO;
    info.pApplicationInfo = &application;
    info.enabledExtensionCount = uint32_t(extensions.size());
    info.ppEnabledExtensionNames = extensions.data();
    check(vkCreateInstance(&info, nullptr, &instance_), "vkCreateInstance");
}

void Application::choose_device() {
    const auto devices = enumerate<VkPhysicalDevice>(
        "vkEnumeratePhysicalDevices", [&](uint32_t* count, VkPhysicalDevice* all) {
            return vkEnumeratePhysicalDevices(instance_, count, all);
        });
    for (VkPhysicalDevice device : devices) {
        const auto families = enumerate<VkQueueFamilyProperties>(
            "vkGetPhysicalDeviceQueueFamilyProperties",
            [&](uint32_t* count, VkQueueFamilyProperties* all) {
                vkGetPhysicalDeviceQueueFamilyProperties(device, count, all);
                return VK_SUCCESS;
            });
        for (uint32_t family = 0; family < families.size(); ++family) {
            if (!(families[family].queueFlags & VK_QUEUE_GRAPHICS_BIT))
                continue;
            physical_device_ = device;
            queue_family_ = family;
            return;
        }
    }
    throw still::Unsupported("no Vulkan device has a graphics queue");
}

void Application::create_device() {
    const auto offered = names_of(enumerate<VkExtensionProperties>(
        "vkEnumerateDeviceExtensionProperties", [&](uint32_t* count, VkExtensionProperties* all) {
            return vkEnumerateDeviceExtensionProperties(physical_device_, nullptr, count, all);
        }));
    const auto extensions = present_in(device_extensions, offered);
    enabled_.insert(extensions.begin(), extensions.end());
    Features features(enabled_);
    vkGetPhysicalDeviceFeatures2(physical_device_, &features.all);
    features.all.features = {};
    const float priority = 1.0f;
    VkDeviceQueueCreateInfo queue{};
    queue.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO;
    queue.queueFamilyIndex = queue_family_;
    queue.queueCount = 1;
    queue.pQueuePriorities = &priority;
    VkDeviceCreateInfo info{};
    info.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO;
    info.pNext = &features.all;
    info.queueCreateInfoCount = 1;
    info.pQueueCreateInfos = &queue;
    info.enabledExtensionCount = uint32_t(extensions.size());
    info.ppEnabledExtensionNames = extensions.data();
    check(vkCreateDevice(physical_device_, &info, nullptr, &device_), "vkCreateDevice");
    vkGetDeviceQueue(device_, queue_family_, 0, &queue_);
}

VkSurfaceCapabilitiesKHR Application::capabilities(void* answer, const void* question) const {
    VkPhysicalDeviceSurfaceInfo2KHR info{};
    info.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SURFACE_INFO_2_KHR;
    info.pNext = question;
    info.surface = surface_.get();
    VkSurfaceCapabilities2KHR capabilities{};
    capabilities.sType = VK_STRUCTURE_TYPE_SURFACE_CAPABILITIES_2_KHR;
    capabilities.pNext = answer;
    const auto query = reinterpret_cast<PFN_vkGetPhysicalDeviceSurfaceCapabilities2KHR>(
        vkGetInstanceProcAddr(instance_, "vkGetPhysicalDeviceSurfaceCapabilities2KHR"));
    check(query(physical_device_, &info, &capabilities),
          "vkGetPhysicalDeviceSurfaceCapabilities2KHR");
    return capabilities.surfaceCapabilities;
}

std::vector<VkPresentModeKHR> Application::modes() const {
    return enumerate<VkPresentModeKHR>("vkGetPhysicalDeviceSurfacePresentModesKHR",
                                       [&](uint32_t* count, VkPresentModeKHR* all) {
                                           return vkGetPhysicalDeviceSurfacePresentModesKHR(
                                               physical_device_, surface_.get(), count, all);
                                       });
}

std::vector<VkSurfaceFormatKHR> Application::formats() const {
    return enumerate<VkSurfaceFormatKHR>("vkGetPhysicalDeviceSurfaceFormatsKHR",
                                         [&](uint32_t* count, VkSurfaceFormatKHR* all) {
                                             return vkGetPhysicalDeviceSurfaceFormatsKHR(
                                                 physical_device_, surface_.get(), count, all);
                                         });
}

namespace {

still::Semaphore create_semaphore(VkDevice device) {
    VkSemaphoreCreateInfo info{};
    info.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO;
    VkSemaphore handle;
    check(vkCreateSemaphore(device, &info, nullptr, &handle), "vkCreateSemaphore");
    return {device, handle};
}

still::Fence create_signalled_fence(VkDevice device) {
    VkFenceCreateInfo info{};
    info.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO;
    info.flags = VK_FENCE_CREATE_SIGNALED_BIT;
    VkFence handle;
    check(vkCreateFence(device, &info, nullptr, &handle), "vkCreateFence");
    return {device, handle};
}

// A layout change before any use of the image, or after its last one in a submission.
void change_layout(VkCommandBuffer commands, VkImage image, VkImageLayout from, VkImageLayout to,
                   VkAccessFlags before, VkAccessFlags after) {
    still::change_layout(commands, image,
                         {from, to, before, after, VK_PIPELINE_STAGE_TRANSFER_BIT});
}

} // namespace

Chain::Chain(Application& application, const Choice& choice) :
    application_(application), shared_(choice.mode == VK_PRESENT_MODE_SHARED_DEMAND_REFRESH_KHR) {
    VkDevice device = application.device();
    VkSurfacePresentModeKHR of_mode{};
    of_mode.sType = VK_STRUCTURE_TYPE_SURFACE_PRESENT_MODE_KHR;
    of_mode.presentMode = choice.mode;
    const auto capabilities = application.capabilities(nullptr, &of_mode);
    VkSwapchainCreateInfoKHR info{};
    info.sType = VK_STRUCTURE_TYPE_SWAPCHAIN_CREATE_INFO_KHR;
    info.pNext = choice.next;
    info.flags = choice.flags;
    info.surface = application.surface();
    info.minImageCount = shared_ ? 1 : std::max(choice.min_images, capabilities.minImageCount);
    info.imageFormat = choice.format.format;
    info.imageColorSpace = choice.format.colorSpace;
    info.imageExtent = {width, height};
    info.imageArrayLayers = 1;
    info.imageUsage = choice.usage;
    info.imageSharingMode = VK_SHARING_MODE_EXCLUSIVE;
    info.preTransform = capabilities.currentTransform;
    info.compositeAlpha = choice.alpha;
    info.presentMode = choice.mode;
    info.clipped = VK_TRUE;
    info.oldSwapchain = choice.old;
    VkSwapchainKHR handle;
    check(vkCreateSwapchainKHR(device, &info, nullptr, &handle), "vkCreateSwapchainKHR");
    swapchain_ = still::Swapchain(device, handle);

    VkCommandPoolCreateInfo pool{};
    pool.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO;
    pool.queueFamilyIndex = application.queue_family();
    VkCommandPool pool_handle;
    check(vkCreateCommandPool(device, &pool, nullptr, &pool_handle), "vkCreateCommandPool");
    pool_ = still::CommandPool(device, pool_handle);
    const auto images =
        enumerate<VkImage>("vkGetSwapchainImagesKHR", [&](uint32_t* count, VkImage* all) {
            return vkGetSwapchainImagesKHR(device, handle, count, all);
        });
    const VkImageLayout presented =
        shared_ ? VK_IMAGE_LAYOUT_SHARED_PRESENT_KHR : VK_IMAGE_LAYOUT_PRESENT_SRC_KHR;
    float shade = 0;
    for (VkImage image : images) {
        shade += 1.0f / 8;
        images_.push_back(
            {image, record(image, VK_IMAGE_LAYOUT_UNDEFINED, presented, shade),
             shared_ ? record(image, presented, presented, 1 - shade) : VK_NULL_HANDLE,
             create_semaphore(device), 0});
    }
    for (Slot& slot : slots_)
        slot = {create_semaphore(device), create_signalled_fence(device)};
}

Chain::~Chain() { vkDeviceWaitIdle(application_.device()); }

VkCommandBuffer Chain::record(VkImage image, VkImageLayout before, VkImageLayout after,
                              float shade) {
    VkCommandBufferAllocateInfo info{};
    info.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO;
    info.commandPool = pool_.get();
    info.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY;
    info.commandBufferCount = 1;
    VkCommandBuffer commands;
    check(vkAllocateCommandBuffers(application_.device(), &info, &commands),
          "vkAllocateCommandBuffers");
    VkCommandBufferBeginInfo begin{};
    begin.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO;
    check(vkBeginCommandBuffer(commands, &begin), "vkBeginCommandBuffer");
    const bool shared = before == after; // the image stays in its layout
    const VkImageLayout drawing = shared ? before : VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL;
    change_layout(commands, image, before, drawing, 0, VK_ACCESS_TRANSFER_WRITE_BIT);
    const VkClearColorValue colour{.float32 = {shade, shade, 0.5f, 1}};
    vkCmdClearColorImage(commands, image, drawing, &colour, 1, &still::whole_image);
    change_layout(commands, image, drawing, after, VK_ACCESS_TRANSFER_WRITE_BIT, 0);
    check(vkEndCommandBuffer(commands), "vkEndCommandBuffer");
    return commands;
}

uint32_t Chain::acquire() {
    slot_ = (slot_ + 1) % slots_.size();
    VkFence done = slots_[slot_].done.get();
    check(vkWaitForFences(application_.device(), 1, &done, VK_TRUE, forever), "vkWaitForFences");
    uint32_t image = 0;
    check(vkAcquireNextImageKHR(application_.device(), handle(), forever,
                                slots_[slot_].acquired.get(), VK_NULL_HANDLE, &image),
          "vkAcquireNextImageKHR");
    return image;
}

void Chain::draw(uint32_t image, bool after_acquire) {
    if (!after_acquire)
        slot_ = (slot_ + 1) % slots_.size();
    const Slot& slot = slots_[slot_];
    // A command buffer may not be submitted again before its last submission has ended.
    const std::array ended = {slot.done.get(), slots_[images_[image].slot].done.get()};
    check(vkWaitForFences(application_.device(), uint32_t(ended.size()), ended.data(), VK_TRUE,
                          forever),
          "vkWaitForFences");
    check(vkResetFences(application_.device(), 1, slot.done.address()), "vkResetFences");
    images_[image].slot = slot_;
    // Nothing tells when the present of a shared image has waited for its semaphore.
    if (shared_) {
        used_.push_back(std::move(images_[image].drawn));
        images_[image].drawn = create_semaphore(application_.device());
    }
    const VkPipelineStageFlags stage = VK_PIPELINE_STAGE_TRANSFER_BIT;
    VkSubmitInfo info{};
    info.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO;
    info.waitSemaphoreCount = after_acquire ? 1 : 0;
    info.pWaitSemaphores = slot.acquired.address();
    info.pWaitDstStageMask = &stage;
    info.commandBufferCount = 1;
    info.pCommandBuffers = after_acquire ? &images_[image].clear : &images_[image].clear_again;
    info.signalSemaphoreCount = 1;
    info.pSignalSemaphores = images_[image].drawn.address();
    check(vkQueueSubmit(application_.queue(), 1, &info, slot.done.get()), "vkQueueSubmit");
}

size_t Chain::present(uint32_t image, const void* next) {
    const size_t commit = application_.judge().expect(application_.native_surface());
    VkPresentInfoKHR info{};
    info.sType = VK_STRUCTURE_TYPE_PRESENT_INFO_KHR;
    info.pNext = next;
    info.waitSemaphoreCount = 1;
    info.pWaitSemaphores = images_[image].drawn.address();
    info.swapchainCount = 1;
    info.pSwapchains = swapchain_.address();
    info.pImageIndices = &image;
    check(vkQueuePresentKHR(application_.queue(), &info), "vkQueuePresentKHR");
    return commit;
}

size_t Chain::frame(const void* next) {
    const uint32_t image = acquire();
    draw(image);
    return present(image, next);
}

} // namespace fencebridge::screen
