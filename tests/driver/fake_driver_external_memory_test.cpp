// SPDX-License-Identifier: MIT
// Fake drivers that lack DRM format modifiers, or the export or import of dma-bufs.
#include <sys/mman.h>
#include <unistd.h>

#include "fake_driver_fixture.hpp"

namespace fencebridge::test {
namespace {

const std::vector<const char*> dma_buf_extensions{"VK_KHR_external_memory_fd",
                                                  "VK_EXT_external_memory_dma_buf"};
constexpr auto dma_buf = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT;
constexpr VkImageUsageFlags rendering =
    VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT | VK_IMAGE_USAGE_TRANSFER_DST_BIT;

/// A LINEAR image of 100x50 pixels that can be shared, and the calls that it needs.
template <class Base>
class WithLinearImage : public Base {
protected:
    void make_image() {
        const VkExternalMemoryImageCreateInfo external{
            .sType = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_IMAGE_CREATE_INFO,
            .pNext = nullptr,
            .handleTypes = dma_buf};
        VkImageCreateInfo info{};
        info.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO;
        info.pNext = &external;
        info.imageType = VK_IMAGE_TYPE_2D;
        info.format = VK_FORMAT_B8G8R8A8_UNORM;
        info.extent = {100, 50, 1};
        info.mipLevels = info.arrayLayers = 1;
        info.samples = VK_SAMPLE_COUNT_1_BIT;
        info.tiling = VK_IMAGE_TILING_LINEAR;
        info.usage = rendering;
        ASSERT_EQ(vkCreateImage(*this->device_, &info, nullptr, &image_), VK_SUCCESS);
    }

    [[nodiscard]] VkDeviceSize image_size() {
        VkMemoryRequirements requirements{};
        vkGetImageMemoryRequirements(*this->device_, image_, &requirements);
        return requirements.size;
    }

    [[nodiscard]] VkDeviceSize row_pitch() {
        const VkImageSubresource part{
            .aspectMask = VK_IMAGE_ASPECT_COLOR_BIT, .mipLevel = 0, .arrayLayer = 0};
        VkSubresourceLayout layout{};
        vkGetImageSubresourceLayout(*this->device_, image_, &part, &layout);
        return layout.rowPitch;
    }

    /// Allocates memory of the image's size. `next` is put into the chain.
    VkResult allocate(const void* next) {
        const VkMemoryAllocateInfo info{.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
                                        .pNext = next,
                                        .allocationSize = image_size(),
                                        .memoryTypeIndex = 1};
        return vkAllocateMemory(*this->device_, &info, nullptr, &memory_);
    }

    VkResult allocate_for_export() {
        const VkExportMemoryAllocateInfo exported{.sType =
                                                      VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO,
                                                  .pNext = nullptr,
                                                  .handleTypes = dma_buf};
        return allocate(&exported);
    }

    /// Imports a new dma-buf of the given size (here a memfd).
    VkResult import(VkDeviceSize size, bool dedicated) {
        const int fd = memfd_create("dma-buf", MFD_CLOEXEC);
        EXPECT_EQ(ftruncate(fd, static_cast<off_t>(size)), 0);
        const VkMemoryDedicatedAllocateInfo of{.sType =
                                                   VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO,
                                               .pNext = nullptr,
                                               .image = image_,
                                               .buffer = VK_NULL_HANDLE};
        const VkImportMemoryFdInfoKHR imported{.sType = VK_STRUCTURE_TYPE_IMPORT_MEMORY_FD_INFO_KHR,
                                               .pNext = dedicated ? &of : nullptr,
                                               .handleType = dma_buf,
                                               .fd = fd};
        const VkResult result = allocate(&imported);
        if (result != VK_SUCCESS)
            close(fd);
        return result;
    }

