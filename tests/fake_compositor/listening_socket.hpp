// SPDX-License-Identifier: MIT
#pragma once

#include "fd.hpp"

#include <filesystem>

namespace fencebridge::test {

// A socket that listens on a path in a temporary folder. The destructor removes both.
class ListeningSocket {
public:
    ListeningSocket();
    ~ListeningSocket();
    ListeningSocket(const ListeningSocket&) = delete;
    ListeningSocket& operator=(const ListeningSocket&) = delete;

    const std::filesystem::path& path() const { return path_; }
    // Releases the listening descriptor to the caller, who closes it.
    int release() { return fd_.release(); }
    // A new connection. connect(2) succeeds before the connection is accepted.
    Fd connect() const;

private:
    std::filesystem::path path_;
    Fd fd_;
};

} // namespace fencebridge::test
