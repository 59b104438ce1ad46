// SPDX-License-Identifier: MIT
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

#include "image/dma_buf_import.hpp"
#include "ioctl/shared_memory.hpp"

namespace fencebridge::image {

namespace {

/// Best first. The names of the contiguous heap depend on kernel and device tree
/// (drivers/dma-buf/heaps/cma_heap.c).
constexpr std::array heaps = {
    "/dev/dma_heap/system",
    "/dev/dma_heap/default_cma_region",
    "/dev/dma_heap/linux,cma",
    "/dev/dma_heap/reserved",
};

} // namespace

bool DmaHeap::is_available() const {
    for (const char* heap : heaps) {
        if (::access(heap, R_OK) == 0)
            return true;
    }
    return false;
}

std::expected<Fd, ioctl::Errno> DmaHeap::create(const vk::Device&, size_t size) const {
    std::expected<Fd, ioctl::Errno> last = std::unexpected(ioctl::Errno{ENOENT});
    for (const char* heap : heaps) {
        const Fd device(::open(heap, O_RDONLY | O_CLOEXEC));
        if (device)
            last = ioctl::allocate_from_heap(device, size);
        else if (errno != ENOENT)
            last = std::unexpected(ioctl::Errno{errno});
        if (last)
            break;
    }
    return last;
}

} // namespace fencebridge::image