    VkResult image_properties(VkExternalMemoryFeatureFlags& features,
                              VkImageTiling tiling = VK_IMAGE_TILING_LINEAR) {
        const VkPhysicalDeviceExternalImageFormatInfo external{
            .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_IMAGE_FORMAT_INFO,
            .pNext = nullptr,
            .handleType = dma_buf};
        const VkPhysicalDeviceImageFormatInfo2 info{
            .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_IMAGE_FORMAT_INFO_2,
            .pNext = &external,
            .format = VK_FORMAT_B8G8R8A8_UNORM,
            .type = VK_IMAGE_TYPE_2D,
            .tiling = tiling,
            .usage = rendering,
            .flags = 0};
        VkExternalImageFormatProperties shared{
            .sType = VK_STRUCTURE_TYPE_EXTERNAL_IMAGE_FORMAT_PROPERTIES,
            .pNext = nullptr,
            .externalMemoryProperties = {}};
        VkImageFormatProperties2 properties{.sType = VK_STRUCTURE_TYPE_IMAGE_FORMAT_PROPERTIES_2,
                                            .pNext = &shared,
                                            .imageFormatProperties = {}};
        const VkResult result = vkGetPhysicalDeviceImageFormatProperties2(
            this->instance_->physical_device(), &info, &properties);
        features = shared.externalMemoryProperties.externalMemoryFeatures;
        return result;
    }

    [[nodiscard]] VkExternalMemoryFeatureFlags buffer_features() {
        const VkPhysicalDeviceExternalBufferInfo info{
            .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_BUFFER_INFO,
            .pNext = nullptr,
            .flags = 0,
            .usage = VK_BUFFER_USAGE_TRANSFER_DST_BIT,
            .handleType = dma_buf};
        VkExternalBufferProperties properties{.sType = VK_STRUCTURE_TYPE_EXTERNAL_BUFFER_PROPERTIES,
                                              .pNext = nullptr,
                                              .externalMemoryProperties = {}};
        vkGetPhysicalDeviceExternalBufferProperties(this->instance_->physical_device(), &info,
                                                    &properties);
        return properties.externalMemoryProperties.externalMemoryFeatures;
    }

    void TearDown() override {
        if (image_ != VK_NULL_HANDLE)
            vkDestroyImage(*this->device_, image_, nullptr);
        if (memory_ != VK_NULL_HANDLE)
            vkFreeMemory(*this->device_, memory_, nullptr);
        Base::TearDown();
    }

