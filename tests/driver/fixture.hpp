// SPDX-License-Identifier: MIT
// What holds after every test here: valid usage at the driver's end, no object and no descriptor
// left. Include it after the test's other headers.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "application.hpp"
#include "environment.hpp"
#include "fake_driver/control.hpp"

namespace fencebridge::test {

[[nodiscard]] size_t open_descriptors();

/// Live objects by type; equal before and after when nothing leaks.
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

/// Standard error while it lives.
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

/// Extensions as the driver got them in its latest vkCreateInstance or vkCreateDevice.
[[nodiscard]] std::vector<std::string> extensions_of(const FakeDriverCreate& create);
[[nodiscard]] const FakeDriverCreate& last_instance_create();
[[nodiscard]] const FakeDriverCreate& last_device_create();

} // namespace fencebridge::test
