// SPDX-License-Identifier: MIT
// A small Vulkan application on Wayland. Every Vulkan handle and every Wayland proxy has an owner.
// Calls go through the real loader.
#pragma once

#include "fake_compositor/compositor.hpp"
#include "toplevel.hpp"

#include <vulkan/vulkan.h>
#include <wayland-client-protocol.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace fencebridge::test {

inline constexpr uint64_t forever = UINT64_MAX;

// Points the loader at the layer and the fake driver of this build folder, unless the environment
// names others. Must be called before the first Vulkan call.
void prepare_environment();

// A handle together with the function that destroys it.
template <class Handle>
class Owned {
public:
    Owned() = default;
    Owned(Handle handle, std::function<void(Handle)> destroy) :
        handle_(handle), destroy_(std::move(destroy)) {}
    Owned(Owned&& other) noexcept :
        handle_(std::exchange(other.handle_, {})), destroy_(std::move(other.destroy_)) {}
    Owned& operator=(Owned&& other) noexcept {
        std::swap(handle_, other.handle_);
        std::swap(destroy_, other.destroy_);
        return *this;
    }
    ~Owned() { reset(); }

    void reset() {
        if (handle_)
            destroy_(std::exchange(handle_, {}));
    }
    Handle get() const { return handle_; }
    operator Handle() const { return handle_; }

private:
    Handle handle_{};
    std::function<void(Handle)> destroy_;
};

// The application's own Wayland objects. All of them use the display's default event queue.
class App {
public:
    explicit App(Compositor& compositor) : App(compositor.connect()) {}
    // Owns `display`, a connection to the compositor.
    explicit App(wl_display* display);
    ~App();
    App(const App&) = delete;
    App& operator=(const App&) = delete;

    wl_display* display() const { return display_; }
    // The surface is a window: on a real compositor it has the role of an xdg_toplevel.
    Owned<wl_surface*> new_surface();
    void round_trip() { wl_display_roundtrip(display_); }

private:
    static void bind(void* app, wl_registry* registry, uint32_t name, const char* interface,
                     uint32_t version);

    wl_display* display_;
    wl_compositor* compositor_ = nullptr;
    std::unique_ptr<Shell> shell_; // null on the fake compositor
};

struct InstanceOptions {
    uint32_t api_version = VK_API_VERSION_1_1;
    std::vector<const char*> extensions = {VK_KHR_SURFACE_EXTENSION_NAME,
                                           VK_KHR_WAYLAND_SURFACE_EXTENSION_NAME,
                                           VK_KHR_GET_SURFACE_CAPABILITIES_2_EXTENSION_NAME};
};
Owned<VkInstance> make_instance(const InstanceOptions& options = {});

// A VkDevice on the first physical device, with two queues of the first family. `other_queue` is
// null if the family has a single queue.
struct Device {
    explicit Device(VkInstance instance,
                    std::vector<const char*> extensions = {VK_KHR_SWAPCHAIN_EXTENSION_NAME});

    VkPhysicalDevice physical = VK_NULL_HANDLE;
    Owned<VkDevice> device;
    VkQueue queue = VK_NULL_HANDLE;
    VkQueue other_queue = VK_NULL_HANDLE;
    operator VkDevice() const { return device; }
};

Owned<VkSurfaceKHR> make_surface(VkInstance instance, const App& app, wl_surface* surface);

// Calls vkGetPhysicalDeviceSurfaceCapabilities2KHR with `answer` in the pNext chain of its output.
// A null surface queries what every surface supports (VK_GOOGLE_surfaceless_query).
VkSurfaceCapabilitiesKHR query_capabilities(VkInstance instance, const Device& device,
                                            VkSurfaceKHR surface, void* answer);

struct SwapchainOptions {
    VkExtent2D extent = {64, 64};
    VkFormat format = VK_FORMAT_B8G8R8A8_UNORM;
    VkColorSpaceKHR space = VK_COLOR_SPACE_SRGB_NONLINEAR_KHR;
    VkPresentModeKHR mode = VK_PRESENT_MODE_MAILBOX_KHR;
    VkCompositeAlphaFlagBitsKHR alpha = VK_COMPOSITE_ALPHA_OPAQUE_BIT_KHR;
    VkSurfaceTransformFlagBitsKHR transform = VK_SURFACE_TRANSFORM_IDENTITY_BIT_KHR;
    VkImageUsageFlags usage = VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT;
    uint32_t min_images = 0; // 0: minImageCount of the surface's capabilities
    VkSwapchainKHR old = VK_NULL_HANDLE;
    VkSwapchainCreateFlagsKHR flags = 0;
    const void* next = nullptr;
};

struct Swapchain {
    Swapchain() = default;
    Swapchain(const Device& on, VkSurfaceKHR surface, const SwapchainOptions& options = {});

    VkResult result = VK_ERROR_UNKNOWN;
    VkDevice device = VK_NULL_HANDLE;
    Owned<VkSwapchainKHR> handle;
    std::vector<VkImage> images;
    operator VkSwapchainKHR() const { return handle; }
};

