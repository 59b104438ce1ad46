// SPDX-License-Identifier: MIT
// Owns a file descriptor. The driver counts those that it holds, so that a test can check that it
// closes all of them.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <utility>

namespace fencebridge::fake_driver {

class Fd {
public:
    Fd() = default;
    explicit Fd(int fd) noexcept : fd_{fd} {
        if (fd_ >= 0)
            ++held;
    }
    Fd(Fd&& other) noexcept : fd_{std::exchange(other.fd_, -1)} {}
    Fd& operator=(Fd&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~Fd() {
        if (release_count())
            close(fd_);
    }

    [[nodiscard]] int get() const noexcept { return fd_; }
    [[nodiscard]] bool valid() const noexcept { return fd_ >= 0; }

    /// A duplicate for the application, which is not counted; -1 with errno set on failure.
    [[nodiscard]] int duplicate() const noexcept { return fcntl(fd_, F_DUPFD_CLOEXEC, 0); }

    /// Releases the descriptor to the caller.
    [[nodiscard]] int release() noexcept {
        release_count();
        return std::exchange(fd_, -1);
    }

    inline static std::atomic<uint64_t> held{0};

private:
    bool release_count() noexcept {
        if (fd_ < 0)
            return false;
        --held;
        return true;
    }

    int fd_{-1};
};

} // namespace fencebridge::fake_driver
