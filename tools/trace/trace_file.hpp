// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <vector>

#include "util/fd.hpp"

namespace fencebridge::trace {

/// A trace file, to which a process may still be writing.
class TraceFile {
public:
    /// @return the error is for people
    [[nodiscard]] static std::expected<TraceFile, std::string> open(const std::string& path);

    /// The file as it is now. Slots that are written during the call are left out.
    [[nodiscard]] std::expected<std::vector<std::byte>, std::string> read() const;

    /// Whether the traced process has the file open. It holds a shared lock on it (flock).
    [[nodiscard]] bool is_in_use() const;

private:
    TraceFile(Fd file, std::string path) : file_(std::move(file)), path_(std::move(path)) {}
    [[nodiscard]] std::expected<std::vector<std::byte>, std::string> read_once() const;

    Fd file_;
    std::string path_;
};

} // namespace fencebridge::trace
