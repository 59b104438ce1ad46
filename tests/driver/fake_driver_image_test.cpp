// SPDX-License-Identifier: MIT
// The fake driver's images, their scripted modifiers, and memory that is exported and imported as a
// file descriptor.
#include <array>

#include "fake_driver_fixture.hpp"

namespace fencebridge::test {
namespace {

const std::vector<const char*> image_extensions{"VK_KHR_external_memory_fd",
                                                "VK_EXT_external_memory_dma_buf",
                                                "VK_EXT_image_drm_format_modifier"};

class FakeDriverImageTest : public FakeDriverTest {
protected:
    static constexpr uint64_t tiled = 0x0100000000000042;
    static constexpr uint64_t preferred = 0x0100000000000043;

    static FakeDriverModifier modifier(uint64_t value, uint32_t planes) {
        return {.modifier = value,
                .plane_count = planes,
                .pitch_alignment = 512,
                .pitch_shift = {0, 4, 0, 0},
                .features = VK_FORMAT_FEATURE_COLOR_ATTACHMENT_BIT,
                .importable = VK_TRUE,
                .exportable = VK_TRUE,
                .dedicated_only = VK_FALSE,
                .aliasable = VK_TRUE};
    }

    static void script_modifiers() {
        const std::array list{modifier(preferred, 2), modifier(tiled, 1)};
        fake_driver().set_format(0, VK_FORMAT_B8G8R8A8_UNORM, list.size(), list.data());
    }

    VkImage make_image(const std::vector<uint64_t>& modifiers) {
        const VkExternalMemoryImageCreateInfo external{
            .sType = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_IMAGE_CREATE_INFO,
            .pNext = nullptr,
            .handleTypes = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT};
        const VkImageDrmFormatModifierListCreateInfoEXT list{
            .sType = VK_STRUCTURE_TYPE_IMAGE_DRM_FORMAT_MODIFIER_LIST_CREATE_INFO_EXT,
            .pNext = &external,
            .drmFormatModifierCount = static_cast<uint32_t>(modifiers.size()),
            .pDrmFormatModifiers = modifiers.data()};
        VkImageCreateInfo info{};
        info.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO;
        info.pNext = &list;
        info.imageType = VK_IMAGE_TYPE_2D;
        info.format = VK_FORMAT_B8G8R8A8_UNORM;
        info.extent = {100, 50, 1};
        info.mipLevels = info.arrayLayers = 1;
        info.samples = VK_SAMPLE_COUNT_1_BIT;
        info.tiling = VK_IMAGE_TILING_DRM_FORMAT_MODIFIER_EXT;
        info.usage = VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT;
        VkImage image = VK_NULL_HANDLE;
        EXPECT_EQ(vkCreateImage(*device_, &info, nullptr, &image), VK_SUCCESS);
        return image;
    }

