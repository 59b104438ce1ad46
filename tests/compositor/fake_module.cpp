// SPDX-License-Identifier: MIT
#include "fake_module.hpp"

#include <fcntl.h>
#include <linux/sync_file.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstdarg>
#include <filesystem>
#include <mutex>
#include <string_view>
#include <utility>

namespace fencebridge::test {
namespace {

// Constant-initialised, because open() and ioctl() are called before any constructor runs. The
// mutex guards `current` and every member of FakeModule.
constinit std::mutex mutex;
constinit FakeModule* current = nullptr;

} // namespace

FakeModule::FakeModule() :
    device_(memfd_create("fencebridge", MFD_CLOEXEC)),
    errors_{{FENCEBRIDGE_DMA_BUF_IOCTL_EXPORT, ENOTTY}, {FENCEBRIDGE_DMA_BUF_IOCTL_IMPORT, ENOTTY}},
    exported_(eventfd(1, EFD_CLOEXEC)) {
    std::lock_guard lock(mutex);
    current = this;
}

FakeModule::~FakeModule() {
    std::lock_guard lock(mutex);
    current = nullptr;
}

void FakeModule::fail(unsigned long request, int error) {
    std::lock_guard lock(mutex);
    errors_[request] = error;
}

void FakeModule::enable_dma_buf_ioctls() {
    fail(FENCEBRIDGE_DMA_BUF_IOCTL_EXPORT, 0);
    fail(FENCEBRIDGE_DMA_BUF_IOCTL_IMPORT, 0);
}

void FakeModule::answer_queries(uint32_t version, uint64_t features) {
    std::lock_guard lock(mutex);
    version_ = version;
    features_ = features;
}

void FakeModule::tell_signal_times(uint64_t nanoseconds) {
    std::lock_guard lock(mutex);
    signal_time_ = nanoseconds;
}

void FakeModule::export_fence(Fd fence) {
    std::lock_guard lock(mutex);
    exported_ = std::move(fence);
}

size_t FakeModule::calls(unsigned long request) const {
    std::lock_guard lock(mutex);
    auto found = calls_.find(request);
    return found == calls_.end() ? 0 : found->second;
}

std::vector<int> FakeModule::open_devices() const {
    std::vector<int> found;
    for (auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
        int fd = std::stoi(entry.path().filename());
        // stat() by path: most descriptors belong to other code, which may close them meanwhile.
        struct stat file;
        if (fd != device_.get() && stat(entry.path().c_str(), &file) == 0 && is_device(file))
            found.push_back(fd);
    }
    return found;
}

int FakeModule::open_flags() const {
    std::lock_guard lock(mutex);
    return open_flags_;
}

fencebridge_export FakeModule::last_export() const {
    std::lock_guard lock(mutex);
    return last_export_;
}

fencebridge_import FakeModule::last_import() const {
    std::lock_guard lock(mutex);
    return last_import_;
}

Fd FakeModule::imported_fence() const {
    std::lock_guard lock(mutex);
    return imported_.duplicate();
}

bool FakeModule::is_device(const struct stat& file) const {
    struct stat device;
    return fstat(device_.get(), &device) == 0 && device.st_dev == file.st_dev &&
           device.st_ino == file.st_ino;
}

bool FakeModule::on_open(const char* path, int flags, long& result) {
    std::lock_guard lock(mutex);
    if (!current || std::string_view(path) != FENCEBRIDGE_DEVICE)
        return false;
    result = current->open(flags);
    return true;
}

long FakeModule::open(int flags) {
    ++calls_[opening];
    open_flags_ = flags;
    if (int error = errors_[opening])
        return -error;
    int fd = fcntl(device_.get(), flags & O_CLOEXEC ? F_DUPFD_CLOEXEC : F_DUPFD, 0);
    return fd < 0 ? -errno : fd;
}

bool FakeModule::on_ioctl(int fd, unsigned long request, void* argument, long& result) {
    std::lock_guard lock(mutex);
    bool of_dma_buf =
        request == FENCEBRIDGE_DMA_BUF_IOCTL_EXPORT || request == FENCEBRIDGE_DMA_BUF_IOCTL_IMPORT;
    struct stat file;
    if (current && request == SYNC_IOC_FILE_INFO && current->signal_time_) {
        result = current->tell_signal_time(fd, argument);
        return true;
    }
    if (!current || !(of_dma_buf || (fstat(fd, &file) == 0 && current->is_device(file))))
        return false;
    result = current->ioctl(fd, request, argument);
    return true;
}

long FakeModule::ioctl(int, unsigned long request, void* argument) {
    ++calls_[request];
    if (int error = errors_[request])
        return -error;
    long result = -ENOTTY;
    if (request == FENCEBRIDGE_IOCTL_QUERY) {
        result = query(*static_cast<fencebridge_query*>(argument));
    } else if (request == FENCEBRIDGE_IOCTL_EXPORT) {
        auto& wanted = *static_cast<fencebridge_export*>(argument);
        pollfd idle{exported_.get(), POLLIN, 0};
        bool makes_none = (wanted.flags & FENCEBRIDGE_NONE_IF_IDLE) && poll(&idle, 1, 0) == 1;
        result = makes_none ? 0 : new_sync_file();
        last_export_ = wanted;
        if (makes_none)
            wanted.sync_file_fd = -1;
        else if (result >= 0)
            wanted.sync_file_fd = int(std::exchange(result, 0));
    } else if (request == FENCEBRIDGE_IOCTL_IMPORT) {
        last_import_ = *static_cast<fencebridge_import*>(argument);
        result = import_sync_file(last_import_.sync_file_fd);
    } else if (request == FENCEBRIDGE_DMA_BUF_IOCTL_EXPORT) {
        result = new_sync_file();
        if (result >= 0)
            static_cast<fencebridge_dma_buf_export*>(argument)->fd = int(std::exchange(result, 0));
    } else if (request == FENCEBRIDGE_DMA_BUF_IOCTL_IMPORT) {
        result = import_sync_file(static_cast<fencebridge_dma_buf_import*>(argument)->fd);
    }
    return result;
}

long FakeModule::tell_signal_time(int fd, void* argument) const {
    auto& info = *static_cast<sync_file_info*>(argument);
    pollfd readable{fd, POLLIN, 0};
    info.status = poll(&readable, 1, 0) == 1;
    if (info.num_fences != 0)
        reinterpret_cast<sync_fence_info*>(info.sync_fence_info)->timestamp_ns = *signal_time_;
    info.num_fences = 1;
    return 0;
}

long FakeModule::query(fencebridge_query& query) const {
    for (uint32_t reserved : query.reserved)
        if (reserved != 0)
            return -EINVAL;
    if (query.flags != 0)
        return -EINVAL;
    query.version = version_;
    query.features = features_;
    query.max_fences = 64;
    return 0;
}

long FakeModule::new_sync_file() const {
    int fd = fcntl(exported_.get(), F_DUPFD_CLOEXEC, 0);
    return fd < 0 ? -errno : fd;
}

long FakeModule::import_sync_file(int fd) {
    imported_ = Fd(fcntl(fd, F_DUPFD_CLOEXEC, 0));
    return imported_ ? 0 : -EINVAL;
}

namespace {

int as_c_result(long result) {
    if (result >= 0)
        return int(result);
    errno = int(-result);
    return -1;
}

int open_file(const char* path, int flags, mode_t mode) {
    long result = 0;
    if (FakeModule::on_open(path, flags, result))
        return as_c_result(result);
    return int(syscall(SYS_openat, AT_FDCWD, path, flags, mode));
}

} // namespace
} // namespace fencebridge::test

