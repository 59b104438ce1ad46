// SPDX-License-Identifier: MIT
#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

#include "image/dma_buf_import.hpp"
#include "image/host_memory.hpp"
#include "ioctl/shared_memory.hpp"

namespace fencebridge::image {

bool Udmabuf::is_available() const { return ::access(path(), R_OK | W_OK) == 0; }

std::expected<Fd, ioctl::Errno> Udmabuf::create(const vk::Device&, size_t size) const {
    const Fd device(::open(path(), O_RDWR | O_CLOEXEC));
    if (!device)
        return std::unexpected(ioctl::Errno{errno});
    const size_t pages = whole_pages(size);
    const auto memfd = create_memfd(pages);
    if (!memfd)
        return std::unexpected(memfd.error());
    return ioctl::create_udmabuf(device, *memfd, pages);
}

} // namespace fencebridge::image
