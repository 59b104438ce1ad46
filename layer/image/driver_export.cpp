// SPDX-License-Identifier: MIT
#include "image/swapchain_image.hpp"

#include <algorithm>
#include <optional>

#include "util/log.hpp"
#include "vk/chain.hpp"

namespace fencebridge::image {

namespace {

/// A VkImageCreateInfo with its chain, which points into itself and into `parameters`.
class CreateInfo {
public:
    explicit CreateInfo(const vk::ImageParameters& parameters) {
        info_.flags = parameters.flags;
        info_.format = parameters.format;
        info_.extent = {parameters.extent.width, parameters.extent.height, 1};
        info_.usage = parameters.usage;
        info_.sharingMode = parameters.sharing;
        info_.queueFamilyIndexCount = static_cast<uint32_t>(parameters.queue_families.size());
        info_.pQueueFamilyIndices = parameters.queue_families.data();
        vk::chain(info_, external_);
        if (!parameters.view_formats.empty()) {
            views_.viewFormatCount = static_cast<uint32_t>(parameters.view_formats.size());
            views_.pViewFormats = parameters.view_formats.data();
            vk::chain(info_, views_);
        }
    }
    CreateInfo(const CreateInfo&) = delete;
    CreateInfo& operator=(const CreateInfo&) = delete;

    /// Adds one more structure, which must outlive this.
    template <class Link>
    const VkImageCreateInfo* with(Link& link) {
        vk::chain(info_, link);
        return &info_;
    }

private:
    VkImageCreateInfo info_ = {
        .sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
        .imageType = VK_IMAGE_TYPE_2D,
        .mipLevels = 1,
        .arrayLayers = 1,
        .samples = VK_SAMPLE_COUNT_1_BIT,
        .tiling = VK_IMAGE_TILING_DRM_FORMAT_MODIFIER_EXT,
        .initialLayout = VK_IMAGE_LAYOUT_UNDEFINED,
    };
    VkExternalMemoryImageCreateInfo external_ = {
        .sType = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_IMAGE_CREATE_INFO,
        .handleTypes = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT,
    };
    VkImageFormatListCreateInfo views_ = {.sType = VK_STRUCTURE_TYPE_IMAGE_FORMAT_LIST_CREATE_INFO};
};

std::expected<vk::Image, VkResult> create_image(const vk::Device& device,
                                                const vk::ImageParameters& parameters,
                                                std::span<const vk::DriverModifier> modifiers) {
    std::vector<uint64_t> allowed(modifiers.size());
    std::ranges::transform(modifiers, allowed.begin(), &vk::DriverModifier::modifier);
    VkImageDrmFormatModifierListCreateInfoEXT list = {
        .sType = VK_STRUCTURE_TYPE_IMAGE_DRM_FORMAT_MODIFIER_LIST_CREATE_INFO_EXT,
        .drmFormatModifierCount = static_cast<uint32_t>(allowed.size()),
        .pDrmFormatModifiers = allowed.data(),
    };
    CreateInfo info(parameters);
    VkImage image = VK_NULL_HANDLE;
    const VkResult result =
        device.next.CreateImage(device.handle, info.with(list), nullptr, &image);
    if (result != VK_SUCCESS)
        return std::unexpected(result);
    return vk::Image(device, image);
}

/// The first allowed type, a device-local one if there is any; nothing when none is allowed.
std::optional<uint32_t> choose_memory_type(const vk::Device& device, uint32_t allowed) {
    std::optional<uint32_t> any;
    for (uint32_t i = 0; i < device.memory.memoryTypeCount; ++i) {
        if (!(allowed & (1u << i)))
            continue;
        if (device.memory.memoryTypes[i].propertyFlags & VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT)
            return i;
        if (!any)
            any = i;
    }
    return any;
}

struct Requirements {
    VkDeviceSize size;
    uint32_t memory_types;
    bool dedicated;
};

Requirements query_requirements(const vk::Device& device, VkImage image) {
    VkMemoryDedicatedRequirements dedicated = {.sType =
                                                   VK_STRUCTURE_TYPE_MEMORY_DEDICATED_REQUIREMENTS};
    VkMemoryRequirements2 requirements = {.sType = VK_STRUCTURE_TYPE_MEMORY_REQUIREMENTS_2,
                                          .pNext = &dedicated};
    const VkImageMemoryRequirementsInfo2 of = {
        .sType = VK_STRUCTURE_TYPE_IMAGE_MEMORY_REQUIREMENTS_INFO_2, .image = image};
    device.next.GetImageMemoryRequirements2(device.handle, &of, &requirements);
    return {.size = requirements.memoryRequirements.size,
            .memory_types = requirements.memoryRequirements.memoryTypeBits,
            .dedicated =
                dedicated.prefersDedicatedAllocation || dedicated.requiresDedicatedAllocation};
}

/// @param chain  what else the allocation is to be: VkMemoryAllocateInfo's pNext
std::expected<vk::Memory, VkResult> allocate(const vk::Device& device,
                                             const Requirements& requirements, const void* chain) {
    const auto type = choose_memory_type(device, requirements.memory_types);
    if (!type)
        return std::unexpected(VK_ERROR_OUT_OF_DEVICE_MEMORY);
    const VkMemoryAllocateInfo info = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
        .pNext = chain,
        .allocationSize = requirements.size,
        .memoryTypeIndex = *type,
    };
    VkDeviceMemory memory = VK_NULL_HANDLE;
    const VkResult result = device.next.AllocateMemory(device.handle, &info, nullptr, &memory);
    if (result != VK_SUCCESS)
        return std::unexpected(result);
    return vk::Memory(device, memory);
}

std::expected<vk::Memory, VkResult> allocate_exportable(const vk::Device& device, VkImage image,
                                                        const Requirements& requirements) {
    VkExportMemoryAllocateInfo exportable = {
        .sType = VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO,
        .handleTypes = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT,
    };
    VkMemoryDedicatedAllocateInfo for_image = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO, .image = image};
    if (requirements.dedicated)
        vk::chain(exportable, for_image);
    return allocate(device, requirements, &exportable);
}

