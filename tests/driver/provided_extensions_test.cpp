// SPDX-License-Identifier: MIT
// Extensions that the layer provides, whether or not the driver has them.
#include <algorithm>
#include <array>
#include <span>

#include "fixture.hpp"
#include "layer.hpp"

namespace fencebridge::test {
namespace {

struct ProvidedCase {
    const char* extension;
    /// The VkStructureType of its features, which older headers lack; 0 if it has none.
    uint32_t features_type;
    uint32_t feature_count;
    /// Whether it works on the driver's own surfaces although the driver lacks it.
    bool on_every_surface;
};

struct Features {
    explicit Features(const ProvidedCase& of) :
        type{static_cast<VkStructureType>(of.features_type)} {}

    VkStructureType type;
    void* next{nullptr};
    std::array<VkBool32, 4> on{};
};

class ProvidedExtension : public DriverTest, public testing::WithParamInterface<ProvidedCase> {
protected:
    static void add_to_driver() {
        fake_driver().add_device_extension(FAKE_DRIVER_ALL_DEVICES, GetParam().extension);
    }
    static bool is_shown(const Instance& instance) {
        return std::ranges::count(device_extensions(instance.physical_device()),
                                  GetParam().extension) == 1;
    }
    static Features query(const Instance& instance) {
        Features features{GetParam()};
        VkPhysicalDeviceFeatures2 all{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2,
                                      .pNext = &features,
                                      .features = {}};
        vkGetPhysicalDeviceFeatures2(instance.physical_device(), &all);
        return features;
    }
    static long count_features(const Instance& instance) {
        return std::ranges::count(query(instance).on, VK_TRUE);
    }
    static std::vector<const char*> with_swapchain() {
        return {"VK_KHR_swapchain", GetParam().extension};
    }
    static bool driver_got_the_extension() {
        return as_set(extensions_of(last_device_create())).contains(GetParam().extension);
    }
    static bool driver_got_the_features() {
        const FakeDriverCreate& create = last_device_create();
        return std::ranges::count(std::span{create.next_types, create.next_count},
                                  static_cast<VkStructureType>(GetParam().features_type)) == 1;
    }

    /// Expects that the application sees the extension and can enable it.
    static void expect_usable(bool driver_has_it) {
        const Instance instance;
        EXPECT_TRUE(is_shown(instance));
        Features features{GetParam()};
        if (GetParam().features_type != 0) {
            EXPECT_EQ(count_features(instance), GetParam().feature_count);
            features = query(instance);
        }
        const void* const next = GetParam().features_type == 0 ? nullptr : &features;
        const Device device{instance.physical_device(),
                            {.extensions = with_swapchain(), .next = next}};
        ASSERT_EQ(device.result(), VK_SUCCESS);
        EXPECT_TRUE(is_taken_over(device));
        EXPECT_EQ(driver_got_the_extension(), driver_has_it);
        if (GetParam().features_type != 0) {
            EXPECT_EQ(driver_got_the_features(), driver_has_it);
        }
    }

