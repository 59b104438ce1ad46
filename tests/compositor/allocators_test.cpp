// SPDX-License-Identifier: MIT
// Image allocators without copies: drivers without DRM format modifiers, and drivers that import
// dma-bufs and export none. copies_test.cpp has the copies.
#include "aliases.hpp"
#include "allocator_setting.hpp"
#include "fake_memory.hpp"
#include "fixture.hpp"

#include "fake_driver/control.hpp"

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <optional>

namespace fencebridge::test {
namespace {

constexpr uint32_t all_devices = FAKE_DRIVER_ALL_DEVICES;
// A width whose rows are not aligned in any way.
constexpr VkExtent2D odd = {65, 33};
// The rows of such an image, whose pixels have four bytes, in the driver's LINEAR layout.
constexpr uint32_t linear_pitch = 384;
constexpr uint32_t linear_alignment = 128;

struct ShownLayout {
    uint64_t modifier;
    uint32_t pitch;
    uint32_t offset;
    size_t planes;
    bool operator==(const ShownLayout&) const = default;
    friend void PrintTo(const ShownLayout& shown, std::ostream* out) {
        *out << shown.planes << " planes, modifier " << std::hex << shown.modifier << std::dec
             << ", offset " << shown.offset << ", pitch " << shown.pitch;
    }
};

// The layout of the last commit's buffer, as the compositor was told.
ShownLayout last_shown(Compositor& compositor) {
    return compositor.on_thread([](Scene& scene) {
        const ClientBuffer& buffer = scene.buffer(*scene.commits().back().buffer);
        const Plane& plane = buffer.planes.begin()->second;
        return ShownLayout{plane.modifier, plane.stride, plane.offset, buffer.planes.size()};
    });
}

VkImageUsageFlags usage_of(const Client& client) {
    VkSurfaceCapabilitiesKHR capabilities{};
    EXPECT_EQ(vkGetPhysicalDeviceSurfaceCapabilitiesKHR(client.device.physical, client.surface,
                                                        &capabilities),
              VK_SUCCESS);
    return capabilities.supportedUsageFlags;
}

// ---- a driver without VK_EXT_image_drm_format_modifier ----

class LinearImages : public CompositorTest {
protected:
    void SetUp() override {
        CompositorTest::SetUp();
        fake_driver().hide_device_extension(all_devices,
                                            VK_EXT_IMAGE_DRM_FORMAT_MODIFIER_EXTENSION_NAME);
        fake_driver().set_linear_layout(all_devices, linear_alignment, 0);
        // Otherwise the layer presents copies where it cannot present the images.
        fake_driver().set_shares_buffers(all_devices, VK_FALSE);
    }

