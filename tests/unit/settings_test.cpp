// SPDX-License-Identifier: MIT
#include "entry/settings.hpp"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <gtest/gtest.h>
#include <string>
#include <unistd.h>
#include <vulkan/vulkan.h>

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
    for (const char* text : {"", "0", "-60", "0.9", "1000.5", "60Hz", "6e1", "nan", "inf", " 60"})
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
                   {"", {}}});
    expect_values("log_level", &Settings::log_level,
                  {{"debug", log::Level::debug},
                   {"info", log::Level::info},
                   {"error", log::Level::error},
                   {"warning", log::Level::warning}});
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
    settings.read_file_text("# a comment\n"
                            "khronos_validation.sync = cpu\n"
                            "  fencebridge_wsi.sync=kernel # why not\r\n"
                            "fencebridge_wsi.takeover\n"
                            "#fencebridge_wsi.takeover = off\n"
                            "\n"
                            "fencebridge_wsi.log_level = info");
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

TEST(Settings, WhatIsUnknownIsKeptForTheLog) {
    Settings settings;
    settings.read_file_text("fencebridge_wsi.sync = fast\nfencebridge_wsi.synch = cpu\n");
    EXPECT_EQ(settings.ignored,
              (std::vector<std::string>{
                  "vk_layer_settings.txt: ignoring sync=fast: unknown setting or value",
                  "vk_layer_settings.txt: ignoring synch=cpu: unknown setting or value"}));
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
TEST(Settings, TheEnvironmentOverridesTheApplicationsSettings) {
    const char* cpu = "cpu";
    const VkLayerSettingEXT setting = {"VK_LAYER_FENCEBRIDGE_wsi", "sync",
                                       VK_LAYER_SETTING_TYPE_STRING_EXT, 1, &cpu};
    const VkLayerSettingsCreateInfoEXT given = {
        .sType = VK_STRUCTURE_TYPE_LAYER_SETTINGS_CREATE_INFO_EXT,
        .settingCount = 1,
        .pSettings = &setting};
    const VkInstanceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
                                       .pNext = &given};
    EXPECT_EQ(read_settings(info).sync, core::Transport::cpu);
    const ScopedVariable sync("FENCEBRIDGE_SYNC", "kernel");
    EXPECT_EQ(read_settings(info).sync, core::Transport::kernel);
}

TEST(Settings, AListMayBeSeveralStrings) {
    const char* const names[] = {"fifo-v1",
                                 "linux-drm-syncobj-v1",
                                 "tearing-control-v1",
                                 "color-management-v1",
                                 "color-representation-v1",
                                 "commit-timing-v1"};
    const VkLayerSettingEXT setting = {"VK_LAYER_FENCEBRIDGE_wsi", "avoid",
                                       VK_LAYER_SETTING_TYPE_STRING_EXT, 6, names};
    const VkLayerSettingsCreateInfoEXT given = {
        .sType = VK_STRUCTURE_TYPE_LAYER_SETTINGS_CREATE_INFO_EXT,
        .settingCount = 1,
        .pSettings = &setting};
    const VkInstanceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
                                       .pNext = &given};
    EXPECT_EQ(read_settings(info).avoid, wayland::ProtocolSet::all());
}
#endif

} // namespace
} // namespace fencebridge