    static inline const InstanceRequest beside_x11{
        .extensions = {"VK_KHR_surface", "VK_KHR_wayland_surface", "VK_KHR_xcb_surface"}};
};

TEST_P(ProvidedExtension, IsUsableIfTheDriverLacksIt) { expect_usable(false); }

TEST_P(ProvidedExtension, IsUsableIfTheDriverHasIt) {
    add_to_driver();
    expect_usable(true);
}

TEST_P(ProvidedExtension, IsTheDriversIfTakeoverIsOff) {
    const EnvironmentVariable off{"FENCEBRIDGE_TAKEOVER", "off"};
    {
        const Instance without;
        EXPECT_FALSE(is_shown(without));
        EXPECT_EQ(count_features(without), 0);
    }
    add_to_driver();
    const Instance with;
    EXPECT_TRUE(is_shown(with));
    EXPECT_EQ(count_features(with), GetParam().feature_count);
}

TEST_P(ProvidedExtension, IsOfferedBesideAnotherWindowSystemIfItWorksThere) {
    fake_driver().add_instance_extension("VK_KHR_xcb_surface");
    {
        const Instance instance{beside_x11};
        ASSERT_EQ(instance.result(), VK_SUCCESS);
        EXPECT_EQ(is_shown(instance), GetParam().on_every_surface);
        if (!GetParam().on_every_surface) {
            EXPECT_EQ(create_device_from_above(instance, with_swapchain()),
                      VK_ERROR_EXTENSION_NOT_PRESENT);
        }
    }
    add_to_driver();
    const Instance instance{beside_x11};
    EXPECT_TRUE(is_shown(instance));
}

constexpr ProvidedCase provided[]{
    {"VK_KHR_incremental_present", 0, 0, true},
    {"VK_KHR_present_id", 1000294001, 1, true},
    {"VK_KHR_present_wait", 1000248000, 1, false},
    {"VK_KHR_present_id2", 1000479002, 1, true},
    {"VK_KHR_present_wait2", 1000480001, 1, true},
    {"VK_KHR_calibrated_timestamps", 0, 0, true},
    {"VK_GOOGLE_display_timing", 0, 0, false},
    {"VK_EXT_present_timing", 1000208000, 3, true},
#ifdef FAKE_COMPOSITOR_HAS_FIFO
    {"VK_KHR_present_mode_fifo_latest_ready", 1000361000, 1, true},
    {"VK_EXT_present_mode_fifo_latest_ready", 1000361000, 1, true},
#endif
    {"VK_KHR_swapchain_mutable_format", 0, 0, false},
    {"VK_EXT_hdr_metadata", 0, 0, false},
    {"VK_EXT_swapchain_maintenance1", 1000275000, 1, false},
#ifdef VK_KHR_surface_maintenance1 // built only with headers that have it
    {"VK_KHR_swapchain_maintenance1", 1000275000, 1, false},
#endif
};

INSTANTIATE_TEST_SUITE_P(, ProvidedExtension, testing::ValuesIn(provided),
                         [](const auto& row) { return std::string{row.param.extension}; });

/// The chain of a device that is made of two physical devices. It passes through, which no call
/// before vkCreateDevice can know.
class Group {
public:
    explicit Group(const Instance& instance) :
        members_{instance.physical_device(0), instance.physical_device(1)} {}