std::expected<Fd, VkResult> export_dma_buf(const vk::Device& device, VkDeviceMemory memory) {
    const VkMemoryGetFdInfoKHR info = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_GET_FD_INFO_KHR,
        .memory = memory,
        .handleType = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT,
    };
    int fd = -1;
    const VkResult result = device.next.GetMemoryFdKHR(device.handle, &info, &fd);
    if (result != VK_SUCCESS)
        return std::unexpected(result);
    return Fd(fd);
}

std::expected<Layout, VkResult> query_layout(const vk::Device& device, VkImage image,
                                             std::span<const vk::DriverModifier> modifiers) {
    VkImageDrmFormatModifierPropertiesEXT chosen = {
        .sType = VK_STRUCTURE_TYPE_IMAGE_DRM_FORMAT_MODIFIER_PROPERTIES_EXT};
    const VkResult result =
        device.next.GetImageDrmFormatModifierPropertiesEXT(device.handle, image, &chosen);
    if (result != VK_SUCCESS)
        return std::unexpected(result);
    const auto known =
        std::ranges::find(modifiers, chosen.drmFormatModifier, &vk::DriverModifier::modifier);
    if (known == modifiers.end() || known->planes < 1 || known->planes > 4) {
        log::error("driver \"%s\" made an image with modifier 0x%llx, which was not asked for",
                   device.driver.c_str(),
                   static_cast<unsigned long long>(chosen.drmFormatModifier));
        return std::unexpected(VK_ERROR_INITIALIZATION_FAILED);
    }

    Layout layout = {.modifier = known->modifier, .plane_count = known->planes, .planes = {}};
    for (uint32_t i = 0; i < layout.plane_count; ++i) {
        const VkImageSubresource plane = {
            // The aspects of the four memory planes are consecutive bits.
            .aspectMask = static_cast<VkImageAspectFlags>(VK_IMAGE_ASPECT_MEMORY_PLANE_0_BIT_EXT)
                          << i,
            .mipLevel = 0,
            .arrayLayer = 0,
        };
        VkSubresourceLayout where = {};
        device.next.GetImageSubresourceLayout(device.handle, image, &plane, &where);
        if (where.offset > UINT32_MAX || where.rowPitch > UINT32_MAX)
            return std::unexpected(
                VK_ERROR_INITIALIZATION_FAILED); // more than the protocol can say
        layout.planes[i] = {.offset = static_cast<uint32_t>(where.offset),
                            .pitch = static_cast<uint32_t>(where.rowPitch)};
    }
    return layout;
}

} // namespace

