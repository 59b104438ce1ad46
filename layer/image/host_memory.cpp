// SPDX-License-Identifier: MIT
#include "image/host_memory.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "util/log.hpp"

namespace fencebridge::image {

HostMemory::~HostMemory() {
    if (size_ != 0)
        ::munmap(address_, size_);
}

size_t whole_pages(size_t size) {
    const auto page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
    return (size + page - 1) / page * page;
}

std::expected<Fd, ioctl::Errno> create_memfd(size_t size) {
    Fd file(::memfd_create("fencebridge image", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    // A file that shrinks would end a process that reads a mapping of it (SIGBUS). Compositors and
    // /dev/udmabuf ask for the seal.
    if (!file || ::ftruncate(file.get(), static_cast<off_t>(size)) != 0 ||
        ::fcntl(file.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
        return std::unexpected(ioctl::Errno{errno});
    return file;
}

std::expected<HostMemory, VkResult> HostMemory::create(size_t size) {
    const auto failed = [&](const char* call, ioctl::Errno error) {
        log::error("%s for an image of %zu bytes: %s", call, size, ioctl::text(error).c_str());
        return std::unexpected(VK_ERROR_OUT_OF_HOST_MEMORY);
    };
    auto file = create_memfd(size);
    if (!file)
        return failed("memfd_create", file.error());
    void* const address = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file->get(), 0);
    if (address == MAP_FAILED)
        return failed("mmap", ioctl::Errno{errno});
    HostMemory memory;
    memory.file_ = std::move(*file);
    memory.address_ = address;
    memory.size_ = size;
    return memory;
}

} // namespace fencebridge::image
