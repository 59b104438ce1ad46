// SPDX-License-Identifier: MIT
// How the program fails. A layer lives in somebody else's process and has to hand every failure
// back as a value; a program of one's own may simply end, so here each failure is an exception
// that travels to main, and main makes a message and an exit status of it.
#pragma once

#include <stdexcept>
#include <string>

#include <vulkan/vulkan_core.h>

namespace fencebridge::still {

enum ExitStatus : int {
    exit_ok = 0,
    exit_failed = 1,      // a call failed
    exit_usage = 2,       // the command line was not understood
    exit_unsupported = 77 // the system lacks what was asked for: test runners take 77 as "skipped"
};

class Failure : public std::runtime_error {
public:
    explicit Failure(const std::string& message, ExitStatus status = exit_failed) :
        std::runtime_error(message), status_(status) {}
    ExitStatus status() const { return status_; }

private:
    ExitStatus status_;
};

class UsageError : public Failure {
public:
    explicit UsageError(const std::string& message) : Failure(message, exit_usage) {}
};

class Unsupported : public Failure {
public:
    explicit Unsupported(const std::string& message) : Failure(message, exit_unsupported) {}
};

// Negative VkResults are errors; positive ones (VK_SUBOPTIMAL_KHR, VK_TIMEOUT, ...) are news that
// the caller looks at itself.
void check(VkResult result, const char* call);

} // namespace fencebridge::still