std::expected<SwapchainImage, VkResult>
allocate_by_driver_export(const vk::Device& device, const vk::ImageParameters& parameters,
                          std::span<const vk::DriverModifier> modifiers) {
    auto image = create_image(device, parameters, modifiers);
    if (!image)
        return std::unexpected(image.error());
    auto layout = query_layout(device, image->get(), modifiers);
    if (!layout)
        return std::unexpected(layout.error());
    Requirements requirements = query_requirements(device, image->get());
    requirements.dedicated |= std::ranges::any_of(modifiers, &vk::DriverModifier::dedicated_only);
    auto memory = allocate_exportable(device, image->get(), requirements);
    if (!memory)
        return std::unexpected(memory.error());
    const VkResult bound =
        device.next.BindImageMemory(device.handle, image->get(), memory->get(), 0);
    if (bound != VK_SUCCESS)
        return std::unexpected(bound);
    auto dma_buf = export_dma_buf(device, memory->get());
    if (!dma_buf)
        return std::unexpected(dma_buf.error());
    return SwapchainImage{std::move(*dma_buf), std::move(*memory), std::move(*image), *layout,
                          requirements.dedicated};
}

std::expected<vk::Memory, VkResult> import_for_alias(const vk::Device& device,
                                                     const SwapchainImage& image, VkImage alias) {
    auto exported = export_dma_buf(device, image.memory.get());
    if (!exported)
        return std::unexpected(VK_ERROR_OUT_OF_HOST_MEMORY);
    Fd dma_buf = std::move(*exported);
    VkMemoryFdPropertiesKHR importable = {.sType = VK_STRUCTURE_TYPE_MEMORY_FD_PROPERTIES_KHR};
    const VkResult result = device.next.GetMemoryFdPropertiesKHR(
        device.handle, VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT, dma_buf.get(), &importable);
    if (result != VK_SUCCESS)
        return std::unexpected(VK_ERROR_OUT_OF_DEVICE_MEMORY);

    Requirements requirements = query_requirements(device, alias);
    requirements.memory_types &= importable.memoryTypeBits;
    VkImportMemoryFdInfoKHR import = {
        .sType = VK_STRUCTURE_TYPE_IMPORT_MEMORY_FD_INFO_KHR,
        .handleType = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT,
        .fd = dma_buf.get(),
    };
    VkMemoryDedicatedAllocateInfo for_alias = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO, .image = alias};
    vk::chain(import, for_alias);
    auto memory = allocate(device, requirements, &import);
    if (memory)
        static_cast<void>(dma_buf.release()); // the driver's, once it has imported it
    return memory;
}

VkResult create_alias(const vk::Device& device, const vk::ImageParameters& parameters,
                      const Layout& layout, const VkAllocationCallbacks* allocator,
                      VkImage* image) {
    std::array<VkSubresourceLayout, 4> planes = {};
    for (uint32_t i = 0; i < layout.plane_count; ++i)
        planes[i] = {.offset = layout.planes[i].offset, .rowPitch = layout.planes[i].pitch};
    VkImageDrmFormatModifierExplicitCreateInfoEXT same = {
        .sType = VK_STRUCTURE_TYPE_IMAGE_DRM_FORMAT_MODIFIER_EXPLICIT_CREATE_INFO_EXT,
        .drmFormatModifier = layout.modifier,
        .drmFormatModifierPlaneCount = layout.plane_count,
        .pPlaneLayouts = planes.data(),
    };
    CreateInfo info(parameters);
    return device.next.CreateImage(device.handle, info.with(same), allocator, image);
}

} // namespace fencebridge::image
