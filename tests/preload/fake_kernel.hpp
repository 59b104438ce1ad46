// SPDX-License-Identifier: MIT
// A library that stands behind the preloaded one in the search order, so that it is the "next"
// ioctl(), and plays the kernel.
#pragma once

#include <functional>
#include <vector>

namespace fake_kernel {

struct Call {
    int fd;
    unsigned long request;
    void* argument;
};

/// @return what the system call would: a value that is not negative, or -errno
using Ioctl = std::function<long(const Call&)>;

/// What each ioctl() does from now on. Without one, all go to the real kernel.
/// Not to be called while other threads are in ioctl().
void answer_with(Ioctl ioctl);

/// The file descriptor that is a dma-buf as far as fstatfs() can tell; -1 for none.
void set_dma_buf(int fd);

/// Every ioctl() since answer_with().
std::vector<Call> calls();

} // namespace fake_kernel
