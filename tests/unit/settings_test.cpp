// SPDX-License-Identifier: MIT
#include "settings/settings.hpp"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <gtest/gtest.h>
#include <string>
#include <unistd.h>
#include <vulkan/vulkan.h>

#include "settings/sources.hpp"
#include "settings/table.hpp"

namespace fencebridge {
namespace {

/// Sets one setting to each of the values in turn.
template <class T>
void expect_values(const char* name, T Settings::*member,
                   std::initializer_list<std::pair<const char*, T>> values) {
    Settings settings;
    for (const auto& [text, value] : values) {
        EXPECT_TRUE(settings.set(name, text)) << name << "=" << text;
        EXPECT_EQ(settings.*member, value) << name << "=" << text;
    }
}

TEST(Settings, ThoseOfHeadlessSurfacesAcceptTheirValues) {
    Settings settings;
    const headless::Options& options = settings.headless;
    EXPECT_EQ(options.period, std::chrono::nanoseconds(16'666'667)) << "60 Hz";
    const std::pair<const char*, int64_t> periods[] = {
        {"1", 1'000'000'000}, {"59.94", 16'683'350}, {"1000", 1'000'000}, {"60", 16'666'667}};
    for (const auto& [text, period] : periods) {
        EXPECT_TRUE(settings.set("headless_refresh", text)) << text;
        EXPECT_EQ(options.period.count(), period) << text;
    }
    for (const char* text :
         {"", "0", "-60", "0.9", "1000.5", "60Hz", "6e1", "nan", "inf", " 60", "0x3c"})
        EXPECT_FALSE(settings.set("headless_refresh", text)) << text;
    EXPECT_EQ(options.period.count(), 16'666'667) << "a refused value changes nothing";

    EXPECT_EQ(options.capture_folder, "");
    EXPECT_TRUE(settings.set("headless_capture", "/tmp/frames"));
    EXPECT_EQ(options.capture_folder, "/tmp/frames");
    EXPECT_TRUE(settings.set("headless_capture", ""));
    EXPECT_EQ(options.capture_folder, "");

    EXPECT_EQ(options.capture_every, 60U);
    for (const auto& [text, value] : {std::pair{"1", 1U}, std::pair{"1000000", 1'000'000U}}) {
        EXPECT_TRUE(settings.set("headless_capture_every", text)) << text;
        EXPECT_EQ(options.capture_every, value) << text;
    }
    for (const char* text : {"", "0", "-1", "1.5", "1000001", "4294967297", "x"})
        EXPECT_FALSE(settings.set("headless_capture_every", text)) << text;
    EXPECT_EQ(options.capture_every, 1'000'000U);
}

// The default is the last value of each, so that it has to replace another.
TEST(Settings, EverySettingAcceptsItsValues) {
    expect_values("sync", &Settings::sync,
                  {{"kernel", core::Transport::kernel},
                   {"explicit", core::Transport::explicit_sync},
                   {"module", core::Transport::module},
                   {"cpu", core::Transport::cpu},
                   {"auto", std::nullopt}});
    expect_values("takeover", &Settings::takeover,
                  {{"off", TakeoverSetting::off},
                   {"on", TakeoverSetting::on},
                   {"auto", TakeoverSetting::automatic}});
    expect_values("image", &Settings::image,
                  {{"driver-export", core::ImageSource::driver_export},
                   {"gbm", core::ImageSource::gbm},
                   {"dma-heap", core::ImageSource::dma_heap},
                   {"dumb", core::ImageSource::dumb},
                   {"udmabuf", core::ImageSource::udmabuf},
                   {"copy-dma-buf", core::ImageSource::copy_dma_buf},
                   {"host-pointer", core::ImageSource::host_pointer},
                   {"copy-host-pointer", core::ImageSource::copy_host_pointer},
                   {"auto", std::nullopt}});
    const auto set_of = [](std::initializer_list<wayland::Protocol> all) {
        wayland::ProtocolSet set;
        for (const wayland::Protocol protocol : all)
            set.add(protocol);
        return set;
    };
    using wayland::Protocol;
    expect_values("avoid", &Settings::avoid,
                  {{"fifo-v1", set_of({Protocol::fifo})},
                   {"linux-drm-syncobj-v1", set_of({Protocol::syncobj})},
                   {"tearing-control-v1", set_of({Protocol::tearing_control})},
                   {"color-management-v1", set_of({Protocol::color_management})},
                   {"color-representation-v1", set_of({Protocol::color_representation})},
                   {"commit-timing-v1", set_of({Protocol::commit_timing})},
                   {" linux-drm-syncobj-v1 ,fifo-v1,", set_of({Protocol::fifo, Protocol::syncobj})},
                   {"linux-drm-syncobj-v1:fifo-v1", set_of({Protocol::fifo, Protocol::syncobj})},
                   {"", {}}});
    expect_values("log_level", &Settings::log_level,
                  {{"debug", log::Level::debug},
                   {"info", log::Level::info},
                   {"error", log::Level::error},
                   {"warning", log::Level::warning}});
}

// The table is for people, too: what it lists is what works.
TEST(Settings, EveryRowOfTheTableWorks) {
    for (const settings::Row& row : settings::rows()) {
        EXPECT_TRUE(Settings().set(row.key, row.initial)) << row.key;
        for (const std::string_view name : settings::split(row.names))
            EXPECT_TRUE(Settings().set(row.key, name)) << row.key << "=" << name;
    }
    for (const core::ImageSourceName& source : core::image_sources)
        EXPECT_TRUE(Settings().set("image", source.name)) << source.name;
    for (const wayland::ProtocolRow& protocol : wayland::protocol_rows)
        EXPECT_TRUE(Settings().set("avoid", protocol.name)) << protocol.name;
}

TEST(Settings, TheTableHasTheInitialValues) {
    Settings settings;
    for (const settings::Row& row : settings::rows())
        settings.set(row.key, row.initial);
    EXPECT_EQ(settings, Settings());
}

TEST(Settings, AnUnknownNameOrValueChangesNothing) {
    Settings settings;
    ASSERT_TRUE(settings.set("sync", "cpu"));
    EXPECT_FALSE(settings.set("sync", "Kernel"));
    EXPECT_FALSE(settings.set("sync", ""));
    EXPECT_FALSE(settings.set("synch", "kernel"));
    EXPECT_EQ(settings.sync, core::Transport::cpu);
    ASSERT_TRUE(settings.set("avoid", "fifo-v1"));
    EXPECT_FALSE(settings.set("avoid", "linux-drm-syncobj-v1,fifo"));
    EXPECT_TRUE(settings.avoid.has(wayland::Protocol::fifo));
    EXPECT_FALSE(settings.avoid.has(wayland::Protocol::syncobj));
}

TEST(Settings, OnlyThisLayersLinesOfAFileAreRead) {
    Settings settings;
    read_file_text(settings,
                   "# a comment\n"
                   "khronos_validation.sync = cpu\n"
                   "  fencebridge_wsi.sync=kernel # why not\r\n"
                   "fencebridge_wsi.takeover\n"
                   "#fencebridge_wsi.takeover = off\n"
                   "\n"
                   "fencebridge_wsi.log_level = info",
                   "a file");
    EXPECT_EQ(settings.sync, core::Transport::kernel);
    EXPECT_EQ(settings.takeover, TakeoverSetting::automatic);
    EXPECT_EQ(settings.log_level, log::Level::info);
}

/// Sets an environment variable for the lifetime of this object.
class ScopedVariable {
public:
    ScopedVariable(const char* name, const char* value) : name_(name) { ::setenv(name, value, 1); }
    ~ScopedVariable() { ::unsetenv(name_); }
    ScopedVariable(const ScopedVariable&) = delete;
    ScopedVariable& operator=(const ScopedVariable&) = delete;

private:
    const char* name_;
};

/// A folder with a settings file. The destructor removes both.
class ScopedFile {
public:
    explicit ScopedFile(const char* text) {
        EXPECT_NE(::mkdtemp(folder_), nullptr);
        FILE* out = std::fopen(path().c_str(), "w");
        EXPECT_NE(out, nullptr);
        std::fputs(text, out);
        std::fclose(out);
    }
    ~ScopedFile() {
        std::remove(path().c_str());
        ::rmdir(folder_);
    }
    ScopedFile(const ScopedFile&) = delete;
    ScopedFile& operator=(const ScopedFile&) = delete;

    [[nodiscard]] const char* folder() const { return folder_; }

private:
    [[nodiscard]] std::string path() const {
        return std::string(folder_) + "/vk_layer_settings.txt";
    }
    char folder_[40] = "/tmp/fencebridge-settings-XXXXXX";
};

TEST(Settings, WhatIsIgnoredIsKeptForTheLogWithWhatIsAllowed) {
    Settings settings;
    read_file_text(settings,
                   "fencebridge_wsi.sync = fast\n"
                   "fencebridge_wsi.synch = cpu\n"
                   "fencebridge_wsi.avoid = fifo-v1,fifo\n"
                   "fencebridge_wsi.headless_refresh = 0\n"
                   "fencebridge_wsi.headless_capture_every = 1.5\n",
                   "a file");
    EXPECT_EQ(settings.ignored,
              (std::vector<std::string>{
                  "ignoring sync=fast (a file): allowed: auto, explicit, kernel, module, cpu",
                  "ignoring synch=cpu (a file): there is no such setting",
                  "ignoring avoid=fifo-v1,fifo (a file): allowed: a list of fifo-v1, "
                  "linux-drm-syncobj-v1, tearing-control-v1, color-management-v1, "
                  "color-representation-v1, commit-timing-v1",
                  "ignoring headless_refresh=0 (a file): allowed: a number from 1 to 1000",
                  "ignoring headless_capture_every=1.5 (a file): allowed: a whole number from 1 to "
                  "1000000",
              }));
    EXPECT_EQ(settings.avoid, wayland::ProtocolSet());
}

// What Vulkan Configurator 3.4 writes for the settings of the manifest.
TEST(Settings, AFileOfVulkanConfiguratorIsRead) {
    Settings settings;
    read_file_text(settings,
                   "# Transport of fences\n"
                   "# ------------------------------------------\n"
                   "# sync (LINUX)\n"
                   "fencebridge_wsi.sync = module\n\n"
                   "fencebridge_wsi.avoid = fifo-v1,commit-timing-v1\n\n"
                   "fencebridge_wsi.headless_refresh = 59.939999\n\n"
                   "fencebridge_wsi.headless_capture = \n\n"
                   "fencebridge_wsi.headless_capture_every = 10\n\n",
                   "a file");
    EXPECT_EQ(settings.ignored, std::vector<std::string>());
    EXPECT_EQ(settings.sync, core::Transport::module);
    EXPECT_TRUE(settings.avoid.has(wayland::Protocol::fifo));
    EXPECT_TRUE(settings.avoid.has(wayland::Protocol::commit_timing));
    EXPECT_EQ(settings.headless.period.count(), 16'683'350);
    EXPECT_EQ(settings.headless.capture_every, 10U);
}

TEST(Settings, AnEmptyVkLayerSettingsPathCountsAsUnset) {
    const ScopedFile file("fencebridge_wsi.sync = cpu\n");
    const std::string before = std::filesystem::current_path();
    std::filesystem::current_path(file.folder());
    const ScopedVariable path("VK_LAYER_SETTINGS_PATH", "");
    const VkInstanceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO};
    EXPECT_EQ(read_settings(info).sync, core::Transport::cpu);
    std::filesystem::current_path(before);
}

TEST(Settings, TheEnvironmentOverridesTheFile) {
    const ScopedFile file("fencebridge_wsi.sync = cpu\nfencebridge_wsi.takeover = off\n");
    const ScopedVariable path("VK_LAYER_SETTINGS_PATH", file.folder());
    const VkInstanceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO};
    EXPECT_EQ(read_settings(info).sync, core::Transport::cpu);
    const ScopedVariable sync("FENCEBRIDGE_SYNC", "kernel");
    const Settings both = read_settings(info);
    EXPECT_EQ(both.sync, core::Transport::kernel);
    EXPECT_EQ(both.takeover, TakeoverSetting::off);
}

TEST(Settings, AVariableMayHaveTheNameOfTheVulkanSdk) {
    const VkInstanceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO};
    const ScopedVariable longer("VK_FENCEBRIDGE_WSI_SYNC", "cpu");
    const ScopedVariable wrong("VK_FENCEBRIDGE_WSI_TAKEOVER", "never");
    const Settings settings = read_settings(info);
    EXPECT_EQ(settings.sync, core::Transport::cpu);
    EXPECT_EQ(settings.ignored,
              std::vector<std::string>{"ignoring takeover=never (environment variable "
                                       "VK_FENCEBRIDGE_WSI_TAKEOVER): allowed: auto, on, off"});
    const ScopedVariable shorter("FENCEBRIDGE_SYNC", "kernel");
    EXPECT_EQ(read_settings(info).sync, core::Transport::kernel);
}

/// What the environment of an application has, and whether that enables the layer by its name.
struct Naming {
    const char* variable;
    const char* value;
    bool named;
};
class LayerNaming : public testing::TestWithParam<Naming> {};

TEST_P(LayerNaming, TheEnvironmentNamesTheLayer) {
    const VkInstanceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO};
    EXPECT_FALSE(read_settings(info).named);
    const ScopedVariable variable(GetParam().variable, GetParam().value);
    EXPECT_EQ(read_settings(info).named, GetParam().named);
}

