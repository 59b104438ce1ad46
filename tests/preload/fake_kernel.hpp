// SPDX-License-Identifier: MIT
// A fake kernel: a library with an ioctl(). It follows the preload library in the search order. So
// the preload library finds this ioctl() when it looks for the next one (RTLD_NEXT).
#pragma once

#include <functional>
#include <vector>

namespace fake_kernel {

struct Call {
    int fd;
    unsigned long request;
    void* argument;
};

/// Handles an ioctl. @return the result of the system call: a non-negative value, or -errno
using Ioctl = std::function<long(const Call&)>;

/// Installs the handler of all ioctls and clears the list of calls(). If `ioctl` is empty, the
/// real kernel handles them. Must not be called while other threads are in ioctl().
void answer_with(Ioctl ioctl);

/// Makes fstatfs() report the file system type of dma-bufs for this fd; for no fd if it is -1.
void set_dma_buf(int fd);

/// All ioctls since answer_with().
std::vector<Call> calls();

} // namespace fake_kernel