    [[nodiscard]] void* chain() const { return const_cast<VkDeviceGroupDeviceCreateInfo*>(&info_); }

private:
    const std::array<VkPhysicalDevice, 2> members_;
    const VkDeviceGroupDeviceCreateInfo info_{.sType =
                                                  VK_STRUCTURE_TYPE_DEVICE_GROUP_DEVICE_CREATE_INFO,
                                              .pNext = nullptr,
                                              .physicalDeviceCount = 2,
                                              .pPhysicalDevices = members_.data()};
};

class FeaturesOfProvided : public DriverTest {
protected:
    static VkResult create(const Instance& instance, const void* chain) {
        return Device{instance.physical_device(),
                      {.extensions = {"VK_KHR_swapchain", "VK_KHR_present_id"}, .next = chain}}
            .result();
    }
    static std::vector<VkStructureType> received() {
        const FakeDriverCreate& create = last_device_create();
        return {create.next_types, create.next_types + create.next_count};
    }
};

TEST_F(FeaturesOfProvided, AreLeftOutOfTheMiddleOfAChain) {
    VkPhysicalDeviceVulkan13Features last{
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_FEATURES};
    VkPhysicalDevicePresentIdFeaturesKHR middle{
        VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PRESENT_ID_FEATURES_KHR, &last, VK_TRUE};
    VkPhysicalDeviceVulkan12Features first{
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES, .pNext = &middle};
    const Instance instance;
    EXPECT_EQ(create(instance, &first), VK_SUCCESS);
    EXPECT_EQ(received(), (std::vector{first.sType, last.sType}));
    EXPECT_EQ(first.pNext, &middle);
    EXPECT_EQ(middle.pNext, &last);
}

// The driver then decides. A log line says why.
TEST_F(FeaturesOfProvided, StayAfterAStructureOfUnknownSize) {
    VkPhysicalDevicePresentIdFeaturesKHR features{
        VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PRESENT_ID_FEATURES_KHR, nullptr, VK_TRUE};
    const VkBaseInStructure unknown{static_cast<VkStructureType>(1999999000),
                                    reinterpret_cast<const VkBaseInStructure*>(&features)};
    const Instance instance;
    const StderrCapture log;
    EXPECT_EQ(create(instance, &unknown), VK_ERROR_FEATURE_NOT_PRESENT);
    EXPECT_EQ(log.lines_with("1999999000").size(), 1U);
}

TEST_F(FeaturesOfProvided, ThatAreNotEnabledAreNotLeftOut) {
    const VkPhysicalDevicePresentIdFeaturesKHR features{
        VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PRESENT_ID_FEATURES_KHR, nullptr, VK_FALSE};
    const Instance instance;
    EXPECT_EQ(create(instance, &features), VK_SUCCESS);
    EXPECT_EQ(received(), std::vector{features.sType});
}

// The layer has offered the extensions before it knows that it cannot take the device over.
TEST_F(FeaturesOfProvided, AreLeftOutOfADeviceGroup) {
    fake_driver().set_physical_device_count(2);
    const Instance instance;
    const Group group{instance};
    VkPhysicalDevicePresentIdFeaturesKHR features{
        VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PRESENT_ID_FEATURES_KHR, group.chain(), VK_TRUE};
    const Device device{
        instance.physical_device(),
        {.extensions = {"VK_KHR_swapchain", "VK_KHR_present_id", "VK_KHR_swapchain_mutable_format"},
         .next = &features}};
    ASSERT_EQ(device.result(), VK_SUCCESS);
    EXPECT_FALSE(is_taken_over(device));
    EXPECT_EQ(extensions_of(last_device_create()), std::vector<std::string>{"VK_KHR_swapchain"});
    EXPECT_EQ(received(),
              std::vector<VkStructureType>{VK_STRUCTURE_TYPE_DEVICE_GROUP_DEVICE_CREATE_INFO});
}

/// An extension that the driver has under another name than the one that the application enables.
struct TwoNames {
    const char* applications;
    const char* drivers;
    const char* command = nullptr; ///< of the application's
};

class ExtensionWithTwoNames : public DriverTest, public testing::WithParamInterface<TwoNames> {
protected:
    void SetUp() override {
        DriverTest::SetUp();
        fake_driver().add_device_extension(FAKE_DRIVER_ALL_DEVICES, GetParam().drivers);
        fake_driver().add_instance_extension("VK_KHR_xcb_surface");
    }
    static Names driver_got() { return as_set(extensions_of(last_device_create())); }
};

TEST_P(ExtensionWithTwoNames, IsEnabledByTheNameThatTheDriverKnows) {
    const Instance instance{
        {.extensions = {"VK_KHR_surface", "VK_KHR_wayland_surface", "VK_KHR_xcb_surface"}}};
    ASSERT_EQ(instance.result(), VK_SUCCESS);
    const Names shown = as_set(device_extensions(instance.physical_device()));
    EXPECT_TRUE(shown.contains(GetParam().applications)) << "it works on every surface";
    const Device device{instance.physical_device(),
                        {.extensions = {"VK_KHR_swapchain", GetParam().applications}}};
    ASSERT_EQ(device.result(), VK_SUCCESS);
    EXPECT_TRUE(is_taken_over(device));
    EXPECT_TRUE(driver_got().contains(GetParam().drivers));
    EXPECT_FALSE(driver_got().contains(GetParam().applications));
    if (GetParam().command != nullptr) {
        EXPECT_TRUE(is_from_layer(device, GetParam().command));
    }
}

TEST_P(ExtensionWithTwoNames, IsEnabledOnceIfTheApplicationEnablesBothNames) {
    const Instance instance;
    if (!as_set(device_extensions(instance.physical_device())).contains(GetParam().drivers))
        return; // older headers lack the newer name
    const Device device{
        instance.physical_device(),
        {.extensions = {"VK_KHR_swapchain", GetParam().applications, GetParam().drivers}}};
    ASSERT_EQ(device.result(), VK_SUCCESS);
    EXPECT_TRUE(driver_got().contains(GetParam().drivers));
    EXPECT_FALSE(driver_got().contains(GetParam().applications));
}

// The driver does not have the command that the application knows.
TEST_P(ExtensionWithTwoNames, HasItsCommandOnADeviceGroup) {
    fake_driver().set_physical_device_count(2);
    const Instance instance;
    const Group group{instance};
    const Device device{
        instance.physical_device(),
        {.extensions = {"VK_KHR_swapchain", GetParam().applications}, .next = group.chain()}};
    ASSERT_EQ(device.result(), VK_SUCCESS);
    EXPECT_FALSE(is_taken_over(device));
    EXPECT_TRUE(driver_got().contains(GetParam().drivers));
    if (GetParam().command != nullptr) {
        EXPECT_NE(device.function<PFN_vkVoidFunction>(GetParam().command), nullptr);
    }
}

constexpr TwoNames two_names[]{
    {"VK_KHR_calibrated_timestamps", "VK_EXT_calibrated_timestamps",
     "vkGetCalibratedTimestampsKHR"},
#ifdef FAKE_COMPOSITOR_HAS_FIFO
    {"VK_EXT_present_mode_fifo_latest_ready", "VK_KHR_present_mode_fifo_latest_ready"},
    {"VK_KHR_present_mode_fifo_latest_ready", "VK_EXT_present_mode_fifo_latest_ready"},
#endif
    {"VK_EXT_swapchain_maintenance1", "VK_KHR_swapchain_maintenance1",
     "vkReleaseSwapchainImagesEXT"},
#ifdef VK_KHR_surface_maintenance1
    {"VK_KHR_swapchain_maintenance1", "VK_EXT_swapchain_maintenance1",
     "vkReleaseSwapchainImagesKHR"},
#endif
};

INSTANTIATE_TEST_SUITE_P(, ExtensionWithTwoNames, testing::ValuesIn(two_names),
                         [](const auto& row) { return std::string{row.param.applications}; });

// VK_KHR_calibrated_timestamps does not depend on VK_KHR_swapchain.
TEST_F(FeaturesOfProvided, HostClocksAreCalibratedOnADeviceWithoutSwapchains) {
    const Instance instance;
    const Device device{instance.physical_device(),
                        {.extensions = {"VK_KHR_calibrated_timestamps"}}};
    ASSERT_EQ(device.result(), VK_SUCCESS);
    EXPECT_FALSE(is_taken_over(device));
    const auto get =
        device.function<PFN_vkGetCalibratedTimestampsEXT>("vkGetCalibratedTimestampsKHR");
    ASSERT_NE(get, nullptr);
    const VkCalibratedTimestampInfoEXT info{VK_STRUCTURE_TYPE_CALIBRATED_TIMESTAMP_INFO_EXT,
                                            nullptr, VK_TIME_DOMAIN_CLOCK_MONOTONIC_EXT};
    uint64_t first = 0;
    uint64_t second = 0;
    uint64_t deviation = 0;
    EXPECT_EQ(get(device, 1, &info, &first, &deviation), VK_SUCCESS);
    EXPECT_EQ(get(device, 1, &info, &second, &deviation), VK_SUCCESS);
    EXPECT_GT(first, 0u);
    EXPECT_GE(second, first);
    EXPECT_GT(deviation, 0u);
}

// The loader does not refuse an extension that the manifest of an implicit layer names.
TEST_F(FeaturesOfProvided, WithACommandAreRefusedOnADeviceGroup) {
    fake_driver().set_physical_device_count(2);
    const Instance instance;
    const Group group{instance};
    const Device device{instance.physical_device(),
                        {.extensions = {"VK_KHR_swapchain", "VK_EXT_swapchain_maintenance1"},
                         .next = group.chain()}};
    EXPECT_EQ(device.result(), VK_ERROR_EXTENSION_NOT_PRESENT);
}

} // namespace
} // namespace fencebridge::test
