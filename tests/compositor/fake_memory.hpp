// SPDX-License-Identifier: MIT
// A fake of the devices that make dma-bufs: /dev/dma_heap/* and /dev/udmabuf. memfds stand for
// dma-bufs. The machine's own devices, and its DRM nodes, cannot be opened meanwhile.
#pragma once

#include "fake_device.hpp"

#include "fake_compositor/fd.hpp"

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

namespace fencebridge::test {

inline constexpr char system_heap[] = "/dev/dma_heap/system";
inline constexpr char cma_heap[] = "/dev/dma_heap/default_cma_region";
inline constexpr char udmabuf[] = "/dev/udmabuf";

// There may be one at a time. By default the system heap and /dev/udmabuf are there.
class FakeMemory final : FakeDevice {
public:
    FakeMemory();
    ~FakeMemory();

    void add(std::string path);
    void remove(const std::string& path);
    // From now on open(), or the ioctl that makes a dma-buf, fails with this errno; with 0 it
    // succeeds.
    void fail_open(const std::string& path, int error);
    void fail_ioctl(const std::string& path, int error);
    // The number of dma-bufs that the device has made.
    size_t made(const std::string& path) const;

private:
    std::optional<long> on_access(std::string_view path) override;
    std::optional<long> on_open(std::string_view path, int flags) override;
    std::optional<long> on_ioctl(int fd, unsigned long request, void* argument) override;

    struct Node {
        Fd file;
        int open_error = 0;
        int ioctl_error = 0;
        size_t made = 0;
    };
    std::map<std::string, Node, std::less<>> nodes_;
};

} // namespace fencebridge::test
