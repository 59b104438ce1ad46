// SPDX-License-Identifier: MIT
#include "fake_memory.hpp"

#include <fcntl.h>
#include <linux/dma-heap.h>
#include <linux/udmabuf.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace fencebridge::test {
namespace {

bool is_faked(std::string_view path) {
    return path.starts_with("/dev/dma_heap/") || path == udmabuf || path.starts_with("/dev/dri/");
}

bool is_same_file(int one, int other) {
    struct stat a;
    struct stat b;
    return fstat(one, &a) == 0 && fstat(other, &b) == 0 && a.st_dev == b.st_dev &&
           a.st_ino == b.st_ino;
}

long make_from_heap(dma_heap_allocation_data& wanted) {
    const int fd = memfd_create("dma-buf of a heap", MFD_CLOEXEC);
    if (fd < 0 || ftruncate(fd, off_t(wanted.len)) != 0)
        return -errno;
    wanted.fd = uint32_t(fd);
    return 0;
}

// drivers/dma-buf/udmabuf.c: the memfd must be sealed against shrinking, and the size consists of
// whole pages.
long make_udmabuf(const udmabuf_create& wanted) {
    const int seals = fcntl(int(wanted.memfd), F_GET_SEALS);
    if (seals < 0 || !(seals & F_SEAL_SHRINK) || wanted.size == 0 || wanted.size % 4096 != 0)
        return -EINVAL;
    const int fd = fcntl(int(wanted.memfd), F_DUPFD_CLOEXEC, 0);
    return fd < 0 ? -errno : fd;
}

} // namespace

FakeMemory::FakeMemory() {
    add(system_heap);
    add(udmabuf);
    begin();
}

FakeMemory::~FakeMemory() { end(); }

void FakeMemory::add(std::string path) {
    std::lock_guard lock(mutex());
    nodes_[std::move(path)].file = Fd(memfd_create("device", MFD_CLOEXEC));
}

void FakeMemory::remove(const std::string& path) {
    std::lock_guard lock(mutex());
    nodes_.erase(path);
}

void FakeMemory::fail_open(const std::string& path, int error) {
    std::lock_guard lock(mutex());
    nodes_.at(path).open_error = error;
}

void FakeMemory::fail_ioctl(const std::string& path, int error) {
    std::lock_guard lock(mutex());
    nodes_.at(path).ioctl_error = error;
}

size_t FakeMemory::made(const std::string& path) const {
    std::lock_guard lock(mutex());
    return nodes_.at(path).made;
}

std::optional<long> FakeMemory::on_access(std::string_view path) {
    if (!is_faked(path))
        return std::nullopt;
    return nodes_.contains(path) ? 0 : -ENOENT;
}

std::optional<long> FakeMemory::on_open(std::string_view path, int) {
    if (!is_faked(path))
        return std::nullopt;
    auto found = nodes_.find(path);
    if (found == nodes_.end())
        return -ENOENT;
    if (found->second.open_error != 0)
        return -found->second.open_error;
    const int fd = fcntl(found->second.file.get(), F_DUPFD_CLOEXEC, 0);
    return fd < 0 ? -errno : fd;
}

std::optional<long> FakeMemory::on_ioctl(int fd, unsigned long request, void* argument) {
    if (request != DMA_HEAP_IOCTL_ALLOC && request != UDMABUF_CREATE)
        return std::nullopt;
    for (auto& [path, node] : nodes_) {
        if (!is_same_file(fd, node.file.get()) || (path == udmabuf) != (request == UDMABUF_CREATE))
            continue;
        const long result = node.ioctl_error != 0 ? -node.ioctl_error
                            : path == udmabuf
                                ? make_udmabuf(*static_cast<udmabuf_create*>(argument))
                                : make_from_heap(*static_cast<dma_heap_allocation_data*>(argument));
        node.made += result >= 0 ? 1 : 0;
        return result;
    }
    return -ENOTTY;
}

} // namespace fencebridge::test
