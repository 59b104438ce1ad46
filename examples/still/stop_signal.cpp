// SPDX-License-Identifier: MIT
#include "stop_signal.hpp"

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <system_error>

#include <sys/eventfd.h>
#include <unistd.h>

#include "failure.hpp"

namespace fencebridge::still {

namespace {

// A signal handler sees nothing but globals.
volatile std::sig_atomic_t stop_fd = -1;

// write() is one of the few functions that POSIX lets a handler call.
extern "C" void on_stop_signal(int) {
    int saved_errno = errno;
    uint64_t one = 1;
    [[maybe_unused]] ssize_t written = write(stop_fd, &one, sizeof one);
    errno = saved_errno;
}

} // namespace

StopSignal::StopSignal() {
    stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (stop_fd < 0)
        throw Failure("eventfd: " + std::generic_category().message(errno));
    struct sigaction action {};
    action.sa_handler = on_stop_signal;
    action.sa_flags = SA_RESETHAND | SA_RESTART;
    sigaction(SIGTERM, &action, nullptr);
    sigaction(SIGINT, &action, nullptr);
}

StopSignal::~StopSignal() {
    signal(SIGTERM, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    close(stop_fd);
    stop_fd = -1;
}

int StopSignal::fd() const { return stop_fd; }

} // namespace fencebridge::still
