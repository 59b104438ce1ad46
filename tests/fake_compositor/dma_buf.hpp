// SPDX-License-Identifier: MIT
// The fences of a dma-buf as a window system reads and attaches them, and fences that a test
// signals.
#pragma once

#include "fd.hpp"

#include <cstdint>

namespace fencebridge::test {

// Whether all write fences of the dma-buf have signalled: poll() returns POLLIN. Always true for a
// memfd.
bool write_fences_signalled(int dma_buf);

// Whether all fences of the dma-buf have signalled, those of readers included: poll() returns
// POLLOUT.
bool all_fences_signalled(int dma_buf);

// Whether the sync_file has signalled: poll() returns POLLIN. True for -1.
bool sync_file_signalled(int sync_file);

// SYNC_IOC_MERGE: a sync_file that signals when both have signalled.
Fd merge_sync_files(const Fd& one, const Fd& other);

// DMA_BUF_IOCTL_EXPORT_SYNC_FILE for a reader or for a writer; empty if the kernel refuses.
Fd export_sync_file_for_read(int dma_buf);
Fd export_sync_file_for_write(int dma_buf);

// DMA_BUF_IOCTL_IMPORT_SYNC_FILE: attaches a fence of a reader (a compositor that samples the
// buffer) or of a writer.
bool attach_read_fence(int dma_buf, int sync_file);
bool attach_write_fence(int dma_buf, int sync_file);

// A timeline of sw_sync, the kernel's fences for tests: each fence signals when advance() has
// passed its point. Destroying the timeline signals its fences with an error.
class FenceTimeline {
public:
    FenceTimeline();

    static bool available();

    // A new fence at the timeline's next point, as a sync_file.
    Fd fence();
    // Signals the oldest fence that has not signalled yet.
    void advance();

private:
    Fd fd_;
    uint32_t next_point_ = 1;
};

} // namespace fencebridge::test
