// SPDX-License-Identifier: MIT
// An application that enables every extension with which the layer has to do, as far as they are
// offered, and draws plain colours.
#pragma once

#include <array>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <vulkan/vulkan_core.h>

#include "judge.hpp"
#include "still/connection.hpp"
#include "still/failure.hpp"
#include "still/options.hpp"
#include "still/owned.hpp"
#include "still/window.hpp"

namespace fencebridge::screen {

class Application {
public:
    Application();
    ~Application();
    Application(const Application&) = delete;
    Application& operator=(const Application&) = delete;

    VkPhysicalDevice physical_device() const { return physical_device_; }
    VkDevice device() const { return device_; }
    VkQueue queue() const { return queue_; }
    uint32_t queue_family() const { return queue_family_; }
    VkSurfaceKHR surface() const { return surface_.get(); }
    wl_surface* native_surface() const { return window_.surface(); }
    Judge& judge() { return judge_; }

    // Whether a device extension is enabled, with all of its features.
    bool has(std::string_view extension) const { return enabled_.contains(extension); }

    template <class Function>
    Function find(const char* name) const {
        const auto found = reinterpret_cast<Function>(vkGetDeviceProcAddr(device_, name));
        if (found == nullptr)
            throw still::Failure(std::string("vkGetDeviceProcAddr does not find ") + name);
        return found;
    }

    // Queries the surface's capabilities with `answer` in the chain of the output.
    VkSurfaceCapabilitiesKHR capabilities(void* answer = nullptr,
                                          const void* question = nullptr) const;
    std::vector<VkPresentModeKHR> modes() const;
    std::vector<VkSurfaceFormatKHR> formats() const;

private:
    void create_instance();
    void choose_device();
    void create_device();

    still::Connection connection_;
    still::Options options_;
    still::Window window_;
    Judge judge_;
    VkInstance instance_ = VK_NULL_HANDLE;
    VkPhysicalDevice physical_device_ = VK_NULL_HANDLE;
    uint32_t queue_family_ = 0;
    VkDevice device_ = VK_NULL_HANDLE;
    VkQueue queue_ = VK_NULL_HANDLE;
    std::set<std::string, std::less<>> enabled_;
    still::Surface surface_;
};

// A swapchain, whose images are cleared.
class Chain {
public:
    struct Choice {
        VkPresentModeKHR mode = VK_PRESENT_MODE_FIFO_KHR;
        VkSurfaceFormatKHR format = {VK_FORMAT_B8G8R8A8_UNORM, VK_COLOR_SPACE_SRGB_NONLINEAR_KHR};
        uint32_t min_images = 0; // 0: what the mode needs
        VkSwapchainCreateFlagsKHR flags = 0;
        VkImageUsageFlags usage = VK_IMAGE_USAGE_TRANSFER_DST_BIT;
        VkCompositeAlphaFlagBitsKHR alpha = VK_COMPOSITE_ALPHA_OPAQUE_BIT_KHR;
        const void* next = nullptr;
        VkSwapchainKHR old = VK_NULL_HANDLE;
    };
    Chain(Application& application, const Choice& choice);
    ~Chain();
    Chain(const Chain&) = delete;
    Chain& operator=(const Chain&) = delete;

    VkSwapchainKHR handle() const { return swapchain_.get(); }
    size_t images() const { return images_.size(); }

    uint32_t acquire();
    // Draws to an acquired image. A shared image is drawn to again without an acquire.
    void draw(uint32_t image, bool after_acquire = true);
    // Presents an image that was drawn to. Returns the judge's number of the commit.
    size_t present(uint32_t image, const void* next = nullptr);
    // All three.
    size_t frame(const void* next = nullptr);

private:
    struct Image {
        VkImage handle;
        VkCommandBuffer clear;
        VkCommandBuffer clear_again; // of a shared image
        still::Semaphore drawn;
        size_t slot; // of the last submission
    };
    struct Slot {
        still::Semaphore acquired;
        still::Fence done;
    };
    VkCommandBuffer record(VkImage image, VkImageLayout before, VkImageLayout after, float shade);

    Application& application_;
    const bool shared_;
    still::Swapchain swapchain_;
    still::CommandPool pool_;
    std::vector<Image> images_;
    std::vector<still::Semaphore> used_; // of a shared image
    std::array<Slot, 4> slots_;          // frames in flight
    size_t slot_ = 0;
};

// The number of a present request, as a structure for VkPresentInfoKHR::pNext.
template <class Ids, VkStructureType type>
struct Number {
    explicit Number(uint64_t number, const void* next = nullptr) : id(number) {
        ids.sType = type;
        ids.pNext = next;
        ids.swapchainCount = 1;
        ids.pPresentIds = &id;
    }
    Number(const Number&) = delete;
    Number& operator=(const Number&) = delete;
    const void* chain() const { return &ids; }

    uint64_t id;
    Ids ids{};
};
using Number1 = Number<VkPresentIdKHR, VK_STRUCTURE_TYPE_PRESENT_ID_KHR>;
using Number2 = Number<VkPresentId2KHR, VK_STRUCTURE_TYPE_PRESENT_ID_2_KHR>;

} // namespace fencebridge::screen
