// SPDX-License-Identifier: MIT
// The driver's own window system, which shows nothing. Its answers are the FAKE_DRIVER_NATIVE_*
// constants, so that a test knows who answered.
#include "chain.hpp"
#include "control.h"
#include "entry_points.hpp"
#include "sync_state.hpp"

#include <vulkan/vulkan_wayland.h>

namespace fencebridge::fake_driver {
namespace {

VkResult add_surface(const char* command, VkInstance instance, VkSurfaceKHR* result) {
    if (const auto failure = enter(command))
        return *failure;
    *result = objects().surfaces.add({.instance = from_handle<Instance>(instance)});
    return VK_SUCCESS;
}

VkResult create_surface(VkInstance instance, const VkWaylandSurfaceCreateInfoKHR*,
                        const VkAllocationCallbacks*, VkSurfaceKHR* result) {
    return add_surface("vkCreateWaylandSurfaceKHR", instance, result);
}

VkResult create_headless_surface(VkInstance instance, const VkHeadlessSurfaceCreateInfoEXT*,
                                 const VkAllocationCallbacks*, VkSurfaceKHR* result) {
    return add_surface("vkCreateHeadlessSurfaceEXT", instance, result);
}

void destroy_surface(VkInstance, VkSurfaceKHR surface, const VkAllocationCallbacks*) {
    note("vkDestroySurfaceKHR");
    objects().surfaces.remove(surface);
}

bool presents(VkPhysicalDevice device, uint32_t queue_family) {
    const auto settings = current_device_settings(from_handle<PhysicalDevice>(device)->index);
    return !settings.families_without_present.contains(queue_family);
}

VkBool32 get_wayland_support(VkPhysicalDevice device, uint32_t queue_family, wl_display*) {
    note_query("vkGetPhysicalDeviceWaylandPresentationSupportKHR");
    return presents(device, queue_family) ? VK_TRUE : VK_FALSE;
}

VkResult get_support(VkPhysicalDevice device, uint32_t queue_family, VkSurfaceKHR surface,
                     VkBool32* supported) {
    if (const auto failure = enter_query("vkGetPhysicalDeviceSurfaceSupportKHR"))
        return *failure;
    // Older loaders pass a handle of their own if the driver did not create a surface, since it
    // lacks the window system's extension.
    const bool is_own = objects().surfaces.find_if_any(surface) != nullptr;
    *supported = is_own && presents(device, queue_family) ? VK_TRUE : VK_FALSE;
    return VK_SUCCESS;
}

VkSurfaceCapabilitiesKHR native_capabilities() {
    VkSurfaceCapabilitiesKHR capabilities{};
    capabilities.minImageCount = FAKE_DRIVER_NATIVE_MIN_IMAGES;
    capabilities.maxImageCount = FAKE_DRIVER_NATIVE_MIN_IMAGES;
    capabilities.currentExtent = {FAKE_DRIVER_NATIVE_WIDTH, FAKE_DRIVER_NATIVE_HEIGHT};
    capabilities.minImageExtent = capabilities.currentExtent;
    capabilities.maxImageExtent = capabilities.currentExtent;
    capabilities.maxImageArrayLayers = 1;
    capabilities.supportedTransforms = VK_SURFACE_TRANSFORM_IDENTITY_BIT_KHR;
    capabilities.currentTransform = VK_SURFACE_TRANSFORM_IDENTITY_BIT_KHR;
    capabilities.supportedCompositeAlpha = VK_COMPOSITE_ALPHA_OPAQUE_BIT_KHR;
    capabilities.supportedUsageFlags =
        VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT | VK_IMAGE_USAGE_TRANSFER_DST_BIT;
    return capabilities;
}

VkResult get_capabilities(VkPhysicalDevice, VkSurfaceKHR surface,
                          VkSurfaceCapabilitiesKHR* capabilities) {
    if (const auto failure = enter_query("vkGetPhysicalDeviceSurfaceCapabilitiesKHR"))
        return *failure;
    if (objects().surfaces.find(surface) == nullptr)
        return VK_ERROR_SURFACE_LOST_KHR;
    *capabilities = native_capabilities();
    return VK_SUCCESS;
}

VkResult get_capabilities2(VkPhysicalDevice, const VkPhysicalDeviceSurfaceInfo2KHR* info,
                           VkSurfaceCapabilities2KHR* capabilities) {
    if (const auto failure = enter_query("vkGetPhysicalDeviceSurfaceCapabilities2KHR"))
        return *failure;
    if (objects().surfaces.find(info->surface) == nullptr)
        return VK_ERROR_SURFACE_LOST_KHR;
    capabilities->surfaceCapabilities = native_capabilities();
    // VkSurfaceCapabilitiesPresentId2KHR and ...PresentWait2KHR, which older headers lack.
    for (auto* link = static_cast<VkBaseOutStructure*>(capabilities->pNext); link != nullptr;
         link = link->pNext)
        if (link->sType == VkStructureType(1000479000) ||
            link->sType == VkStructureType(1000480000))
            *reinterpret_cast<VkBool32*>(link + 1) = VK_TRUE;
    return VK_SUCCESS;
}

VkResult get_capabilities2_ext(VkPhysicalDevice, VkSurfaceKHR surface,
                               VkSurfaceCapabilities2EXT* capabilities) {
    if (const auto failure = enter_query("vkGetPhysicalDeviceSurfaceCapabilities2EXT"))
        return *failure;
    if (objects().surfaces.find(surface) == nullptr)
        return VK_ERROR_SURFACE_LOST_KHR;
    const VkSurfaceCapabilitiesKHR native = native_capabilities();
    capabilities->minImageCount = native.minImageCount;
    capabilities->maxImageCount = native.maxImageCount;
    capabilities->currentExtent = native.currentExtent;
    capabilities->supportedSurfaceCounters = VK_SURFACE_COUNTER_VBLANK_BIT_EXT;
    return VK_SUCCESS;
}

constexpr VkSurfaceFormatKHR native_format{.format = FAKE_DRIVER_NATIVE_FORMAT,
                                           .colorSpace = VK_COLOR_SPACE_SRGB_NONLINEAR_KHR};

VkResult get_formats(VkPhysicalDevice, VkSurfaceKHR surface, uint32_t* count,
                     VkSurfaceFormatKHR* formats) {
    if (const auto failure = enter_query("vkGetPhysicalDeviceSurfaceFormatsKHR"))
        return *failure;
    if (objects().surfaces.find(surface) == nullptr)
        return VK_ERROR_SURFACE_LOST_KHR;
    return enumerate(std::span<const VkSurfaceFormatKHR>{&native_format, 1}, count, formats);
}

VkResult get_formats2(VkPhysicalDevice, const VkPhysicalDeviceSurfaceInfo2KHR* info,
                      uint32_t* count, VkSurfaceFormat2KHR* formats) {
    if (const auto failure = enter_query("vkGetPhysicalDeviceSurfaceFormats2KHR"))
        return *failure;
    if (objects().surfaces.find(info->surface) == nullptr)
        return VK_ERROR_SURFACE_LOST_KHR;
    return enumerate(
        std::span<const VkSurfaceFormatKHR>{&native_format, 1}, count, formats,
        [](VkSurfaceFormat2KHR& to, const VkSurfaceFormatKHR& from) { to.surfaceFormat = from; });
}

VkResult get_present_modes(VkPhysicalDevice device, VkSurfaceKHR surface, uint32_t* count,
                           VkPresentModeKHR* modes) {
    if (const auto failure = enter_query("vkGetPhysicalDeviceSurfacePresentModesKHR"))
        return *failure;
    if (objects().surfaces.find(surface) == nullptr)
        return VK_ERROR_SURFACE_LOST_KHR;
    std::vector<VkPresentModeKHR> native{VK_PRESENT_MODE_IMMEDIATE_KHR};
    const auto settings = current_device_settings(from_handle<PhysicalDevice>(device)->index);
    if (settings.has_extension(VK_KHR_SHARED_PRESENTABLE_IMAGE_EXTENSION_NAME))
        native.push_back(VK_PRESENT_MODE_SHARED_DEMAND_REFRESH_KHR);
    return enumerate(std::span<const VkPresentModeKHR>{native}, count, modes);
}

VkResult get_rectangles(VkPhysicalDevice, VkSurfaceKHR surface, uint32_t* count,
                        VkRect2D* rectangles) {
    static constexpr VkRect2D all{.offset = {0, 0},
                                  .extent = {FAKE_DRIVER_NATIVE_WIDTH, FAKE_DRIVER_NATIVE_HEIGHT}};
    if (const auto failure = enter_query("vkGetPhysicalDevicePresentRectanglesKHR"))
        return *failure;
    if (objects().surfaces.find(surface) == nullptr)
        return VK_ERROR_SURFACE_LOST_KHR;
    return enumerate(std::span<const VkRect2D>{&all, 1}, count, rectangles);
}

bool has_maintenance1(const Device& device) {
    return device.has("VK_EXT_swapchain_maintenance1") ||
           device.has("VK_KHR_swapchain_maintenance1");
}

VkResult create_swapchain(VkDevice handle, const VkSwapchainCreateInfoKHR* info,
                          const VkAllocationCallbacks*, VkSwapchainKHR* result) {
    if (const auto failure = enter("vkCreateSwapchainKHR"))
        return *failure;
    if (objects().surfaces.find(info->surface) == nullptr)
        return VK_ERROR_SURFACE_LOST_KHR;
    if (info->oldSwapchain != VK_NULL_HANDLE)
        (void)objects().swapchains.find(info->oldSwapchain);
    Swapchain swapchain;
    swapchain.device = from_handle<Device>(handle);
    if ((info->flags & VK_SWAPCHAIN_CREATE_DEFERRED_MEMORY_ALLOCATION_BIT_EXT) != 0 &&
        !has_maintenance1(*swapchain.device))
        misuse("vkCreateSwapchainKHR: a flag of an extension that is not enabled");
    for (int i = 0; i < FAKE_DRIVER_NATIVE_MIN_IMAGES; ++i) {
        Image image;
        image.device = swapchain.device;
        swapchain.images.push_back(objects().native_images.add(std::move(image)));
    }
    *result = objects().swapchains.add(std::move(swapchain));
    return VK_SUCCESS;
}

void destroy_swapchain(VkDevice, VkSwapchainKHR handle, const VkAllocationCallbacks*) {
    note("vkDestroySwapchainKHR");
    if (const auto swapchain = objects().swapchains.remove(handle))
        for (const VkImage image : swapchain->images)
            objects().native_images.remove(image);
}

VkResult get_images(VkDevice, VkSwapchainKHR handle, uint32_t* count, VkImage* images) {
    if (const auto failure = enter("vkGetSwapchainImagesKHR"))
        return *failure;
    const auto swapchain = objects().swapchains.find(handle);
    if (swapchain == nullptr)
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    return enumerate(std::span<const VkImage>{swapchain->images}, count, images);
}

/// Returns the next image. The semaphore and the fence are signalled at once.
VkResult acquire(VkSwapchainKHR handle, VkSemaphore semaphore_handle, VkFence fence_handle,
                 uint32_t* index) {
    const auto swapchain = objects().swapchains.find(handle);
    if (swapchain == nullptr)
        return VK_ERROR_SURFACE_LOST_KHR;
    *index = swapchain->next;
    swapchain->next = (swapchain->next + 1) % FAKE_DRIVER_NATIVE_MIN_IMAGES;
    const auto signal = [](SyncObject* object) {
        const std::lock_guard lock{payload_mutex()};
        if (object != nullptr)
            object->current() = Payload{};
    };
    if (semaphore_handle != VK_NULL_HANDLE)
        signal(objects().semaphores.find(semaphore_handle).get());
    if (fence_handle != VK_NULL_HANDLE)
        signal(objects().fences.find(fence_handle).get());
    return VK_SUCCESS;
}

VkResult acquire_next_image(VkDevice, VkSwapchainKHR swapchain, uint64_t, VkSemaphore semaphore,
                            VkFence fence, uint32_t* index) {
    if (const auto failure = enter("vkAcquireNextImageKHR"))
        return *failure;
    return acquire(swapchain, semaphore, fence, index);
}

VkResult acquire_next_image2(VkDevice, const VkAcquireNextImageInfoKHR* info, uint32_t* index) {
    if (const auto failure = enter("vkAcquireNextImage2KHR"))
        return *failure;
    return acquire(info->swapchain, info->semaphore, info->fence, index);
}

PresentRecord make_present_record(const VkPresentInfoKHR& info) {
    PresentRecord record;
    record.swapchains.assign(info.pSwapchains, info.pSwapchains + info.swapchainCount);
    // The call is valid only if each structure has an element for each swapchain.
    const auto copy = [&](const auto* structure, auto* const elements, auto& copies) {
        if (structure == nullptr)
            return;
        if (structure->swapchainCount != info.swapchainCount)
            misuse("vkQueuePresentKHR: a structure with another number of swapchains");
        else if (elements != nullptr)
            copies.assign(elements, elements + info.swapchainCount);
    };
    if (const auto* const ids =
            find_in<VkPresentIdKHR>(info.pNext, VK_STRUCTURE_TYPE_PRESENT_ID_KHR))
        copy(ids, ids->pPresentIds, record.ids);
    if (const auto* const group = find_in<VkDeviceGroupPresentInfoKHR>(
            info.pNext, VK_STRUCTURE_TYPE_DEVICE_GROUP_PRESENT_INFO_KHR))
        copy(group, group->pDeviceMasks, record.device_masks);
    if (const auto* const fences = find_in<VkSwapchainPresentFenceInfoEXT>(
            info.pNext, VK_STRUCTURE_TYPE_SWAPCHAIN_PRESENT_FENCE_INFO_EXT))
        copy(fences, fences->pFences, record.fences);
    if (const auto* const modes = find_in<VkSwapchainPresentModeInfoEXT>(
            info.pNext, VK_STRUCTURE_TYPE_SWAPCHAIN_PRESENT_MODE_INFO_EXT))
        copy(modes, modes->pPresentModes, record.modes);
    if (const auto* const regions =
            find_in<VkPresentRegionsKHR>(info.pNext, VK_STRUCTURE_TYPE_PRESENT_REGIONS_KHR)) {
        std::vector<VkPresentRegionKHR> all;
        copy(regions, regions->pRegions, all);
        for (const VkPresentRegionKHR& region : all)
            record.rectangle_counts.push_back(region.rectangleCount);
    }
    return record;
}

void store_present(PresentRecord made) {
    with_state([&](State& state) {
        PresentRecord& record = state.presents.emplace_back(std::move(made));
        const auto pointer = [](const auto& list) { return list.empty() ? nullptr : list.data(); };
        record.view = {.swapchain_count = static_cast<uint32_t>(record.swapchains.size()),
                       .swapchains = record.swapchains.data(),
                       .rectangle_counts = pointer(record.rectangle_counts),
                       .ids = pointer(record.ids),
                       .device_masks = pointer(record.device_masks),
                       .fences = pointer(record.fences),
                       .modes = pointer(record.modes)};
    });
}

/// Waits for the semaphores on the queue. Then signals the fences, if the device has the extension
/// that defines them.
void wait_and_signal(Queue& queue, std::span<const VkSemaphore> waits,
                     std::span<const VkFence> fences) {
    for (const VkSemaphore handle : waits)
        if (const auto semaphore = objects().semaphores.find(handle)) {
            const std::lock_guard lock{payload_mutex()};
            if (semaphore->current())
                queue.submitted.add(*semaphore->current());
            semaphore->current().reset();
        }
    if (!has_maintenance1(*queue.device))
        return;
    for (const VkFence handle : fences)
        if (const auto fence = handle != VK_NULL_HANDLE ? objects().fences.find(handle) : nullptr) {
            const std::lock_guard lock{payload_mutex()};
            if (fence->current())
                misuse("vkQueuePresentKHR: the fence is signalled or about to be");
            fence->current() = queue.submitted;
            fence->last_use = queue.submitted;
        }
}

VkResult queue_present(VkQueue queue, const VkPresentInfoKHR* info) {
    if (const auto failure = enter("vkQueuePresentKHR"))
        return *failure;
    PresentRecord record = make_present_record(*info);
    wait_and_signal(*from_handle<Queue>(queue), {info->pWaitSemaphores, info->waitSemaphoreCount},
                    record.fences);
    store_present(std::move(record));
    VkResult result = VK_SUCCESS;
    for (uint32_t i = 0; i < info->swapchainCount; ++i) {
        const bool alive = objects().swapchains.find(info->pSwapchains[i]) != nullptr;
        const VkResult one = alive ? VK_SUCCESS : VK_ERROR_SURFACE_LOST_KHR;
        if (info->pResults != nullptr)
            info->pResults[i] = one;
        result = alive ? result : one;
    }
    return result;
}

VkResult release_images(VkDevice, const VkReleaseSwapchainImagesInfoEXT* info) {
    if (const auto failure = enter("vkReleaseSwapchainImagesKHR"))
        return *failure;
    for (const uint32_t index : std::span{info->pImageIndices, info->imageIndexCount})
        if (index >= FAKE_DRIVER_NATIVE_MIN_IMAGES)
            misuse("vkReleaseSwapchainImages: no such image");
    return objects().swapchains.find(info->swapchain) != nullptr ? VK_SUCCESS
                                                                 : VK_ERROR_SURFACE_LOST_KHR;
}

VkResult get_group_capabilities(VkDevice, VkDeviceGroupPresentCapabilitiesKHR* capabilities) {
    if (const auto failure = enter_query("vkGetDeviceGroupPresentCapabilitiesKHR"))
        return *failure;
    std::fill(std::begin(capabilities->presentMask), std::end(capabilities->presentMask), 0U);
    capabilities->presentMask[0] = 1;
    capabilities->modes = VK_DEVICE_GROUP_PRESENT_MODE_LOCAL_BIT_KHR;
    return VK_SUCCESS;
}

VkResult get_group_surface_modes(VkDevice, VkSurfaceKHR surface,
                                 VkDeviceGroupPresentModeFlagsKHR* modes) {
    if (const auto failure = enter_query("vkGetDeviceGroupSurfacePresentModesKHR"))
        return *failure;
    if (objects().surfaces.find(surface) == nullptr)
        return VK_ERROR_SURFACE_LOST_KHR;
    *modes = VK_DEVICE_GROUP_PRESENT_MODE_LOCAL_BIT_KHR;
    return VK_SUCCESS;
}

void set_hdr_metadata(VkDevice, uint32_t count, const VkSwapchainKHR* swapchains,
                      const VkHdrMetadataEXT*) {
    note("vkSetHdrMetadataEXT");
    for (const VkSwapchainKHR swapchain : std::span{swapchains, count})
        (void)objects().swapchains.find(swapchain);
}

VkResult get_status(VkDevice, VkSwapchainKHR swapchain) {
    if (const auto failure = enter_query("vkGetSwapchainStatusKHR"))
        return *failure;
    return objects().swapchains.find(swapchain) != nullptr ? VK_SUCCESS : VK_ERROR_SURFACE_LOST_KHR;
}

VkResult get_counter(VkDevice, VkSwapchainKHR, VkSurfaceCounterFlagBitsEXT, uint64_t* value) {
    note("vkGetSwapchainCounterEXT");
    *value = 0;
    return VK_SUCCESS;
}

std::vector<EntryPoint> surface_table() {
    constexpr auto surface = VK_KHR_SURFACE_EXTENSION_NAME;
    constexpr auto wayland = VK_KHR_WAYLAND_SURFACE_EXTENSION_NAME;
    constexpr auto second = VK_KHR_GET_SURFACE_CAPABILITIES_2_EXTENSION_NAME;
    constexpr auto level = Level::physical_device;
    return {
        entry_point<PFN_vkCreateWaylandSurfaceKHR, create_surface>(
            "vkCreateWaylandSurfaceKHR", Level::instance, never_core, wayland),
        entry_point<PFN_vkCreateHeadlessSurfaceEXT, create_headless_surface>(
            "vkCreateHeadlessSurfaceEXT", Level::instance, never_core,
            VK_EXT_HEADLESS_SURFACE_EXTENSION_NAME),
        entry_point<PFN_vkDestroySurfaceKHR, destroy_surface>("vkDestroySurfaceKHR",
                                                              Level::instance, never_core, surface),
        entry_point<PFN_vkGetPhysicalDeviceWaylandPresentationSupportKHR, get_wayland_support>(
            "vkGetPhysicalDeviceWaylandPresentationSupportKHR", level, never_core, wayland),
        entry_point<PFN_vkGetPhysicalDeviceSurfaceSupportKHR, get_support>(
            "vkGetPhysicalDeviceSurfaceSupportKHR", level, never_core, surface),
        entry_point<PFN_vkGetPhysicalDeviceSurfaceCapabilitiesKHR, get_capabilities>(
            "vkGetPhysicalDeviceSurfaceCapabilitiesKHR", level, never_core, surface),
        entry_point<PFN_vkGetPhysicalDeviceSurfaceFormatsKHR, get_formats>(
            "vkGetPhysicalDeviceSurfaceFormatsKHR", level, never_core, surface),
        entry_point<PFN_vkGetPhysicalDeviceSurfacePresentModesKHR, get_present_modes>(
            "vkGetPhysicalDeviceSurfacePresentModesKHR", level, never_core, surface),
        entry_point<PFN_vkGetPhysicalDeviceSurfaceCapabilities2KHR, get_capabilities2>(
            "vkGetPhysicalDeviceSurfaceCapabilities2KHR", level, never_core, second),
        entry_point<PFN_vkGetPhysicalDeviceSurfaceCapabilities2EXT, get_capabilities2_ext>(
            "vkGetPhysicalDeviceSurfaceCapabilities2EXT", level, never_core,
            VK_EXT_DISPLAY_SURFACE_COUNTER_EXTENSION_NAME),
        entry_point<PFN_vkGetPhysicalDeviceSurfaceFormats2KHR, get_formats2>(
            "vkGetPhysicalDeviceSurfaceFormats2KHR", level, never_core, second),
    };
}

std::vector<EntryPoint> swapchain_table() {
    constexpr auto extension = VK_KHR_SWAPCHAIN_EXTENSION_NAME;
    constexpr auto level = Level::device;
    return {
        entry_point<PFN_vkGetPhysicalDevicePresentRectanglesKHR, get_rectangles>(
            "vkGetPhysicalDevicePresentRectanglesKHR", Level::physical_device, never_core,
            extension),
        entry_point<PFN_vkCreateSwapchainKHR, create_swapchain>("vkCreateSwapchainKHR", level,
                                                                never_core, extension),
        entry_point<PFN_vkDestroySwapchainKHR, destroy_swapchain>("vkDestroySwapchainKHR", level,
                                                                  never_core, extension),
        entry_point<PFN_vkGetSwapchainImagesKHR, get_images>("vkGetSwapchainImagesKHR", level,
                                                             never_core, extension),
        entry_point<PFN_vkAcquireNextImageKHR, acquire_next_image>("vkAcquireNextImageKHR", level,
                                                                   never_core, extension),
        entry_point<PFN_vkAcquireNextImage2KHR, acquire_next_image2>("vkAcquireNextImage2KHR",
                                                                     level, never_core, extension),
        entry_point<PFN_vkQueuePresentKHR, queue_present>("vkQueuePresentKHR", level, never_core,
                                                          extension),
        entry_point<PFN_vkGetDeviceGroupPresentCapabilitiesKHR, get_group_capabilities>(
            "vkGetDeviceGroupPresentCapabilitiesKHR", level, never_core, extension),
        entry_point<PFN_vkGetDeviceGroupSurfacePresentModesKHR, get_group_surface_modes>(
            "vkGetDeviceGroupSurfacePresentModesKHR", level, never_core, extension),
        entry_point<PFN_vkSetHdrMetadataEXT, set_hdr_metadata>(
            "vkSetHdrMetadataEXT", level, never_core, VK_EXT_HDR_METADATA_EXTENSION_NAME),
        entry_point<PFN_vkReleaseSwapchainImagesEXT, release_images>(
            "vkReleaseSwapchainImagesEXT", level, never_core, "VK_EXT_swapchain_maintenance1"),
        entry_point<PFN_vkReleaseSwapchainImagesEXT, release_images>(
            "vkReleaseSwapchainImagesKHR", level, never_core, "VK_KHR_swapchain_maintenance1"),
        // Commands of VK_KHR_shared_presentable_image and VK_EXT_display_control. As with some
        // drivers, devices without these extensions have the commands, too.
        entry_point<PFN_vkGetSwapchainStatusKHR, get_status>("vkGetSwapchainStatusKHR", level),
        entry_point<PFN_vkGetSwapchainCounterEXT, get_counter>("vkGetSwapchainCounterEXT", level),
    };
}

} // namespace

std::span<const EntryPoint> native_wsi_entry_points() {
    static const std::vector<EntryPoint> table = [] {
        std::vector<EntryPoint> all = surface_table();
        const std::vector<EntryPoint> swapchain = swapchain_table();
        all.insert(all.end(), swapchain.begin(), swapchain.end());
        return all;
    }();
    return table;
}

} // namespace fencebridge::fake_driver
