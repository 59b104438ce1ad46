// SPDX-License-Identifier: MIT
#include "client.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>

namespace fencebridge::test {
namespace {

// Enough that the frame loop of a test waits for the layer and not for fences of its own.
constexpr size_t frames_in_flight = 4;

} // namespace

void prepare_environment() {
    // The executable is BUILDDIR/tests/FOLDER/NAME.
    auto build =
        std::filesystem::canonical("/proc/self/exe").parent_path().parent_path().parent_path();
    std::string driver = build / "tests/fake_driver/fake_driver.json";
    constexpr int keep = 0;
    setenv("VK_DRIVER_FILES", driver.c_str(), keep);
    setenv("VK_ICD_FILENAMES", getenv("VK_DRIVER_FILES"), keep);
    setenv("VK_LAYER_PATH", (build / "json").c_str(), keep);
    setenv("VK_INSTANCE_LAYERS", "VK_LAYER_FENCEBRIDGE_wsi", keep);
    setenv("VK_LOADER_LAYERS_DISABLE", "~implicit~", keep);
    setenv("FENCEBRIDGE_LOG_LEVEL", "info", keep);
}

App::App(wl_display* display) : display_(display) {
    wl_registry* registry = wl_display_get_registry(display_);
    static const wl_registry_listener listener = {App::bind, [](void*, wl_registry*, uint32_t) {}};
    wl_registry_add_listener(registry, &listener, this);
    wl_display_roundtrip(display_);
    wl_registry_destroy(registry);
}

void App::bind(void* data, wl_registry* registry, uint32_t name, const char* interface, uint32_t) {
    App& app = *static_cast<App*>(data);
    if (std::strcmp(interface, wl_compositor_interface.name) == 0)
        app.compositor_ = static_cast<wl_compositor*>(
            wl_registry_bind(registry, name, &wl_compositor_interface, 4));
    if (std::strcmp(interface, Shell::interface()) == 0)
        app.shell_ = std::make_unique<Shell>(registry, name);
}

App::~App() {
    shell_.reset();
    wl_compositor_destroy(compositor_);
    wl_display_disconnect(display_);
}

Owned<wl_surface*> App::new_surface() {
    wl_surface* const surface = wl_compositor_create_surface(compositor_);
    std::shared_ptr<Toplevel> toplevel;
    if (shell_)
        toplevel = std::make_shared<Toplevel>(display_, *shell_, surface);
    return {surface, [toplevel](wl_surface* dying) mutable {
                toplevel.reset();
                wl_surface_destroy(dying);
            }};
}

Owned<VkInstance> make_instance(const InstanceOptions& options) {
    VkApplicationInfo application{VK_STRUCTURE_TYPE_APPLICATION_INFO};
    application.apiVersion = options.api_version;
    VkInstanceCreateInfo info{VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO};
    info.pApplicationInfo = &application;
    info.enabledExtensionCount = uint32_t(options.extensions.size());
    info.ppEnabledExtensionNames = options.extensions.data();
    VkInstance instance = VK_NULL_HANDLE;
    EXPECT_EQ(vkCreateInstance(&info, nullptr, &instance), VK_SUCCESS);
    return {instance, [](VkInstance handle) { vkDestroyInstance(handle, nullptr); }};
}

Device::Device(VkInstance instance, std::vector<const char*> extensions) {
    uint32_t count = 1;
    vkEnumeratePhysicalDevices(instance, &count, &physical);
    uint32_t families = 1;
    VkQueueFamilyProperties family{};
    vkGetPhysicalDeviceQueueFamilyProperties(physical, &families, &family);
    constexpr float priorities[] = {1, 1};
    VkDeviceQueueCreateInfo queue_info{VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO};
    queue_info.queueCount = std::min(family.queueCount, 2u);
    queue_info.pQueuePriorities = priorities;
    VkDeviceCreateInfo info{VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO};
    info.queueCreateInfoCount = 1;
    info.pQueueCreateInfos = &queue_info;
    info.enabledExtensionCount = uint32_t(extensions.size());
    info.ppEnabledExtensionNames = extensions.data();
    VkDevice handle = VK_NULL_HANDLE;
    EXPECT_EQ(vkCreateDevice(physical, &info, nullptr, &handle), VK_SUCCESS);
    device = {handle, [](VkDevice dying) { vkDestroyDevice(dying, nullptr); }};
    vkGetDeviceQueue(device, 0, 0, &queue);
    if (queue_info.queueCount > 1)
        vkGetDeviceQueue(device, 0, 1, &other_queue);
}

Owned<VkSurfaceKHR> make_surface(VkInstance instance, const App& app, wl_surface* surface) {
    VkWaylandSurfaceCreateInfoKHR info{VK_STRUCTURE_TYPE_WAYLAND_SURFACE_CREATE_INFO_KHR};
    info.display = app.display();
    info.surface = surface;
    VkSurfaceKHR handle = VK_NULL_HANDLE;
    EXPECT_EQ(vkCreateWaylandSurfaceKHR(instance, &info, nullptr, &handle), VK_SUCCESS);
    return {handle,
            [instance](VkSurfaceKHR dying) { vkDestroySurfaceKHR(instance, dying, nullptr); }};
}

VkSurfaceCapabilitiesKHR query_capabilities(VkInstance instance, const Device& device,
                                            VkSurfaceKHR surface, void* answer) {
    VkPhysicalDeviceSurfaceInfo2KHR info{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SURFACE_INFO_2_KHR};
    info.surface = surface;
    VkSurfaceCapabilities2KHR capabilities{VK_STRUCTURE_TYPE_SURFACE_CAPABILITIES_2_KHR};
    capabilities.pNext = answer;
    const auto get = reinterpret_cast<PFN_vkGetPhysicalDeviceSurfaceCapabilities2KHR>(
        vkGetInstanceProcAddr(instance, "vkGetPhysicalDeviceSurfaceCapabilities2KHR"));
    EXPECT_EQ(get(device.physical, &info, &capabilities), VK_SUCCESS);
    return capabilities.surfaceCapabilities;
}

Swapchain::Swapchain(const Device& on, VkSurfaceKHR surface, const SwapchainOptions& options) :
    device(on) {
    VkSurfaceCapabilitiesKHR capabilities{};
    vkGetPhysicalDeviceSurfaceCapabilitiesKHR(on.physical, surface, &capabilities);
    VkSwapchainCreateInfoKHR info{VK_STRUCTURE_TYPE_SWAPCHAIN_CREATE_INFO_KHR};
    info.surface = surface;
    info.minImageCount = options.min_images ? options.min_images : capabilities.minImageCount;
    info.imageFormat = options.format;
    info.imageColorSpace = options.space;
    info.imageExtent = options.extent;
    info.imageArrayLayers = 1;
    info.imageUsage = options.usage;
    info.preTransform = options.transform;
    info.compositeAlpha = options.alpha;
    info.presentMode = options.mode;
    info.clipped = VK_TRUE;
    info.oldSwapchain = options.old;
    info.flags = options.flags;
    info.pNext = options.next;
    VkSwapchainKHR created = VK_NULL_HANDLE;
    result = vkCreateSwapchainKHR(on, &info, nullptr, &created);
    if (result != VK_SUCCESS)
        return;
    handle = {created,
              [dev = device](VkSwapchainKHR dying) { vkDestroySwapchainKHR(dev, dying, nullptr); }};
    uint32_t count = 0;
    vkGetSwapchainImagesKHR(on, created, &count, nullptr);
    images.resize(count);
    EXPECT_EQ(vkGetSwapchainImagesKHR(on, created, &count, images.data()), VK_SUCCESS);
}

Owned<VkSemaphore> make_semaphore(VkDevice device) {
    VkSemaphoreCreateInfo info{VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO};
    VkSemaphore semaphore = VK_NULL_HANDLE;
    EXPECT_EQ(vkCreateSemaphore(device, &info, nullptr, &semaphore), VK_SUCCESS);
    return {semaphore, [device](VkSemaphore dying) { vkDestroySemaphore(device, dying, nullptr); }};
}

Owned<VkFence> make_fence(VkDevice device) {
    VkFenceCreateInfo info{VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
    VkFence fence = VK_NULL_HANDLE;
    EXPECT_EQ(vkCreateFence(device, &info, nullptr, &fence), VK_SUCCESS);
    return {fence, [device](VkFence dying) { vkDestroyFence(device, dying, nullptr); }};
}

bool wait_and_reset(VkDevice device, VkFence fence, uint64_t timeout) {
    return vkWaitForFences(device, 1, &fence, VK_TRUE, timeout) == VK_SUCCESS &&
           vkResetFences(device, 1, &fence) == VK_SUCCESS;
}

// VUID-vkAcquireNextImageKHR-semaphore-01780 requires a semaphore or a fence. If the test passes
// neither, this function creates a fence and waits for it.
Acquired acquire(VkDevice device, VkSwapchainKHR swapchain, uint64_t timeout, VkSemaphore semaphore,
                 VkFence fence) {
    Owned<VkFence> own;
    if (!semaphore && !fence)
        own = make_fence(device);
    Acquired acquired{VK_ERROR_UNKNOWN, UINT32_MAX};
    acquired.result = vkAcquireNextImageKHR(device, swapchain, timeout, semaphore,
                                            own ? own.get() : fence, &acquired.index);
    if (own && (acquired.result == VK_SUCCESS || acquired.result == VK_SUBOPTIMAL_KHR)) {
        EXPECT_TRUE(wait_and_reset(device, own));
    }
    return acquired;
}

VkResult present(VkQueue queue, VkSwapchainKHR swapchain, uint32_t index,
                 std::vector<VkSemaphore> wait, const void* next) {
    VkPresentInfoKHR info{VK_STRUCTURE_TYPE_PRESENT_INFO_KHR};
    info.pNext = next;
    info.waitSemaphoreCount = uint32_t(wait.size());
    info.pWaitSemaphores = wait.data();
    info.swapchainCount = 1;
    info.pSwapchains = &swapchain;
    info.pImageIndices = &index;
    return vkQueuePresentKHR(queue, &info);
}

VkResult present_together(VkQueue queue, std::span<Presented> all, std::vector<VkSemaphore> wait,
                          const void* next) {
    std::vector<VkSwapchainKHR> swapchains;
    std::vector<uint32_t> indices;
    std::vector<VkResult> results;
    for (const Presented& one : all) {
        swapchains.push_back(one.swapchain);
        indices.push_back(one.index);
        results.push_back(one.result);
    }
    VkPresentInfoKHR info{VK_STRUCTURE_TYPE_PRESENT_INFO_KHR};
    info.pNext = next;
    info.waitSemaphoreCount = uint32_t(wait.size());
    info.pWaitSemaphores = wait.data();
    info.swapchainCount = uint32_t(all.size());
    info.pSwapchains = swapchains.data();
    info.pImageIndices = indices.data();
    info.pResults = results.data();
    VkResult result = vkQueuePresentKHR(queue, &info);
    for (size_t i = 0; i < all.size(); ++i)
        all[i].result = results[i];
    return result;
}

VkCommandBuffer begin_commands(VkDevice device, VkCommandPool pool,
                               VkCommandBufferUsageFlags usage) {
    VkCommandBufferAllocateInfo info{VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO};
    info.commandPool = pool;
    info.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY;
    info.commandBufferCount = 1;
    VkCommandBuffer commands = VK_NULL_HANDLE;
    EXPECT_EQ(vkAllocateCommandBuffers(device, &info, &commands), VK_SUCCESS);
    VkCommandBufferBeginInfo begin{VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
    begin.flags = usage;
    EXPECT_EQ(vkBeginCommandBuffer(commands, &begin), VK_SUCCESS);
    return commands;
}

void change_layout(VkCommandBuffer commands, VkImage image, VkImageLayout from, VkImageLayout to) {
    VkImageMemoryBarrier barrier{VK_STRUCTURE_TYPE_IMAGE_MEMORY_BARRIER};
    barrier.oldLayout = from;
    barrier.newLayout = to;
    barrier.srcQueueFamilyIndex = barrier.dstQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED;
    barrier.image = image;
    barrier.subresourceRange = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1};
    vkCmdPipelineBarrier(commands, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT,
                         VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, 0, 0, nullptr, 0, nullptr, 1,
                         &barrier);
}

Renderer::Renderer(const Device& device) : device_(device) {
    VkCommandPoolCreateInfo pool_info{VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO};
    VkCommandPool pool = VK_NULL_HANDLE;
    EXPECT_EQ(vkCreateCommandPool(device, &pool_info, nullptr, &pool), VK_SUCCESS);
    pool_ = {pool, [dev = VkDevice(device)](VkCommandPool dying) {
                 vkDestroyCommandPool(dev, dying, nullptr);
             }};
    commands_ = begin_commands(device, pool_, VK_COMMAND_BUFFER_USAGE_SIMULTANEOUS_USE_BIT);
    EXPECT_EQ(vkEndCommandBuffer(commands_), VK_SUCCESS);
    for (size_t i = 0; i < frames_in_flight; ++i)
        slots_.push_back({make_semaphore(device), make_semaphore(device), make_fence(device)});
}

void Renderer::submit(std::vector<VkSemaphore> wait, std::vector<VkSemaphore> signal,
                      VkFence fence) {
    submit(device_.queue, &commands_, std::move(wait), std::move(signal), fence);
}

void Renderer::submit_elsewhere(std::vector<VkSemaphore> signal) {
    submit(device_.other_queue, &commands_, {}, std::move(signal), VK_NULL_HANDLE);
}

void Renderer::submit_no_work(std::vector<VkSemaphore> wait, VkFence fence) {
    submit(device_.queue, nullptr, std::move(wait), {}, fence);
}

void Renderer::signal_elsewhere(VkSemaphore semaphore) {
    submit(device_.other_queue, nullptr, {}, {semaphore}, VK_NULL_HANDLE);
}

void Renderer::submit(VkQueue queue, const VkCommandBuffer* commands, std::vector<VkSemaphore> wait,
                      std::vector<VkSemaphore> signal, VkFence fence) {
    std::vector<VkPipelineStageFlags> stages(wait.size(), VK_PIPELINE_STAGE_ALL_COMMANDS_BIT);
    VkSubmitInfo info{VK_STRUCTURE_TYPE_SUBMIT_INFO};
    info.waitSemaphoreCount = uint32_t(wait.size());
    info.pWaitSemaphores = wait.data();
    info.pWaitDstStageMask = stages.data();
    info.commandBufferCount = commands ? 1 : 0;
    info.pCommandBuffers = commands;
    info.signalSemaphoreCount = uint32_t(signal.size());
    info.pSignalSemaphores = signal.data();
    EXPECT_EQ(vkQueueSubmit(queue, 1, &info, fence), VK_SUCCESS);
}

VkResult Renderer::frame(const Swapchain& swapchain, uint64_t timeout) {
    Slot& slot = slots_[next_++ % slots_.size()];
    if (std::exchange(slot.used, false) && !wait_and_reset(device_, slot.done))
        return VK_ERROR_DEVICE_LOST;
    auto [acquired, index] = acquire(device_, swapchain, timeout, slot.acquired);
    if (acquired != VK_SUCCESS && acquired != VK_SUBOPTIMAL_KHR)
        return acquired;
    submit({slot.acquired}, {slot.rendered}, slot.done);
    slot.used = true;
    VkResult presented = present(device_.queue, swapchain, index, {slot.rendered});
    return presented == VK_SUCCESS ? acquired : presented;
}

uint32_t Client::acquire_and_render(const Swapchain& swapchain, VkSemaphore rendered) {
    auto [result, index] = acquire(swapchain);
    EXPECT_EQ(result, VK_SUCCESS);
    renderer.submit({}, {rendered});
    return index;
}

VkResult Client::show_every_image(const Swapchain& of) {
    for (size_t i = 0; i < of.images.size(); ++i) {
        if (VkResult result = frame(of); result != VK_SUCCESS)
            return result;
    }
    return vkDeviceWaitIdle(device);
}

} // namespace fencebridge::test
