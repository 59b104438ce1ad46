// SPDX-License-Identifier: MIT
// What holds for every test here: it ends in time, leaves nothing behind, and breaks no rule of the
// driver or of the compositor.
#pragma once

#include "client.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace fencebridge::test {

// The descriptors that the process has open.
size_t open_fds();

// Objects that the fake driver holds for the application, by type.
std::map<int, uint64_t> live_driver_objects();

// Takes what is written to standard error until its end.
class ErrorLog {
public:
    ErrorLog();
    ~ErrorLog();
    ErrorLog(const ErrorLog&) = delete;
    ErrorLog& operator=(const ErrorLog&) = delete;

    std::string text() const;
    // The lines that contain all of the words.
    std::vector<std::string> lines_with(std::vector<std::string> words) const;

private:
    Fd file_;
    Fd original_;
};

class CompositorTest : public testing::Test {
protected:
    void SetUp() override;
    void TearDown() override;

    // The compositor of the test; checked for violations and taken down at the end.
    Compositor& start(Script script = {});

    std::unique_ptr<Compositor> compositor_;

private:
    size_t fds_before_ = 0;
};

// Runs on real dma-bufs and sync_files: fails where the kernel has no udmabuf or sw_sync, or not
// what the transport needs. That is the one that FENCEBRIDGE_SYNC names, and `kernel` where the
// layer has the choice and the compositor has no explicit synchronisation.
class FencesTest : public CompositorTest {
protected:
    void SetUp() override;
    static std::string transport();
    static bool is_explicit() { return transport() == "explicit"; }

    // Offers linux-drm-syncobj-v1 where that is the transport.
    Compositor& start(Script script = {});

    // The window system lets a buffer go that it still reads, until `fences` have signalled: by the
    // release point, or with the fences of readers on the dma-buf.
    void let_go(BufferId buffer, const std::vector<const Fd*>& fences = {});

    // Whether the window system may read what was committed: now, and when it was committed.
    bool may_read(size_t commit);
    bool might_read_at_once(size_t commit);
};

} // namespace fencebridge::test
