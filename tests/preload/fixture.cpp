// SPDX-License-Identifier: MIT
#include "fixture.hpp"

#include <cerrno>
#include <filesystem>
#include <stdexcept>

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "device_path.h"

namespace fencebridge::test {

Answer call(int fd, unsigned long request, void* argument) {
    errno = errno_before;
    const int result = ::ioctl(fd, request, argument);
    return {result, errno};
}

Pages::Pages() : size_(static_cast<size_t>(sysconf(_SC_PAGESIZE))) {
    void* memory =
        mmap(nullptr, 2 * size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        throw std::bad_alloc();
    memory_ = static_cast<std::byte*>(memory);
    mprotect(end(), size_, PROT_NONE);
}

Pages::~Pages() { munmap(memory_, 2 * size_); }

void Pages::make_read_only() { mprotect(memory_, size_, PROT_READ); }

size_t open_fds() {
    size_t count = 0;
    for ([[maybe_unused]] const auto& fd : std::filesystem::directory_iterator("/proc/self/fd"))
        ++count;
    return count;
}

Kernel::Kernel() : dma_buf(memfd_create("dma-buf", MFD_CLOEXEC)) {}

PreloadTest::PreloadTest() {
    folder_ = testing::TempDir() + "preload-XXXXXX";
    if (!mkdtemp(folder_.data()) || chdir(folder_.c_str()) != 0)
        throw std::runtime_error("cannot create the folder for the device");
    fake_kernel::set_dma_buf(dma_buf.get());
    make_device();
    answer();
}

PreloadTest::~PreloadTest() {
    fake_kernel::answer_with(nullptr);
    fake_kernel::set_dma_buf(-1);
    std::filesystem::current_path("/");
    std::filesystem::remove_all(folder_);
}

void PreloadTest::make_device() {
    Fd(open(FENCEBRIDGE_DEVICE, O_CREAT | O_RDWR | O_CLOEXEC, 0600));
}

void PreloadTest::remove_device() { std::filesystem::remove(FENCEBRIDGE_DEVICE); }

void PreloadTest::answer() {
    // The lambda refers to the base class Kernel, which has no virtual functions. For a class with
    // virtual functions, UBSan needs free fds to check the call, and some tests leave none.
    Kernel& kernel = *this;
    fake_kernel::answer_with(
        [&kernel](const fake_kernel::Call& ioctl) { return kernel.on_ioctl(ioctl); });
}

int PreloadTest::module_calls() {
    int count = 0;
    for (const fake_kernel::Call& ioctl : fake_kernel::calls())
        count += _IOC_TYPE(ioctl.request) == 0xfb;
    return count;
}

long Kernel::on_ioctl(const fake_kernel::Call& ioctl) {
    return _IOC_TYPE(ioctl.request) == 0xfb ? on_module(ioctl) : native.load();
}

long Kernel::on_module(const fake_kernel::Call& ioctl) {
    device_flags = fcntl(ioctl.fd, F_GETFL);
    device_fd_flags = fcntl(ioctl.fd, F_GETFD);
    if (module != 0)
        return module;
    if (ioctl.request == FENCEBRIDGE_IOCTL_IMPORT) {
        imported = *static_cast<fencebridge_import*>(ioctl.argument);
        return 0;
    }
    auto& asked = *static_cast<fencebridge_export*>(ioctl.argument);
    exported_flags = asked.flags;
    if (asked.flags == 0 || (asked.flags & ~FENCEBRIDGE_RW) || asked.reserved != 0)
        return -EINVAL;
    if (asked.dma_buf_fd != dma_buf.get())
        return -EBADF;
    const int sync_file = eventfd(0, EFD_CLOEXEC);
    if (sync_file < 0)
        return -errno;
    asked.sync_file_fd = sync_file;
    return 0;
}

} // namespace fencebridge::test
