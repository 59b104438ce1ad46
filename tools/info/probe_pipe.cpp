// SPDX-License-Identifier: MIT
#include "info/probe_pipe.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <unistd.h>

namespace fencebridge::info {

void send_record(const ProbeRecord& record) {
    const std::string bytes = to_bytes(record);
    const size_t size = bytes.size();
    std::string framed(reinterpret_cast<const char*>(&size), sizeof size);
    framed += bytes;
    for (std::string_view left = framed; !left.empty();) {
        const ssize_t written = ::write(probe_pipe, left.data(), left.size());
        if (written < 0 && errno != EINTR)
            return;
        left.remove_prefix(static_cast<size_t>(std::max<ssize_t>(written, 0)));
    }
}

std::optional<ProbeRecord> take_record(std::string& bytes) {
    size_t size = 0;
    if (bytes.size() < sizeof size)
        return std::nullopt;
    std::memcpy(&size, bytes.data(), sizeof size);
    if (bytes.size() - sizeof size < size)
        return std::nullopt;
    auto record = from_bytes<ProbeRecord>(std::string_view(bytes).substr(sizeof size, size));
    bytes.erase(0, sizeof size + size);
    return record;
}

} // namespace fencebridge::info