// The names that the linker sees. _FILE_OFFSET_BITS decides whether a caller's open() is `open` or
// `open64`, and <fcntl.h> declares only one of them.
#define EXPORTED_AS(name) __asm__(name) __attribute__((visibility("default")))

extern "C" {
int fencebridge_test_open(const char* path, int flags, ...) EXPORTED_AS("open");
int fencebridge_test_open64(const char* path, int flags, ...) EXPORTED_AS("open64");
int fencebridge_test_ioctl(int fd, unsigned long request, ...) EXPORTED_AS("ioctl");

// `mode` is read even if the caller passed none. The kernel ignores it then.
int fencebridge_test_open(const char* path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = va_arg(arguments, mode_t);
    va_end(arguments);
    return fencebridge::test::open_file(path, flags, mode);
}

int fencebridge_test_open64(const char* path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = va_arg(arguments, mode_t);
    va_end(arguments);
    return fencebridge::test::open_file(path, flags, mode);
}

int fencebridge_test_ioctl(int fd, unsigned long request, ...) {
    va_list arguments;
    va_start(arguments, request);
    void* argument = va_arg(arguments, void*);
    va_end(arguments);
    long result = 0;
    if (fencebridge::test::FakeModule::on_ioctl(fd, request, argument, result))
        return fencebridge::test::as_c_result(result);
    return int(syscall(SYS_ioctl, fd, request, argument));
}
}
