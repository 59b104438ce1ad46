// SPDX-License-Identifier: MIT
#include "info/drm_names.hpp"

#include <array>
#include <cstdio>
#include <optional>
#include <sys/sysmacros.h>

#include "ioctl/drm_nodes.hpp"

namespace fencebridge::info {

std::string fourcc_name(uint32_t fourcc) {
    std::string name;
    for (unsigned shift = 0; shift < 32; shift += 8) {
        const char letter = static_cast<char>((fourcc >> shift) & 0xff);
        name += letter >= ' ' && letter <= '~' ? letter : '?';
    }
    return name;
}

std::string modifier_name(uint64_t modifier) {
    std::array<char, 20> name;
    std::snprintf(name.data(), name.size(), "0x%016llx", static_cast<unsigned long long>(modifier));
    return name.data();
}

std::string node_name(dev_t node) {
    for (const auto kind : {ioctl::NodeKind::render, ioctl::NodeKind::primary}) {
        const auto nodes = ioctl::drm_nodes(kind, std::nullopt);
        if (!nodes)
            continue;
        for (const ioctl::DrmNode& known : *nodes) {
            if (known.number == node)
                return known.path;
        }
    }
    return std::to_string(::major(node)) + ":" + std::to_string(::minor(node));
}

} // namespace fencebridge::info
