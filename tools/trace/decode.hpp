// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "util/trace_format.hpp"

namespace fencebridge::trace {

/// What one slot of a trace records. Times are nanoseconds of CLOCK_MONOTONIC.
struct Record {
    uint64_t number = 0; ///< in the order of the events' ends
    std::string name;
    TrackKind kind = TrackKind::process;
    uint32_t owner = 0; ///< id of the thread, or number of the swapchain
    uint32_t track = 0; ///< of the tracks of one kind and owner
    int64_t begin = 0;
    std::optional<int64_t> end; ///< nothing: a moment

    // Annotations. 0 and empty: there is none.
    uint64_t swapchain = 0;
    uint64_t frame = 0;
    uint64_t previous = 0;
    std::optional<uint32_t> image;
    int64_t refresh = 0; ///< nanoseconds
    bool pending = false;
    std::string reason;
    std::string driver;
    std::string timeline;
};

struct Trace {
    uint32_t pid = 0;
    std::string process;
    std::map<uint32_t, std::string> threads; ///< names by id
    std::vector<Record> records;             ///< in the order of their begins
    uint64_t lost = 0; ///< records that the ring has overwritten, or that were being written
};

/// Decodes a trace file of the layer's. Reads nothing outside of `file`, whatever it contains: a
/// slot that cannot be understood is skipped.
/// @param file  a whole file, or its first part
/// @return the error says why the file is no such trace
[[nodiscard]] std::expected<Trace, std::string> decode(std::span<const std::byte> file);

} // namespace fencebridge::trace
