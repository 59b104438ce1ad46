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

/// ioctl() as the program under the preloaded library calls it.
struct Answer {
    int result;
    int error; ///< errno afterwards; it was `errno_before` when the call was made
    bool operator==(const Answer&) const = default;
};
constexpr int errno_before = 4711;
Answer call(int fd, unsigned long request, void* argument);

constexpr Answer success{0, errno_before};
constexpr Answer failure(int error) { return {-1, error}; }

/// A page of anonymous memory with an inaccessible one behind it.
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

/// A dma-buf on a kernel that lacks the two ioctls, and the module, doubled: it answers as
/// fencebridge.h says, with eventfds for sync_files.
struct Kernel {
    const Fd dma_buf;
    /// What the dma-buf's own ioctls say: a result, or -errno.
    std::atomic<long> native = -ENOTTY;
    /// What the module says, unless it is 0 and it does what it is asked to.
    std::atomic<long> module = 0;
    /// How the last import was called, and the last export.
    fencebridge_import imported{};
    std::atomic<unsigned> exported_flags = 0;
    /// How the device was open in the last call: F_GETFL and F_GETFD.
    std::atomic<int> device_flags = 0, device_fd_flags = 0;

    Kernel();
    long on_ioctl(const fake_kernel::Call& ioctl);
    long on_module(const fake_kernel::Call& ioctl);
};

/// A program on that kernel, and the device, in a folder of their own.
class PreloadTest : public testing::Test, protected Kernel {
protected:
    PreloadTest();
    ~PreloadTest() override;
    PreloadTest(const PreloadTest&) = delete;
    PreloadTest& operator=(const PreloadTest&) = delete;

    static void make_device();
    static void remove_device();
    /// Starts to answer again, and forgets the calls before.
    void answer();
    /// How often the module was called.
    [[nodiscard]] static int module_calls();

private:
    std::string folder_;
};

[[nodiscard]] size_t open_fds();

} // namespace fencebridge::test
