// SPDX-License-Identifier: MIT
// The loader finds the layer and puts it into the chain of a device, and the manifest agrees with
// the library.
#include <algorithm>
#include <fstream>
#include <regex>
#include <sstream>

#include "fixture.hpp"
#include "layer.hpp"

namespace fencebridge::test {
namespace {

std::string read_manifest() {
    std::ifstream file{LAYER_MANIFEST_FOLDER "/VkLayer_FENCEBRIDGE_wsi.json"};
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

/// The text between the brackets of the array with this key.
std::string array_of(const std::string& manifest, const std::string& key) {
    const size_t start = manifest.find('[', manifest.find('"' + key + '"'));
    size_t end = start;
    for (int depth = 0; end < manifest.size(); ++end) {
        depth += manifest[end] == '[' ? 1 : 0;
        depth -= manifest[end] == ']' ? 1 : 0;
        if (depth == 0)
            break;
    }
    return start == std::string::npos ? "" : manifest.substr(start + 1, end - start - 1);
}

std::vector<std::string> matches(const std::string& text, const char* pattern) {
    const std::regex expression{pattern};
    std::vector<std::string> result;
    for (std::sregex_iterator i{text.begin(), text.end(), expression}; i != std::sregex_iterator{};
         ++i)
        result.push_back((*i)[1]);
    return result;
}

Names manifest_extensions(const std::string& key) {
    return as_set(matches(array_of(read_manifest(), key), R"re("name"\s*:\s*"(VK_\w+)")re"));
}

class LoaderTest : public DriverTest {};

TEST_F(LoaderTest, TheLoaderListsTheLayer) {
    uint32_t count = 0;
    ASSERT_EQ(vkEnumerateInstanceLayerProperties(&count, nullptr), VK_SUCCESS);
    std::vector<VkLayerProperties> layers(count);
    ASSERT_EQ(vkEnumerateInstanceLayerProperties(&count, layers.data()), VK_SUCCESS);
    EXPECT_EQ(std::ranges::count_if(layers,
                                    [](const VkLayerProperties& layer) {
                                        return std::string{layer.layerName} == layer_name;
                                    }),
              1);
}

TEST_F(LoaderTest, TheLoaderPutsTheLayerIntoTheChainOfADevice) {
    const Instance instance;
    ASSERT_EQ(instance.result(), VK_SUCCESS);
    const Device device{instance.physical_device()};
    ASSERT_EQ(device.result(), VK_SUCCESS);
    EXPECT_TRUE(is_taken_over(device));
}

// For Vulkan Configurator. Loaders ignore it, as the other tests show.
TEST_F(LoaderTest, TheManifestDescribesTheSettings) {
    const std::string settings = array_of(read_manifest(), "settings");
    const Names variables = as_set(matches(settings, R"re("env"\s*:\s*"(\w+)")re"));
    EXPECT_TRUE(variables.contains("FENCEBRIDGE_SYNC"));
    EXPECT_TRUE(variables.contains("FENCEBRIDGE_LOG_LEVEL"));
    EXPECT_TRUE(as_set(matches(settings, R"re("key"\s*:\s*"(\w+)")re")).contains("explicit"));
}

TEST_F(LoaderTest, TheManifestListsTheExtensionsThatTheLayerProvides) {
    Names instance_names{"VK_KHR_surface",
                         "VK_EXT_headless_surface",
                         "VK_KHR_wayland_surface",
                         "VK_KHR_get_surface_capabilities2",
                         "VK_EXT_surface_maintenance1",
                         "VK_KHR_surface_protected_capabilities",
                         "VK_GOOGLE_surfaceless_query",
                         "VK_EXT_swapchain_colorspace"};
#ifdef VK_EXT_layer_settings // built only with headers that have it
    instance_names.insert("VK_EXT_layer_settings");
#endif
#ifdef VK_KHR_surface_maintenance1
    instance_names.insert("VK_KHR_surface_maintenance1");
#endif
    EXPECT_EQ(manifest_extensions("instance_extensions"), instance_names);
    Names device_names{"VK_EXT_hdr_metadata",
                       "VK_EXT_present_timing",
                       "VK_EXT_swapchain_maintenance1",
                       "VK_GOOGLE_display_timing",
                       "VK_KHR_calibrated_timestamps",
                       "VK_KHR_incremental_present",
                       "VK_KHR_present_id",
                       "VK_KHR_present_id2",
                       "VK_KHR_present_wait",
                       "VK_KHR_present_wait2",
                       "VK_KHR_shared_presentable_image",
                       "VK_KHR_swapchain",
                       "VK_KHR_swapchain_mutable_format"};
#ifdef FAKE_COMPOSITOR_HAS_FIFO
    device_names.insert("VK_EXT_present_mode_fifo_latest_ready");
    device_names.insert("VK_KHR_present_mode_fifo_latest_ready");
#endif
#ifdef VK_KHR_surface_maintenance1
    device_names.insert("VK_KHR_swapchain_maintenance1");
#endif
    EXPECT_EQ(manifest_extensions("device_extensions"), device_names);
    EXPECT_EQ(as_set(instance_extensions(layer_name)), manifest_extensions("instance_extensions"));
    const Instance instance;
    EXPECT_EQ(as_set(device_extensions(instance.physical_device(), layer_name)),
              manifest_extensions("device_extensions"));
}

TEST_F(LoaderTest, AnInstanceHasWaylandSurfacesIfTheDriverHasNoWsi) {
    fake_driver().set_native_wsi(VK_FALSE);
    const auto names = manifest_extensions("instance_extensions");
    std::vector<const char*> extensions;
    for (const std::string& name : names)
        extensions.push_back(name.c_str());
    const Instance instance{{.extensions = extensions}};
    ASSERT_EQ(instance.result(), VK_SUCCESS);
    EXPECT_NE(vkGetInstanceProcAddr(instance, "vkCreateWaylandSurfaceKHR"), nullptr);
    EXPECT_NE(vkGetInstanceProcAddr(instance, "vkGetPhysicalDeviceSurfaceCapabilities2KHR"),
              nullptr);
}

// A loader warns about a layer whose API version is lower than the application's, or does not load
// it. The manifest must name the version of the headers that the layer was built with.
TEST_F(LoaderTest, TheManifestsApiVersionIsThatOfTheHeaders) {
    const auto versions = matches(read_manifest(), R"re("api_version"\s*:\s*"([0-9.]+)")re");
    constexpr uint32_t built_for = VK_HEADER_VERSION_COMPLETE;
    EXPECT_EQ(versions,
              std::vector<std::string>{std::to_string(VK_API_VERSION_MAJOR(built_for)) + "." +
                                       std::to_string(VK_API_VERSION_MINOR(built_for)) + "." +
                                       std::to_string(VK_API_VERSION_PATCH(built_for))});
}

TEST_F(LoaderTest, TheEntryPointsOfTheManifestBelongToTheLayer) {
    const auto functions =
        matches(array_of(read_manifest(), "device_extensions"), R"re("(vk\w+)")re");
    ASSERT_FALSE(functions.empty());
    const Names names = manifest_extensions("device_extensions");
    std::vector<const char*> extensions;
    for (const std::string& name : names)
        extensions.push_back(name.c_str());
    // The layer provides it only on drivers that know its image layout.
    fake_driver().add_device_extension(0, "VK_KHR_shared_presentable_image");
    const Instance instance;
    const Device device{instance.physical_device(), {.extensions = extensions}};
    ASSERT_EQ(device.result(), VK_SUCCESS);
    for (const std::string& function : functions)
        EXPECT_TRUE(is_from_layer(device, function.c_str())) << function;
}

TEST_F(LoaderTest, TheLibraryListsTheDeviceExtensionsOfTheManifest) {
    LayerLibrary library;
    ASSERT_EQ(library.negotiate(), VK_SUCCESS);
    EXPECT_EQ(library.interface().loaderLayerInterfaceVersion, 2U);
    // A layer answers about its own extensions without a physical device.
    const auto enumerate = library.function<PFN_vkEnumerateDeviceExtensionProperties>(
        VK_NULL_HANDLE, "vkEnumerateDeviceExtensionProperties");
    ASSERT_NE(enumerate, nullptr);
    std::array<VkExtensionProperties, 16> properties{};
    auto count = static_cast<uint32_t>(properties.size());
    ASSERT_EQ(enumerate(VK_NULL_HANDLE, layer_name, &count, properties.data()), VK_SUCCESS);
    Names names;
    for (uint32_t i = 0; i < count; ++i)
        names.emplace(properties.at(i).extensionName);
    EXPECT_EQ(names, manifest_extensions("device_extensions"));
}

TEST_F(LoaderTest, ALoaderWithInterfaceVersion1IsRefused) {
    LayerLibrary library;
    EXPECT_EQ(library.negotiate(1), VK_ERROR_INITIALIZATION_FAILED);
    EXPECT_EQ(library.interface().pfnGetInstanceProcAddr, nullptr);
}

} // namespace
} // namespace fencebridge::test