INSTANTIATE_TEST_SUITE_P(
    , LayerNaming,
    testing::Values(Naming{"VK_INSTANCE_LAYERS", "VK_LAYER_FENCEBRIDGE_wsi", true},
                    Naming{"VK_INSTANCE_LAYERS", "VK_LAYER_A:VK_LAYER_FENCEBRIDGE_wsi:B", true},
                    Naming{"VK_INSTANCE_LAYERS", "VK_LAYER_FENCEBRIDGE_wsi_2:VK_LAYER_A", false},
                    Naming{"VK_INSTANCE_LAYERS", "", false},
                    Naming{"VK_LOADER_LAYERS_ENABLE", "*validation,*fencebridge*", true},
                    Naming{"VK_LOADER_LAYERS_ENABLE", "~implicit~", false},
                    Naming{"ENABLE_FENCEBRIDGE", "1", true},
                    Naming{"ENABLE_FENCEBRIDGE", "0", false},
                    Naming{"FENCEBRIDGE_TAKEOVER", "auto", false}));

TEST(Settings, TheApplicationNamesTheLayer) {
    const char* const layers[] = {"VK_LAYER_A", "VK_LAYER_FENCEBRIDGE_wsi"};
    VkInstanceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
                                 .enabledLayerCount = 1,
                                 .ppEnabledLayerNames = layers};
    EXPECT_FALSE(read_settings(info).named);
    info.enabledLayerCount = 2;
    EXPECT_TRUE(read_settings(info).named);
}

