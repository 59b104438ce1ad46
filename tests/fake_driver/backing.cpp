// SPDX-License-Identifier: MIT
#include "backing.hpp"

#include <linux/udmabuf.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

namespace fencebridge::fake_driver {
namespace {

/// udmabuf accepts only a memfd that is sealed against shrinking.
Fd make_dma_buf(const Fd& memfd, uint64_t size) {
    const Fd device{open("/dev/udmabuf", O_RDWR | O_CLOEXEC)};
    if (!device.valid() || fcntl(memfd.get(), F_ADD_SEALS, F_SEAL_SHRINK) != 0)
        return {};
    udmabuf_create request{.memfd = static_cast<__u32>(memfd.get()),
                           .flags = UDMABUF_FLAGS_CLOEXEC,
                           .offset = 0,
                           .size = size};
    return Fd{ioctl(device.get(), UDMABUF_CREATE, &request)};
}

} // namespace

Fd make_backing(FakeDriverMemory kind, uint64_t size) {
    constexpr uint64_t page = 4096;
    const uint64_t rounded = (size + page - 1) / page * page;
    Fd memfd{memfd_create("fake driver memory", MFD_CLOEXEC | MFD_ALLOW_SEALING)};
    if (!memfd.valid() || ftruncate(memfd.get(), static_cast<off_t>(rounded)) != 0)
        return {};
    return kind == FAKE_DRIVER_MEMORY_MEMFD ? std::move(memfd) : make_dma_buf(memfd, rounded);
}

} // namespace fencebridge::fake_driver
