// SPDX-License-Identifier: MIT
#include "trace_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include "util/trace_format.hpp"

namespace fencebridge::trace {

namespace {

std::unexpected<std::string> failed(const std::string& path, int error) {
    return std::unexpected(path + ": " + std::generic_category().message(error));
}

} // namespace

std::expected<TraceFile, std::string> TraceFile::open(const std::string& path) {
    Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!file)
        return failed(path, errno);
    struct stat status = {};
    if (::fstat(file.get(), &status) != 0)
        return failed(path, errno);
    if (!S_ISREG(status.st_mode))
        return std::unexpected(path + ": not a file");
    return TraceFile(std::move(file), path);
}

std::expected<std::vector<std::byte>, std::string> TraceFile::read_once() const {
    std::vector<std::byte> bytes(file_size);
    size_t size = 0;
    while (size < bytes.size()) {
        const ssize_t got = ::pread(file_.get(), bytes.data() + size, bytes.size() - size,
                                    static_cast<off_t>(size));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return failed(path_, errno);
        if (got == 0)
            break;
        size += static_cast<size_t>(got);
    }
    bytes.resize(size);
    return bytes;
}

/// A slot that was written meanwhile has another header in the second copy: the number of its event
/// is in the header.
std::expected<std::vector<std::byte>, std::string> TraceFile::read() const {
    auto bytes = read_once();
    if (!bytes || !is_in_use())
        return bytes;
    const auto again = read_once();
    if (!again)
        return again;
    const size_t size = std::min(bytes->size(), again->size());
    for (size_t at = 0; at + slot_size <= size; at += slot_size) {
        if (std::memcmp(bytes->data() + at, again->data() + at, slot_header) != 0)
            std::memcpy(bytes->data() + at, &empty_slot, sizeof empty_slot);
    }
    return bytes;
}

bool TraceFile::is_in_use() const {
    if (::flock(file_.get(), LOCK_EX | LOCK_NB) != 0)
        return errno == EWOULDBLOCK;
    ::flock(file_.get(), LOCK_UN);
    return false;
}

} // namespace fencebridge::trace
