// SPDX-License-Identifier: MIT
// One descriptor for several conditions.
#pragma once

#include <memory>
#include <vector>

namespace fencebridge::fake_driver {

class Leaf;

/// A new descriptor that is readable once all the leaves hold; -1 when it cannot be made.
/// sync_files are merged by the kernel. Others have no such thing (an epoll descriptor is readable
/// as soon as one is), so a thread watches them and writes to an eventfd.
[[nodiscard]] int merge_conditions(const std::vector<std::shared_ptr<Leaf>>& leaves);

/// Ends the threads whose conditions hold by now.
void sweep_merges();

} // namespace fencebridge::fake_driver
