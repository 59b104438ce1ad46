// SPDX-License-Identifier: MIT
// Merges several conditions into one descriptor.
#pragma once

#include <memory>
#include <vector>

namespace fencebridge::fake_driver {

class Leaf;

/// A new descriptor that becomes readable once all leaves have signalled; -1 on failure. The kernel
/// merges sync_files. It cannot merge eventfds (an epoll descriptor is readable as soon as one of
/// them is), so a thread waits for them and writes to an eventfd.
[[nodiscard]] int merge_conditions(const std::vector<std::shared_ptr<Leaf>>& leaves);

/// Ends the threads whose leaves have all signalled.
void sweep_merges();

} // namespace fencebridge::fake_driver
