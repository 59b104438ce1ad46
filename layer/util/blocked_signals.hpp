// SPDX-License-Identifier: MIT
#pragma once

#include <cerrno>
#include <csignal>
#include <ctime>
#include <initializer_list>
#include <pthread.h>

namespace fencebridge {

/// Blocks signals in the calling thread while it lives. For system calls that, when they fail, also
/// raise a signal in the calling thread, which would end the application: write(2) raises SIGPIPE
/// (EPIPE), and write(2) and ftruncate(2) raise SIGXFSZ beyond RLIMIT_FSIZE (EFBIG).
class BlockedSignals {
public:
    explicit BlockedSignals(std::initializer_list<int> signals) {
        sigset_t blocked;
        sigset_t pending;
        ::sigemptyset(&blocked);
        ::sigemptyset(&unpending_);
        ::sigpending(&pending);
        for (const int signal : signals) {
            ::sigaddset(&blocked, signal);
            if (::sigismember(&pending, signal) == 0)
                ::sigaddset(&unpending_, signal);
        }
        ::pthread_sigmask(SIG_BLOCK, &blocked, &before_);
    }
    ~BlockedSignals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    BlockedSignals(const BlockedSignals&) = delete;
    BlockedSignals& operator=(const BlockedSignals&) = delete;

    /// Discards those of the signals that have been raised since the constructor, unless they were
    /// pending before. Called after a call has failed. Keeps errno.
    void discard_raised() const {
        const int saved_errno = errno;
        constexpr timespec at_once = {};
        while (::sigtimedwait(&unpending_, nullptr, &at_once) >= 0 || errno == EINTR)
            ;
        errno = saved_errno;
    }

private:
    sigset_t before_;    ///< the thread's mask
    sigset_t unpending_; ///< the signals that were not pending when the object was created
};

} // namespace fencebridge
