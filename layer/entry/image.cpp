// SPDX-License-Identifier: MIT
#include <algorithm>
#include <expected>
#include <span>
#include <vector>

#include "entry/entry_points.hpp"
#include "entry/guard.hpp"
#include "entry/registry.hpp"
#include "image/alias.hpp"
#include "util/log.hpp"
#include "vk/chain.hpp"

// Images of the application that are bound to a swapchain's memory (VK_KHR_swapchain with Vulkan
// 1.1): aliases.

namespace fencebridge::entry {

namespace {

/// The layer's swapchain to whose memory the image will be bound, or null.
std::shared_ptr<Swapchain> swapchain_of_image(Device& device, const VkImageCreateInfo& info) {
    const auto* of = vk::find<VkImageSwapchainCreateInfoKHR>(info.pNext);
    return of == nullptr ? nullptr : device.find_swapchain(of->swapchain);
}

std::shared_ptr<Swapchain> swapchain_of_binding(Device& device, const VkBindImageMemoryInfo& info) {
    const auto* bind = vk::find<VkBindImageMemorySwapchainInfoKHR>(info.pNext);
    if (bind == nullptr || bind->swapchain == VK_NULL_HANDLE)
        return nullptr;
    return device.find_swapchain(bind->swapchain);
}

/// A binding with the memory of the swapchain image in place of the swapchain.
/// VkBindImageMemoryDeviceGroupInfo is dropped: there is one device. VkBindMemoryStatus is kept:
/// the driver writes to it.
struct MemoryBinding {
    VkBindImageMemoryInfo info;
#ifdef FENCEBRIDGE_HAVE_BIND_MEMORY_STATUS
    VkBindMemoryStatusKHR status;
#endif
};

std::expected<MemoryBinding, VkResult> bind_to_memory(Swapchain& swapchain,
                                                      const VkBindImageMemoryInfo& info) {
    const auto* bind = vk::find<VkBindImageMemorySwapchainInfoKHR>(info.pNext);
    if (bind->imageIndex >= swapchain.images().size()) {
        log::error("vkBindImageMemory2: the swapchain has no image %u", bind->imageIndex);
        return std::unexpected(VK_ERROR_VALIDATION_FAILED_EXT);
    }
    const auto memory = swapchain.memory_for_alias(bind->imageIndex, info.image);
    if (!memory)
        return std::unexpected(memory.error());
    MemoryBinding binding = {};
    binding.info = {
        .sType = VK_STRUCTURE_TYPE_BIND_IMAGE_MEMORY_INFO,
        .image = info.image,
        .memory = *memory,
    };
#ifdef FENCEBRIDGE_HAVE_BIND_MEMORY_STATUS
    if (const auto* status = vk::find<VkBindMemoryStatusKHR>(info.pNext))
        binding.status = {.sType = status->sType, .pNext = nullptr, .pResult = status->pResult};
#endif
    return binding;
}

} // namespace

VKAPI_ATTR VkResult VKAPI_CALL CreateImage(VkDevice handle, const VkImageCreateInfo* create_info,
                                           const VkAllocationCallbacks* allocator, VkImage* image) {
    return guarded([&] {
        const auto device = find_device(handle);
        const auto swapchain = swapchain_of_image(*device, *create_info);
        if (!swapchain)
            return device->vk.next.CreateImage(handle, create_info, allocator, image);
        // VkImageSwapchainCreateInfoKHR requires all other members to match the swapchain.
        return image::create_alias(device->vk, swapchain->image_parameters(),
                                   swapchain->images().front(), allocator, image);
    });
}

VKAPI_ATTR void VKAPI_CALL GetDeviceImageSubresourceLayout(
    VkDevice handle, const vk::DeviceImageSubresourceInfo* info, void* layout) {
    guarded_void([&] {
        const auto device = find_device(handle);
        if (!swapchain_of_image(*device, *info->pCreateInfo))
            return device->vk.next.GetDeviceImageSubresourceLayout(handle, info, layout);
        // The driver is asked about an equal image that belongs to no swapchain.
        VkImageCreateInfo plain = *info->pCreateInfo;
        plain.pNext = nullptr;
        VkImageFormatListCreateInfo views;
        if (const auto* list = vk::find<VkImageFormatListCreateInfo>(info->pCreateInfo->pNext)) {
            views = *list;
            views.pNext = nullptr;
            plain.pNext = &views;
        }
        vk::DeviceImageSubresourceInfo question = *info;
        question.pCreateInfo = &plain;
        device->vk.next.GetDeviceImageSubresourceLayout(handle, &question, layout);
    });
}

VKAPI_ATTR VkResult VKAPI_CALL BindImageMemory2(VkDevice handle, uint32_t count,
                                                const VkBindImageMemoryInfo* infos) {
    return guarded([&] {
        const auto device = find_device(handle);
        const std::span all(infos, count);
        std::vector<std::shared_ptr<Swapchain>> swapchains(count);
        std::ranges::transform(all, swapchains.begin(), [&](const VkBindImageMemoryInfo& info) {
            return swapchain_of_binding(*device, info);
        });
        if (std::ranges::none_of(swapchains, [](const auto& one) { return one != nullptr; }))
            return device->vk.next.BindImageMemory2(handle, count, infos);

        std::vector<MemoryBinding> bindings(count);
        std::vector<VkBindImageMemoryInfo> rewritten(all.begin(), all.end());
        for (uint32_t i = 0; i < count; ++i) {
            if (!swapchains[i])
                continue;
            const auto binding = bind_to_memory(*swapchains[i], all[i]);
            if (!binding)
                return binding.error();
            bindings[i] = *binding;
#ifdef FENCEBRIDGE_HAVE_BIND_MEMORY_STATUS
            if (bindings[i].status.pResult != nullptr)
                vk::push_next(bindings[i].info, bindings[i].status);
#endif
            rewritten[i] = bindings[i].info;
        }
        return device->vk.next.BindImageMemory2(handle, count, rewritten.data());
    });
}

} // namespace fencebridge::entry
