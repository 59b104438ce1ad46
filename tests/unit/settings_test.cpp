// SPDX-License-Identifier: MIT
#include "entry/settings.hpp"

#include <cstdio>
#include <cstdlib>
#include <gtest/gtest.h>
#include <string>
#include <unistd.h>
#include <vulkan/vulkan.h>

namespace fencebridge {
namespace {

TEST(Settings, EverySettingAcceptsItsValues) {
    Settings settings;
    EXPECT_TRUE(settings.set("sync", "kernel"));
    EXPECT_EQ(settings.sync, core::Transport::kernel);
    EXPECT_TRUE(settings.set("sync", "explicit"));
    EXPECT_EQ(settings.sync, core::Transport::explicit_sync);
    EXPECT_TRUE(settings.set("sync", "module"));
    EXPECT_EQ(settings.sync, core::Transport::module);
    EXPECT_TRUE(settings.set("sync", "cpu"));
    EXPECT_EQ(settings.sync, core::Transport::cpu);
    EXPECT_TRUE(settings.set("sync", "auto"));
    EXPECT_EQ(settings.sync, std::nullopt);
    EXPECT_TRUE(settings.set("takeover", "off"));
    EXPECT_EQ(settings.takeover, TakeoverSetting::off);
    EXPECT_TRUE(settings.set("takeover", "on"));
    EXPECT_EQ(settings.takeover, TakeoverSetting::on);
    EXPECT_TRUE(settings.set("takeover", "auto"));
    EXPECT_EQ(settings.takeover, TakeoverSetting::automatic);
    EXPECT_TRUE(settings.set("log_level", "debug"));
    EXPECT_EQ(settings.log_level, log::Level::debug);
    EXPECT_TRUE(settings.set("log_level", "info"));
    EXPECT_EQ(settings.log_level, log::Level::info);
    EXPECT_TRUE(settings.set("log_level", "error"));
    EXPECT_EQ(settings.log_level, log::Level::error);
    EXPECT_TRUE(settings.set("log_level", "warning"));
    EXPECT_EQ(settings.log_level, log::Level::warning);
}

TEST(Settings, AnUnknownNameOrValueChangesNothing) {
    Settings settings;
    ASSERT_TRUE(settings.set("sync", "cpu"));
    EXPECT_FALSE(settings.set("sync", "Kernel"));
    EXPECT_FALSE(settings.set("sync", ""));
    EXPECT_FALSE(settings.set("synch", "kernel"));
    EXPECT_EQ(settings.sync, core::Transport::cpu);
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

/// Sets an environment variable while it lives.
class ScopedVariable {
public:
    ScopedVariable(const char* name, const char* value) : name_(name) { ::setenv(name, value, 1); }
    ~ScopedVariable() { ::unsetenv(name_); }
    ScopedVariable(const ScopedVariable&) = delete;
    ScopedVariable& operator=(const ScopedVariable&) = delete;

private:
    const char* name_;
};

TEST(Settings, TheEnvironmentOverridesTheFile) {
    char folder[] = "/tmp/fencebridge-settings-XXXXXX";
    ASSERT_NE(::mkdtemp(folder), nullptr);
    const std::string file = std::string(folder) + "/vk_layer_settings.txt";
    FILE* out = std::fopen(file.c_str(), "w");
    ASSERT_NE(out, nullptr);
    std::fputs("fencebridge_wsi.sync = cpu\nfencebridge_wsi.takeover = off\n", out);
    std::fclose(out);

    const ScopedVariable path("VK_LAYER_SETTINGS_PATH", folder);
    const VkInstanceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO};
    EXPECT_EQ(read_settings(info).sync, core::Transport::cpu);
    const ScopedVariable sync("FENCEBRIDGE_SYNC", "kernel");
    const Settings both = read_settings(info);
    EXPECT_EQ(both.sync, core::Transport::kernel);
    EXPECT_EQ(both.takeover, TakeoverSetting::off);

    std::remove(file.c_str());
    ::rmdir(folder);
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
#endif

} // namespace
} // namespace fencebridge
