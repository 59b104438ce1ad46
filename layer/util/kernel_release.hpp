// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>
#include <utility>

namespace fencebridge {

/// Whether a kernel's release, as uname(2) gives it ("6.1.0-21-amd64"), is this version or later.
/// What cannot be read is earlier.
[[nodiscard]] constexpr bool is_at_least(std::string_view release, unsigned major, unsigned minor) {
    const auto number = [&]() -> unsigned {
        unsigned value = 0;
        while (!release.empty() && release.front() >= '0' && release.front() <= '9') {
            value = value * 10 + static_cast<unsigned>(release.front() - '0');
            release.remove_prefix(1);
        }
        if (!release.empty())
            release.remove_prefix(1);
        return value;
    };
    const unsigned found_major = number();
    const unsigned found_minor = number();
    return std::pair(found_major, found_minor) >= std::pair(major, minor);
}

} // namespace fencebridge