    // What the compositor is told of an image of a compositor with this feedback.
    ShownLayout show(Feedback feedback) {
        ErrorLog log;
        Client client(start({.feedback = std::move(feedback)}));
        const Swapchain swapchain = client.swapchain({.extent = odd});
        EXPECT_EQ(client.show_every_image(swapchain), VK_SUCCESS);
        EXPECT_EQ(swapchains_by(log, "driver-export"), 1u) << log.text();
        return last_shown(*compositor_);
    }
};

TEST_F(LinearImages, HaveTheDriversPitchAndTheModifierLinear) {
    EXPECT_EQ(show(linear_feedback()), (ShownLayout{drm_linear, linear_pitch, 0, 1}));
}

TEST_F(LinearImages, HaveNoModifierIfTheCompositorListsOnlyThat) {
    EXPECT_EQ(show({0, {{0, 0, common_formats(drm_invalid_modifier)}}}),
              (ShownLayout{drm_invalid_modifier, linear_pitch, 0, 1}));
}

TEST_F(LinearImages, HaveTheModifierLinearIfTheCompositorListsBoth) {
    std::vector<FormatModifier> both = common_formats(drm_invalid_modifier);
    std::ranges::copy(common_formats(drm_linear), std::back_inserter(both));
    EXPECT_EQ(show({0, {{0, 0, both}}}), (ShownLayout{drm_linear, linear_pitch, 0, 1}));
}

TEST_F(LinearImages, HaveTheUsagesThatTheSurfaceClaims) {
    fake_driver().set_linear_features(all_devices, VK_FORMAT_FEATURE_COLOR_ATTACHMENT_BIT |
                                                       VK_FORMAT_FEATURE_TRANSFER_DST_BIT);
    Client client(start());
    const VkImageUsageFlags claimed = usage_of(client);
    EXPECT_EQ(claimed, VkImageUsageFlags(VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT |
                                         VK_IMAGE_USAGE_INPUT_ATTACHMENT_BIT |
                                         VK_IMAGE_USAGE_TRANSFER_DST_BIT));
    EXPECT_EQ(client.swapchain({.usage = claimed}).result, VK_SUCCESS);
    for (const VkImageUsageFlags other :
         {VK_IMAGE_USAGE_SAMPLED_BIT, VK_IMAGE_USAGE_STORAGE_BIT, VK_IMAGE_USAGE_TRANSFER_SRC_BIT})
        EXPECT_EQ(client.swapchain({.usage = VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT | other}).result,
                  VK_ERROR_INITIALIZATION_FAILED)
            << other;
}

// NVIDIA's driver (580.159.04) says that it creates LINEAR images that are colour attachments,
// which their features do not have.
constexpr VkFormatFeatureFlags nvidias_linear_features = 0x1dc03;

TEST_F(LinearImages, ThatTheFeaturesDoNotAllowAreNotMade) {
    fake_driver().set_linear_features(all_devices, nvidias_linear_features);
    Client client(start());
    const Swapchain swapchain = client.swapchain();
    // The surface is left to the driver.
    EXPECT_EQ(fake_driver().call_count("vkCreateSwapchainKHR"), 1u);
}

TEST_F(LinearImages, ThatTheFeaturesDoNotAllowAreCopiedInstead) {
    fake_driver().set_linear_features(all_devices, nvidias_linear_features);
    fake_driver().set_shares_buffers(all_devices, VK_TRUE);
    ErrorLog log;
    Client client(start());
    const VkImageUsageFlags claimed = usage_of(client);
    EXPECT_TRUE(claimed & VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT);
    const Swapchain swapchain = client.swapchain({.usage = claimed});
    EXPECT_EQ(client.show_every_image(swapchain), VK_SUCCESS);
    EXPECT_EQ(swapchains_by(log, "copy-dma-buf"), 1u) << log.text();
}

TEST_F(LinearImages, AreUsedWhereTheyHaveTheUsageAndCopiesElsewhere) {
    fake_driver().set_linear_features(all_devices, VK_FORMAT_FEATURE_COLOR_ATTACHMENT_BIT);
    fake_driver().set_shares_buffers(all_devices, VK_TRUE);
    ErrorLog log;
    Client client(start());
    EXPECT_TRUE(usage_of(client) & VK_IMAGE_USAGE_SAMPLED_BIT);
    EXPECT_EQ(client.swapchain().result, VK_SUCCESS);
    EXPECT_EQ(swapchains_by(log, "driver-export"), 1u) << log.text();
    EXPECT_EQ(
        client
            .swapchain({.usage = VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT | VK_IMAGE_USAGE_SAMPLED_BIT})
            .result,
        VK_SUCCESS);
    EXPECT_EQ(swapchains_by(log, "copy-dma-buf"), 1u) << log.text();
}

// ---- a driver that imports dma-bufs and exports none ----

class Imports : public CompositorTest {
protected:
    void SetUp() override {
        memory_.emplace();
        CompositorTest::SetUp();
        fake_driver().set_dma_buf_features(all_devices, VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT);
        fake_driver().set_shares_buffers(all_devices, VK_FALSE);
    }
    void TearDown() override {
        client_.reset();
        CompositorTest::TearDown();
        memory_.reset();
    }

    // A client of a surface that was queried already: the layer has tried the allocators.
    Client& connect() {
        client_ = std::make_unique<Client>(start());
        usage_of(*client_);
        return *client_;
    }
    // The result of a new swapchain and of a frame for each of its images.
    VkResult show_swapchain() {
        const Swapchain swapchain = client_->swapchain({.extent = odd});
        return swapchain.result == VK_SUCCESS ? client_->show_every_image(swapchain)
                                              : swapchain.result;
    }

    std::optional<FakeMemory> memory_;
    std::unique_ptr<Client> client_;
};

struct Source {
    const char* allocator;
    const char* device;
    bool modifiers; // of the driver
    bool dedicated; // the driver prefers dedicated memory
    friend void PrintTo(const Source& source, std::ostream* out) { *out << source.allocator; }
};

class ImportsFrom : public Imports, public testing::WithParamInterface<Source> {
protected:
    void SetUp() override {
        Imports::SetUp();
        fake_driver().set_dedicated(all_devices, GetParam().dedicated, VK_FALSE);
        if (!GetParam().modifiers)
            fake_driver().hide_device_extension(all_devices,
                                                VK_EXT_IMAGE_DRM_FORMAT_MODIFIER_EXTENSION_NAME);
    }