Owned<VkSemaphore> make_semaphore(VkDevice device);
Owned<VkFence> make_fence(VkDevice device);
// Waits for the fence and resets it; false after the timeout or a failure.
bool wait_and_reset(VkDevice device, VkFence fence, uint64_t timeout = 10'000'000'000);

struct Acquired {
    VkResult result;
    uint32_t index;
};
Acquired acquire(VkDevice device, VkSwapchainKHR swapchain, uint64_t timeout = forever,
                 VkSemaphore semaphore = VK_NULL_HANDLE, VkFence fence = VK_NULL_HANDLE);

// `next` is the pNext chain of the VkPresentInfoKHR.
VkResult present(VkQueue queue, VkSwapchainKHR swapchain, uint32_t index,
                 std::vector<VkSemaphore> wait = {}, const void* next = nullptr);

// One swapchain of a vkQueuePresentKHR call; present_together() stores its result.
struct Presented {
    VkSwapchainKHR swapchain;
    uint32_t index;
    VkResult result = VK_ERROR_UNKNOWN;
};
VkResult present_together(VkQueue queue, std::span<Presented> all,
                          std::vector<VkSemaphore> wait = {}, const void* next = nullptr);

// Submits empty command buffers. While fake_driver().hold_rendering() is on, the fake driver does
// not finish batches that have a command buffer.
class Renderer {
public:
    explicit Renderer(const Device& device);

    void submit(std::vector<VkSemaphore> wait, std::vector<VkSemaphore> signal,
                VkFence fence = VK_NULL_HANDLE);
    // Submits to the device's other queue. Only semaphores order its batches with those of the
    // first.
    void submit_elsewhere(std::vector<VkSemaphore> signal);
    // Submits a batch without a command buffer, which finishes as soon as its waits are over.
    void submit_no_work(std::vector<VkSemaphore> wait, VkFence fence);
    // The same on the device's other queue: the semaphore is signalled at once.
    void signal_elsewhere(VkSemaphore semaphore);
    // Acquires, renders and presents one frame. Returns the first failure; if there is none,
    // VK_SUBOPTIMAL_KHR from either call, or VK_SUCCESS.
    VkResult frame(const Swapchain& swapchain, uint64_t timeout = forever);

private:
    struct Slot {
        Owned<VkSemaphore> acquired;
        Owned<VkSemaphore> rendered;
        Owned<VkFence> done;
        bool used = false;
    };
    void submit(VkQueue queue, const VkCommandBuffer* commands, std::vector<VkSemaphore> wait,
                std::vector<VkSemaphore> signal, VkFence fence);

    const Device& device_;
    Owned<VkCommandPool> pool_;
    VkCommandBuffer commands_ = VK_NULL_HANDLE;
    std::vector<Slot> slots_;
    size_t next_ = 0;
};

// A command buffer of the pool, to which commands can be recorded.
VkCommandBuffer begin_commands(VkDevice device, VkCommandPool pool,
                               VkCommandBufferUsageFlags usage = 0);
// Records a change of the layout that waits for all earlier commands.
void change_layout(VkCommandBuffer commands, VkImage image, VkImageLayout from, VkImageLayout to);

// An application with one window. Its members are destroyed in the order that Vulkan requires.
struct Client {
    explicit Client(Compositor& compositor) : Client(compositor.connect()) {}
    explicit Client(
        wl_display* display, const InstanceOptions& options = {},
        std::vector<const char*> device_extensions = {VK_KHR_SWAPCHAIN_EXTENSION_NAME}) :
        app(display),
        instance(make_instance(options)), device(instance, std::move(device_extensions)),
        window(app.new_surface()), surface(make_surface(instance, app, window)), renderer(device) {}

    Swapchain swapchain(const SwapchainOptions& options = {}) {
        return Swapchain(device, surface, options);
    }
    VkResult frame(const Swapchain& on) { return renderer.frame(on); }
    // Shows as many frames as there are images, and waits until the device is idle.
    VkResult show_every_image(const Swapchain& of);
    Acquired acquire(const Swapchain& from, uint64_t timeout = forever) {
        return test::acquire(device, from, timeout);
    }
    // Acquires an image and submits rendering that signals `rendered`. Returns the image's index.
    uint32_t acquire_and_render(const Swapchain& swapchain, VkSemaphore rendered);
    VkResult present(const Swapchain& to, uint32_t index) {
        return test::present(device.queue, to, index);
    }
    VkResult present_after(const Swapchain& to, uint32_t index, std::vector<VkSemaphore> wait) {
        return test::present(device.queue, to, index, std::move(wait));
    }

    App app;
    Owned<VkInstance> instance;
    Device device;
    Owned<wl_surface*> window;
    Owned<VkSurfaceKHR> surface;
    Renderer renderer;
};

// A second window of the same application.
struct SecondWindow {
    explicit SecondWindow(Client& client) :
        window(client.app.new_surface()),
        surface(make_surface(client.instance, client.app, window)) {}

    Owned<wl_surface*> window;
    Owned<VkSurfaceKHR> surface;
};

} // namespace fencebridge::test
