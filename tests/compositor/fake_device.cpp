// SPDX-License-Identifier: MIT
#include "fake_device.hpp"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdarg>

namespace fencebridge::test {
namespace {

// Constant-initialised, because open() and ioctl() are called before any constructor runs.
constinit std::mutex devices_mutex;
constinit std::array<FakeDevice*, 2> devices{};

// The first answer of a fake; -1 with errno set, as the C library has it, for a negative one.
template <class Ask>
std::optional<int> ask_devices(Ask&& ask) {
    std::lock_guard lock(devices_mutex);
    for (FakeDevice* device : devices) {
        const std::optional<long> answer = device ? ask(*device) : std::nullopt;
        if (!answer)
            continue;
        if (*answer < 0)
            errno = int(-*answer);
        return *answer < 0 ? -1 : int(*answer);
    }
    return std::nullopt;
}

int open_file(const char* path, int flags, mode_t mode) {
    if (auto result = ask_devices([&](FakeDevice& device) { return device.on_open(path, flags); }))
        return *result;
    return int(syscall(SYS_openat, AT_FDCWD, path, flags, mode));
}

} // namespace

void FakeDevice::begin() {
    std::lock_guard lock(devices_mutex);
    *std::ranges::find(devices, nullptr) = this;
}

void FakeDevice::end() {
    std::lock_guard lock(devices_mutex);
    *std::ranges::find(devices, this) = nullptr;
}

std::mutex& FakeDevice::mutex() { return devices_mutex; }

} // namespace fencebridge::test

// The names that the linker sees. _FILE_OFFSET_BITS decides whether a caller's open() is `open` or
// `open64`, and <fcntl.h> declares only one of them.
#define EXPORTED_AS(name) __asm__(name) __attribute__((visibility("default")))

extern "C" {
int fencebridge_test_open(const char* path, int flags, ...) EXPORTED_AS("open");
int fencebridge_test_open64(const char* path, int flags, ...) EXPORTED_AS("open64");
int fencebridge_test_ioctl(int fd, unsigned long request, ...) EXPORTED_AS("ioctl");
int fencebridge_test_access(const char* path, int mode) EXPORTED_AS("access");

// `mode` is read even if the caller passed none. The kernel ignores it then.
int fencebridge_test_open(const char* path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = va_arg(arguments, mode_t);
    va_end(arguments);
    return fencebridge::test::open_file(path, flags, mode);
}

int fencebridge_test_open64(const char* path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = va_arg(arguments, mode_t);
    va_end(arguments);
    return fencebridge::test::open_file(path, flags, mode);
}

int fencebridge_test_ioctl(int fd, unsigned long request, ...) {
    va_list arguments;
    va_start(arguments, request);
    void* argument = va_arg(arguments, void*);
    va_end(arguments);
    if (auto result = fencebridge::test::ask_devices([&](fencebridge::test::FakeDevice& device) {
            return device.on_ioctl(fd, request, argument);
        }))
        return *result;
    return int(syscall(SYS_ioctl, fd, request, argument));
}

int fencebridge_test_access(const char* path, int mode) {
    if (auto result = fencebridge::test::ask_devices(
            [&](fencebridge::test::FakeDevice& device) { return device.on_access(path); }))
        return *result;
    return int(syscall(SYS_faccessat, AT_FDCWD, path, mode));
}
}
