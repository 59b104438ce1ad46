// SPDX-License-Identifier: MIT
// A fake of /dev/fencebridge. memfds stand for dma-bufs and eventfds for sync_files.
#pragma once

#include "fake_device.hpp"

#include "fake_compositor/fd.hpp"

#include <dma_buf_sync_file.h>
#include <fencebridge.h>

#include <sys/stat.h>

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace fencebridge::test {

// There may be one at a time. By default the device exports and imports, without
// FENCEBRIDGE_FEATURE_NONE_IF_IDLE. Dma-bufs have no sync_file ioctls, as before Linux 6.0.
class FakeModule final : FakeDevice {
public:
    // Stands for open() where the functions below expect the number of an ioctl.
    static constexpr unsigned long opening = 0;

    FakeModule();
    ~FakeModule();

    // From now on the ioctl fails with this errno; with 0 it succeeds.
    void fail(unsigned long request, int error);
    // From now on every dma-buf has the sync_file ioctls of Linux 6.0.
    void enable_dma_buf_ioctls();
    void answer_queries(uint32_t version, uint64_t features);
    // From now on the kernel knows the fence of each sync_file: of "fake-driver", on the timeline
    // "fake-timeline". If it has signalled, then at this time.
    void tell_signal_times(uint64_t nanoseconds);
    // From now on exports return this fence, instead of a sync_file that has signalled.
    void export_fence(Fd fence);

    // The number of calls so far, including those that failed.
    size_t calls(unsigned long request) const;
    // The descriptors of the device that the process has open.
    std::vector<int> open_devices() const;
    // The arguments of the last call of each kind.
    int open_flags() const;
    fencebridge_export last_export() const;
    fencebridge_import last_import() const;
    // A duplicate of the sync_file that was imported last.
    Fd imported_fence() const;

private:
    std::optional<long> on_open(std::string_view path, int flags) override;
    std::optional<long> on_ioctl(int fd, unsigned long request, void* argument) override;
    long open(int flags);
    long ioctl(unsigned long request, void* argument);
    long query(fencebridge_query& query) const;
    long new_sync_file() const;
    long import_sync_file(int fd);
    bool is_device(const struct stat& file) const;
    long tell_signal_time(int fd, void* argument) const;

    const Fd device_;
    std::map<unsigned long, int> errors_;
    std::map<unsigned long, size_t> calls_;
    uint32_t version_ = FENCEBRIDGE_VERSION;
    std::optional<uint64_t> signal_time_;
    uint64_t features_ = FENCEBRIDGE_FEATURE_EXPORT | FENCEBRIDGE_FEATURE_IMPORT;
    int open_flags_ = 0;
    Fd exported_;
    Fd imported_;
    fencebridge_export last_export_{};
    fencebridge_import last_import_{};
};

} // namespace fencebridge::test
