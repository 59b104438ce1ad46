// SPDX-License-Identifier: MIT
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <utility>

namespace fencebridge {

/// Owns a file descriptor, or none (-1), and closes it.
class Fd {
public:
    Fd() = default;
    /// Takes ownership of `fd`; -1 is an empty owner.
    explicit Fd(int fd) : fd_(fd) {}
    Fd(Fd&& other) noexcept : fd_(other.release()) {}
    Fd& operator=(Fd&& other) noexcept {
        reset(other.release());
        return *this;
    }
    ~Fd() { reset(); }

    /// The descriptor. This object keeps the ownership.
    [[nodiscard]] int get() const { return fd_; }
    [[nodiscard]] explicit operator bool() const { return fd_ >= 0; }
    /// Gives up the ownership: the caller has to close the descriptor.
    [[nodiscard]] int release() { return std::exchange(fd_, -1); }
    void reset(int fd = -1) {
        if (fd_ >= 0)
            ::close(fd_);
        fd_ = fd;
    }
    /// A second descriptor of the same open file; empty, with errno set, on failure.
    [[nodiscard]] Fd duplicate() const { return Fd(::fcntl(fd_, F_DUPFD_CLOEXEC, 0)); }

private:
    int fd_ = -1;
};

/// Makes ::close() on an owner an error: the owner would close the descriptor again.
int close(const Fd&) = delete;

} // namespace fencebridge
