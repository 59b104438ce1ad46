// SPDX-License-Identifier: MIT
#include "image/host_memory.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "image/memory.hpp"
#include "util/blocked_signals.hpp"
#include "util/log.hpp"

namespace fencebridge::image {

HostMemory::~HostMemory() {
    if (range_size_ != 0)
        ::munmap(range_, range_size_);
}

size_t page_size() { return static_cast<size_t>(::sysconf(_SC_PAGESIZE)); }

size_t whole_pages(size_t size) { return (size + page_size() - 1) / page_size() * page_size(); }

std::expected<Fd, ioctl::Errno> create_memfd(size_t size) {
    Fd file(::memfd_create("fencebridge image", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    const BlockedSignals signals{SIGXFSZ}; // ftruncate() obeys RLIMIT_FSIZE here, too
    // A file that shrinks would end a process that reads a mapping of it (SIGBUS). Compositors and
    // /dev/udmabuf ask for the seal.
    if (!file || ::ftruncate(file.get(), static_cast<off_t>(size)) != 0 ||
        ::fcntl(file.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
        signals.discard_raised();
        return std::unexpected(ioctl::Errno{errno});
    }
    return file;
}

std::expected<HostMemory, VkResult> HostMemory::create(size_t size, size_t alignment) {
    const auto failed = [&](const char* call, ioctl::Errno error) {
        log::error("%s for an image of %zu bytes: %s", call, size, ioctl::text(error).c_str());
        return std::unexpected(allocation_error(error));
    };
    auto file = create_memfd(size);
    if (!file)
        return failed("memfd_create", file.error());
    // mmap() chooses addresses at multiples of the page size. A larger range has one at a multiple
    // of the alignment.
    HostMemory memory;
    const size_t larger = size + std::max(alignment, page_size()) - page_size();
    void* const range =
        ::mmap(nullptr, larger, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (range == MAP_FAILED)
        return failed("mmap", ioctl::Errno{errno});
    memory.range_ = range;
    memory.range_size_ = larger;
    const size_t past = reinterpret_cast<uintptr_t>(range) % alignment;
    void* const aligned = static_cast<char*>(range) + (past == 0 ? 0 : alignment - past);
    memory.address_ =
        ::mmap(aligned, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file->get(), 0);
    if (memory.address_ == MAP_FAILED)
        return failed("mmap", ioctl::Errno{errno});
    memory.file_ = std::move(*file);
    memory.size_ = size;
    return memory;
}

} // namespace fencebridge::image