#ifdef FENCEBRIDGE_HAVE_LAYER_SETTINGS
/// The settings of an application, for the chain of VkInstanceCreateInfo.
class Given {
public:
    template <class Value>
    void add(const char* key, VkLayerSettingTypeEXT type, const std::vector<Value>& values) {
        all_.push_back({"VK_LAYER_FENCEBRIDGE_wsi", key, type, static_cast<uint32_t>(values.size()),
                        values.data()});
    }
    [[nodiscard]] Settings read() const {
        const VkLayerSettingsCreateInfoEXT given = {
            .sType = VK_STRUCTURE_TYPE_LAYER_SETTINGS_CREATE_INFO_EXT,
            .settingCount = static_cast<uint32_t>(all_.size()),
            .pSettings = all_.data()};
        const VkInstanceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
                                           .pNext = &given};
        return read_settings(info);
    }

private:
    std::vector<VkLayerSettingEXT> all_;
};

TEST(Settings, TheEnvironmentOverridesTheApplicationsSettings) {
    const std::vector<const char*> cpu = {"cpu"};
    Given given;
    given.add("sync", VK_LAYER_SETTING_TYPE_STRING_EXT, cpu);
    EXPECT_EQ(given.read().sync, core::Transport::cpu);
    const ScopedVariable sync("FENCEBRIDGE_SYNC", "kernel");
    EXPECT_EQ(given.read().sync, core::Transport::kernel);
}