    VkSubresourceLayout plane_layout(VkImage image, VkImageAspectFlagBits aspect) {
        const VkImageSubresource plane{
            .aspectMask = static_cast<VkImageAspectFlags>(aspect), .mipLevel = 0, .arrayLayer = 0};
        VkSubresourceLayout layout{};
        vkGetImageSubresourceLayout(*device_, image, &plane, &layout);
        return layout;
    }
};

TEST_F(FakeDriverImageTest, TheScriptedModifiersAreListed) {
    script_modifiers();
    make_device(image_extensions);
    VkDrmFormatModifierPropertiesListEXT list{
        .sType = VK_STRUCTURE_TYPE_DRM_FORMAT_MODIFIER_PROPERTIES_LIST_EXT,
        .pNext = nullptr,
        .drmFormatModifierCount = 0,
        .pDrmFormatModifierProperties = nullptr};
    VkFormatProperties2 properties{
        .sType = VK_STRUCTURE_TYPE_FORMAT_PROPERTIES_2, .pNext = &list, .formatProperties = {}};
    vkGetPhysicalDeviceFormatProperties2(instance_->physical_device(), VK_FORMAT_B8G8R8A8_UNORM,
                                         &properties);
    ASSERT_EQ(list.drmFormatModifierCount, 2U);
    std::array<VkDrmFormatModifierPropertiesEXT, 2> modifiers{};
    list.pDrmFormatModifierProperties = modifiers.data();
    vkGetPhysicalDeviceFormatProperties2(instance_->physical_device(), VK_FORMAT_B8G8R8A8_UNORM,
                                         &properties);
    EXPECT_EQ(modifiers[0].drmFormatModifier, preferred);
    EXPECT_EQ(modifiers[0].drmFormatModifierPlaneCount, 2U);
    EXPECT_EQ(modifiers[1].drmFormatModifier, tiled);
}

TEST_F(FakeDriverImageTest, AnImageHasThePlanesOfTheModifierThatTheDriverPrefers) {
    script_modifiers();
    make_device(image_extensions);
    const VkImage image = make_image({tiled, preferred});
    VkImageDrmFormatModifierPropertiesEXT chosen{
        .sType = VK_STRUCTURE_TYPE_IMAGE_DRM_FORMAT_MODIFIER_PROPERTIES_EXT,
        .pNext = nullptr,
        .drmFormatModifier = 0};
    ASSERT_EQ(device_->function<PFN_vkGetImageDrmFormatModifierPropertiesEXT>(
                  "vkGetImageDrmFormatModifierPropertiesEXT")(*device_, image, &chosen),
              VK_SUCCESS);
    EXPECT_EQ(chosen.drmFormatModifier, preferred);
    const auto first = plane_layout(image, VK_IMAGE_ASPECT_MEMORY_PLANE_0_BIT_EXT);
    const auto other = plane_layout(image, VK_IMAGE_ASPECT_MEMORY_PLANE_1_BIT_EXT);
    EXPECT_EQ(first.offset, 0U);
    EXPECT_EQ(first.rowPitch, 512U); // 400 bytes in steps of 512
    EXPECT_EQ(other.rowPitch, 512U);
    EXPECT_GE(other.offset, first.rowPitch * 50);
    VkMemoryRequirements requirements{};
    vkGetImageMemoryRequirements(*device_, image, &requirements);
    EXPECT_GE(requirements.size, other.offset + other.size);
    vkDestroyImage(*device_, image, nullptr);
}

TEST_F(FakeDriverImageTest, MemoryIsExportedAndImportedAsOneFile) {
    make_device(image_extensions);
    const VkExportMemoryAllocateInfo exported{
        .sType = VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO,
        .pNext = nullptr,
        .handleTypes = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT};
    VkMemoryAllocateInfo info{.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
                              .pNext = &exported,
                              .allocationSize = 8192,
                              .memoryTypeIndex = 1};
    VkDeviceMemory memory = VK_NULL_HANDLE;
    ASSERT_EQ(vkAllocateMemory(*device_, &info, nullptr, &memory), VK_SUCCESS);
    void* data = nullptr;
    ASSERT_EQ(vkMapMemory(*device_, memory, 0, VK_WHOLE_SIZE, 0, &data), VK_SUCCESS);
    static_cast<char*>(data)[5] = 'x';
    const VkMemoryGetFdInfoKHR get{.sType = VK_STRUCTURE_TYPE_MEMORY_GET_FD_INFO_KHR,
                                   .pNext = nullptr,
                                   .memory = memory,
                                   .handleType = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT};
    int fd = -1;
    ASSERT_EQ(device_->function<PFN_vkGetMemoryFdKHR>("vkGetMemoryFdKHR")(*device_, &get, &fd),
              VK_SUCCESS);
    EXPECT_EQ(fake_driver().exported_memory_fds(), 1U);
    const VkImportMemoryFdInfoKHR import{.sType = VK_STRUCTURE_TYPE_IMPORT_MEMORY_FD_INFO_KHR,
                                         .pNext = nullptr,
                                         .handleType =
                                             VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT,
                                         .fd = fd};
    info.pNext = &import;
    VkDeviceMemory imported = VK_NULL_HANDLE;
    ASSERT_EQ(vkAllocateMemory(*device_, &info, nullptr, &imported), VK_SUCCESS);
    void* other_data = nullptr;
    ASSERT_EQ(vkMapMemory(*device_, imported, 0, VK_WHOLE_SIZE, 0, &other_data), VK_SUCCESS);
    EXPECT_EQ(static_cast<char*>(other_data)[5], 'x');
    vkFreeMemory(*device_, memory, nullptr);
    vkFreeMemory(*device_, imported, nullptr);
}

} // namespace
} // namespace fencebridge::test
