// SPDX-License-Identifier: MIT
#include "fake_kernel.hpp"

#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstring>
#include <memory>
#include <mutex>
#include <utility>

#include <linux/magic.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#define EXPORTED __attribute__((visibility("default")))

namespace fake_kernel {

namespace {

// Constant-initialised, because ioctl() is called before the constructors of this library run.
constinit std::unique_ptr<Ioctl> current;
std::atomic<int> dma_buf{-1};

std::mutex calls_mutex;
std::vector<Call> recorded; // guarded by calls_mutex

long perform(const Call& call) {
    if (!current)
        return syscall(SYS_ioctl, call.fd, call.request, call.argument);
    {
        std::lock_guard lock(calls_mutex);
        recorded.push_back(call);
    }
    const long result = (*current)(call);
    if (result >= 0)
        return result;
    errno = static_cast<int>(-result);
    return -1;
}

} // namespace

EXPORTED void answer_with(Ioctl ioctl) {
    current = ioctl ? std::make_unique<Ioctl>(std::move(ioctl)) : nullptr;
    std::lock_guard lock(calls_mutex);
    recorded.clear();
}

EXPORTED void set_dma_buf(int fd) { dma_buf = fd; }

EXPORTED std::vector<Call> calls() {
    std::lock_guard lock(calls_mutex);
    return recorded;
}

} // namespace fake_kernel

// NOLINTNEXTLINE(cert-dcl50-cpp): replaces a C function with variable arguments
extern "C" EXPORTED int ioctl(int fd, unsigned long request, ...) noexcept {
    va_list arguments;
    va_start(arguments, request);
    void* argument = va_arg(arguments, void*);
    va_end(arguments);
    return static_cast<int>(fake_kernel::perform({fd, request, argument}));
}

extern "C" EXPORTED int fstatfs(int fd, struct statfs* file_system) noexcept {
    if (fd < 0 || fd != fake_kernel::dma_buf)
        return static_cast<int>(syscall(SYS_fstatfs, fd, file_system));
    std::memset(file_system, 0, sizeof(*file_system));
    file_system->f_type = DMA_BUF_MAGIC;
    return 0;
}
