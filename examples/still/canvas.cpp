// SPDX-License-Identifier: MIT
#include "canvas.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include "enumerate.hpp"
#include "failure.hpp"

namespace fencebridge::still {

namespace {

constexpr VkImageSubresourceRange whole_image{VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1};

void require_present_mode(VkPhysicalDevice device, VkSurfaceKHR surface, VkPresentModeKHR mode) {
    auto modes = enumerate<VkPresentModeKHR>(
        "vkGetPhysicalDeviceSurfacePresentModesKHR", [&](uint32_t* count, VkPresentModeKHR* all) {
            return vkGetPhysicalDeviceSurfacePresentModesKHR(device, surface, count, all);
        });
    if (std::ranges::find(modes, mode) == modes.end())
        throw Unsupported(std::string("the surface has no present mode ") + name_of(mode));
}

VkExtent2D choose_extent(const VkSurfaceCapabilitiesKHR& capabilities, Size size) {
    // On Wayland the swapchain gives the window its size, which this value stands for.
    constexpr uint32_t by_swapchain = std::numeric_limits<uint32_t>::max();
    if (capabilities.currentExtent.width != by_swapchain)
        return capabilities.currentExtent;
    return {std::clamp(size.width, capabilities.minImageExtent.width,
                       capabilities.maxImageExtent.width),
            std::clamp(size.height, capabilities.minImageExtent.height,
                       capabilities.maxImageExtent.height)};
}

// The compositor may hold minImageCount - 1 images; with one more than the minimum the program can
// draw while those are held.
uint32_t choose_image_count(const VkSurfaceCapabilitiesKHR& capabilities) {
    uint32_t wanted = capabilities.minImageCount + 1;
    bool bounded = capabilities.maxImageCount > 0;
    return bounded ? std::min(wanted, capabilities.maxImageCount) : wanted;
}

void transition(VkCommandBuffer commands, VkImage image, VkImageLayout from, VkImageLayout to,
                VkAccessFlags access_before, VkAccessFlags access_after,
                VkPipelineStageFlags stage_after) {
    VkImageMemoryBarrier barrier{};
    barrier.sType = VK_STRUCTURE_TYPE_IMAGE_MEMORY_BARRIER;
    barrier.srcAccessMask = access_before;
    barrier.dstAccessMask = access_after;
    barrier.oldLayout = from;
    barrier.newLayout = to;
    barrier.srcQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED;
    barrier.dstQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED;
    barrier.image = image;
    barrier.subresourceRange = whole_image;
    vkCmdPipelineBarrier(commands, VK_PIPELINE_STAGE_TRANSFER_BIT, stage_after, 0, 0, nullptr, 0,
                         nullptr, 1, &barrier);
}

} // namespace

Canvas::Canvas(const Gpu& gpu, wl_display* display, wl_surface* surface, const Options& options) :
    gpu_(gpu), present_mode_(options.present_mode), alpha_(options.alpha),
    surface_(gpu.create_surface(display, surface)) {
    require_present_mode(gpu_.physical_device(), surface_.get(), present_mode_);
    choose_format(options);
}

void Canvas::choose_format(const Options& options) {
    auto offered = enumerate<VkSurfaceFormatKHR>(
        "vkGetPhysicalDeviceSurfaceFormatsKHR", [&](uint32_t* count, VkSurfaceFormatKHR* all) {
            return vkGetPhysicalDeviceSurfaceFormatsKHR(gpu_.physical_device(), surface_.get(),
                                                        count, all);
        });
    for (const PixelFormat& candidate : pixel_formats()) {
        bool wanted = !options.format || *options.format == candidate.format;
        bool available = std::ranges::any_of(offered, [&](const VkSurfaceFormatKHR& entry) {
            return entry.format == candidate.format &&
                   entry.colorSpace == VK_COLOR_SPACE_SRGB_NONLINEAR_KHR;
        });
        if (wanted && available) {
            format_ = &candidate;
            return;
        }
    }
    throw Unsupported(options.format ? "the surface does not have the format " +
                                           std::string(find_pixel_format(*options.format)->name)
                                     : "the surface has no format that this program can draw");
}

void Canvas::resize(Size size) {
    create_swapchain(size);
    size_t bytes = size_t{size_.width} * size_.height * format_->bytes;
    picture_ = gpu_.create_upload(bytes);
    draw_picture({static_cast<std::byte*>(picture_.mapping), bytes}, *format_, size_.width,
                 size_.height);
}

void Canvas::create_swapchain(Size size) {
    VkSurfaceCapabilitiesKHR capabilities;
    check(vkGetPhysicalDeviceSurfaceCapabilitiesKHR(gpu_.physical_device(), surface_.get(),
                                                    &capabilities),
          "vkGetPhysicalDeviceSurfaceCapabilitiesKHR");
    if (!(capabilities.supportedCompositeAlpha & alpha_))
        throw Unsupported("the surface lacks the alpha mode asked for");
    if (!(capabilities.supportedUsageFlags & VK_IMAGE_USAGE_TRANSFER_DST_BIT))
        throw Unsupported("images of the surface cannot be copied to");

    VkSwapchainCreateInfoKHR info{};
    info.sType = VK_STRUCTURE_TYPE_SWAPCHAIN_CREATE_INFO_KHR;
    info.surface = surface_.get();
    info.minImageCount = choose_image_count(capabilities);
    info.imageFormat = format_->format;
    info.imageColorSpace = VK_COLOR_SPACE_SRGB_NONLINEAR_KHR;
    info.imageExtent = choose_extent(capabilities, size);
    info.imageArrayLayers = 1;
    info.imageUsage = VK_IMAGE_USAGE_TRANSFER_DST_BIT;
    info.imageSharingMode = VK_SHARING_MODE_EXCLUSIVE;
    info.preTransform = capabilities.currentTransform;
    info.compositeAlpha = alpha_;
    info.presentMode = present_mode_;
    info.clipped = VK_TRUE;
    // Retires the old swapchain even if the call fails. What was presented from it stays on the
    // screen until the new one's first image comes.
    info.oldSwapchain = swapchain_.get();
    VkSwapchainKHR handle;
    check(vkCreateSwapchainKHR(gpu_.device(), &info, nullptr, &handle), "vkCreateSwapchainKHR");
    Swapchain fresh(gpu_.device(), handle);

    // The old images, their semaphores and the old picture may be used by work under way.
    gpu_.wait_idle();
    drawn_.clear();
    swapchain_ = std::move(fresh);
    size_ = {info.imageExtent.width, info.imageExtent.height};
    images_ = enumerate<VkImage>("vkGetSwapchainImagesKHR", [&](uint32_t* count, VkImage* all) {
        return vkGetSwapchainImagesKHR(gpu_.device(), handle, count, all);
    });
    for (size_t index = 0; index < images_.size(); ++index)
        drawn_.push_back(gpu_.create_semaphore());
}

VkResult Canvas::acquire(VkSemaphore acquired) {
    VkResult result =
        vkAcquireNextImageKHR(gpu_.device(), swapchain_.get(), std::numeric_limits<uint64_t>::max(),
                              acquired, VK_NULL_HANDLE, &image_index_);
    if (result != VK_ERROR_OUT_OF_DATE_KHR)
        check(result, "vkAcquireNextImageKHR");
    return result;
}

void Canvas::record(VkCommandBuffer commands, uint32_t shift) const {
    VkImage image = images_[image_index_];
    // From UNDEFINED: what the image held is overwritten as a whole. The submission waits for the
    // acquire semaphore at the transfer stage, and this barrier's first scope is that same stage,
    // so the layout does not change before the window system has let go of the image.
    transition(commands, image, VK_IMAGE_LAYOUT_UNDEFINED, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL, 0,
               VK_ACCESS_TRANSFER_WRITE_BIT, VK_PIPELINE_STAGE_TRANSFER_BIT);

    // The columns from `shift` on, and to their right those before it.
    std::array<VkBufferImageCopy, 2> regions{};
    for (VkBufferImageCopy& region : regions) {
        region.bufferRowLength = size_.width;
        region.imageSubresource = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 0, 1};
    }
    regions[0].bufferOffset = VkDeviceSize{shift} * format_->bytes;
    regions[0].imageExtent = {size_.width - shift, size_.height, 1};
    regions[1].imageOffset = {int32_t(size_.width - shift), 0, 0};
    regions[1].imageExtent = {shift, size_.height, 1};
    vkCmdCopyBufferToImage(commands, picture_.buffer.get(), image,
                           VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL, shift > 0 ? 2 : 1, regions.data());

    // vkQueuePresentKHR makes the writes visible to the window system by itself: no access mask and
    // no later stage are needed here.
    transition(commands, image, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL,
               VK_IMAGE_LAYOUT_PRESENT_SRC_KHR, VK_ACCESS_TRANSFER_WRITE_BIT, 0,
               VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT);
}

} // namespace fencebridge::still
