// SPDX-License-Identifier: MIT
// The test layer on the fake driver: what it masks is not listed, and calls that use it fail, while
// everything else is the driver's.
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "driver/fixture.hpp"

namespace fencebridge::test {
namespace {

constexpr auto dma_buf = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT;
constexpr auto host_allocation = VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT;
constexpr VkDeviceSize page = 4096;

class Mask : public DriverTest {
protected:
    void SetUp() override {
        DriverTest::SetUp();
        for (const char* const name : {"VK_EXT_external_memory_host", "VK_KHR_present_id"})
            fake_driver().add_device_extension(0, name);
        fake_driver().set_drm_nodes(0, 0, 226 << 8 | 128);
    }

    void make_instance(const std::string& masks) {
        masks_.reset(); // restores what was there before, and so comes first
        masks_ = std::make_unique<EnvironmentVariable>("FENCEBRIDGE_TEST_MASK", masks);
        instance_ = std::make_unique<Instance>();
        ASSERT_EQ(instance_->result(), VK_SUCCESS);
        physical_ = instance_->physical_device();
    }

    /// A device with those of the extensions that it lists.
    void make_device(const std::string& masks, const std::vector<const char*>& extensions) {
        make_instance(masks);
        const Names listed = as_set(device_extensions(physical_));
        std::vector<const char*> enabled;
        std::ranges::copy_if(extensions, std::back_inserter(enabled),
                             [&](const char* name) { return listed.contains(name); });
        device_ = std::make_unique<Device>(physical_, DeviceRequest{.extensions = enabled});
        ASSERT_EQ(device_->result(), VK_SUCCESS);
    }

    void TearDown() override {
        device_.reset();
        instance_.reset();
        masks_.reset();
        EXPECT_EQ(fake_driver().held_fds(), 0U);
        DriverTest::TearDown();
    }

    [[nodiscard]] VkResult image_query(VkImageTiling tiling,
                                       VkExternalMemoryHandleTypeFlagBits type,
                                       VkExternalMemoryFeatureFlags* features = nullptr) {
        const VkPhysicalDeviceImageDrmFormatModifierInfoEXT modifier{
            .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_IMAGE_DRM_FORMAT_MODIFIER_INFO_EXT,
            .pNext = nullptr,
            .drmFormatModifier = 0,
            .sharingMode = VK_SHARING_MODE_EXCLUSIVE,
            .queueFamilyIndexCount = 0,
            .pQueueFamilyIndices = nullptr};
        const VkPhysicalDeviceExternalImageFormatInfo external{
            .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_IMAGE_FORMAT_INFO,
            .pNext = tiling == VK_IMAGE_TILING_DRM_FORMAT_MODIFIER_EXT ? &modifier : nullptr,
            .handleType = type};
        const VkPhysicalDeviceImageFormatInfo2 info{
            .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_IMAGE_FORMAT_INFO_2,
            .pNext = &external,
            .format = VK_FORMAT_B8G8R8A8_UNORM,
            .type = VK_IMAGE_TYPE_2D,
            .tiling = tiling,
            .usage = VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT,
            .flags = 0};
        VkExternalImageFormatProperties shared{
            .sType = VK_STRUCTURE_TYPE_EXTERNAL_IMAGE_FORMAT_PROPERTIES,
            .pNext = nullptr,
            .externalMemoryProperties = {}};
        VkImageFormatProperties2 properties{.sType = VK_STRUCTURE_TYPE_IMAGE_FORMAT_PROPERTIES_2,
                                            .pNext = &shared,
                                            .imageFormatProperties = {}};
        const VkResult result =
            vkGetPhysicalDeviceImageFormatProperties2(physical_, &info, &properties);
        if (features != nullptr)
            *features = shared.externalMemoryProperties.externalMemoryFeatures;
        return result;
    }

