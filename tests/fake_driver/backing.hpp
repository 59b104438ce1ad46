// SPDX-License-Identifier: MIT
// The file behind a VkDeviceMemory.
#pragma once

#include "fd.hpp"
#include "settings.hpp"

namespace fencebridge::fake_driver {

/// A file of whole pages with at least `size` bytes; invalid if the kernel cannot create it.
[[nodiscard]] Fd make_backing(FakeDriverMemory kind, uint64_t size);

} // namespace fencebridge::fake_driver
