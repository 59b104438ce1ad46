// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "dma_buf_sync_file.h"
#include "fake_kernel.hpp"
#include "fencebridge.h"
#include "util/fd.hpp"

namespace fencebridge::test {

/// The result of an ioctl() by a program that runs with the preload library.
struct Answer {
    int result;
    int error; ///< errno after the call; before the call it is `errno_before`
    bool operator==(const Answer&) const = default;
};
constexpr int errno_before = 4711;
Answer call(int fd, unsigned long request, void* argument);

constexpr Answer success{0, errno_before};
constexpr Answer failure(int error) { return {-1, error}; }

/// A page of anonymous memory, followed by an inaccessible page.
class Pages {
public:
    Pages();
    Pages(const Pages&) = delete;
    Pages& operator=(const Pages&) = delete;
    ~Pages();
    [[nodiscard]] std::byte* begin() const { return memory_; }
    [[nodiscard]] std::byte* end() const { return memory_ + size_; }
    void make_read_only();

private:
    size_t size_;
    std::byte* memory_;
};

/// Fakes of a dma-buf, of a kernel without the two ioctls, and of the module, which behaves as
/// fencebridge.h describes. Eventfds stand for sync_files.
struct Kernel {
    const Fd dma_buf;
    /// The result of ioctls of the dma-buf, or -errno.
    std::atomic<long> native = -ENOTTY;
    /// If this is not 0, ioctls of the module fail with this -errno.
    std::atomic<long> module = 0;
    /// The argument of the last import, and the flags of the last export, of the module.
    fencebridge_import imported{};
    std::atomic<unsigned> exported_flags = 0;
    /// F_GETFL and F_GETFD of the device during the last ioctl.
    std::atomic<int> device_flags = 0, device_fd_flags = 0;

    Kernel();
    long on_ioctl(const fake_kernel::Call& ioctl);
    long on_module(const fake_kernel::Call& ioctl);
};

/// A program on the fake kernel. The file that stands for the device is in a temporary folder.
class PreloadTest : public testing::Test, protected Kernel {
protected:
    PreloadTest();
    ~PreloadTest() override;
    PreloadTest(const PreloadTest&) = delete;
    PreloadTest& operator=(const PreloadTest&) = delete;

    static void make_device();
    static void remove_device();
    /// Installs the handler of the fake kernel again, which clears the list of calls.
    void answer();
    /// The number of ioctls of the module.
    [[nodiscard]] static int module_calls();

private:
    std::string folder_;
};

[[nodiscard]] size_t open_fds();

} // namespace fencebridge::test
