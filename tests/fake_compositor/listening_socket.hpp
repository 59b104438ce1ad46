// SPDX-License-Identifier: MIT
#pragma once

#include "fd.hpp"

#include <filesystem>

namespace fencebridge::test {

// A socket that listens on a path, in a folder of its own that goes with it.
class ListeningSocket {
public:
    ListeningSocket();
    ~ListeningSocket();
    ListeningSocket(const ListeningSocket&) = delete;
    ListeningSocket& operator=(const ListeningSocket&) = delete;

    const std::filesystem::path& path() const { return path_; }
    // The listening descriptor, for an owner that closes it.
    int release() { return fd_.release(); }
    // A new connection, which counts as connected before anybody accepts it.
    Fd connect() const;

private:
    std::filesystem::path path_;
    Fd fd_;
};

} // namespace fencebridge::test
