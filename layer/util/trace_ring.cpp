// SPDX-License-Identifier: MIT
#include "util/trace_ring.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include "ioctl/copy_on_write.hpp"

namespace fencebridge::trace {

namespace {

std::unexpected<std::string> failed(const std::string& what, int error) {
    return std::unexpected(what + ": " + std::generic_category().message(error));
}

/// Whether a file may be replaced: there is none, or it is empty or a trace of this layer's.
bool may_replace(const std::string& path) {
    struct stat status = {};
    if (::lstat(path.c_str(), &status) != 0)
        return errno == ENOENT;
    if (!S_ISREG(status.st_mode))
        return false;
    if (status.st_size == 0)
        return true;
    const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    SlotWord first = 0;
    const bool read = file && ::pread(file.get(), &first, sizeof first, 0) == sizeof first;
    // Of a slot that is filled, the first bytes differ by the two lengths alone.
    const auto mask = std::bit_cast<SlotWord>(std::array<uint8_t, 8>{0xff, 0, 0, 0xff, 0xff});
    return read && status.st_size == static_cast<off_t>(file_size) &&
           (first & mask) == (empty_slot & mask);
}

/// A file beyond the limit would not only fail: SIGXFSZ would end the application.
bool is_within_limit() {
    rlimit limit = {};
    return ::getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur >= file_size;
}

/// A file that is removed unless it gets its name.
class Unfinished {
public:
    explicit Unfinished(std::string path) : path_(std::move(path)) {}
    ~Unfinished() {
        if (!finished_)
            ::unlink(path_.c_str());
    }
    Unfinished(const Unfinished&) = delete;
    Unfinished& operator=(const Unfinished&) = delete;

    [[nodiscard]] const std::string& path() const { return path_; }
    /// @return empty, with errno set, on failure
    [[nodiscard]] Fd make() const {
        ::unlink(path_.c_str()); // of a process that had this id before
        return Fd(::open(path_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644));
    }
    /// @return false, with errno set, on failure
    [[nodiscard]] bool finish(const std::string& name) {
        finished_ = ::rename(path_.c_str(), name.c_str()) == 0;
        return finished_;
    }

private:
    const std::string path_;
    bool finished_ = false;
};

/// Allocates all blocks of the file.
/// @return 0, or an errno
int allocate(const Fd& file) {
    int error;
    do
        error = ::posix_fallocate(file.get(), 0, file_size);
    while (error == EINTR); // of a signal; what is allocated stays so
    return error;
}

std::atomic_ref<SlotWord> word_of(std::byte* slot) {
    return std::atomic_ref(*reinterpret_cast<SlotWord*>(slot));
}

} // namespace

std::expected<std::unique_ptr<Ring>, std::string> Ring::create(const std::string& path) {
    if (!may_replace(path))
        return std::unexpected(path + " exists, and is no trace of fencebridge's");
    if (!is_within_limit())
        return failed(path, EFBIG);
    std::unique_ptr<Ring> ring(new Ring);
    // The file gets its name when it is complete.
    Unfinished unfinished(path + "." + std::to_string(::getpid()) + ".new");
    ring->file_ = unfinished.make();
    if (!ring->file_)
        return failed("open of " + unfinished.path(), errno);
    // A write to a page without a block, or one that needs a new block, would raise SIGBUS when the
    // disk is full.
    ioctl::disable_copy_on_write(ring->file_);
    if (const int error = allocate(ring->file_); error != 0)
        return failed("posix_fallocate of " + unfinished.path(), error);
    void* const mapped =
        ::mmap(nullptr, file_size, PROT_READ | PROT_WRITE, MAP_SHARED, ring->file_.get(), 0);
    if (mapped == MAP_FAILED)
        return failed("mmap of " + unfinished.path(), errno);
    ring->slots_ = static_cast<std::byte*>(mapped);
    for (size_t slot = 0; slot < slot_count; ++slot)
        word_of(ring->slots_ + slot * slot_size).store(empty_slot, std::memory_order_relaxed);
    ::flock(ring->file_.get(), LOCK_SH | LOCK_NB);
    if (!unfinished.finish(path))
        return failed("rename to " + path, errno);
    return ring;
}

Ring::~Ring() {
    if (slots_ != nullptr)
        ::munmap(slots_, file_size);
}

void Ring::write(std::span<const uint8_t> packets) noexcept {
    constexpr size_t ring_slots = slot_count - head_slots;
    const uint64_t before = events_.fetch_add(1, std::memory_order_relaxed);
    fill(head_slots + before % ring_slots, before + 1, packets);
}

void Ring::write_to_head(std::span<const uint8_t> packets) noexcept {
    const size_t slot = head_.fetch_add(1, std::memory_order_relaxed);
    if (slot < head_slots)
        fill(slot, 0, packets);
    else
        write(packets);
}

/// Hides the slot, writes its contents, and shows it again.
void Ring::fill(size_t slot, uint64_t number, std::span<const uint8_t> packets) noexcept {
    std::byte* const start = slots_ + slot * slot_size;
    const auto word = word_of(start);
    SlotWord before = word.load(std::memory_order_relaxed);
    if (before == slot_being_written ||
        !word.compare_exchange_strong(before, slot_being_written, std::memory_order_acq_rel))
        return;
    for (size_t i = 0; i < sizeof number; ++i)
        start[sizeof(SlotWord) + i] = static_cast<std::byte>(number >> (8 * i));
    std::memcpy(start + slot_size - packets.size(), packets.data(), packets.size());
    word.store(slot_word(Padding::of_slot, packets.size()), std::memory_order_release);
}

} // namespace fencebridge::trace
