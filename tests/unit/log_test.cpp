// SPDX-License-Identifier: MIT
// A log line must not affect the application's signals, even if nobody reads standard error.
#include "util/log.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <sys/wait.h>
#include <unistd.h>

namespace fencebridge {
namespace {

/// Runs `body` in a child process. Its standard error is a pipe without a reader, and SIGPIPE ends
/// it.
/// @return the status from waitpid(2); the child exits with what `body` returns
template <class Body>
int run_without_a_reader(Body&& body) {
    const pid_t child = fork();
    if (child == 0) {
        int ends[2];
        if (pipe(ends) != 0 || dup2(ends[1], STDERR_FILENO) < 0)
            _exit(EXIT_FAILURE);
        close(ends[0]);
        signal(SIGPIPE, SIG_DFL);
        _exit(body());
    }
    int status = -1;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    return status;
}

bool is_pending() {
    sigset_t pending;
    sigpending(&pending);
    return sigismember(&pending, SIGPIPE) == 1;
}

bool is_blocked() {
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    return sigismember(&mask, SIGPIPE) == 1;
}

void block_sigpipe() {
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &mask, nullptr);
}

void expect_exit(int status, int expected) {
    ASSERT_TRUE(WIFEXITED(status)) << "killed by signal " << WTERMSIG(status);
    EXPECT_EQ(WEXITSTATUS(status), expected);
}

TEST(Log, AClosedStandardErrorDoesNotEndTheApplication) {
    expect_exit(run_without_a_reader([] {
                    log::error("nobody reads this");
                    return is_pending() || is_blocked() ? 2 : 7;
                }),
                7);
}

TEST(Log, NoSigpipeIsLeftPendingIfTheApplicationBlocksIt) {
    expect_exit(run_without_a_reader([] {
                    block_sigpipe();
                    log::error("nobody reads this");
                    return is_pending() || !is_blocked() ? 2 : 7;
                }),
                7);
}

TEST(Log, APendingSigpipeOfTheApplicationStaysPending) {
    expect_exit(run_without_a_reader([] {
                    block_sigpipe();
                    raise(SIGPIPE);
                    log::error("nobody reads this");
                    return is_pending() && is_blocked() ? 7 : 2;
                }),
                7);
}

TEST(Log, ErrnoIsNotChanged) {
    expect_exit(run_without_a_reader([] {
                    errno = ENOTTY;
                    log::error("nobody reads this");
                    return errno == ENOTTY ? 7 : 2;
                }),
                7);
}

} // namespace
} // namespace fencebridge
