// SPDX-License-Identifier: MIT
// Invariant 9: an application can set names, tags and private data on a swapchain of the layer's as
// on any object, and the driver does not receive its handle.
#include "fake_driver/control.hpp"
#include "fixture.hpp"

namespace fencebridge::test {
namespace {

class ObjectData : public CompositorTest {
protected:
    void SetUp() override {
        CompositorTest::SetUp();
        fake_driver().add_instance_extension(VK_EXT_DEBUG_UTILS_EXTENSION_NAME);
        fake_driver().add_device_extension(FAKE_DRIVER_ALL_DEVICES,
                                           VK_EXT_DEBUG_MARKER_EXTENSION_NAME);
        fake_driver().add_device_extension(FAKE_DRIVER_ALL_DEVICES,
                                           VK_EXT_PRIVATE_DATA_EXTENSION_NAME);
    }
};

// An application with a swapchain, which belongs to the layer. The images belong to the driver.
struct Objects {
    explicit Objects(Compositor& compositor, uint32_t api_version = VK_API_VERSION_1_3) :
        app(compositor),
        instance(make_instance(
            {.api_version = api_version,
             .extensions = {VK_KHR_SURFACE_EXTENSION_NAME, VK_KHR_WAYLAND_SURFACE_EXTENSION_NAME,
                            VK_EXT_DEBUG_UTILS_EXTENSION_NAME}})),
        device(instance, {VK_KHR_SWAPCHAIN_EXTENSION_NAME, VK_EXT_DEBUG_MARKER_EXTENSION_NAME,
                          VK_EXT_PRIVATE_DATA_EXTENSION_NAME}),
        window(app.new_surface()), surface(make_surface(instance, app, window)),
        swapchain(device, surface) {
        EXPECT_EQ(swapchain.result, VK_SUCCESS);
    }

    uint64_t chain() const { return uint64_t(swapchain.handle.get()); }
    uint64_t image() const { return uint64_t(swapchain.images.front()); }

    template <class Function>
    Function function(const char* name) const {
        auto found = reinterpret_cast<Function>(vkGetDeviceProcAddr(device, name));
        EXPECT_NE(found, nullptr) << name;
        return found;
    }