TEST(Settings, AListMayBeSeveralStrings) {
    std::vector<const char*> names;
    for (const wayland::ProtocolRow& row : wayland::protocol_rows)
        names.push_back(row.name.data());
    const std::vector<const char*> none;
    Given given;
    given.add("avoid", VK_LAYER_SETTING_TYPE_STRING_EXT, names);
    EXPECT_EQ(given.read().avoid, wayland::ProtocolSet::all());
    Given empty;
    empty.add("avoid", VK_LAYER_SETTING_TYPE_STRING_EXT, none);
    EXPECT_EQ(empty.read().ignored, std::vector<std::string>());
}

// VkLayerSettingEXT: "the value of the first reference of the layer setting is used".
TEST(Settings, TheFirstOfTwoValuesOfTheApplicationCounts) {
    const std::vector<const char*> cpu = {"cpu"};
    const std::vector<const char*> kernel = {"kernel"};
    Given given;
    given.add("sync", VK_LAYER_SETTING_TYPE_STRING_EXT, cpu);
    given.add("sync", VK_LAYER_SETTING_TYPE_STRING_EXT, kernel);
    EXPECT_EQ(given.read().sync, core::Transport::cpu);
}

/// Gives a number of this type for both settings that are numbers.
template <class Value>
void expect_number(VkLayerSettingTypeEXT type) {
    const std::vector<Value> numbers = {100};
    Given given;
    given.add("headless_refresh", type, numbers);
    given.add("headless_capture_every", type, numbers);
    const Settings settings = given.read();
    EXPECT_EQ(settings.ignored, std::vector<std::string>()) << type;
    EXPECT_EQ(settings.headless.period.count(), 10'000'000) << type;
    EXPECT_EQ(settings.headless.capture_every, 100U) << type;
}

