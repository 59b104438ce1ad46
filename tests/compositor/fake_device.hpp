// SPDX-License-Identifier: MIT
// Fakes of device files. The executable defines access(), open() and ioctl(), and the layer finds
// those before the C library's. Each call goes to the fakes that live, and then to the kernel.
#pragma once

#include <mutex>
#include <optional>
#include <string_view>

namespace fencebridge::test {

// A fake answers while it lives. There may be some at a time, of different classes.
class FakeDevice {
public:
    FakeDevice(const FakeDevice&) = delete;
    FakeDevice& operator=(const FakeDevice&) = delete;

    // Called for every access(), open() and ioctl() of the process, with mutex() locked. They
    // return nothing if the call does not concern this device; else the result or -errno.
    virtual std::optional<long> on_access(std::string_view) { return std::nullopt; }
    virtual std::optional<long> on_open(std::string_view path, int flags) = 0;
    virtual std::optional<long> on_ioctl(int fd, unsigned long request, void* argument) = 0;

protected:
    FakeDevice() = default;
    ~FakeDevice() = default;

    // Begins and ends the time in which the fake answers. A constructor calls the first when the
    // members are complete, a destructor calls the second before they are destroyed.
    void begin();
    void end();
    // Guards every member of the fakes.
    static std::mutex& mutex();
};

} // namespace fencebridge::test
