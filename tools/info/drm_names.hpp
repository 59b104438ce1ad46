// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <sys/types.h>

// Names for people of what DRM numbers.

namespace fencebridge::info {

/// The four characters of a DRM format, such as XR24.
[[nodiscard]] std::string fourcc_name(uint32_t fourcc);

/// 0x followed by 16 digits.
[[nodiscard]] std::string modifier_name(uint64_t modifier);

/// The path of a DRM node in /dev/dri, or MAJOR:MINOR if there is none.
[[nodiscard]] std::string node_name(dev_t node);

} // namespace fencebridge::info