TEST(Settings, ANumberMayHaveAnyTypeOfANumber) {
    expect_number<int32_t>(VK_LAYER_SETTING_TYPE_INT32_EXT);
    expect_number<int64_t>(VK_LAYER_SETTING_TYPE_INT64_EXT);
    expect_number<uint32_t>(VK_LAYER_SETTING_TYPE_UINT32_EXT);
    expect_number<uint64_t>(VK_LAYER_SETTING_TYPE_UINT64_EXT);
    expect_number<float>(VK_LAYER_SETTING_TYPE_FLOAT32_EXT);
    expect_number<double>(VK_LAYER_SETTING_TYPE_FLOAT64_EXT);
    const std::vector<VkBool32> yes = {VK_TRUE};
    const std::vector<double> large = {1e300};
    Given given;
    given.add("headless_capture_every", VK_LAYER_SETTING_TYPE_BOOL32_EXT, yes);
    given.add("headless_refresh", VK_LAYER_SETTING_TYPE_FLOAT64_EXT, large);
    const Settings settings = given.read();
    EXPECT_EQ(settings.headless.capture_every, 1U);
    EXPECT_EQ(settings.ignored.size(), 1U) << "the rate is ignored";
}

TEST(Settings, AWrongTypeOfTheApplicationIsNamed) {
    const std::vector<uint32_t> number = {1};
    Given given;
    given.add("sync", VK_LAYER_SETTING_TYPE_UINT32_EXT, number);
    given.add("avoid", static_cast<VkLayerSettingTypeEXT>(1000), number);
    given.add("synch", VK_LAYER_SETTING_TYPE_UINT32_EXT, number);
    EXPECT_EQ(given.read().ignored,
              (std::vector<std::string>{
                  "ignoring sync (VK_EXT_layer_settings): it has the type "
                  "VK_LAYER_SETTING_TYPE_UINT32_EXT; allowed: VK_LAYER_SETTING_TYPE_STRING_EXT",
                  "ignoring avoid (VK_EXT_layer_settings): it has the type 1000; allowed: "
                  "VK_LAYER_SETTING_TYPE_STRING_EXT",
                  "ignoring synch (VK_EXT_layer_settings): there is no such setting",
              }));
}
#endif

} // namespace
} // namespace fencebridge
