// SPDX-License-Identifier: MIT
// Images and their views.
#include <algorithm>
#include <sys/stat.h>

#include "chain.hpp"
#include "entry_points.hpp"
#include "format.hpp"
#include "sync_state.hpp"

namespace fencebridge::fake_driver {
namespace {

constexpr uint32_t all_memory_types = 0b11;

/// The layout for VK_IMAGE_TILING_OPTIMAL and VK_IMAGE_TILING_LINEAR: that of the format's first
/// modifier. A format without modifiers, such as a depth format, has a plain layout.
FakeDriverModifier plain_layout(const DeviceSettings& settings, VkFormat format) {
    const auto entry = settings.formats.find(format);
    if (entry != settings.formats.end() && !entry->second.empty())
        return entry->second.front();
    FakeDriverModifier plain{};
    plain.plane_count = 1;
    plain.pitch_alignment = 256;
    plain.aliasable = VK_TRUE;
    return plain;
}

FakeDriverModifier linear_layout(const DeviceSettings& settings, VkFormat format) {
    FakeDriverModifier layout = plain_layout(settings, format);
    layout.plane_count = 1;
    if (settings.linear_layout)
        layout.pitch_alignment = settings.linear_layout->pitch_alignment;
    if (settings.linear_features)
        layout.features = *settings.linear_features;
    return layout;
}

/// Of the modifiers in the list, the first in the driver's order of preference.
std::optional<FakeDriverModifier>
choose_modifier(const DeviceSettings& settings, VkFormat format,
                const VkImageDrmFormatModifierListCreateInfoEXT& list) {
    const std::span wanted{list.pDrmFormatModifiers, list.drmFormatModifierCount};
    for (const uint64_t modifier : wanted)
        if (!settings.modifier(format, modifier))
            misuse("vkCreateImage: a modifier that the format does not have");
    const auto entry = settings.formats.find(format);
    if (entry == settings.formats.end())
        return std::nullopt;
    for (const FakeDriverModifier& candidate : entry->second)
        if (std::ranges::find(wanted, candidate.modifier) != wanted.end())
            return candidate;
    return std::nullopt;
}

/// The layout that the create info requests; none if the driver does not have it.
std::optional<FakeDriverModifier> image_layout(const Device& device, const DeviceSettings& settings,
                                               const VkImageCreateInfo& info) {
    if (info.tiling == VK_IMAGE_TILING_LINEAR)
        return linear_layout(settings, info.format);
    if (info.tiling != VK_IMAGE_TILING_DRM_FORMAT_MODIFIER_EXT)
        return plain_layout(settings, info.format);
    if (!device.has(VK_EXT_IMAGE_DRM_FORMAT_MODIFIER_EXTENSION_NAME)) {
        misuse("vkCreateImage: modifier tiling without the extension");
        return std::nullopt;
    }
    if (const auto* const list = find_in<VkImageDrmFormatModifierListCreateInfoEXT>(
            info.pNext, VK_STRUCTURE_TYPE_IMAGE_DRM_FORMAT_MODIFIER_LIST_CREATE_INFO_EXT))
        return choose_modifier(settings, info.format, *list);
    if (const auto* const chosen = find_in<VkImageDrmFormatModifierExplicitCreateInfoEXT>(
            info.pNext, VK_STRUCTURE_TYPE_IMAGE_DRM_FORMAT_MODIFIER_EXPLICIT_CREATE_INFO_EXT))
        return settings.modifier(info.format, chosen->drmFormatModifier);
    misuse("vkCreateImage: modifier tiling without modifiers");
    return std::nullopt;
}

/// Applies a layout that the application has chosen.
/// @return false if the rows are too short
bool set_layout(std::vector<Plane>& planes,
                const VkImageDrmFormatModifierExplicitCreateInfoEXT& given, uint32_t height) {
    if (given.drmFormatModifierPlaneCount != planes.size()) {
        misuse("vkCreateImage: another number of planes than the modifier has");
        return false;
    }
    for (size_t i = 0; i < planes.size(); ++i) {
        const VkSubresourceLayout& wanted = given.pPlaneLayouts[i];
        if (wanted.size != 0)
            misuse("vkCreateImage: VkSubresourceLayout::size is not 0");
        if (wanted.rowPitch < planes[i].pitch)
            return false;
        planes[i] = {
            .offset = wanted.offset, .pitch = wanted.rowPitch, .size = wanted.rowPitch * height};
    }
    return true;
}

/// Reports a swapchain that is not the driver's.
void check_swapchain(const void* next) {
    const auto* const info = find_in<VkImageSwapchainCreateInfoKHR>(
        next, VK_STRUCTURE_TYPE_IMAGE_SWAPCHAIN_CREATE_INFO_KHR);
    if (info != nullptr && info->swapchain != VK_NULL_HANDLE)
        (void)objects().swapchains.find(info->swapchain);
}

VkResult create_image(VkDevice handle, const VkImageCreateInfo* info, const VkAllocationCallbacks*,
                      VkImage* result) {
    if (const auto failure = enter("vkCreateImage"))
        return *failure;
    Device* const device = from_handle<Device>(handle);
    const DeviceSettings settings = current_device_settings(device->physical_device->index);
    check_swapchain(info->pNext);
    const auto layout = image_layout(*device, settings, *info);
    if (!layout)
        return VK_ERROR_OUT_OF_DEVICE_MEMORY;
    const bool is_linear = info->tiling == VK_IMAGE_TILING_LINEAR;
    if ((info->tiling == VK_IMAGE_TILING_DRM_FORMAT_MODIFIER_EXT ||
         (is_linear && settings.linear_features)) &&
        (features_for(info->usage) & ~layout->features) != 0)
        misuse("vkCreateImage: usage that the modifier or the linear tiling does not have");
    const bool aliases = (info->flags & VK_IMAGE_CREATE_ALIAS_BIT) != 0;
    if (aliases && !layout->aliasable)
        misuse("vkCreateImage: VK_IMAGE_CREATE_ALIAS_BIT, which the modifier does not have");
    if (aliases && device->api_version < VK_API_VERSION_1_1 &&
        !device->has(VK_KHR_BIND_MEMORY_2_EXTENSION_NAME))
        misuse("vkCreateImage: VK_IMAGE_CREATE_ALIAS_BIT without VK_KHR_bind_memory2");
    const auto* const external = find_in<VkExternalMemoryImageCreateInfo>(
        info->pNext, VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_IMAGE_CREATE_INFO);
    const VkExternalMemoryHandleTypeFlags types = external != nullptr ? external->handleTypes : 0;
    if ((types & ~settings.handle_types()) != 0)
        misuse("vkCreateImage: a handle type that the driver does not have");
    std::vector<Plane> planes = lay_out(info->format, info->extent, *layout);
    const auto* const given = find_in<VkImageDrmFormatModifierExplicitCreateInfoEXT>(
        info->pNext, VK_STRUCTURE_TYPE_IMAGE_DRM_FORMAT_MODIFIER_EXPLICIT_CREATE_INFO_EXT);
    if (given != nullptr && !set_layout(planes, *given, info->extent.height))
        return VK_ERROR_INVALID_DRM_FORMAT_MODIFIER_PLANE_LAYOUT_EXT;
    *result = objects().images.add(
        {.device = device,
         .tiling = info->tiling,
         .modifier = layout->modifier,
         .planes = std::move(planes),
         .padding = is_linear && settings.linear_layout ? settings.linear_layout->padding : 0,
         .handle_types = types,
         .format = info->format,
         .bytes_per_pixel = bytes_per_pixel(info->format),
         .extent = info->extent,
         .usage = info->usage,
         .layout = info->initialLayout,
         .bound = false,
         .aliases = aliases,
         .backing = {}});
    return VK_SUCCESS;
}

void destroy_image(VkDevice, VkImage handle, const VkAllocationCallbacks*) {
    note("vkDestroyImage");
    if (const auto image = objects().images.remove(handle))
        require_unused(image->use, "vkDestroyImage");
}

void get_requirements(VkDevice, VkImage handle, VkMemoryRequirements* requirements) {
    const auto image = objects().images.find(handle);
    *requirements = {.size = 0, .alignment = 4096, .memoryTypeBits = all_memory_types};
    if (image != nullptr)
        requirements->size = image->size();
}

void get_requirements2(VkDevice device, const VkImageMemoryRequirementsInfo2* info,
                       VkMemoryRequirements2* requirements) {
    note_query("vkGetImageMemoryRequirements2");
    get_requirements(device, info->image, &requirements->memoryRequirements);
    auto* const dedicated = find_out<VkMemoryDedicatedRequirements>(
        requirements->pNext, VK_STRUCTURE_TYPE_MEMORY_DEDICATED_REQUIREMENTS);
    if (dedicated == nullptr)
        return;
    const DeviceSettings settings =
        current_device_settings(from_handle<Device>(device)->physical_device->index);
    dedicated->requiresDedicatedAllocation = settings.requires_dedicated ? VK_TRUE : VK_FALSE;
    dedicated->prefersDedicatedAllocation =
        settings.prefers_dedicated || settings.requires_dedicated ? VK_TRUE : VK_FALSE;
}

FileId file_of(const Memory& memory) {
    struct stat status {};
    if (!memory.fd.valid() || fstat(memory.fd.get(), &status) != 0)
        return {};
    return {.device = status.st_dev, .inode = status.st_ino};
}

/// Binds the image. Two images may share memory only if both have VK_IMAGE_CREATE_ALIAS_BIT and
/// equal parameters (the specification's "Memory Aliasing").
void bind(Image& image, const std::shared_ptr<Memory>& memory, VkDeviceSize offset) {
    const FileId file = file_of(*memory);
    // Other threads read the memory of all images as well, so it is read and written under one
    // lock.
    bool allowed = true;
    objects().images.for_each([&](Image& other) {
        if (&other == &image) {
            other.backing = file;
            other.memory = memory;
            other.memory_offset = offset;
        } else if (other.memory.lock() == memory || (file != FileId{} && other.backing == file)) {
            allowed = allowed && other.aliases && image.aliases && other.usage == image.usage;
        }
    });
    if (!allowed)
        misuse("vkBindImageMemory: two images in one memory that differ, or without "
               "VK_IMAGE_CREATE_ALIAS_BIT");
}

VkResult check_binding(VkImage handle, VkDeviceMemory memory_handle, VkDeviceSize offset) {
    const auto image = objects().images.find(handle);
    const auto memory = objects().memories.find(memory_handle);
    if (image == nullptr || memory == nullptr)
        return VK_ERROR_OUT_OF_DEVICE_MEMORY;
    if (std::exchange(image->bound, true))
        misuse("vkBindImageMemory: bound already");
    const DeviceSettings settings = current_device_settings(image->device->physical_device->index);
    if (settings.requires_dedicated && memory->dedicated_image != handle)
        misuse("vkBindImageMemory: the image needs a dedicated allocation");
    if (memory->dedicated_image != VK_NULL_HANDLE && memory->dedicated_image != handle)
        misuse("vkBindImageMemory: the memory is dedicated to another image");
    // VUID-vkBindImageMemory-memory-02989 and -02728
    if ((memory->imported_as & ~image->handle_types) != 0 ||
        (memory->exportable && image->handle_types == 0))
        misuse("vkBindImageMemory: external memory for an image that was not made for it");
    if (memory->size < offset + image->size())
        misuse("vkBindImageMemory: the memory is too small");
    if (memory->imported_size != 0 &&
        memory->imported_size < image->size() + settings.import_padding)
        return VK_ERROR_OUT_OF_DEVICE_MEMORY;
    bind(*image, memory, offset);
    return VK_SUCCESS;
}

VkResult bind_memory(VkDevice, VkImage image, VkDeviceMemory memory, VkDeviceSize offset) {
    if (const auto failure = enter("vkBindImageMemory"))
        return *failure;
    return check_binding(image, memory, offset);
}

/// Binds an image to memory, or to an image of a native swapchain.
VkResult bind_one(const VkBindImageMemoryInfo& info) {
    const auto* const swapchain = find_in<VkBindImageMemorySwapchainInfoKHR>(
        info.pNext, VK_STRUCTURE_TYPE_BIND_IMAGE_MEMORY_SWAPCHAIN_INFO_KHR);
    if (swapchain == nullptr || swapchain->swapchain == VK_NULL_HANDLE)
        return check_binding(info.image, info.memory, info.memoryOffset);
    if (objects().swapchains.find(swapchain->swapchain) == nullptr)
        return VK_ERROR_OUT_OF_DEVICE_MEMORY;
    return VK_SUCCESS;
}

VkResult bind_memory2(VkDevice, uint32_t count, const VkBindImageMemoryInfo* infos) {
    if (const auto failure = enter("vkBindImageMemory2"))
        return *failure;
    for (const VkBindImageMemoryInfo& info : std::span{infos, count})
        if (const VkResult result = bind_one(info); result != VK_SUCCESS)
            return result;
    return VK_SUCCESS;
}

/// The number of the plane that the aspect names. Without modifiers the colour aspect is plane 0.
std::optional<uint32_t> plane_of(const Image& image, VkImageAspectFlags aspect) {
    if (image.tiling != VK_IMAGE_TILING_DRM_FORMAT_MODIFIER_EXT)
        return aspect == VK_IMAGE_ASPECT_COLOR_BIT ? std::optional{0U} : std::nullopt;
    static constexpr VkImageAspectFlagBits aspects[]{
        VK_IMAGE_ASPECT_MEMORY_PLANE_0_BIT_EXT, VK_IMAGE_ASPECT_MEMORY_PLANE_1_BIT_EXT,
        VK_IMAGE_ASPECT_MEMORY_PLANE_2_BIT_EXT, VK_IMAGE_ASPECT_MEMORY_PLANE_3_BIT_EXT};
    for (uint32_t i = 0; i < image.planes.size(); ++i)
        if (aspect == static_cast<VkImageAspectFlags>(aspects[i]))
            return i;
    return std::nullopt;
}

void get_subresource_layout(VkDevice, VkImage handle, const VkImageSubresource* subresource,
                            VkSubresourceLayout* layout) {
    note_query("vkGetImageSubresourceLayout");
    *layout = {};
    const auto image = find_image(handle);
    if (image == nullptr)
        return;
    const auto plane = plane_of(*image, subresource->aspectMask);
    if (!plane || image->tiling == VK_IMAGE_TILING_OPTIMAL) {
        misuse("vkGetImageSubresourceLayout: no such plane, or optimal tiling");
        return;
    }
    layout->offset = image->planes[*plane].offset;
    layout->size = image->planes[*plane].size;
    layout->rowPitch = image->planes[*plane].pitch;
}

/// VkDeviceImageSubresourceInfo and VkSubresourceLayout2, which older headers lack.
struct DeviceImageSubresourceInfo {
    VkStructureType type;
    const void* next;
    const VkImageCreateInfo* create_info;
    const void* subresource;
};
struct SubresourceLayout2 {
    VkStructureType type;
    void* next;
    VkSubresourceLayout layout;
};
using GetDeviceSubresourceLayout = void(VKAPI_PTR*)(VkDevice, const DeviceImageSubresourceInfo*,
                                                    SubresourceLayout2*);

void get_device_subresource_layout(VkDevice, const DeviceImageSubresourceInfo* info,
                                   SubresourceLayout2* layout) {
    note_query("vkGetDeviceImageSubresourceLayout");
    check_swapchain(info->create_info->pNext);
    layout->layout = {};
    layout->layout.rowPitch = VkDeviceSize{info->create_info->extent.width} * 4;
}

VkResult get_modifier_properties(VkDevice, VkImage handle,
                                 VkImageDrmFormatModifierPropertiesEXT* properties) {
    if (const auto failure = enter("vkGetImageDrmFormatModifierPropertiesEXT"))
        return *failure;
    const auto image = find_image(handle);
    if (image == nullptr)
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    if (image->tiling != VK_IMAGE_TILING_DRM_FORMAT_MODIFIER_EXT)
        misuse("vkGetImageDrmFormatModifierPropertiesEXT: not an image with a modifier");
    properties->drmFormatModifier = image->modifier;
    return VK_SUCCESS;
}

VkResult create_view(VkDevice handle, const VkImageViewCreateInfo* info,
                     const VkAllocationCallbacks*, VkImageView* result) {
    if (const auto failure = enter("vkCreateImageView"))
        return *failure;
    if (find_image(info->image) == nullptr)
        return VK_ERROR_OUT_OF_DEVICE_MEMORY;
    *result =
        objects().image_views.add({.device = from_handle<Device>(handle), .image = info->image});
    return VK_SUCCESS;
}

void destroy_view(VkDevice, VkImageView handle, const VkAllocationCallbacks*) {
    note("vkDestroyImageView");
    objects().image_views.remove(handle);
}

} // namespace

std::span<const EntryPoint> image_entry_points() {
    constexpr auto level = Level::device;
    static const EntryPoint table[]{
        entry_point<PFN_vkCreateImage, create_image>("vkCreateImage", level),
        entry_point<PFN_vkDestroyImage, destroy_image>("vkDestroyImage", level),
        entry_point<PFN_vkGetImageMemoryRequirements, get_requirements>(
            "vkGetImageMemoryRequirements", level),
        entry_point<PFN_vkGetImageMemoryRequirements2, get_requirements2>(
            "vkGetImageMemoryRequirements2", level, VK_API_VERSION_1_1),
        entry_point<PFN_vkGetImageMemoryRequirements2, get_requirements2>(
            "vkGetImageMemoryRequirements2KHR", level, never_core,
            VK_KHR_GET_MEMORY_REQUIREMENTS_2_EXTENSION_NAME),
        entry_point<PFN_vkBindImageMemory, bind_memory>("vkBindImageMemory", level),
        entry_point<PFN_vkBindImageMemory2, bind_memory2>("vkBindImageMemory2", level,
                                                          VK_API_VERSION_1_1),
        entry_point<PFN_vkBindImageMemory2, bind_memory2>(
            "vkBindImageMemory2KHR", level, never_core, VK_KHR_BIND_MEMORY_2_EXTENSION_NAME),
        entry_point<PFN_vkGetImageSubresourceLayout, get_subresource_layout>(
            "vkGetImageSubresourceLayout", level),
        entry_point<GetDeviceSubresourceLayout, get_device_subresource_layout>(
            "vkGetDeviceImageSubresourceLayoutKHR", level, never_core, "VK_KHR_maintenance5"),
        entry_point<PFN_vkGetImageDrmFormatModifierPropertiesEXT, get_modifier_properties>(
            "vkGetImageDrmFormatModifierPropertiesEXT", level, never_core,
            VK_EXT_IMAGE_DRM_FORMAT_MODIFIER_EXTENSION_NAME),
        entry_point<PFN_vkCreateImageView, create_view>("vkCreateImageView", level),
        entry_point<PFN_vkDestroyImageView, destroy_view>("vkDestroyImageView", level),
    };
    return table;
}

} // namespace fencebridge::fake_driver
