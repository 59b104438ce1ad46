// SPDX-License-Identifier: MIT
// The fixtures of all tests here. They check that the test ends in time, that it leaks no
// descriptor and no driver object, and that the fake driver and the fake compositor have nothing to
// report.
#pragma once

#include "client.hpp"
#include "fake_driver/control.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace fencebridge::test {

// The number of descriptors that the process has open.
size_t open_fds();

// The number of live objects of the fake driver by FakeDriverObject, without types that have none.
std::map<int, uint64_t> live_driver_objects();

// The name of a present mode as a test's parameter.
std::string name_of_mode(const testing::TestParamInfo<VkPresentModeKHR>& tested);

// Captures standard error while it lives. The destructor writes the text to the original
// descriptor.
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

// A layout with one plane, in which the fake driver can do everything with images.
FakeDriverModifier driver_modifier(uint64_t modifier);

class CompositorTest : public testing::Test {
protected:
    void SetUp() override;
    void TearDown() override;

    // Starts the compositor of the test. TearDown() checks it for violations and destroys it.
    Compositor& start(Script script = {});

    std::unique_ptr<Compositor> compositor_;
    bool may_use_shm_ = false;

private:
    size_t fds_before_ = 0;
};

// Runs on real dma-bufs and sync_files. SetUp() fails if the kernel lacks udmabuf, sw_sync, or what
// the transport needs. FENCEBRIDGE_SYNC names the transport. With `auto` it is `kernel`, since the
// compositor then offers no linux-drm-syncobj-v1.
class FencesTest : public CompositorTest {
protected:
    void SetUp() override;
    static std::string transport();
    static bool is_explicit() { return transport() == "explicit"; }

    // The compositor offers linux-drm-syncobj-v1 if the transport is `explicit`, and only then.
    Compositor& start(Script script = {});

    // Releases a buffer that the compositor still reads until all `fences` have signalled. They go
    // to the release point of the buffer if it has one, else to the dma-buf as read fences.
    void release_with_readers(BufferId buffer, const std::vector<const Fd*>& fences);

    // Whether the compositor may read the buffer of the commit now: the acquire point, or else
    // every write fence of the dma-buf, has signalled.
    bool may_read(size_t commit);
    // The same at the moment when the compositor received the commit.
    bool might_read_at_once(size_t commit);
};

} // namespace fencebridge::test
