// SPDX-License-Identifier: MIT
#pragma once

#include "util/fd.hpp"

namespace fencebridge::ioctl {

/// Asks the file system to write to the blocks of a file where they are (FS_NOCOW_FL of btrfs), and
/// not to compress it, which excludes that. The file must be empty. Other file systems refuse, and
/// nothing changes.
void disable_copy_on_write(const Fd& file) noexcept;

} // namespace fencebridge::ioctl
