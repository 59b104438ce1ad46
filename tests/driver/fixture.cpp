// SPDX-License-Identifier: MIT
#include "fixture.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <filesystem>
#include <sstream>

namespace fencebridge::test {

size_t open_descriptors() {
    const std::filesystem::directory_iterator all{"/proc/self/fd"};
    return static_cast<size_t>(std::distance(begin(all), end(all)));
}

std::vector<uint64_t> driver_objects() {
    std::vector<uint64_t> counts;
    for (int type = 0; type < FAKE_DRIVER_OBJECT_COUNT; ++type)
        counts.push_back(fake_driver().live_objects(static_cast<FakeDriverObject>(type)));
    return counts;
}

void expect_no_misuse() {
    for (uint32_t i = 0; i < fake_driver().misuses(); ++i)
        ADD_FAILURE() << "the driver saw a misuse: " << fake_driver().misuse(i);
}

void DriverTest::SetUp() {
    fake_driver().reset();
    objects_ = driver_objects();
    descriptors_ = open_descriptors();
}

void DriverTest::TearDown() {
    fake_driver().hold_rendering(VK_FALSE);
    expect_no_misuse();
    EXPECT_EQ(driver_objects(), objects_);
    EXPECT_EQ(open_descriptors(), descriptors_);
}

StderrCapture::StderrCapture() :
    file_{memfd_create("stderr", MFD_CLOEXEC)}, saved_{dup(STDERR_FILENO)} {
    fflush(stderr);
    dup2(file_, STDERR_FILENO);
}

StderrCapture::~StderrCapture() {
    fflush(stderr);
    dup2(saved_, STDERR_FILENO);
    for (const std::string& line : lines_with(""))
        fprintf(stderr, "%s\n", line.c_str());
    close(saved_);
    close(file_);
}

std::vector<std::string> StderrCapture::lines_with(const std::string& text) const {
    std::string all(static_cast<size_t>(lseek(file_, 0, SEEK_CUR)), '\0');
    if (pread(file_, all.data(), all.size(), 0) != static_cast<ssize_t>(all.size()))
        ADD_FAILURE() << "cannot read back standard error";
    std::vector<std::string> lines;
    std::istringstream stream{all};
    for (std::string line; std::getline(stream, line);)
        if (line.find(text) != std::string::npos)
            lines.push_back(line);
    return lines;
}

std::vector<std::string> extensions_of(const FakeDriverCreate& create) {
    return {create.extensions, create.extensions + create.extension_count};
}

const FakeDriverCreate& last_instance_create() {
    return *fake_driver().instance_create(fake_driver().instance_creates() - 1);
}

const FakeDriverCreate& last_device_create() {
    return *fake_driver().device_create(fake_driver().device_creates() - 1);
}

} // namespace fencebridge::test
