// SPDX-License-Identifier: MIT
// The setting headless_capture: frames of headless surfaces as PAM files.
#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixture.hpp"
#include "headless.hpp"
#include "swapchain.hpp"

namespace fencebridge::test {
namespace {

namespace fs = std::filesystem;

/// The byte of the fake driver's memory at an offset.
unsigned char pattern(size_t offset) { return static_cast<unsigned char>(offset % 251); }

/// Draws to all images: the fake driver's memory is files, which this process has open.
void draw_pattern() {
    for (const auto& entry : fs::directory_iterator("/proc/self/fd")) {
        std::error_code error;
        const std::string target = fs::read_symlink(entry.path(), error).string();
        if (target.find("fake driver memory") == std::string::npos &&
            target.find("dmabuf") == std::string::npos &&
            target.find("fencebridge image") == std::string::npos)
            continue;
        const int fd = std::stoi(entry.path().filename());
        const off_t size = lseek(fd, 0, SEEK_END);
        ASSERT_GT(size, 0);
        void* const memory = mmap(nullptr, size_t(size), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        ASSERT_NE(memory, MAP_FAILED);
        for (size_t i = 0; i < size_t(size); ++i)
            static_cast<unsigned char*>(memory)[i] = pattern(i);
        munmap(memory, size_t(size));
    }
}

std::string read(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

class HeadlessCapture : public DriverTest {
protected:
    void SetUp() override {
        DriverTest::SetUp();
        std::string name = (fs::temp_directory_path() / "fencebridge-capture-XXXXXX").string();
        ASSERT_NE(mkdtemp(name.data()), nullptr);
        folder_ = name;
    }
    void TearDown() override {
        swapchain_.reset();
        surface_.reset();
        device_.reset();
        instance_.reset();
        fs::remove_all(folder_);
        DriverTest::TearDown();
    }

    void begin(const fs::path& folder, const char* every, const SwapchainRequest& request = {}) {
        const EnvironmentVariable capture{"FENCEBRIDGE_HEADLESS_CAPTURE", folder.string()};
        const EnvironmentVariable rarely{"FENCEBRIDGE_HEADLESS_CAPTURE_EVERY", every};
        const EnvironmentVariable refresh{"FENCEBRIDGE_HEADLESS_REFRESH", "1000"};
        instance_.emplace(InstanceRequest{.extensions = {"VK_KHR_surface", headless_extension}});
        ASSERT_EQ(instance_->result(), VK_SUCCESS);
        device_.emplace(instance_->physical_device());
        ASSERT_EQ(device_->result(), VK_SUCCESS);
        surface_.emplace(*instance_);
        swapchain_.emplace(*device_, *surface_, request);
        ASSERT_EQ(swapchain_->result(), VK_SUCCESS);
    }
    void show(int frames) {
        for (int frame = 0; frame < frames; ++frame)
            ASSERT_EQ(show_frame(*device_, *swapchain_), VK_SUCCESS) << "frame " << frame;
    }
    /// The names of the files, without what is the same in all.
    [[nodiscard]] std::vector<std::string> files() const {
        std::vector<std::string> names;
        for (const auto& entry : fs::directory_iterator(folder_)) {
            const std::string name = entry.path().filename();
            names.push_back(name.substr(name.rfind('-') + 1));
        }
        std::ranges::sort(names);
        return names;
    }

    const EnvironmentVariable info_{"FENCEBRIDGE_LOG_LEVEL", "info"};
    fs::path folder_;
    std::optional<Instance> instance_;
    std::optional<Device> device_;
    std::optional<HeadlessSurface> surface_;
    std::optional<Swapchain> swapchain_;
};

TEST_F(HeadlessCapture, OneOfSoManyFramesIsWrittenTheFirstOneIncluded) {
    begin(folder_, "3");
    show(8);
    EXPECT_EQ(files(), (std::vector<std::string>{"000001.pam", "000004.pam", "000007.pam"}));
}

TEST_F(HeadlessCapture, AFileHasThePixelsOfTheImage) {
    constexpr VkExtent2D extent{60, 48};
    begin(folder_, "1", {.extent = extent});
    draw_pattern();
    show(1);
    std::string expected = "P7\nWIDTH 60\nHEIGHT 48\nDEPTH 3\nMAXVAL 255\nTUPLTYPE RGB\nENDHDR\n";
    constexpr size_t pitch = 256; // the fake driver's
    for (size_t y = 0; y < extent.height; ++y)
        for (size_t x = 0; x < extent.width; ++x)
            for (const size_t channel : {2, 1, 0}) // B8G8R8A8
                expected += static_cast<char>(pattern(y * pitch + 4 * x + channel));
    ASSERT_EQ(files().size(), 1U);
    EXPECT_EQ(read(fs::directory_iterator(folder_)->path()), expected);
}

// Without captures its images are not shared.
TEST_F(HeadlessCapture, ADriverWithoutDmaBufsDrawsToHostMemory) {
    fake_driver().hide_device_extension(0, "VK_EXT_external_memory_dma_buf");
    fake_driver().add_device_extension(0, "VK_EXT_external_memory_host");
    constexpr VkExtent2D extent{60, 48};
    const StderrCapture log;
    begin(folder_, "1", {.extent = extent});
    EXPECT_EQ(log.lines_with("allocator=host-pointer").size(), 1U);
    draw_pattern();
    show(1);
    ASSERT_EQ(vkDeviceWaitIdle(*device_), VK_SUCCESS);
    swapchain_.reset(); // shows what has been rendered
    ASSERT_EQ(files().size(), 1U);
    const std::string written = read(fs::directory_iterator(folder_)->path());
    std::string first;
    for (const size_t channel : {2, 1, 0})
        first += static_cast<char>(pattern(channel));
    EXPECT_NE(written.find("ENDHDR\n" + first), std::string::npos);
}

TEST_F(HeadlessCapture, ADriverThatSharesNothingIsNotCaptured) {
    fake_driver().hide_device_extension(0, "VK_EXT_external_memory_dma_buf");
    const StderrCapture log;
    begin(folder_, "1");
    EXPECT_EQ(log.lines_with("allocator=unshared").size(), 1U);
    show(3);
    EXPECT_EQ(log.lines_with("headless_capture: images of the allocator unshared").size(), 1U);
}

TEST_F(HeadlessCapture, ImagesThatAreUnsharedByTheSettingAreNotCaptured) {
    const EnvironmentVariable image{"FENCEBRIDGE_IMAGE", "unshared"};
    const StderrCapture log;
    begin(folder_, "1");
    show(1);
    EXPECT_EQ(log.lines_with("headless_capture: images of the allocator unshared").size(), 1U);
    EXPECT_EQ(log.lines_with("no LINEAR images").size(), 0U);
    EXPECT_TRUE(files().empty());
}

TEST_F(HeadlessCapture, EachSwapchainHasFilesOfItsOwn) {
    begin(folder_, "1");
    show(1);
    swapchain_.emplace(*device_, *surface_);
    show(1);
    EXPECT_EQ(files(), (std::vector<std::string>{"000001.pam", "000001.pam"}));
}

TEST_F(HeadlessCapture, NothingIsWrittenWithoutTheSetting) {
    begin("", "1");
    show(3);
    EXPECT_TRUE(files().empty());
}

TEST_F(HeadlessCapture, AFailureIsLoggedOnceAndFramesAreShown) {
    const StderrCapture log;
    begin(folder_ / "missing", "1");
    show(5);
    EXPECT_EQ(log.lines_with("headless_capture: frame 1 was not written").size(), 1U);
    EXPECT_EQ(log.lines_with("was not written").size(), 1U);
}

// Where others may write to the folder.
TEST_F(HeadlessCapture, WhatHasTheNameOfAFileIsReplaced) {
    constexpr const char* text = "a file of the user's";
    begin(folder_, "1");
    show(1); // its name tells those of the next ones
    const std::string name = fs::directory_iterator(folder_)->path().filename();
    const auto part = [&](const char* digits) {
        return folder_ / (name.substr(0, name.rfind('-') + 1) + digits + ".pam.part");
    };
    const fs::path other = folder_ / "other-0.txt";
    std::ofstream(other) << text;
    ASSERT_EQ(mkfifo(part("000002").c_str(), 0600), 0);
    fs::create_hard_link(other, part("000003"));
    fs::create_symlink(other, part("000004"));
    show(3);
    EXPECT_EQ(files(), (std::vector<std::string>{"0.txt", "000001.pam", "000002.pam", "000003.pam",
                                                 "000004.pam"}));
    EXPECT_EQ(read(other), text);
}

/// Files can have so many bytes while it lives. A longer one raises SIGXFSZ, which ends the
/// process.
class FileSizeLimit {
public:
    explicit FileSizeLimit(rlim_t bytes) {
        getrlimit(RLIMIT_FSIZE, &before_);
        const rlimit limit{.rlim_cur = bytes, .rlim_max = before_.rlim_max};
        setrlimit(RLIMIT_FSIZE, &limit);
    }
    ~FileSizeLimit() { setrlimit(RLIMIT_FSIZE, &before_); }
    FileSizeLimit(const FileSizeLimit&) = delete;
    FileSizeLimit& operator=(const FileSizeLimit&) = delete;

private:
    rlimit before_{};
};

TEST_F(HeadlessCapture, AFileThatCannotBeFilledIsRemoved) {
    const StderrCapture log;
    begin(folder_, "1");
    {
        const FileSizeLimit limit{8000}; // a frame has 9216 bytes
        show(3);
    }
    EXPECT_EQ(log.lines_with("headless_capture: frame 1 was not written").size(), 1U);
    EXPECT_EQ(log.lines_with("was not written").size(), 1U);
    EXPECT_TRUE(files().empty());
    show(1);
    EXPECT_EQ(files(), std::vector<std::string>{"000004.pam"}) << "later frames are tried";
}

TEST_F(HeadlessCapture, AnImageThatMayNotBecomeAFileIsNotCaptured) {
    fake_driver().hide_device_extension(0, "VK_EXT_external_memory_dma_buf");
    fake_driver().add_device_extension(0, "VK_EXT_external_memory_host");
    const StderrCapture log;
    {
        const FileSizeLimit limit{8000}; // an image has more
        begin(folder_, "1");
    }
    EXPECT_GE(log.lines_with("File too large").size(), 1U);
    EXPECT_EQ(log.lines_with("allocator=unshared").size(), 1U);
    show(1);
    EXPECT_TRUE(files().empty());
}

/// Makes the driver prefer a tiled layout.
void add_tiled_layout(bool with_linear) {
    constexpr FakeDriverModifier tiled{.modifier = 0x0100000000000001, // I915_FORMAT_MOD_X_TILED
                                       .plane_count = 1,
                                       .pitch_alignment = 256,
                                       .pitch_shift = {},
                                       .features = VK_FORMAT_FEATURE_COLOR_ATTACHMENT_BIT |
                                                   VK_FORMAT_FEATURE_TRANSFER_DST_BIT,
                                       .importable = VK_TRUE,
                                       .exportable = VK_TRUE,
                                       .dedicated_only = VK_FALSE,
                                       .aliasable = VK_TRUE};
    FakeDriverModifier linear = tiled;
    linear.modifier = 0;
    const std::array both{tiled, linear};
    for (const VkFormat format : {VK_FORMAT_B8G8R8A8_UNORM, VK_FORMAT_B8G8R8A8_SRGB})
        fake_driver().set_format(FAKE_DRIVER_ALL_DEVICES, format, with_linear ? 2 : 1, both.data());
}

TEST_F(HeadlessCapture, TheImagesAreLinear) {
    add_tiled_layout(true);
    begin(folder_, "1");
    show(1);
    EXPECT_EQ(files().size(), 1U);
}

TEST_F(HeadlessCapture, ADriverWithoutLinearImagesIsNotCaptured) {
    add_tiled_layout(false);
    const StderrCapture log;
    begin(folder_, "1");
    show(3);
    EXPECT_EQ(log.lines_with("headless_capture: the driver makes no LINEAR images").size(), 1U);
    EXPECT_TRUE(files().empty());
}

} // namespace
} // namespace fencebridge::test