    [[nodiscard]] VkExternalMemoryFeatureFlags
    buffer_features(VkExternalMemoryHandleTypeFlagBits type) {
        const VkPhysicalDeviceExternalBufferInfo info{
            .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_BUFFER_INFO,
            .pNext = nullptr,
            .flags = 0,
            .usage = VK_BUFFER_USAGE_TRANSFER_DST_BIT,
            .handleType = type};
        VkExternalBufferProperties properties{.sType = VK_STRUCTURE_TYPE_EXTERNAL_BUFFER_PROPERTIES,
                                              .pNext = nullptr,
                                              .externalMemoryProperties = {}};
        vkGetPhysicalDeviceExternalBufferProperties(physical_, &info, &properties);
        return properties.externalMemoryProperties.externalMemoryFeatures;
    }

    /// Allocates one page, and frees it.
    VkResult allocate(const void* next) {
        const VkMemoryAllocateInfo info{.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
                                        .pNext = next,
                                        .allocationSize = page,
                                        .memoryTypeIndex = 1};
        VkDeviceMemory memory = VK_NULL_HANDLE;
        const VkResult result = vkAllocateMemory(*device_, &info, nullptr, &memory);
        if (result == VK_SUCCESS)
            vkFreeMemory(*device_, memory, nullptr);
        return result;
    }
    VkResult allocate_for_export() {
        const VkExportMemoryAllocateInfo info{.sType =
                                                  VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO,
                                              .pNext = nullptr,
                                              .handleTypes = dma_buf};
        return allocate(&info);
    }
    VkResult import_dma_buf() {
        const int fd = memfd_create("dma-buf", MFD_CLOEXEC);
        EXPECT_EQ(ftruncate(fd, page), 0);
        const VkImportMemoryFdInfoKHR info{.sType = VK_STRUCTURE_TYPE_IMPORT_MEMORY_FD_INFO_KHR,
                                           .pNext = nullptr,
                                           .handleType = dma_buf,
                                           .fd = fd};
        const VkResult result = allocate(&info);
        if (result != VK_SUCCESS)
            close(fd);
        return result;
    }
    VkResult import_pages() {
        void* const pages =
            mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        const VkImportMemoryHostPointerInfoEXT info{
            .sType = VK_STRUCTURE_TYPE_IMPORT_MEMORY_HOST_POINTER_INFO_EXT,
            .pNext = nullptr,
            .handleType = host_allocation,
            .pHostPointer = pages};
        const VkResult result = allocate(&info);
        munmap(pages, page);
        return result;
    }

    VkResult create_semaphore() {
        const VkExportSemaphoreCreateInfo exported{
            .sType = VK_STRUCTURE_TYPE_EXPORT_SEMAPHORE_CREATE_INFO,
            .pNext = nullptr,
            .handleTypes = VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_SYNC_FD_BIT};
        const VkSemaphoreCreateInfo info{
            .sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO, .pNext = &exported, .flags = 0};
        VkSemaphore semaphore = VK_NULL_HANDLE;
        const VkResult result = vkCreateSemaphore(*device_, &info, nullptr, &semaphore);
        if (result == VK_SUCCESS)
            vkDestroySemaphore(*device_, semaphore, nullptr);
        return result;
    }
    VkResult create_fence() {
        const VkExportFenceCreateInfo exported{.sType = VK_STRUCTURE_TYPE_EXPORT_FENCE_CREATE_INFO,
                                               .pNext = nullptr,
                                               .handleTypes =
                                                   VK_EXTERNAL_FENCE_HANDLE_TYPE_SYNC_FD_BIT};
        const VkFenceCreateInfo info{
            .sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO, .pNext = &exported, .flags = 0};
        VkFence fence = VK_NULL_HANDLE;
        const VkResult result = vkCreateFence(*device_, &info, nullptr, &fence);
        if (result == VK_SUCCESS)
            vkDestroyFence(*device_, fence, nullptr);
        return result;
    }

