// SPDX-License-Identifier: MIT
// The fixture of almost all tests here. It checks that the fake driver has no misuse to report, and
// that the test leaks no driver object and no descriptor.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "application.hpp"
#include "environment.hpp"
#include "fake_driver/control.hpp"

namespace fencebridge::test {

[[nodiscard]] size_t open_descriptors();

/// The number of live objects of the fake driver by FakeDriverObject.
[[nodiscard]] std::vector<uint64_t> driver_objects();

/// Reports each breach of valid usage that the driver saw as a failure.
void expect_no_misuse();

class DriverTest : public testing::Test {
protected:
    void SetUp() override;
    void TearDown() override;

private:
    std::vector<uint64_t> objects_;
    size_t descriptors_{0};
};

/// Captures standard error while it lives.
class StderrCapture {
public:
    StderrCapture();
    ~StderrCapture();
    StderrCapture(const StderrCapture&) = delete;
    StderrCapture& operator=(const StderrCapture&) = delete;

    /// The lines so far that contain the text.
    [[nodiscard]] std::vector<std::string> lines_with(const std::string& text) const;

private:
    int file_;
    int saved_;
};

/// The extensions of a vkCreateInstance or vkCreateDevice as the driver received them.
[[nodiscard]] std::vector<std::string> extensions_of(const FakeDriverCreate& create);
[[nodiscard]] const FakeDriverCreate& last_instance_create();
[[nodiscard]] const FakeDriverCreate& last_device_create();

} // namespace fencebridge::test