    App app;
    Owned<VkInstance> instance;
    Device device;
    Owned<wl_surface*> window;
    Owned<VkSurfaceKHR> surface;
    Swapchain swapchain;
};

TEST_F(ObjectData, DebugUtilsNamesAndTagsOfASwapchainDoNotReachTheDriver) {
    const Objects objects(start());
    const auto set_name =
        objects.function<PFN_vkSetDebugUtilsObjectNameEXT>("vkSetDebugUtilsObjectNameEXT");
    VkDebugUtilsObjectNameInfoEXT name{VK_STRUCTURE_TYPE_DEBUG_UTILS_OBJECT_NAME_INFO_EXT};
    name.objectType = VK_OBJECT_TYPE_SWAPCHAIN_KHR;
    name.objectHandle = objects.chain();
    name.pObjectName = "a name";
    EXPECT_EQ(set_name(objects.device, &name), VK_SUCCESS);
    EXPECT_EQ(fake_driver().call_count("vkSetDebugUtilsObjectNameEXT"), 0u);

    const auto set_tag =
        objects.function<PFN_vkSetDebugUtilsObjectTagEXT>("vkSetDebugUtilsObjectTagEXT");
    VkDebugUtilsObjectTagInfoEXT tag{VK_STRUCTURE_TYPE_DEBUG_UTILS_OBJECT_TAG_INFO_EXT};
    tag.objectType = VK_OBJECT_TYPE_SWAPCHAIN_KHR;
    tag.objectHandle = objects.chain();
    tag.tagSize = 1;
    tag.pTag = "x";
    EXPECT_EQ(set_tag(objects.device, &tag), VK_SUCCESS);
    EXPECT_EQ(fake_driver().call_count("vkSetDebugUtilsObjectTagEXT"), 0u);

    // Names and tags of the driver's own objects reach the driver.
    name.objectType = tag.objectType = VK_OBJECT_TYPE_IMAGE;
    name.objectHandle = tag.objectHandle = objects.image();
    EXPECT_EQ(set_name(objects.device, &name), VK_SUCCESS);
    EXPECT_EQ(set_tag(objects.device, &tag), VK_SUCCESS);
    EXPECT_EQ(fake_driver().call_count("vkSetDebugUtilsObjectNameEXT"), 1u);
    EXPECT_EQ(fake_driver().call_count("vkSetDebugUtilsObjectTagEXT"), 1u);
}

TEST_F(ObjectData, DebugMarkerNamesAndTagsOfASwapchainDoNotReachTheDriver) {
    const Objects objects(start());
    const auto set_name =
        objects.function<PFN_vkDebugMarkerSetObjectNameEXT>("vkDebugMarkerSetObjectNameEXT");
    VkDebugMarkerObjectNameInfoEXT name{VK_STRUCTURE_TYPE_DEBUG_MARKER_OBJECT_NAME_INFO_EXT};
    name.objectType = VK_DEBUG_REPORT_OBJECT_TYPE_SWAPCHAIN_KHR_EXT;
    name.object = objects.chain();
    name.pObjectName = "a name";
    EXPECT_EQ(set_name(objects.device, &name), VK_SUCCESS);

    const auto set_tag =
        objects.function<PFN_vkDebugMarkerSetObjectTagEXT>("vkDebugMarkerSetObjectTagEXT");
    VkDebugMarkerObjectTagInfoEXT tag{VK_STRUCTURE_TYPE_DEBUG_MARKER_OBJECT_TAG_INFO_EXT};
    tag.objectType = VK_DEBUG_REPORT_OBJECT_TYPE_SWAPCHAIN_KHR_EXT;
    tag.object = objects.chain();
    tag.tagSize = 1;
    tag.pTag = "x";
    EXPECT_EQ(set_tag(objects.device, &tag), VK_SUCCESS);
    EXPECT_EQ(fake_driver().call_count("vkDebugMarkerSetObjectNameEXT"), 0u);
    EXPECT_EQ(fake_driver().call_count("vkDebugMarkerSetObjectTagEXT"), 0u);

    name.objectType = tag.objectType = VK_DEBUG_REPORT_OBJECT_TYPE_IMAGE_EXT;
    name.object = tag.object = objects.image();
    EXPECT_EQ(set_name(objects.device, &name), VK_SUCCESS);
    EXPECT_EQ(set_tag(objects.device, &tag), VK_SUCCESS);
    EXPECT_EQ(fake_driver().call_count("vkDebugMarkerSetObjectNameEXT"), 1u);
    EXPECT_EQ(fake_driver().call_count("vkDebugMarkerSetObjectTagEXT"), 1u);
}

struct PrivateDataCase {
    const char* name;
    uint32_t api_version;
    std::string suffix;
};

class PrivateData : public ObjectData, public testing::WithParamInterface<PrivateDataCase> {
protected:
    template <class Function>
    static Function function(const Objects& objects, const char* name) {
        return objects.function<Function>((name + GetParam().suffix).c_str());
    }
};

TEST_P(PrivateData, TheLayerStoresThePrivateDataOfASwapchain) {
    const Objects objects(start(), GetParam().api_version);
    const auto set = function<PFN_vkSetPrivateData>(objects, "vkSetPrivateData");
    const auto get = function<PFN_vkGetPrivateData>(objects, "vkGetPrivateData");
    const auto create = function<PFN_vkCreatePrivateDataSlot>(objects, "vkCreatePrivateDataSlot");
    const auto destroy =
        function<PFN_vkDestroyPrivateDataSlot>(objects, "vkDestroyPrivateDataSlot");
    const VkPrivateDataSlotCreateInfo info{VK_STRUCTURE_TYPE_PRIVATE_DATA_SLOT_CREATE_INFO};
    VkPrivateDataSlot slots[2]{};
    for (VkPrivateDataSlot& slot : slots)
        ASSERT_EQ(create(objects.device, &info, nullptr, &slot), VK_SUCCESS);
    const auto read = [&](VkPrivateDataSlot slot) {
        uint64_t data = 99;
        get(objects.device, VK_OBJECT_TYPE_SWAPCHAIN_KHR, objects.chain(), slot, &data);
        return data;
    };
    EXPECT_EQ(read(slots[0]), 0u);
    const auto write = [&](VkPrivateDataSlot slot, uint64_t data) {
        EXPECT_EQ(set(objects.device, VK_OBJECT_TYPE_SWAPCHAIN_KHR, objects.chain(), slot, data),
                  VK_SUCCESS);
    };
    write(slots[0], 42);
    write(slots[1], 43);
    write(slots[1], 44);
    EXPECT_EQ(read(slots[0]), 42u);
    EXPECT_EQ(read(slots[1]), 44u);
    EXPECT_EQ(fake_driver().call_count("vkSetPrivateData"), 0u);
    EXPECT_EQ(fake_driver().call_count("vkGetPrivateData"), 0u);

    // The driver stores the private data of its own objects.
    EXPECT_EQ(set(objects.device, VK_OBJECT_TYPE_IMAGE, objects.image(), slots[0], 45), VK_SUCCESS);
    uint64_t data = 0;
    get(objects.device, VK_OBJECT_TYPE_IMAGE, objects.image(), slots[0], &data);
    EXPECT_EQ(data, 45u);
    for (const VkPrivateDataSlot slot : slots)
        destroy(objects.device, slot, nullptr);
    EXPECT_EQ(fake_driver().call_count("vkDestroyPrivateDataSlot"), 2u);

    // A new slot has no data, although its handle may be that of a destroyed slot.
    VkPrivateDataSlot again = VK_NULL_HANDLE;
    ASSERT_EQ(create(objects.device, &info, nullptr, &again), VK_SUCCESS);
    EXPECT_EQ(again, slots[1]);
    EXPECT_EQ(read(again), 0u);
    destroy(objects.device, again, nullptr);
}

// vkGetDeviceImageSubresourceLayoutKHR of VK_KHR_maintenance5, for an image with
// VkImageSwapchainCreateInfoKHR in its chain. The headers may lack the structures.
TEST_F(ObjectData, ASubresourceQueryReachesTheDriverWithoutTheSwapchain) {
    fake_driver().add_device_extension(FAKE_DRIVER_ALL_DEVICES, "VK_KHR_maintenance5");
    Compositor& compositor = start();
    App app(compositor);
    const Owned<VkInstance> instance = make_instance();
    const Device device(instance, {VK_KHR_SWAPCHAIN_EXTENSION_NAME, "VK_KHR_maintenance5"});
    const Owned<wl_surface*> window = app.new_surface();
    const Owned<VkSurfaceKHR> surface = make_surface(instance, app, window);
    const Swapchain swapchain(device, surface);

    VkImageSwapchainCreateInfoKHR of{VK_STRUCTURE_TYPE_IMAGE_SWAPCHAIN_CREATE_INFO_KHR};
    of.swapchain = swapchain;
    VkImageCreateInfo image{VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO};
    image.pNext = &of;
    image.extent = {64, 64, 1};
    const struct {
        VkStructureType type;
        const void* next;
        const VkImageCreateInfo* image;
        const void* subresource;
    } info{VkStructureType(1000470004), nullptr, &image, nullptr};
    struct {
        VkStructureType type = VkStructureType(1000338002);
        void* next = nullptr;
        VkSubresourceLayout layout{};
    } layout;
    using Get = void(VKAPI_PTR*)(VkDevice, const void*, void*);
    const auto get =
        reinterpret_cast<Get>(vkGetDeviceProcAddr(device, "vkGetDeviceImageSubresourceLayoutKHR"));
    ASSERT_NE(get, nullptr);
    get(device, &info, &layout);
    EXPECT_EQ(layout.layout.rowPitch, 256u);
    EXPECT_EQ(image.pNext, &of);
}

INSTANTIATE_TEST_SUITE_P(, PrivateData,
                         testing::Values(PrivateDataCase{"Vulkan13", VK_API_VERSION_1_3, ""},
                                         PrivateDataCase{"Extension", VK_API_VERSION_1_1, "EXT"}),
                         [](const auto& each) { return each.param.name; });

} // namespace
} // namespace fencebridge::test
