// SPDX-License-Identifier: MIT
// The execution of recorded commands, once everything before them has signalled.
#pragma once

#include <functional>
#include <vector>

#include "objects.hpp"

namespace fencebridge::fake_driver {

using Commands = std::vector<std::function<void()>>;

/// Executes the commands when `before` has signalled, and then opens `done`. If it has signalled
/// already, that happens at once, and otherwise on a thread.
void execute_after(const Device& device, const Payload& before, Commands commands, Gate done);

/// Ends the threads that have executed their commands.
void sweep_executions();

/// The same for a device that is being destroyed. Commands that are not executed yet are dropped,
/// which is a misuse.
void finish_executions(const Device& device);

} // namespace fencebridge::fake_driver
