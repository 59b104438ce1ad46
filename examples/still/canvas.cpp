// SPDX-License-Identifier: MIT
#include "canvas.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "enumerate.hpp"
#include "failure.hpp"
#include "layout.hpp"

namespace fencebridge::still {

namespace {

void require_present_mode(VkPhysicalDevice device, VkSurfaceKHR surface, VkPresentModeKHR mode) {
    auto modes = enumerate<VkPresentModeKHR>(
        "vkGetPhysicalDeviceSurfacePresentModesKHR", [&](uint32_t* count, VkPresentModeKHR* all) {
            return vkGetPhysicalDeviceSurfacePresentModesKHR(device, surface, count, all);
        });
    if (std::ranges::find(modes, mode) == modes.end())
        throw Unsupported(std::string("the surface has no present mode ") + name_of(mode));
}

VkExtent2D choose_extent(const VkSurfaceCapabilitiesKHR& capabilities, Size size) {
    // This value means that the swapchain decides the size of the window, as on Wayland.
    constexpr uint32_t by_swapchain = std::numeric_limits<uint32_t>::max();
    if (capabilities.currentExtent.width != by_swapchain)
        return capabilities.currentExtent;
    return {std::clamp(size.width, capabilities.minImageExtent.width,
                       capabilities.maxImageExtent.width),
            std::clamp(size.height, capabilities.minImageExtent.height,
                       capabilities.maxImageExtent.height)};
}

// The window system may hold minImageCount - 1 images. One image more than the minimum leaves two
// for the program, so that acquire seldom has to wait.
uint32_t choose_image_count(const VkSurfaceCapabilitiesKHR& capabilities) {
    uint32_t wanted = capabilities.minImageCount + 1;
    bool bounded = capabilities.maxImageCount > 0;
    return bounded ? std::min(wanted, capabilities.maxImageCount) : wanted;
}

} // namespace

Canvas::Canvas(const Gpu& gpu, Surface surface, const Options& options) :
    gpu_(gpu), present_mode_(options.present_mode), alpha_(options.alpha),
    surface_(std::move(surface)) {
    require_present_mode(gpu_.physical_device(), surface_.get(), present_mode_);
    choose_format(options);
}

void Canvas::choose_format(const Options& options) {
    auto offered = gpu_.formats_of(surface_);
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
    VkSurfaceCapabilitiesKHR capabilities = gpu_.capabilities_of(surface_);
    if (!(capabilities.supportedCompositeAlpha & alpha_))
        throw Unsupported("the surface lacks the alpha mode asked for");
    if (!(capabilities.supportedUsageFlags & VK_IMAGE_USAGE_TRANSFER_DST_BIT))
        throw Unsupported("images of the surface cannot be copied to");

    VkExtent2D extent = choose_extent(capabilities, size);
    // The last image of the old swapchain stays on the screen until the first image of the new one
    // is presented.
    Swapchain fresh =
        gpu_.create_swapchain(surface_, {.format = format_->format,
                                         .extent = extent,
                                         .min_images = choose_image_count(capabilities),
                                         .alpha = alpha_,
                                         .mode = present_mode_,
                                         .old = swapchain_.get()});

    // Submitted work may still use the old images, their semaphores and the old picture. Core
    // Vulkan cannot tell when presents have waited for their semaphores, so applications rely on an
    // idle device for that, too.
    gpu_.wait_idle();
    drawn_.clear();
    swapchain_ = std::move(fresh);
    size_ = {extent.width, extent.height};
    images_ = gpu_.images_of(swapchain_);
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
    change_layout(commands, image, to_be_written);

    // First the columns from `shift` on, then, to their right, the columns before `shift`.
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

    change_layout(commands, image, to_be_presented);
}

} // namespace fencebridge::still
