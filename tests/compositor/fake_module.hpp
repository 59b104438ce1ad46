// SPDX-License-Identifier: MIT
// /dev/fencebridge as a test plays it, with memfds for dma-bufs and eventfds for sync_files: open()
// and ioctl() of the executable come before the C library's, in the layer as well.
#pragma once

#include "fake_compositor/fd.hpp"

#include <dma_buf_sync_file.h>
#include <fencebridge.h>

#include <sys/stat.h>

#include <cstdint>
#include <map>
#include <vector>

namespace fencebridge::test {

// Answers for as long as it lives; one at a time. At first the device does all that its interface
// says, and dma-bufs have no ioctls of their own, as before Linux 6.0.
class FakeModule {
public:
    // In the place of a request's number in the functions below.
    static constexpr unsigned long opening = 0;

    FakeModule();
    ~FakeModule();
    FakeModule(const FakeModule&) = delete;
    FakeModule& operator=(const FakeModule&) = delete;

    // The request fails with this errno from now on; 0: it succeeds.
    void fail(unsigned long request, int error);
    // Every dma-buf takes the ioctls of Linux 6.0.
    void give_dma_bufs_their_own_ioctls();
    void answer_queries(uint32_t version, uint64_t features);
    // What exports give from now on, instead of a sync_file that has signalled.
    void export_fence(Fd fence);

    // Calls so far, the failed ones included.
    size_t calls(unsigned long request) const;
    // The descriptors of the device that the process has open.
    std::vector<int> open_devices() const;
    // Arguments of the last call.
    int open_flags() const;
    fencebridge_export last_export() const;
    fencebridge_import last_import() const;
    // A descriptor of the sync_file of the last import.
    Fd imported_fence() const;

    // The calls as the process makes them: a result or -errno, or nothing when they are the
    // kernel's to answer.
    static bool on_open(const char* path, int flags, long& result);
    static bool on_ioctl(int fd, unsigned long request, void* argument, long& result);

private:
    long open(int flags);
    long ioctl(int fd, unsigned long request, void* argument);
    long query(fencebridge_query& query) const;
    long new_sync_file() const;
    long take_sync_file(int fd);
    bool is_device(const struct stat& file) const;

    const Fd device_;
    std::map<unsigned long, int> errors_;
    std::map<unsigned long, size_t> calls_;
    uint32_t version_ = FENCEBRIDGE_VERSION;
    uint64_t features_ = FENCEBRIDGE_FEATURE_EXPORT | FENCEBRIDGE_FEATURE_IMPORT;
    int open_flags_ = 0;
    Fd exported_;
    Fd imported_;
    fencebridge_export last_export_{};
    fencebridge_import last_import_{};
};

} // namespace fencebridge::test
