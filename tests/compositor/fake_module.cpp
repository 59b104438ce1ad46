// SPDX-License-Identifier: MIT
#include "fake_module.hpp"

#include <fcntl.h>
#include <linux/sync_file.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

namespace fencebridge::test {

FakeModule::FakeModule() :
    device_(memfd_create("fencebridge", MFD_CLOEXEC)),
    errors_{{FENCEBRIDGE_DMA_BUF_IOCTL_EXPORT, ENOTTY}, {FENCEBRIDGE_DMA_BUF_IOCTL_IMPORT, ENOTTY}},
    exported_(eventfd(1, EFD_CLOEXEC)) {
    begin();
}

FakeModule::~FakeModule() { end(); }

void FakeModule::fail(unsigned long request, int error) {
    std::lock_guard lock(mutex());
    errors_[request] = error;
}

void FakeModule::enable_dma_buf_ioctls() {
    fail(FENCEBRIDGE_DMA_BUF_IOCTL_EXPORT, 0);
    fail(FENCEBRIDGE_DMA_BUF_IOCTL_IMPORT, 0);
}

void FakeModule::answer_queries(uint32_t version, uint64_t features) {
    std::lock_guard lock(mutex());
    version_ = version;
    features_ = features;
}

void FakeModule::tell_signal_times(uint64_t nanoseconds) {
    std::lock_guard lock(mutex());
    signal_time_ = nanoseconds;
}

void FakeModule::export_fence(Fd fence) {
    std::lock_guard lock(mutex());
    exported_ = std::move(fence);
}

size_t FakeModule::calls(unsigned long request) const {
    std::lock_guard lock(mutex());
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
    std::lock_guard lock(mutex());
    return open_flags_;
}

fencebridge_export FakeModule::last_export() const {
    std::lock_guard lock(mutex());
    return last_export_;
}

fencebridge_import FakeModule::last_import() const {
    std::lock_guard lock(mutex());
    return last_import_;
}

Fd FakeModule::imported_fence() const {
    std::lock_guard lock(mutex());
    return imported_.duplicate();
}

bool FakeModule::is_device(const struct stat& file) const {
    struct stat device;
    return fstat(device_.get(), &device) == 0 && device.st_dev == file.st_dev &&
           device.st_ino == file.st_ino;
}

std::optional<long> FakeModule::on_open(std::string_view path, int flags) {
    return path == FENCEBRIDGE_DEVICE ? std::optional(open(flags)) : std::nullopt;
}

long FakeModule::open(int flags) {
    ++calls_[opening];
    open_flags_ = flags;
    if (int error = errors_[opening])
        return -error;
    int fd = fcntl(device_.get(), flags & O_CLOEXEC ? F_DUPFD_CLOEXEC : F_DUPFD, 0);
    return fd < 0 ? -errno : fd;
}

std::optional<long> FakeModule::on_ioctl(int fd, unsigned long request, void* argument) {
    bool of_dma_buf =
        request == FENCEBRIDGE_DMA_BUF_IOCTL_EXPORT || request == FENCEBRIDGE_DMA_BUF_IOCTL_IMPORT;
    struct stat file;
    if (request == SYNC_IOC_FILE_INFO && signal_time_)
        return tell_signal_time(fd, argument);
    if (of_dma_buf || (fstat(fd, &file) == 0 && is_device(file)))
        return ioctl(request, argument);
    return std::nullopt;
}

long FakeModule::ioctl(unsigned long request, void* argument) {
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
    if (info.num_fences != 0) {
        auto& fence = *reinterpret_cast<sync_fence_info*>(info.sync_fence_info);
        fence.timestamp_ns = *signal_time_;
        fence.status = info.status;
        std::strcpy(fence.driver_name, "fake-driver");
        std::strcpy(fence.obj_name, "fake-timeline");
    }
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

} // namespace fencebridge::test
