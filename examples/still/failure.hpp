// SPDX-License-Identifier: MIT
// How the program fails. A layer runs in another program's process and must return every failure as
// a value. This program may end: each failure is an exception, which run_program() turns into a
// message and an exit status.
#pragma once

#include <functional>
#include <stdexcept>
#include <string>

#include <vulkan/vulkan_core.h>

namespace fencebridge::still {

enum ExitStatus : int {
    exit_ok = 0,
    exit_failed = 1,      // a call failed
    exit_usage = 2,       // the command line was not understood
    exit_unsupported = 77 // the system lacks what was asked for; test runners read 77 as "skipped"
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

// Throws for negative VkResults, which are errors. Positive ones (VK_SUBOPTIMAL_KHR, VK_TIMEOUT,
// ...) are for the caller to examine.
void check(VkResult result, const char* call);

// Runs a program, and returns its exit status. Prints what it throws, after the program's name.
ExitStatus run_program(const char* name, const std::function<ExitStatus()>& program);

} // namespace fencebridge::still
