// SPDX-License-Identifier: MIT
// The report of fencebridge-info for people, as a whole and in its variants.
#include "info/report.hpp"

#include <gtest/gtest.h>

#include <sstream>

#include "info_machine.hpp"

namespace fencebridge::info {
namespace {

constexpr const char* golden = R"(GOLDEN)";

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

TEST(InfoReport, AMachineThatCarriesFences) { EXPECT_EQ(report_text(machine(), false), golden); }

TEST(InfoReport, LinesHaveAtMost80Columns) {
    Facts facts = machine();
    facts.devices.front().choice.log = {"warning: " + std::string(200, 'x')};
    facts.loader.layer_manifests = {"/" + std::string(200, 'x')};
    facts.environment = {"VK_DRIVER_FILES=/" + std::string(200, 'x')};
    std::istringstream lines(report_text(facts, false));
    for (std::string line; std::getline(lines, line);)
        EXPECT_LE(line.size(), 80u) << line;
}

TEST(InfoReport, WithoutCompositorDriverAndLayer) {
    const std::string text = report_text({.version = "1.2.3"}, false);
    EXPECT_TRUE(has(text, "could not be found out")) << text;
    EXPECT_TRUE(has(text, "no DRM nodes")) << text;
    EXPECT_TRUE(has(text, "XDG_RUNTIME_DIR is not set")) << text;
}

TEST(InfoReport, AProbeThatCrashedShowsWhatTheDriverWrote) {
    Facts facts = machine();
    facts.devices.front().driver.probe = {.end = End::crashed,
                                          .step = "vkCreateDevice",
                                          .detail = "SIGSEGV",
                                          .output = {"MESA: error: no"}};
    const std::string text = report_text(facts, false);
    EXPECT_TRUE(has(text, "crashed in vkCreateDevice: SIGSEGV")) << text;
    EXPECT_TRUE(has(text, "MESA: error: no")) << text;
}

TEST(InfoReport, WarningsOfTheLayerAreShownAndItsOtherLinesAreNot) {
    Facts facts = machine();
    facts.devices.front().choice.log = {"warning: a warning", "info: some news"};
    const std::string text = report_text(facts, false);
    EXPECT_TRUE(has(text, "a warning")) << text;
    EXPECT_FALSE(has(text, "some news")) << text;
}

TEST(InfoReport, TheReportForProgramsHasTheVerdictTheAdviceAndTheFacts) {
    const std::string json = report_json(machine());
    EXPECT_TRUE(json.starts_with("{\n  \"verdict\": \"carried\",\n  \"advice\": [],\n"
                                 "  \"version\": \"1.2.3\",\n"))
        << json;
    EXPECT_TRUE(has(json, R"("transport": "kernel")")) << json;
}

} // namespace
} // namespace fencebridge::info
