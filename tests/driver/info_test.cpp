// SPDX-License-Identifier: MIT
// fencebridge-info on the fake driver and the fake compositor, and on drivers and compositors that
// do not work. Each test runs the program, and reads its report and its exit status.
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <string>
#include <sys/wait.h>

#include "environment_variable.hpp"
#include "fake_compositor/compositor.hpp"

namespace fencebridge::test {
namespace {

struct Report {
    int status; ///< of exit; -1 if a signal ended the program
    std::string text;

    [[nodiscard]] bool has(const std::string& part) const {
        return text.find(part) != std::string::npos;
    }
};

std::ostream& operator<<(std::ostream& out, const Report& report) {
    return out << "exit status " << report.status << "\n" << report.text;
}

/// Longer than any probe takes: only a test that fails waits this long.
constexpr const char* patiently = "--timeout 60";

Report run(const std::string& options) {
    std::FILE* const program = popen((INFO_PROGRAM " " + options + " 2>&1").c_str(), "r");
    Report report = {-1, ""};
    std::array<char, 4096> part;
    while (const size_t size = std::fread(part.data(), 1, part.size(), program))
        report.text.append(part.data(), size);
    const int status = pclose(program);
    report.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return report;
}

Report run_patiently(const std::string& options) { return run(patiently + (" " + options)); }

/// An environment without a compositor.
class Info : public testing::Test {
protected:
    EnvironmentVariable runtime_{"XDG_RUNTIME_DIR", "/nonexistent"};
    EnvironmentVariable display_{"WAYLAND_DISPLAY", "none"};
};

/// The program's environment names the compositor.
class InfoOnACompositor : public Info {
protected:
    Compositor compositor_;
    EnvironmentVariable socket_{"WAYLAND_DISPLAY", compositor_.socket_path()};
};

TEST_F(InfoOnACompositor, TheLayersOwnLogSaysWhatItChooses) {
    const Report report = run_patiently("--json");
    EXPECT_TRUE(report.has(R"("outcome": "waiting")")) << report;
    EXPECT_TRUE(report.has(R"("surface": "wayland")")) << report;
    EXPECT_TRUE(report.has(R"("transport": "cpu")")) << report;
    EXPECT_TRUE(report.has(R"("allocator": "driver-export")")) << report;
    EXPECT_TRUE(report.has(R"("verdict": "not-carried")")) << report;
    EXPECT_EQ(report.status, 1) << report;
}

TEST_F(InfoOnACompositor, SettingsApply) {
    const EnvironmentVariable off{"FENCEBRIDGE_TAKEOVER", "off"};
    const Report report = run_patiently("");
    EXPECT_TRUE(report.has("passes through")) << report;
    EXPECT_TRUE(report.has("FENCEBRIDGE_TAKEOVER=off is set")) << report;
    EXPECT_EQ(report.status, 1) << report;
}

TEST_F(InfoOnACompositor, GlobalsAndFormatsAreReported) {
    const Report report = run_patiently("");
    EXPECT_TRUE(report.has("+ zwp_linux_dmabuf_v1 4: images in dma-bufs")) << report;
    EXPECT_TRUE(report.has("- wp_fifo_manager_v1 (missing): no FIFO without waits")) << report;
    EXPECT_TRUE(report.has("wl_shm formats")) << report;
    EXPECT_TRUE(report.has("LINEAR: ")) << report;
}

TEST_F(InfoOnACompositor, NoWindowAppears) {
    static_cast<void>(run_patiently(""));
    EXPECT_EQ(compositor_.commits(), 0u);
    EXPECT_GT(compositor_.requests("wl_compositor", "create_surface"), 0u);
}

TEST_F(InfoOnACompositor, AFrozenCompositorIsGivenUp) {
    compositor_.freeze();
    const Report report = run("--timeout 0.5 --json");
    compositor_.thaw();
    EXPECT_TRUE(report.has(R"("end": "timed-out")")) << report;
    EXPECT_TRUE(report.has("does not answer")) << report;
    EXPECT_EQ(report.status, 2) << report;
}

TEST_F(Info, WithoutACompositorTheDeviceIsDescribedAllTheSame) {
    const Report report = run_patiently("");
    EXPECT_TRUE(report.has("There is no Wayland compositor")) << report;
    EXPECT_TRUE(report.has("headless, without a window")) << report;
    EXPECT_TRUE(report.has("dma-buf (export and import)")) << report;
    EXPECT_EQ(report.status, 2) << report;
}

TEST_F(Info, ADriverThatLacksWhatTheLayerNeeds) {
    const EnvironmentVariable hidden{"FAKE_DRIVER_HIDE_EXTENSIONS",
                                     "VK_EXT_external_memory_dma_buf,VK_EXT_external_memory_host"};
    const Report report = run_patiently("");
    EXPECT_TRUE(report.has("VK_EXT_external_memory_dma_buf")) << report;
    EXPECT_TRUE(report.has("lacks what the layer needs")) << report;
}

TEST_F(Info, WithoutADriverItSaysSo) {
    const EnvironmentVariable none{"VK_DRIVER_FILES", "/nonexistent/driver.json"};
    const EnvironmentVariable older{"VK_ICD_FILENAMES", "/nonexistent/driver.json"};
    const Report report = run_patiently("");
    EXPECT_TRUE(report.has("No Vulkan driver is installed")) << report;
    EXPECT_TRUE(report.has("/nonexistent/driver.json")) << report;
    EXPECT_EQ(report.status, 2) << report;
}

TEST_F(Info, WithoutTheLayerItSaysWhereItLooked) {
    const EnvironmentVariable path{"VK_LAYER_PATH", "/nonexistent/layers"};
    const EnvironmentVariable home{"XDG_DATA_HOME", "/nonexistent/home"};
    const Report report = run_patiently("");
    EXPECT_TRUE(report.has("The layer is not installed")) << report;
    EXPECT_TRUE(report.has("/nonexistent/layers")) << report;
    EXPECT_TRUE(report.has("/nonexistent/home/vulkan/implicit_layer.d")) << report;
    EXPECT_EQ(report.status, 2) << report;
}

/// The broken driver, beside the fake one.
class InfoWithABrokenDriver : public Info {
protected:
    static constexpr const char* both = FAKE_DRIVER_MANIFEST ":" BROKEN_DRIVER_MANIFEST;
    EnvironmentVariable drivers_{"VK_DRIVER_FILES", both};
    EnvironmentVariable older_{"VK_ICD_FILENAMES", both};
};

TEST_F(InfoWithABrokenDriver, ACrashIsNamedAndTheOtherDriversAreAsked) {
    const EnvironmentVariable how{"BROKEN_DRIVER", "crash"};
    const Report report = run_patiently("--json");
    EXPECT_TRUE(report.has(R"("manifest": ")" BROKEN_DRIVER_MANIFEST R"(")")) << report;
    EXPECT_TRUE(report.has(R"("end": "crashed")")) << report;
    EXPECT_TRUE(report.has(R"("step": "vkCreateInstance")")) << report;
    EXPECT_TRUE(report.has(R"("detail": "SIGABRT")")) << report;
    EXPECT_TRUE(report.has(R"("manifest": ")" FAKE_DRIVER_MANIFEST R"(")")) << report;
    EXPECT_TRUE(report.has(R"("api_version": "1.3.)")) << report;
    EXPECT_EQ(report.status, 2) << report;
}

TEST_F(InfoWithABrokenDriver, AHangingDriverIsGivenUp) {
    const EnvironmentVariable how{"BROKEN_DRIVER", "hang"};
    const Report report = run("--timeout 0.5");
    EXPECT_TRUE(report.has("broken driver")) << report;
    EXPECT_TRUE(report.has("libbroken_driver.so") || report.has("broken_driver.json")) << report;
    EXPECT_TRUE(report.has("no answer in 500 ms")) << report;
    EXPECT_EQ(report.status, 2) << report;
}

TEST_F(Info, APipeGetsNoColours) { EXPECT_FALSE(run_patiently("").has("\x1b")); }

TEST_F(Info, WrongArgumentsAreNamed) {
    const Report report = run("--colour");
    EXPECT_TRUE(report.has("unknown argument: --colour")) << report;
    EXPECT_EQ(report.status, 2) << report;
    EXPECT_EQ(run("--timeout soon").status, 2);
}

TEST_F(Info, HelpAndVersionSucceed) {
    EXPECT_TRUE(run("--help").has("usage: fencebridge-info"));
    EXPECT_EQ(run("--help").status, 0);
    EXPECT_TRUE(run("--version").has("fencebridge-info "));
    EXPECT_EQ(run("--version").status, 0);
}

} // namespace
} // namespace fencebridge::test
