// SPDX-License-Identifier: MIT
// What the specification demands of a VkSurfaceKHR and of the answers about it.
#include "wsi.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <optional>
#include <set>
#include <tuple>

namespace fencebridge::test {
namespace {

// --- capabilities ---

class SurfaceCapabilities : public WsiTest {
protected:
    void SetUp() override {
        WsiTest::SetUp();
        client_.emplace(connect());
        capabilities_ = capabilities_of(*client_);
    }
    void TearDown() override {
        client_.reset();
        WsiTest::TearDown();
    }

    std::optional<Client> client_;
    VkSurfaceCapabilitiesKHR capabilities_{};
};

TEST_F(SurfaceCapabilities, AtLeastOneImage) { EXPECT_GE(capabilities_.minImageCount, 1u); }

TEST_F(SurfaceCapabilities, TheMaximumOfImagesIsZeroOrAtLeastTheMinimum) {
    EXPECT_TRUE(capabilities_.maxImageCount == 0 ||
                capabilities_.maxImageCount >= capabilities_.minImageCount);
}

TEST_F(SurfaceCapabilities, TheCurrentExtentOfAWaylandSurfaceIsTheSpecialValue) {
    EXPECT_EQ(capabilities_.currentExtent.width, UINT32_MAX);
    EXPECT_EQ(capabilities_.currentExtent.height, UINT32_MAX);
}

TEST_F(SurfaceCapabilities, TheSmallestImageOfAWaylandSurfaceIsOnePixel) {
    EXPECT_EQ(capabilities_.minImageExtent.width, 1u);
    EXPECT_EQ(capabilities_.minImageExtent.height, 1u);
}

TEST_F(SurfaceCapabilities, TheLargestImageIsNoSmallerThanTheSmallest) {
    EXPECT_GE(capabilities_.maxImageExtent.width, capabilities_.minImageExtent.width);
    EXPECT_GE(capabilities_.maxImageExtent.height, capabilities_.minImageExtent.height);
}

TEST_F(SurfaceCapabilities, AtLeastOneArrayLayer) {
    EXPECT_GE(capabilities_.maxImageArrayLayers, 1u);
}

TEST_F(SurfaceCapabilities, AtLeastOneTransform) {
    EXPECT_NE(capabilities_.supportedTransforms, 0u);
}

TEST_F(SurfaceCapabilities, TheCurrentTransformIsOneBit) {
    EXPECT_TRUE(std::has_single_bit(uint32_t(capabilities_.currentTransform)));
}

TEST_F(SurfaceCapabilities, AtLeastOneCompositeAlpha) {
    EXPECT_NE(capabilities_.supportedCompositeAlpha, 0u);
}

TEST_F(SurfaceCapabilities, ImagesCanBeColourAttachments) {
    EXPECT_TRUE(capabilities_.supportedUsageFlags & VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT);
}

TEST_F(SurfaceCapabilities, BothQueriesAnswerAlike) {
    const auto second =
        query_capabilities(client_->instance, client_->device, client_->surface, nullptr);
    EXPECT_EQ(second.minImageCount, capabilities_.minImageCount);
    EXPECT_EQ(second.maxImageCount, capabilities_.maxImageCount);
    EXPECT_EQ(second.currentExtent.width, capabilities_.currentExtent.width);
    EXPECT_EQ(second.currentExtent.height, capabilities_.currentExtent.height);
    EXPECT_EQ(second.minImageExtent.width, capabilities_.minImageExtent.width);
    EXPECT_EQ(second.minImageExtent.height, capabilities_.minImageExtent.height);
    EXPECT_EQ(second.maxImageExtent.width, capabilities_.maxImageExtent.width);
    EXPECT_EQ(second.maxImageExtent.height, capabilities_.maxImageExtent.height);
    EXPECT_EQ(second.maxImageArrayLayers, capabilities_.maxImageArrayLayers);
    EXPECT_EQ(second.supportedTransforms, capabilities_.supportedTransforms);
    EXPECT_EQ(second.currentTransform, capabilities_.currentTransform);
    EXPECT_EQ(second.supportedCompositeAlpha, capabilities_.supportedCompositeAlpha);
    EXPECT_EQ(second.supportedUsageFlags, capabilities_.supportedUsageFlags);
}

// --- formats ---

bool same_pair(const VkSurfaceFormatKHR& one, const VkSurfaceFormatKHR& other) {
    return one.format == other.format && one.colorSpace == other.colorSpace;
}

class SurfaceFormats : public WsiTest {
protected:
    void SetUp() override {
        WsiTest::SetUp();
        client_.emplace(connect());
        formats_ = formats_of(*client_);
    }
    void TearDown() override {
        client_.reset();
        WsiTest::TearDown();
    }
    bool is_renderable(VkFormat format) const {
        VkFormatProperties properties{};
        vkGetPhysicalDeviceFormatProperties(client_->device.physical, format, &properties);
        return properties.optimalTilingFeatures & VK_FORMAT_FEATURE_COLOR_ATTACHMENT_BIT;
    }

