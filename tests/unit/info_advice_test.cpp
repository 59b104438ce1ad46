// SPDX-License-Identifier: MIT
// The advice of fencebridge-info, and its exit status.
#include "info/advice.hpp"

#include <gtest/gtest.h>

#include "info_machine.hpp"

namespace fencebridge::info {
namespace {

/// Whether the problem of an advice has the one text, and its remedy the other.
bool advises(const Facts& facts, const std::string& problem, const std::string& remedy = "") {
    for (const Advice& advice : advise(facts)) {
        if (advice.problem.find(problem) != std::string::npos &&
            advice.remedy.find(remedy) != std::string::npos)
            return true;
    }
    return false;
}

/// The same machine with a kernel before Linux 6.0.
Facts old_machine() {
    Facts facts = machine();
    const Check lacking = {State::no, "EXPORT_SYNC_FILE: Inappropriate ioctl for device"};
    facts.kernel.operations = {lacking, {}};
    facts.devices.front().driver.operations = {lacking, {}};
    facts.devices.front().choice.outcome = Outcome::waiting;
    facts.devices.front().choice.transport = "cpu";
    return facts;
}

TEST(InfoAdvice, AMachineThatCarriesFencesNeedsNone) { EXPECT_TRUE(advise(machine()).empty()); }

TEST(InfoAdvice, OnAnOldKernelTheModuleIsBuiltOrLoaded) {
    Facts facts = old_machine();
    EXPECT_TRUE(advises(facts, "is not there", "kmod/README.md"));
    facts.kernel.module.installed = true;
    EXPECT_TRUE(advises(facts, "is not loaded", "sudo modprobe fencebridge"));
}

TEST(InfoAdvice, AModuleThatMayNotBeOpenedIsToldApartFromNone) {
    Facts facts = old_machine();
    facts.kernel.module.device = {State::denied, "/dev/fencebridge: Permission denied"};
    EXPECT_TRUE(advises(facts, "may not be opened by you", "70-fencebridge.rules"));
    EXPECT_FALSE(advises(facts, "is not there"));
}

TEST(InfoAdvice, AModuleThatWorksIsEnough) {
    Facts facts = old_machine();
    facts.kernel.module.device = {State::yes};
    facts.kernel.module.operations = working();
    EXPECT_FALSE(advises(facts, "the module"));
}

TEST(InfoAdvice, TimelinesNeedNoModule) {
    Facts facts = old_machine();
    facts.devices.front().choice.transport = "explicit";
    facts.devices.front().choice.outcome = Outcome::carried;
    EXPECT_TRUE(advise(facts).empty());
}

TEST(InfoAdvice, WithoutADmaBufTheIoctlsAreUnknown) {
    Facts facts = old_machine();
    facts.kernel.operations = {};
    facts.devices.front().driver.operations = {};
    EXPECT_TRUE(advises(facts, "could not be tried", "/dev/udmabuf"));
}

TEST(InfoAdvice, ARenderNodeThatMayNotBeOpened) {
    Facts facts = old_machine();
    facts.kernel.drm_nodes.back().access = {State::denied, ""};
    EXPECT_TRUE(advises(facts, "/dev/dri/renderD128", "usermod -aG render"));
}

TEST(InfoAdvice, ALayerThatIsNotInstalledOrIgnored) {
    Facts facts = machine();
    facts.loader.layer = {State::absent, ""};
    EXPECT_TRUE(advises(facts, "does not list the layer", "VK_LOADER_DEBUG"));
    facts.loader.layer_manifests.clear();
    EXPECT_TRUE(advises(facts, "not installed", "meson install"));
}

TEST(InfoAdvice, NoLoaderNoDriverNoDevice) {
    Facts facts = machine();
    facts.devices.clear();
    EXPECT_TRUE(advises(facts, "none has found a device"));
    facts.loader.drivers.clear();
    EXPECT_TRUE(advises(facts, "No Vulkan driver", "mesa-vulkan-drivers"));
    facts.loader.library = {State::absent, "libvulkan.so.1: no such file"};
    EXPECT_TRUE(advises(facts, "no Vulkan loader", "libvulkan1"));
}

TEST(InfoAdvice, BrokenDriversAreNamedWithTheLastCall) {
    Facts facts = machine();
    facts.broken_drivers.push_back(
        {.manifest = "/etc/vulkan/icd.d/bad.json",
         .probe = {.end = End::crashed, .step = "vkCreateInstance", .detail = "SIGSEGV"}});
    EXPECT_TRUE(advises(facts, "bad.json crashes in vkCreateInstance (SIGSEGV)",
                        "VK_LOADER_DRIVERS_DISABLE=bad.json"));
    facts.devices.front().driver.probe = {
        .end = End::timed_out, .step = "vkCreateDevice", .detail = "no answer in 10 s"};
    EXPECT_TRUE(advises(facts, "UHD Graphics hangs in vkCreateDevice"));
}

TEST(InfoAdvice, NoCompositorAndOneThatHangs) {
    Facts facts = machine();
    facts.display.connection = {State::absent, ""};
    EXPECT_TRUE(advises(facts, "no Wayland compositor", "WAYLAND_DISPLAY"));
    facts.display.probe.end = End::timed_out;
    EXPECT_TRUE(advises(facts, "does not answer"));
}

TEST(InfoAdvice, ProtocolsThatTheBuildLeavesOut) {
    Facts facts = machine();
    facts.display.globals.back() = {"wp_linux_drm_syncobj_manager_v1", 1, false, ""};
    EXPECT_TRUE(advises(facts, "wp_linux_drm_syncobj_manager_v1", "wayland-protocols"));
}

TEST(InfoAdvice, SettingsThatReplaceTheChoice) {
    Facts facts = machine();
    facts.environment = {"FENCEBRIDGE_SYNC=cpu", "FENCEBRIDGE_IMAGE=auto", "FENCEBRIDGE_AVOID="};
    EXPECT_TRUE(advises(facts, "FENCEBRIDGE_SYNC=cpu is set"));
    EXPECT_EQ(advise(facts).size(), 1u);
}

TEST(InfoAdvice, EachCauseOfWaitingIsExplained) {
    Facts facts = machine();
    ChoiceFacts& choice = facts.devices.front().choice;
    choice.outcome = Outcome::waiting;
    EXPECT_TRUE(advises(facts, "ignores fences", "linux-drm-syncobj-v1"));
    choice.transport = "cpu";
    choice.reason = "no explicit: the driver exports no SYNC_FD; the best that works";
    EXPECT_TRUE(advises(facts, "SYNC_FD"));
    choice.reason = "the memory of the images carries no fences; each image is shown when ...";
    EXPECT_TRUE(advises(facts, "memory that carries no fences", "zwp_linux_dmabuf_v1"));
}

TEST(InfoAdvice, APassingThroughWithoutAReasonHasOneInASetting) {
    Facts facts = machine();
    ChoiceFacts& choice = facts.devices.front().choice;
    choice.outcome = Outcome::passes_through;
    choice.reason = "leaving a surface to the driver";
    EXPECT_FALSE(advises(facts, "gives no reason"));
    choice.reason.clear();
    EXPECT_TRUE(advises(facts, "leaves Intel(R) UHD Graphics to the driver, and gives no reason",
                        "takeover=off"));
}

TEST(InfoVerdict, ACpuDriverCountsOnlyAlone) {
    Facts facts = machine();
    facts.devices.front().driver.type = "cpu";
    EXPECT_EQ(judge(facts), Verdict::carried);
    facts.devices.push_back(machine().devices.front());
    ChoiceFacts& gpu = facts.devices.back().choice;
    EXPECT_EQ(judge(facts), Verdict::carried);
    gpu.outcome = Outcome::waiting;
    EXPECT_EQ(judge(facts), Verdict::not_carried);
    gpu.outcome = Outcome::unknown;
    EXPECT_EQ(judge(facts), Verdict::unknown);
}

TEST(InfoVerdict, TheBestDeviceDecides) {
    Facts facts = machine();
    EXPECT_EQ(judge(facts), Verdict::carried);
    facts.devices.front().choice.outcome = Outcome::passes_through;
    EXPECT_EQ(judge(facts), Verdict::not_carried);
    facts.devices.push_back(machine().devices.front());
    EXPECT_EQ(judge(facts), Verdict::carried);
}

TEST(InfoVerdict, AHeadlessSurfaceSaysNothingAboutACompositor) {
    Facts facts = machine();
    facts.devices.front().choice.surface = "headless";
    EXPECT_EQ(judge(facts), Verdict::unknown);
}

TEST(InfoVerdict, WhatWasNotTriedIsUnknown) {
    Facts facts = machine();
    facts.devices.front().choice.outcome = Outcome::unknown;
    EXPECT_EQ(judge(facts), Verdict::unknown);
    facts.devices.clear();
    EXPECT_EQ(judge(facts), Verdict::unknown);
}

} // namespace
} // namespace fencebridge::info