    std::unique_ptr<EnvironmentVariable> masks_;
    std::unique_ptr<Instance> instance_;
    std::unique_ptr<Device> device_;
    VkPhysicalDevice physical_{VK_NULL_HANDLE};
};

const std::vector<const char*> memory_extensions{
    "VK_KHR_external_memory_fd",        "VK_EXT_external_memory_dma_buf",
    "VK_EXT_image_drm_format_modifier", "VK_EXT_external_memory_host",
    "VK_KHR_external_semaphore_fd",     "VK_KHR_external_fence_fd"};

TEST_F(Mask, WithoutMasksEverythingIsTheDrivers) {
    make_device("", memory_extensions);
    const Names names = as_set(device_extensions(physical_));
    for (const char* const name : memory_extensions)
        EXPECT_TRUE(names.contains(name)) << name;
    EXPECT_TRUE(device_extensions(physical_, "VK_LAYER_FENCEBRIDGE_test_mask").empty());
    EXPECT_EQ(image_query(VK_IMAGE_TILING_DRM_FORMAT_MODIFIER_EXT, dma_buf), VK_SUCCESS);
    EXPECT_EQ(image_query(VK_IMAGE_TILING_LINEAR, host_allocation), VK_SUCCESS);
    EXPECT_EQ(allocate_for_export(), VK_SUCCESS);
    EXPECT_EQ(import_dma_buf(), VK_SUCCESS);
    EXPECT_EQ(import_pages(), VK_SUCCESS);
    EXPECT_EQ(create_semaphore(), VK_SUCCESS);
    EXPECT_EQ(create_fence(), VK_SUCCESS);
    EXPECT_NE(device_->function<PFN_vkVoidFunction>("vkGetMemoryFdKHR"), nullptr);
    EXPECT_EQ(device_->function<PFN_vkVoidFunction>("vkCreateSwapchainKHR"), nullptr);
}

struct Hidden {
    const char* masks;
    std::vector<std::string> extensions;
};
const Hidden hidden[]{
    {"modifiers", {"VK_EXT_image_drm_format_modifier"}},
    {"dma-buf", {"VK_EXT_external_memory_dma_buf"}},
    {"memory-fd", {"VK_EXT_external_memory_dma_buf", "VK_KHR_external_memory_fd"}},
    {"external-memory-host", {"VK_EXT_external_memory_host"}},
    {"wsi", {"VK_KHR_swapchain", "VK_KHR_present_id"}},
    {"drm-nodes", {"VK_EXT_physical_device_drm"}},
    {"queue-family-foreign", {"VK_EXT_queue_family_foreign"}},
    {"dma-buf-export,dma-buf-import,sync-fd,format-linear-color", {}},
};

TEST_F(Mask, TheExtensionsOfEachMaskAreNeitherListedNorAccepted) {
    make_instance("");
    const Names all = as_set(device_extensions(physical_));
    for (const Hidden& row : hidden) {
        instance_.reset();
        make_instance(row.masks);
        Names expected = all;
        for (const std::string& name : row.extensions) {
            EXPECT_EQ(expected.erase(name), 1U) << name;
            const Device device{physical_, {.extensions = {name.c_str()}}};
            EXPECT_EQ(device.result(), VK_ERROR_EXTENSION_NOT_PRESENT) << name;
        }
        EXPECT_EQ(as_set(device_extensions(physical_)), expected) << row.masks;
    }
}

// Without that file, the driver names no node.
TEST_F(Mask, TheDriverNamesTheRenderNodeWhateverItHas) {
    constexpr const char* name = "VK_EXT_physical_device_drm";
    struct stat node;
    const bool exists = stat("/dev/dri/renderD128", &node) == 0;
    for (const bool has_extension : {true, false}) {
        if (!has_extension)
            fake_driver().hide_device_extension(0, name);
        make_device("render-node", {name});
        const auto listed = device_extensions(physical_);
        EXPECT_EQ(std::ranges::count(listed, std::string(name)), 1);
        VkPhysicalDeviceDrmPropertiesEXT drm{};
        drm.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRM_PROPERTIES_EXT;
        drm.hasPrimary = VK_TRUE;
        VkPhysicalDeviceProperties2 properties{};
        properties.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2;
        properties.pNext = &drm;
        vkGetPhysicalDeviceProperties2(physical_, &properties);
        EXPECT_EQ(drm.hasPrimary, VK_FALSE);
        EXPECT_EQ(drm.hasRender, exists ? VK_TRUE : VK_FALSE);
        EXPECT_EQ(drm.renderMajor, exists ? major(node.st_rdev) : 0);
        EXPECT_EQ(drm.renderMinor, exists ? minor(node.st_rdev) : 0);
        device_.reset();
        instance_.reset();
    }
}

TEST_F(Mask, AnUnknownMaskIsAnError) {
    const StderrCapture capture;
    const EnvironmentVariable masks{"FENCEBRIDGE_TEST_MASK", "modifiers,modifers"};
    EXPECT_NE(Instance{}.result(), VK_SUCCESS);
    EXPECT_EQ(capture.lines_with("no such mask: modifers").size(), 1U);
}

TEST_F(Mask, WithoutModifiersTheirStructureStaysAsItIsAndTheQueryFails) {
    make_instance("modifiers");
    VkFormatProperties3 after{};
    after.sType = VK_STRUCTURE_TYPE_FORMAT_PROPERTIES_3;
    VkDrmFormatModifierPropertiesListEXT list{
        .sType = VK_STRUCTURE_TYPE_DRM_FORMAT_MODIFIER_PROPERTIES_LIST_EXT,
        .pNext = &after,
        .drmFormatModifierCount = 77,
        .pDrmFormatModifierProperties = nullptr};
    VkFormatProperties2 properties{
        .sType = VK_STRUCTURE_TYPE_FORMAT_PROPERTIES_2, .pNext = &list, .formatProperties = {}};
    vkGetPhysicalDeviceFormatProperties2(physical_, VK_FORMAT_B8G8R8A8_UNORM, &properties);
    EXPECT_EQ(list.drmFormatModifierCount, 77U);
    EXPECT_EQ(properties.pNext, &list);
    EXPECT_EQ(list.pNext, &after);
    EXPECT_NE(properties.formatProperties.optimalTilingFeatures, 0U);
    EXPECT_EQ(image_query(VK_IMAGE_TILING_DRM_FORMAT_MODIFIER_EXT, dma_buf),
              VK_ERROR_FORMAT_NOT_SUPPORTED);
    EXPECT_EQ(image_query(VK_IMAGE_TILING_LINEAR, dma_buf), VK_SUCCESS);
}

TEST_F(Mask, WithoutExportDmaBufsAreImportedOnly) {
    make_device("dma-buf-export", memory_extensions);
    VkExternalMemoryFeatureFlags features = 0;
    EXPECT_EQ(image_query(VK_IMAGE_TILING_LINEAR, dma_buf, &features), VK_SUCCESS);
    EXPECT_EQ(features, VkExternalMemoryFeatureFlags{VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT});
    EXPECT_EQ(buffer_features(dma_buf),
              VkExternalMemoryFeatureFlags{VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT});
    const StderrCapture capture;
    EXPECT_EQ(allocate_for_export(), VK_ERROR_INVALID_EXTERNAL_HANDLE);
    EXPECT_EQ(capture.lines_with("mask: vkAllocateMemory").size(), 1U);
    EXPECT_EQ(import_dma_buf(), VK_SUCCESS);
}

TEST_F(Mask, WithoutImportDmaBufsAreExportedOnly) {
    make_device("dma-buf-import", memory_extensions);
    EXPECT_EQ(buffer_features(dma_buf),
              VkExternalMemoryFeatureFlags{VK_EXTERNAL_MEMORY_FEATURE_EXPORTABLE_BIT});
    EXPECT_EQ(import_dma_buf(), VK_ERROR_INVALID_EXTERNAL_HANDLE);
    EXPECT_EQ(allocate_for_export(), VK_SUCCESS);
}

TEST_F(Mask, WithoutDmaBufsTheHandleTypeIsUnknown) {
    make_device("dma-buf", memory_extensions);
    EXPECT_EQ(image_query(VK_IMAGE_TILING_LINEAR, dma_buf), VK_ERROR_FORMAT_NOT_SUPPORTED);
    EXPECT_EQ(image_query(VK_IMAGE_TILING_LINEAR, host_allocation), VK_SUCCESS);
    EXPECT_EQ(buffer_features(dma_buf), 0U);
    EXPECT_EQ(allocate_for_export(), VK_ERROR_INVALID_EXTERNAL_HANDLE);
    EXPECT_EQ(import_dma_buf(), VK_ERROR_INVALID_EXTERNAL_HANDLE);
    EXPECT_EQ(import_pages(), VK_SUCCESS);
}

TEST_F(Mask, WithoutHostMemoryItsPropertiesAndHandleTypeAreUnknown) {
    make_device("external-memory-host", memory_extensions);
    VkPhysicalDeviceExternalMemoryHostPropertiesEXT host{
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_MEMORY_HOST_PROPERTIES_EXT,
        .pNext = nullptr,
        .minImportedHostPointerAlignment = 77};
    VkPhysicalDeviceProperties2 properties{};
    properties.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2;
    properties.pNext = &host;
    vkGetPhysicalDeviceProperties2(physical_, &properties);
    EXPECT_EQ(host.minImportedHostPointerAlignment, 77U);
    EXPECT_EQ(image_query(VK_IMAGE_TILING_LINEAR, host_allocation), VK_ERROR_FORMAT_NOT_SUPPORTED);
    EXPECT_EQ(buffer_features(host_allocation), 0U);
    EXPECT_EQ(import_pages(), VK_ERROR_INVALID_EXTERNAL_HANDLE);
    EXPECT_EQ(device_->function<PFN_vkVoidFunction>("vkGetMemoryHostPointerPropertiesEXT"),
              nullptr);
}

TEST_F(Mask, WithoutSyncFilesNothingIsExportedOrImported) {
    fake_driver().set_opaque_fds(0, VK_TRUE);
    make_device("sync-fd", memory_extensions);
    for (const auto type : {VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_SYNC_FD_BIT,
                            VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_OPAQUE_FD_BIT}) {
        const VkPhysicalDeviceExternalSemaphoreInfo info{
            .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_SEMAPHORE_INFO,
            .pNext = nullptr,
            .handleType = type};
        VkExternalSemaphoreProperties properties{};
        properties.sType = VK_STRUCTURE_TYPE_EXTERNAL_SEMAPHORE_PROPERTIES;
        vkGetPhysicalDeviceExternalSemaphoreProperties(physical_, &info, &properties);
        EXPECT_EQ(properties.externalSemaphoreFeatures == 0,
                  type == VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_SYNC_FD_BIT);
    }
    const VkPhysicalDeviceExternalFenceInfo info{
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_FENCE_INFO,
        .pNext = nullptr,
        .handleType = VK_EXTERNAL_FENCE_HANDLE_TYPE_SYNC_FD_BIT};
    VkExternalFenceProperties properties{};
    properties.sType = VK_STRUCTURE_TYPE_EXTERNAL_FENCE_PROPERTIES;
    vkGetPhysicalDeviceExternalFenceProperties(physical_, &info, &properties);
    EXPECT_EQ(properties.externalFenceFeatures, 0U);
    EXPECT_EQ(create_semaphore(), VK_ERROR_INITIALIZATION_FAILED);
    EXPECT_EQ(create_fence(), VK_ERROR_INITIALIZATION_FAILED);
    const VkFenceCreateInfo plain{
        .sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO, .pNext = nullptr, .flags = 0};
    VkFence fence = VK_NULL_HANDLE;
    ASSERT_EQ(vkCreateFence(*device_, &plain, nullptr, &fence), VK_SUCCESS);
    const VkImportFenceFdInfoKHR import{.sType = VK_STRUCTURE_TYPE_IMPORT_FENCE_FD_INFO_KHR,
                                        .pNext = nullptr,
                                        .fence = fence,
                                        .flags = VK_FENCE_IMPORT_TEMPORARY_BIT,
                                        .handleType = VK_EXTERNAL_FENCE_HANDLE_TYPE_SYNC_FD_BIT,
                                        .fd = -1};
    EXPECT_EQ(device_->function<PFN_vkImportFenceFdKHR>("vkImportFenceFdKHR")(*device_, &import),
              VK_ERROR_INITIALIZATION_FAILED);
    vkDestroyFence(*device_, fence, nullptr);
}

TEST_F(Mask, WithoutColourInLinearFormatsTheImageQueryStillSaysYes) {
    make_instance("format-linear-color");
    VkFormatProperties2 properties{
        .sType = VK_STRUCTURE_TYPE_FORMAT_PROPERTIES_2, .pNext = nullptr, .formatProperties = {}};
    vkGetPhysicalDeviceFormatProperties2(physical_, VK_FORMAT_B8G8R8A8_UNORM, &properties);
    const VkFormatProperties& format = properties.formatProperties;
    EXPECT_EQ(format.linearTilingFeatures & VK_FORMAT_FEATURE_COLOR_ATTACHMENT_BIT, 0U);
    EXPECT_NE(format.linearTilingFeatures & VK_FORMAT_FEATURE_TRANSFER_DST_BIT, 0U);
    EXPECT_NE(format.optimalTilingFeatures & VK_FORMAT_FEATURE_COLOR_ATTACHMENT_BIT, 0U);
    EXPECT_EQ(image_query(VK_IMAGE_TILING_LINEAR, dma_buf), VK_SUCCESS);
}

TEST_F(Mask, WithoutWsiNoQueueSupportsASurfaceAndNoFeatureIsThere) {
    make_instance("wsi");
    EXPECT_EQ(vkGetPhysicalDeviceWaylandPresentationSupportKHR(physical_, 0, nullptr), VK_FALSE);
    VkPhysicalDevicePresentIdFeaturesKHR id{
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PRESENT_ID_FEATURES_KHR,
        .pNext = nullptr,
        .presentId = VK_FALSE};
    VkPhysicalDeviceFeatures2 features{};
    features.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2;
    features.pNext = &id;
    vkGetPhysicalDeviceFeatures2(physical_, &features);
    EXPECT_EQ(id.presentId, VK_FALSE);
    EXPECT_EQ(features.pNext, &id);
    id.presentId = VK_TRUE;
    EXPECT_EQ(Device(physical_, {.extensions = {}, .next = &id}).result(),
              VK_ERROR_FEATURE_NOT_PRESENT);
}

TEST_F(Mask, BelowTheLayerItHidesExtensionsFromIt) {
    const EnvironmentVariable path{"VK_LAYER_PATH",
                                   std::string{LAYER_MANIFEST_FOLDER} + ":" MASK_FOLDER};
    const EnvironmentVariable layers{"VK_INSTANCE_LAYERS",
                                     "VK_LAYER_FENCEBRIDGE_wsi:VK_LAYER_FENCEBRIDGE_test_mask"};
    make_instance("modifiers,dma-buf,external-memory-host");
    device_ = std::make_unique<Device>(physical_, DeviceRequest{});
    ASSERT_EQ(device_->result(), VK_SUCCESS);
    for (const std::string& name : extensions_of(last_device_create())) {
        EXPECT_NE(name, "VK_EXT_image_drm_format_modifier");
        EXPECT_NE(name, "VK_EXT_external_memory_dma_buf");
        EXPECT_NE(name, "VK_EXT_external_memory_host");
    }
}

} // namespace
} // namespace fencebridge::test

int main(int count, char** arguments) {
    testing::InitGoogleTest(&count, arguments);
    (void)fencebridge::test::fake_driver();
    const fencebridge::test::DriverEnvironment driver;
    const fencebridge::test::EnvironmentVariable path{"VK_LAYER_PATH", MASK_FOLDER};
    const fencebridge::test::EnvironmentVariable layer{"VK_INSTANCE_LAYERS",
                                                       "VK_LAYER_FENCEBRIDGE_test_mask"};
    return RUN_ALL_TESTS();
}