    AllocatorSetting setting_{GetParam().allocator};
};

TEST_P(ImportsFrom, TheSourceThatTheSettingNames) {
    ErrorLog log;
    connect();
    const size_t before = memory_->made(GetParam().device);
    const Swapchain swapchain = client_->swapchain({.extent = odd});
    EXPECT_EQ(memory_->made(GetParam().device), before + swapchain.images.size());
    EXPECT_EQ(client_->show_every_image(swapchain), VK_SUCCESS);
    EXPECT_EQ(swapchains_by(log, GetParam().allocator), 1u) << log.text();
    EXPECT_EQ(fake_driver().exported_memory_fds(), 0u);
    EXPECT_EQ(last_shown(*compositor_).modifier, drm_linear);
}

TEST_P(ImportsFrom, ALargerDmaBufIfTheDriverRefusesTheFirst) {
    fake_driver().set_import_padding(all_devices, 65536);
    ErrorLog log;
    connect();
    EXPECT_EQ(show_swapchain(), VK_SUCCESS);
    EXPECT_EQ(swapchains_by(log, GetParam().allocator), 1u) << log.text();
}

TEST_P(ImportsFrom, TheNextSourceIfThisOneCannotBeOpened) {
    ErrorLog log;
    connect();
    memory_->fail_open(GetParam().device, EACCES);
    EXPECT_EQ(show_swapchain(), VK_SUCCESS);
    EXPECT_EQ(swapchains_by(log, GetParam().allocator), 0u) << log.text();
    EXPECT_EQ(log.lines_with({"warning", std::string("image allocator ") + GetParam().allocator,
                              "Permission denied"})
                  .size(),
              1u)
        << log.text();
}

TEST_P(ImportsFrom, TheNextSourceIfThisOneMakesNoDmaBufs) {
    for (const int error : {EPERM, ENOTTY, EINVAL}) {
        ErrorLog log;
        connect();
        memory_->fail_ioctl(GetParam().device, error);
        EXPECT_EQ(show_swapchain(), VK_SUCCESS) << error;
        EXPECT_EQ(swapchains_by(log, GetParam().allocator), 0u) << log.text();
        memory_->fail_ioctl(GetParam().device, 0);
        client_.reset();
    }
}

TEST_P(ImportsFrom, TheNextSourceIfMemoryRunsOut) {
    ErrorLog log;
    connect();
    memory_->fail_ioctl(GetParam().device, ENOMEM);
    EXPECT_EQ(show_swapchain(), VK_SUCCESS);
    EXPECT_EQ(swapchains_by(log, GetParam().allocator), 0u) << log.text();
    // No larger dma-buf is tried.
    EXPECT_EQ(
        log.lines_with({std::string("image allocator ") + GetParam().allocator + ": no dma-buf"})
            .size(),
        1u)
        << log.text();
}

TEST_P(ImportsFrom, NothingIfDescriptorsRunOut) {
    connect();
    memory_->fail_ioctl(GetParam().device, EMFILE);
    EXPECT_EQ(show_swapchain(), VK_ERROR_OUT_OF_HOST_MEMORY);
    memory_->fail_ioctl(GetParam().device, 0);
    EXPECT_EQ(show_swapchain(), VK_SUCCESS);
}

TEST_P(ImportsFrom, TheNextSourceIfTheDriverRefusesItsDmaBufs) {
    ErrorLog log;
    connect();
    for (const char* function : {"vkGetMemoryFdPropertiesKHR", "vkAllocateMemory"}) {
        const size_t before = swapchains_by(log, GetParam().allocator);
        // The layer tries each dma-buf in two sizes.
        for (const uint32_t nth : {1u, 2u})
            fake_driver().fail_call(function, nth, VK_ERROR_INVALID_EXTERNAL_HANDLE);
        EXPECT_EQ(show_swapchain(), VK_SUCCESS) << function;
        EXPECT_EQ(swapchains_by(log, GetParam().allocator), before) << function;
    }
}

TEST_P(ImportsFrom, TheNextSourceIfTheDriverCannotUseItsMemory) {
    ErrorLog log;
    connect();
    // The layer tries each dma-buf in two sizes.
    for (const uint32_t nth : {1u, 2u})
        fake_driver().fail_call("vkAllocateMemory", nth, VK_ERROR_OUT_OF_DEVICE_MEMORY);
    EXPECT_EQ(show_swapchain(), VK_SUCCESS);
    EXPECT_EQ(fake_driver().injected_failures(), 2u);
    EXPECT_EQ(swapchains_by(log, GetParam().allocator), 0u) << log.text();
}

TEST_P(ImportsFrom, NothingIfTheDriverRunsOutOfHostMemory) {
    connect();
    for (const char* function :
         {"vkCreateImage", "vkGetMemoryFdPropertiesKHR", "vkAllocateMemory", "vkBindImageMemory"}) {
        fake_driver().fail_call(function, 1, VK_ERROR_OUT_OF_HOST_MEMORY);
        EXPECT_EQ(show_swapchain(), VK_ERROR_OUT_OF_HOST_MEMORY) << function;
        fake_driver().clear_failures();
    }
    EXPECT_EQ(show_swapchain(), VK_SUCCESS);
}

INSTANTIATE_TEST_SUITE_P(, ImportsFrom,
                         testing::Values(Source{"dma-heap", system_heap, true, false},
                                         Source{"dma-heap", system_heap, true, true},
                                         Source{"dma-heap", system_heap, false, false},
                                         Source{"udmabuf", udmabuf, true, false},
                                         Source{"udmabuf", udmabuf, false, true}),
                         [](const auto& row) {
                             std::string name = row.param.allocator;
                             std::erase(name, '-');
                             return name + (row.param.modifiers ? "Modifiers" : "Linear") +
                                    (row.param.dedicated ? "Dedicated" : "");
                         });

TEST_F(Imports, FailForLackOfMemoryIfEverySourceLacksIt) {
    connect();
    for (const char* device : {system_heap, udmabuf})
        memory_->fail_ioctl(device, ENOMEM);
    EXPECT_EQ(show_swapchain(), VK_ERROR_OUT_OF_DEVICE_MEMORY);
    for (const char* device : {system_heap, udmabuf})
        memory_->fail_ioctl(device, 0);
    EXPECT_EQ(show_swapchain(), VK_SUCCESS);
}

TEST_F(Imports, TheContiguousHeapIfThereIsNoSystemHeap) {
    memory_->remove(system_heap);
    memory_->add(cma_heap);
    ErrorLog log;
    connect();
    EXPECT_EQ(show_swapchain(), VK_SUCCESS);
    EXPECT_GT(memory_->made(cma_heap), 0u);
    EXPECT_EQ(swapchains_by(log, "dma-heap"), 1u) << log.text();
}

TEST_F(Imports, ComeAfterCopiesOnAGpuWithMemoryOfItsOwn) {
    fake_driver().set_shares_buffers(all_devices, VK_TRUE);
    for (const auto& [type, allocator] :
         {std::pair(VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU, "dma-heap"),
          std::pair(VK_PHYSICAL_DEVICE_TYPE_CPU, "dma-heap"),
          std::pair(VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU, "copy-dma-buf")}) {
        fake_driver().set_device_type(all_devices, type);
        ErrorLog log;
        connect();
        EXPECT_EQ(show_swapchain(), VK_SUCCESS);
        EXPECT_EQ(swapchains_by(log, allocator), 1u) << log.text();
        client_.reset();
    }
}

// ---- images that are bound to a swapchain's memory ----

struct AliasCase {
    const char* allocator;
    bool prefers_dedicated;
    friend void PrintTo(const AliasCase& tested, std::ostream* out) { *out << tested.allocator; }
};

class Aliases : public Imports, public testing::WithParamInterface<AliasCase> {};

TEST_P(Aliases, AreBoundToTheMemoryOfTheImages) {
    const std::string allocator = GetParam().allocator;
    const AllocatorSetting setting(allocator);
    fake_driver().set_shares_buffers(all_devices, VK_TRUE);
    if (allocator == "driver-export") {
        fake_driver().set_dma_buf_features(all_devices,
                                           VK_EXTERNAL_MEMORY_FEATURE_EXPORTABLE_BIT |
                                               VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT);
        fake_driver().hide_device_extension(all_devices,
                                            VK_EXT_IMAGE_DRM_FORMAT_MODIFIER_EXTENSION_NAME);
        fake_driver().set_linear_layout(all_devices, linear_alignment, 0);
    }
    fake_driver().set_dedicated(all_devices, GetParam().prefers_dedicated, VK_FALSE);
    ErrorLog log;
    connect();
    const Swapchain swapchain = client_->swapchain();
    ASSERT_EQ(swapchains_by(log, allocator), 1u) << log.text();
    std::vector<Owned<VkImage>> images;
    for (uint32_t index = 0; index < swapchain.images.size(); ++index)
        images.push_back(make_alias(client_->device, swapchain, index));
    EXPECT_EQ(client_->show_every_image(swapchain), VK_SUCCESS);
}

INSTANTIATE_TEST_SUITE_P(, Aliases,
                         testing::Values(AliasCase{"driver-export", false},
                                         AliasCase{"driver-export", true},
                                         AliasCase{"dma-heap", false}, AliasCase{"dma-heap", true},
                                         AliasCase{"udmabuf", false}, AliasCase{"udmabuf", true},
                                         AliasCase{"copy-dma-buf", false},
                                         AliasCase{"copy-dma-buf", true}),
                         [](const auto& row) {
                             std::string name = row.param.allocator;
                             std::erase(name, '-');
                             return name + (row.param.prefers_dedicated ? "Dedicated" : "");
                         });

} // namespace
} // namespace fencebridge::test