    std::optional<Client> client_;
    std::vector<VkSurfaceFormatKHR> formats_;
};

TEST_F(SurfaceFormats, AtLeastOne) { EXPECT_GE(formats_.size(), 1u); }

TEST_F(SurfaceFormats, NoneIsUndefined) {
    EXPECT_TRUE(std::ranges::none_of(formats_, [](const VkSurfaceFormatKHR& pair) {
        return pair.format == VK_FORMAT_UNDEFINED;
    }));
}

TEST_F(SurfaceFormats, EachPairIsListedOnce) {
    std::set<std::pair<VkFormat, VkColorSpaceKHR>> pairs;
    for (const VkSurfaceFormatKHR& pair : formats_)
        EXPECT_TRUE(pairs.emplace(pair.format, pair.colorSpace).second) << pair.format;
}

// The formats that windows have, as pairs of UNORM and SRGB.
constexpr std::pair<VkFormat, VkFormat> twins[] = {
    {VK_FORMAT_B8G8R8A8_UNORM, VK_FORMAT_B8G8R8A8_SRGB},
    {VK_FORMAT_R8G8B8A8_UNORM, VK_FORMAT_R8G8B8A8_SRGB},
    {VK_FORMAT_A8B8G8R8_UNORM_PACK32, VK_FORMAT_A8B8G8R8_SRGB_PACK32},
    {VK_FORMAT_B8G8R8_UNORM, VK_FORMAT_B8G8R8_SRGB},
    {VK_FORMAT_R8G8B8_UNORM, VK_FORMAT_R8G8B8_SRGB},
};

TEST_F(SurfaceFormats, UnormAndSrgbComeTogether) {
    const auto has = [&](VkFormat format) {
        return std::ranges::any_of(formats_, [&](const VkSurfaceFormatKHR& pair) {
            return pair.format == format && pair.colorSpace == VK_COLOR_SPACE_SRGB_NONLINEAR_KHR;
        });
    };
    for (const auto& [unorm, srgb] : twins) {
        EXPECT_TRUE(!has(unorm) || has(srgb) || !is_renderable(srgb)) << unorm;
        EXPECT_TRUE(!has(srgb) || has(unorm) || !is_renderable(unorm)) << srgb;
    }
}

TEST_F(SurfaceFormats, BothQueriesAnswerAlike) {
    const auto get = reinterpret_cast<PFN_vkGetPhysicalDeviceSurfaceFormats2KHR>(
        vkGetInstanceProcAddr(client_->instance, "vkGetPhysicalDeviceSurfaceFormats2KHR"));
    VkPhysicalDeviceSurfaceInfo2KHR info{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SURFACE_INFO_2_KHR};
    info.surface = client_->surface;
    const auto second = list<VkSurfaceFormat2KHR>(
        [&](uint32_t* count, VkSurfaceFormat2KHR* formats) {
            return get(client_->device.physical, &info, count, formats);
        },
        {VK_STRUCTURE_TYPE_SURFACE_FORMAT_2_KHR, nullptr, {}});
    EXPECT_TRUE(
        std::ranges::equal(formats_, second, same_pair, {}, &VkSurfaceFormat2KHR::surfaceFormat));
}

// --- present modes ---

class SurfaceModes : public WsiTest {
protected:
    std::vector<VkPresentModeKHR> listed() { return modes_of(Client(connect())); }
};

TEST_F(SurfaceModes, FifoIsOneOfThem) {
    EXPECT_EQ(std::ranges::count(listed(), VK_PRESENT_MODE_FIFO_KHR), 1);
}

TEST_F(SurfaceModes, MailboxIsOneOfThemOnWayland) {
    EXPECT_EQ(std::ranges::count(listed(), VK_PRESENT_MODE_MAILBOX_KHR), 1);
}

TEST_F(SurfaceModes, EachIsListedOnce) {
    const auto modes = listed();
    EXPECT_EQ(std::set(modes.begin(), modes.end()).size(), modes.size());
}

// --- how lists are returned ---

class Enumerations : public WsiTest {
protected:
    // A list is written as far as the array has room, and VK_INCOMPLETE says that there was more.
    // `query` receives a count and an array.
    template <class T, class Query>
    void expect_rules(Query&& query, T initial = {}) {
        uint32_t all = 0;
        ASSERT_EQ(query(&all, nullptr), VK_SUCCESS);
        ASSERT_GE(all, 1u);
        std::vector<T> room(all + 2, initial);
        const auto untouched = [&](uint32_t from) {
            return std::all_of(room.begin() + from, room.end(), [&](const T& element) {
                return std::memcmp(&element, &initial, sizeof(T)) == 0;
            });
        };
        for (uint32_t size = 0; size < all; ++size) {
            room.assign(room.size(), initial);
            uint32_t count = size;
            EXPECT_EQ(query(&count, room.data()), VK_INCOMPLETE);
            EXPECT_EQ(count, size);
            EXPECT_TRUE(untouched(size));
        }
        for (uint32_t size = all; size <= all + 2; ++size) {
            room.assign(room.size(), initial);
            uint32_t count = size;
            EXPECT_EQ(query(&count, room.data()), VK_SUCCESS);
            EXPECT_EQ(count, all);
            EXPECT_TRUE(untouched(all));
        }
    }
};

TEST_F(Enumerations, OfFormatsFollowTheRules) {
    Client client(connect());
    expect_rules<VkSurfaceFormatKHR>([&](uint32_t* count, VkSurfaceFormatKHR* formats) {
        return vkGetPhysicalDeviceSurfaceFormatsKHR(client.device.physical, client.surface, count,
                                                    formats);
    });
}

TEST_F(Enumerations, OfFormats2FollowTheRules) {
    Client client(connect());
    const auto get = reinterpret_cast<PFN_vkGetPhysicalDeviceSurfaceFormats2KHR>(
        vkGetInstanceProcAddr(client.instance, "vkGetPhysicalDeviceSurfaceFormats2KHR"));
    VkPhysicalDeviceSurfaceInfo2KHR info{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SURFACE_INFO_2_KHR};
    info.surface = client.surface;
    expect_rules<VkSurfaceFormat2KHR>(
        [&](uint32_t* count, VkSurfaceFormat2KHR* formats) {
            return get(client.device.physical, &info, count, formats);
        },
        {VK_STRUCTURE_TYPE_SURFACE_FORMAT_2_KHR, nullptr, {}});
}

TEST_F(Enumerations, OfPresentModesFollowTheRules) {
    Client client(connect());
    expect_rules<VkPresentModeKHR>([&](uint32_t* count, VkPresentModeKHR* modes) {
        return vkGetPhysicalDeviceSurfacePresentModesKHR(client.device.physical, client.surface,
                                                         count, modes);
    });
}

TEST_F(Enumerations, OfPresentRectanglesFollowTheRules) {
    Client client(connect());
    expect_rules<VkRect2D>([&](uint32_t* count, VkRect2D* rectangles) {
        return vkGetPhysicalDevicePresentRectanglesKHR(client.device.physical, client.surface,
                                                       count, rectangles);
    });
}

TEST_F(Enumerations, OfSwapchainImagesFollowTheRules) {
    Client client(connect());
    const Swapchain swapchain = client.swapchain();
    ASSERT_EQ(swapchain.result, VK_SUCCESS);
    expect_rules<VkImage>([&](uint32_t* count, VkImage* images) {
        return vkGetSwapchainImagesKHR(client.device, swapchain, count, images);
    });
}

// --- support ---

class SurfaceSupport : public WsiTest {};

TEST_F(SurfaceSupport, AFamilyThatSupportsASurfaceSupportsItsCompositor) {
    Client client(connect());
    uint32_t families = 0;
    vkGetPhysicalDeviceQueueFamilyProperties(client.device.physical, &families, nullptr);
    for (uint32_t family = 0; family < families; ++family) {
        VkBool32 supported = VK_FALSE;
        ASSERT_EQ(vkGetPhysicalDeviceSurfaceSupportKHR(client.device.physical, family,
                                                       client.surface, &supported),
                  VK_SUCCESS);
        if (supported) {
            EXPECT_TRUE(vkGetPhysicalDeviceWaylandPresentationSupportKHR(
                client.device.physical, family, client.app.display()));
        }
    }
}

TEST_F(SurfaceSupport, AQueueOfASupportedFamilyPresents) {
    Client client(connect());
    VkBool32 supported = VK_FALSE; // the client's queue is of family 0
    ASSERT_EQ(
        vkGetPhysicalDeviceSurfaceSupportKHR(client.device.physical, 0, client.surface, &supported),
        VK_SUCCESS);
    ASSERT_TRUE(supported);
    const Swapchain swapchain = client.swapchain();
    EXPECT_EQ(client.show_every_image(swapchain), VK_SUCCESS);
}

// --- device groups ---

TEST_F(SurfaceSupport, TheRectanglesOfADeviceDoNotOverlap) {
    Client client(connect());
    const auto rectangles = list<VkRect2D>([&](uint32_t* count, VkRect2D* all) {
        return vkGetPhysicalDevicePresentRectanglesKHR(client.device.physical, client.surface,
                                                       count, all);
    });
    const auto ends = [](int32_t offset, uint32_t extent) { return int64_t(offset) + extent; };
    for (size_t i = 0; i < rectangles.size(); ++i) {
        for (size_t j = i + 1; j < rectangles.size(); ++j) {
            const VkRect2D &a = rectangles[i], &b = rectangles[j];
            EXPECT_TRUE(ends(a.offset.x, a.extent.width) <= b.offset.x ||
                        ends(b.offset.x, b.extent.width) <= a.offset.x ||
                        ends(a.offset.y, a.extent.height) <= b.offset.y ||
                        ends(b.offset.y, b.extent.height) <= a.offset.y);
        }
    }
}

TEST_F(SurfaceSupport, TheGroupModesOfASurfaceAreAmongThoseOfTheDevice) {
    Client client(connect());
    VkDeviceGroupPresentCapabilitiesKHR capabilities{
        VK_STRUCTURE_TYPE_DEVICE_GROUP_PRESENT_CAPABILITIES_KHR};
    ASSERT_EQ(vkGetDeviceGroupPresentCapabilitiesKHR(client.device, &capabilities), VK_SUCCESS);
    VkDeviceGroupPresentModeFlagsKHR modes = 0;
    ASSERT_EQ(vkGetDeviceGroupSurfacePresentModesKHR(client.device, client.surface, &modes),
              VK_SUCCESS);
    EXPECT_EQ(modes & ~capabilities.modes, 0u);
}

// --- what VK_EXT_surface_maintenance1 and VK_KHR_surface_protected_capabilities add ---

// The answers for one present mode.
struct OfMode {
    VkSurfaceCapabilitiesKHR common;
    VkSurfacePresentScalingCapabilitiesEXT scaling;
    std::vector<VkPresentModeKHR> compatible;
};

class SurfaceMaintenance : public WsiTest {
protected:
    static InstanceOptions options() {
        InstanceOptions options;
        options.extensions.push_back("VK_EXT_surface_maintenance1");
        return options;
    }
    static OfMode query(const Client& client, VkPresentModeKHR mode) {
        const auto get = reinterpret_cast<PFN_vkGetPhysicalDeviceSurfaceCapabilities2KHR>(
            vkGetInstanceProcAddr(client.instance, "vkGetPhysicalDeviceSurfaceCapabilities2KHR"));
        const VkSurfacePresentModeEXT named{VK_STRUCTURE_TYPE_SURFACE_PRESENT_MODE_EXT, nullptr,
                                            mode};
        const VkPhysicalDeviceSurfaceInfo2KHR info{
            VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SURFACE_INFO_2_KHR, &named, client.surface};
        OfMode answer{};
        answer.scaling = {VK_STRUCTURE_TYPE_SURFACE_PRESENT_SCALING_CAPABILITIES_EXT};
        answer.compatible.resize(8);
        VkSurfacePresentModeCompatibilityEXT modes{
            VK_STRUCTURE_TYPE_SURFACE_PRESENT_MODE_COMPATIBILITY_EXT, &answer.scaling,
            uint32_t(answer.compatible.size()), answer.compatible.data()};
        VkSurfaceCapabilities2KHR capabilities{VK_STRUCTURE_TYPE_SURFACE_CAPABILITIES_2_KHR,
                                               &modes};
        EXPECT_EQ(get(client.device.physical, &info, &capabilities), VK_SUCCESS);
        answer.common = capabilities.surfaceCapabilities;
        answer.scaling.pNext = nullptr;
        answer.compatible.resize(modes.presentModeCount);
        return answer;
    }
};

TEST_F(SurfaceMaintenance, AModeIsCompatibleWithItself) {
    Client client(connect(), options());
    for (const VkPresentModeKHR mode : modes_of(client))
        EXPECT_EQ(std::ranges::count(query(client, mode).compatible, mode), 1) << mode;
}

TEST_F(SurfaceMaintenance, AModeIsAmongTheCompatibleOnesOfAShortList) {
    Client client(connect(), options());
    const auto get = reinterpret_cast<PFN_vkGetPhysicalDeviceSurfaceCapabilities2KHR>(
        vkGetInstanceProcAddr(client.instance, "vkGetPhysicalDeviceSurfaceCapabilities2KHR"));
    for (const VkPresentModeKHR mode : modes_of(client)) {
        const VkSurfacePresentModeEXT named{VK_STRUCTURE_TYPE_SURFACE_PRESENT_MODE_EXT, nullptr,
                                            mode};
        const VkPhysicalDeviceSurfaceInfo2KHR info{
            VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SURFACE_INFO_2_KHR, &named, client.surface};
        VkPresentModeKHR first = VK_PRESENT_MODE_MAX_ENUM_KHR;
        VkSurfacePresentModeCompatibilityEXT modes{
            VK_STRUCTURE_TYPE_SURFACE_PRESENT_MODE_COMPATIBILITY_EXT, nullptr, 1, &first};
        VkSurfaceCapabilities2KHR capabilities{VK_STRUCTURE_TYPE_SURFACE_CAPABILITIES_2_KHR,
                                               &modes};
        ASSERT_EQ(get(client.device.physical, &info, &capabilities), VK_SUCCESS);
        EXPECT_EQ(modes.presentModeCount, 1u);
        EXPECT_EQ(first, mode);
    }
}

TEST_F(SurfaceMaintenance, CompatibleModesAreOffered) {
    Client client(connect(), options());
    const auto offered = modes_of(client);
    for (const VkPresentModeKHR mode : offered)
        for (const VkPresentModeKHR other : query(client, mode).compatible)
            EXPECT_EQ(std::ranges::count(offered, other), 1) << mode << " " << other;
}

TEST_F(SurfaceMaintenance, CompatibleModesScaleAlike) {
    Client client(connect(), options());
    for (const VkPresentModeKHR mode : modes_of(client)) {
        const OfMode one = query(client, mode);
        for (const VkPresentModeKHR compatible : one.compatible) {
            const auto& other = query(client, compatible).scaling;
            EXPECT_EQ(other.supportedPresentScaling, one.scaling.supportedPresentScaling);
            EXPECT_EQ(other.supportedPresentGravityX, one.scaling.supportedPresentGravityX);
            EXPECT_EQ(other.supportedPresentGravityY, one.scaling.supportedPresentGravityY);
        }
    }
}

TEST_F(SurfaceMaintenance, ScaledExtentsContainTheUnscaledOnes) {
    Client client(connect(), options());
    for (const VkPresentModeKHR mode : modes_of(client)) {
        const OfMode answer = query(client, mode);
        const auto& [common, scaling] = std::tie(answer.common, answer.scaling);
        EXPECT_LE(scaling.minScaledImageExtent.width, common.minImageExtent.width);
        EXPECT_LE(scaling.minScaledImageExtent.height, common.minImageExtent.height);
        EXPECT_GE(scaling.maxScaledImageExtent.width, common.maxImageExtent.width);
        EXPECT_GE(scaling.maxScaledImageExtent.height, common.maxImageExtent.height);
    }
}

TEST_F(SurfaceMaintenance, TheImageCountsOfAModeAreARange) {
    Client client(connect(), options());
    for (const VkPresentModeKHR mode : modes_of(client)) {
        const VkSurfaceCapabilitiesKHR common = query(client, mode).common;
        EXPECT_GE(common.minImageCount, 1u);
        EXPECT_TRUE(common.maxImageCount == 0 || common.maxImageCount >= common.minImageCount);
    }
}

TEST_F(SurfaceMaintenance, ProtectedSwapchainsCanBeCreatedIfTheSurfaceSaysSo) {
    InstanceOptions options;
    options.extensions.push_back(VK_KHR_SURFACE_PROTECTED_CAPABILITIES_EXTENSION_NAME);
    Client client(connect(), options);
    VkSurfaceProtectedCapabilitiesKHR protection{
        VK_STRUCTURE_TYPE_SURFACE_PROTECTED_CAPABILITIES_KHR};
    protection.supportsProtected = 2;
    query_capabilities(client.instance, client.device, client.surface, &protection);
    ASSERT_TRUE(protection.supportsProtected == VK_TRUE ||
                protection.supportsProtected == VK_FALSE);
    const Swapchain swapchain = client.swapchain({.flags = VK_SWAPCHAIN_CREATE_PROTECTED_BIT_KHR});
    EXPECT_EQ(swapchain.result == VK_SUCCESS, protection.supportsProtected == VK_TRUE);
}

// --- VK_GOOGLE_surfaceless_query ---

class NoSurface : public WsiTest {
protected:
    void SetUp() override {
        WsiTest::SetUp();
        InstanceOptions options;
        options.extensions.push_back(VK_GOOGLE_SURFACELESS_QUERY_EXTENSION_NAME);
        client_.emplace(connect(), options);
    }
    void TearDown() override {
        client_.reset();
        WsiTest::TearDown();
    }
    std::optional<Client> client_;
};

TEST_F(NoSurface, HasItsOwnImageCountsExtentAndTransform) {
    const auto general =
        query_capabilities(client_->instance, client_->device, VK_NULL_HANDLE, nullptr);
    EXPECT_EQ(general.minImageCount, UINT32_MAX);
    EXPECT_EQ(general.maxImageCount, UINT32_MAX);
    EXPECT_EQ(general.currentExtent.width, UINT32_MAX);
    EXPECT_EQ(general.currentExtent.height, UINT32_MAX);
    EXPECT_EQ(general.currentTransform, VK_SURFACE_TRANSFORM_INHERIT_BIT_KHR);
}

TEST_F(NoSurface, HasOtherwiseWhatEachSurfaceHas) {
    const auto general =
        query_capabilities(client_->instance, client_->device, VK_NULL_HANDLE, nullptr);
    const auto own = capabilities_of(*client_);
    EXPECT_EQ(general.minImageExtent.width, own.minImageExtent.width);
    EXPECT_EQ(general.maxImageExtent.width, own.maxImageExtent.width);
    EXPECT_EQ(general.maxImageArrayLayers, own.maxImageArrayLayers);
    EXPECT_EQ(general.supportedTransforms, own.supportedTransforms);
    // Each compositor decides about its formats. A usage or a mode of blending of every surface is
    // one of this surface.
    EXPECT_EQ(general.supportedCompositeAlpha & ~own.supportedCompositeAlpha, 0u);
    EXPECT_EQ(general.supportedUsageFlags & ~own.supportedUsageFlags, 0u);
}

TEST_F(NoSurface, HasFifoAndSharedModesOnly) {
    const auto modes = list<VkPresentModeKHR>([&](uint32_t* count, VkPresentModeKHR* all) {
        return vkGetPhysicalDeviceSurfacePresentModesKHR(client_->device.physical, VK_NULL_HANDLE,
                                                         count, all);
    });
    EXPECT_EQ(std::ranges::count(modes, VK_PRESENT_MODE_FIFO_KHR), 1);
    for (const VkPresentModeKHR mode : modes)
        EXPECT_TRUE(mode == VK_PRESENT_MODE_FIFO_KHR ||
                    mode == VK_PRESENT_MODE_SHARED_DEMAND_REFRESH_KHR ||
                    mode == VK_PRESENT_MODE_SHARED_CONTINUOUS_REFRESH_KHR)
            << mode;
}

// --- the native window ---

class NativeWindow : public WsiTest {};

TEST_F(NativeWindow, ADestroyedSurfaceLeavesTheWindow) {
    Client client(connect());
    for (int i = 0; i < 2; ++i) {
        {
            const Swapchain swapchain = client.swapchain();
            EXPECT_EQ(client.show_every_image(swapchain), VK_SUCCESS);
        }
        client.surface.reset();
        client.surface = make_surface(client.instance, client.app, client.window);
    }
    client.app.round_trip();
    EXPECT_EQ(wl_display_get_error(client.app.display()), 0);
}

TEST_F(NativeWindow, OnlyVkQueuePresentAttachesDamagesAndCommits) {
    Compositor& compositor = start(busy());
    const auto requests = [&] {
        return compositor.requests("wl_surface", "attach") +
               compositor.requests("wl_surface", "damage") +
               compositor.requests("wl_surface", "damage_buffer") +
               compositor.requests("wl_surface", "commit");
    };
    Client client(compositor);
    for (const VkPresentModeKHR mode : modes_of(client)) {
        size_t before = requests();
        Swapchain old = client.swapchain({.mode = mode});
        const uint32_t index = client.acquire(old).index;
        EXPECT_EQ(requests(), before);
        EXPECT_EQ(client.present(old, index), VK_SUCCESS);
        before = requests();
        Swapchain young = client.swapchain({.mode = mode, .old = old});
        client.acquire(young);
        EXPECT_EQ(requests(), before);
        EXPECT_EQ(vkDeviceWaitIdle(client.device), VK_SUCCESS);
        old = {};
        young = {};
        EXPECT_EQ(requests(), before);
    }
}

TEST_F(NativeWindow, ARequestAfterVkQueuePresentFollowsTheCommit) {
    Compositor& compositor = start(busy());
    Client client(compositor);
    for (const VkPresentModeKHR mode : modes_of(client)) {
        const Swapchain swapchain = client.swapchain({.mode = mode});
        for (int frame = 0; frame < 3; ++frame) {
            const uint32_t index = client.acquire(swapchain).index;
            ASSERT_EQ(client.present(swapchain, index), VK_SUCCESS);
            wl_surface_set_buffer_scale(client.window, 1);
            client.app.round_trip();
            compositor.on_thread([](Scene& scene) {
                std::vector<std::string> names;
                for (const Request& request : scene.requests())
                    if (request.interface == "wl_surface")
                        names.push_back(request.name);
                ASSERT_GE(names.size(), 2u);
                EXPECT_EQ(names.back(), "set_buffer_scale");
                EXPECT_EQ(names[names.size() - 2], "commit");
            });
        }
    }
}

} // namespace
} // namespace fencebridge::test