    VkImage image_{VK_NULL_HANDLE};
    VkDeviceMemory memory_{VK_NULL_HANDLE};
};

using FakeDriverExternalMemory = WithLinearImage<FakeDriverTest>;
using FakeDriverExternalMemoryMisuse = WithLinearImage<FakeDriverMisuse>;

TEST_F(FakeDriverExternalMemory, WithoutModifiersALinearImageHasTheDriversPitchAndPadding) {
    fake_driver().hide_device_extension(0, "VK_EXT_image_drm_format_modifier");
    fake_driver().set_linear_layout(0, 128, 12'288);
    make_device(dma_buf_extensions);
    make_image();
    EXPECT_EQ(row_pitch(), 512U);               // 400 bytes in steps of 128
    EXPECT_EQ(image_size(), 28'672U + 12'288U); // 50 rows in whole pages, and the padding
    ASSERT_EQ(allocate_for_export(), VK_SUCCESS);
    EXPECT_EQ(vkBindImageMemory(*device_, image_, memory_, 0), VK_SUCCESS);
    VkExternalMemoryFeatureFlags features = 0;
    EXPECT_EQ(image_properties(features), VK_SUCCESS);
    EXPECT_EQ(features, VkExternalMemoryFeatureFlags{VK_EXTERNAL_MEMORY_FEATURE_EXPORTABLE_BIT |
                                                     VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT});
}

TEST_F(FakeDriverExternalMemory, TheLinearFeaturesMayLackAUsageThatTheImageQueryAllows) {
    fake_driver().set_linear_features(0, VK_FORMAT_FEATURE_TRANSFER_DST_BIT);
    make_device(dma_buf_extensions);
    VkFormatProperties properties{};
    vkGetPhysicalDeviceFormatProperties(instance_->physical_device(), VK_FORMAT_B8G8R8A8_UNORM,
                                        &properties);
    EXPECT_EQ(properties.linearTilingFeatures,
              VkFormatFeatureFlags{VK_FORMAT_FEATURE_TRANSFER_DST_BIT});
    EXPECT_NE(properties.optimalTilingFeatures & VK_FORMAT_FEATURE_COLOR_ATTACHMENT_BIT, 0U);
    VkExternalMemoryFeatureFlags features = 0;
    EXPECT_EQ(image_properties(features), VK_SUCCESS);
}

TEST_F(FakeDriverExternalMemoryMisuse, AUsageThatTheLinearFeaturesLackIsReported) {
    fake_driver().set_linear_features(0, VK_FORMAT_FEATURE_TRANSFER_DST_BIT);
    make_device(dma_buf_extensions);
    make_image();
}

TEST_F(FakeDriverExternalMemoryMisuse, ADriverWithoutExportImportsOnly) {
    fake_driver().set_dma_buf_features(0, VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT);
    make_device(dma_buf_extensions);
    make_image();
    VkExternalMemoryFeatureFlags features = 0;
    EXPECT_EQ(image_properties(features), VK_SUCCESS);
    EXPECT_EQ(features, VkExternalMemoryFeatureFlags{VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT});
    EXPECT_EQ(buffer_features(),
              VkExternalMemoryFeatureFlags{VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT});
    EXPECT_EQ(allocate_for_export(), VK_ERROR_INVALID_EXTERNAL_HANDLE); // the misuse
    ASSERT_EQ(import(image_size(), true), VK_SUCCESS);
    EXPECT_EQ(vkBindImageMemory(*device_, image_, memory_, 0), VK_SUCCESS);
}

TEST_F(FakeDriverExternalMemoryMisuse, ADriverWithoutImportExportsOnly) {
    fake_driver().set_dma_buf_features(0, VK_EXTERNAL_MEMORY_FEATURE_EXPORTABLE_BIT);
    make_device(dma_buf_extensions);
    make_image();
    EXPECT_EQ(buffer_features(),
              VkExternalMemoryFeatureFlags{VK_EXTERNAL_MEMORY_FEATURE_EXPORTABLE_BIT});
    EXPECT_EQ(import(image_size(), true), VK_ERROR_INVALID_EXTERNAL_HANDLE); // the misuse
    EXPECT_EQ(allocate_for_export(), VK_SUCCESS);
}

TEST_F(FakeDriverExternalMemory, WithoutDmaBufsTheHandleTypeIsUnknown) {
    fake_driver().hide_device_extension(0, "VK_EXT_external_memory_dma_buf");
    fake_driver().hide_device_extension(0, "VK_KHR_external_memory_fd");
    make_device({});
    VkExternalMemoryFeatureFlags features = 0;
    EXPECT_EQ(image_properties(features), VK_ERROR_FORMAT_NOT_SUPPORTED);
    EXPECT_EQ(image_properties(features, VK_IMAGE_TILING_OPTIMAL), VK_ERROR_FORMAT_NOT_SUPPORTED);
    EXPECT_EQ(buffer_features(), 0U);
}

TEST_F(FakeDriverExternalMemoryMisuse, AnImageOfAnUnknownHandleTypeIsReported) {
    fake_driver().hide_device_extension(0, "VK_EXT_external_memory_dma_buf");
    make_device({});
    make_image();
}

TEST_F(FakeDriverExternalMemory, AnImportWantsAPaddingThatTheRequirementsDoNotTell) {
    make_device(dma_buf_extensions);
    make_image();
    const VkDeviceSize unpadded = image_size();
    fake_driver().set_import_padding(0, 4096);
    EXPECT_EQ(image_size(), unpadded);
    EXPECT_EQ(import(unpadded, true), VK_ERROR_INVALID_EXTERNAL_HANDLE);
    ASSERT_EQ(import(unpadded + 4096, true), VK_SUCCESS);
    EXPECT_EQ(vkBindImageMemory(*device_, image_, memory_, 0), VK_SUCCESS);
}

TEST_F(FakeDriverExternalMemory, WithoutADedicatedImageThePaddingIsCheckedByTheBinding) {
    fake_driver().set_import_padding(0, 4096);
    make_device(dma_buf_extensions);
    make_image();
    ASSERT_EQ(import(image_size(), false), VK_SUCCESS);
    EXPECT_EQ(vkBindImageMemory(*device_, image_, memory_, 0), VK_ERROR_OUT_OF_DEVICE_MEMORY);
}

} // namespace
} // namespace fencebridge::test
