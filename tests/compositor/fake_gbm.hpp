// SPDX-License-Identifier: MIT
// A fake of libgbm. The executable defines dlopen(), which opens a library of the build folder
// instead of libgbm.so.1: `new` has all functions that the layer knows, `old` lacks the newer ones.
// The functions of both libraries are here. memfds stand for dma-bufs.
#pragma once

#include "fake_device.hpp"

#include "fake_compositor/fd.hpp"

#include <sys/sysmacros.h>
#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fencebridge::test {

class FakeGbm final : FakeDevice {
public:
    // The DRM render node of the driver: /dev/null has this number.
    static inline const dev_t node = makedev(1, 3);

    struct Plane {
        uint32_t offset;
        uint32_t stride;
        bool operator==(const Plane&) const = default;
    };
    struct Request {
        uint32_t width = 0;
        uint32_t height = 0;
        uint32_t format = 0;
        uint32_t flags = 0;
        std::vector<uint64_t> modifiers; // empty: a request without modifiers
    };

    FakeGbm();
    ~FakeGbm();

    // From now on, the node is another file.
    void replace_node(const std::string& by);
    // From now on, buffers have this layout. Otherwise they have the first modifier of the request
    // and one plane.
    void lay_out(uint64_t modifier, std::vector<Plane> planes);
    // From now on, each plane is in a dma-buf of its own.
    void separate_planes();
    // The next allocation of a buffer makes this call, and continues when that returns.
    void during_next_buffer(std::function<void()> call);
    // From now on, the function fails with this errno; with 0 it succeeds. "gbm_bo_get_fd" is also
    // gbm_bo_get_fd_for_plane, and "gbm_bo_create_with_modifiers" also its second version.
    void fail(const std::string& function, int error);

    size_t calls(const std::string& function) const;
    Request last_request() const;
    // How often a gbm_device was used while another thread did.
    size_t clashes() const;
    // The number of attempts of the process to load libgbm.
    static size_t loads();
    // What was created and not destroyed.
    size_t devices() const;
    size_t buffers() const;

    // Of the libraries, in C's types.
    static void count_load();
    static FakeGbm* current();
    bool fails(const char* function);
    void* create_device(int fd);
    void destroy_device(void* device);
    void* create_buffer(void* device, Request request);
    void destroy_buffer(void* buffer);
    int get_fd(void* buffer, int plane);
    struct Device {
        int fd;
        bool is_in_use = false;
    };
    struct Buffer {
        uint64_t modifier;
        std::vector<Plane> planes;
        std::vector<Fd> dma_bufs;
    };

private:
    std::optional<long> on_open(std::string_view path, int flags) override;
    std::optional<long> on_ioctl(int, unsigned long, void*) override { return std::nullopt; }

    std::string node_file_ = "/dev/null";
    std::optional<std::pair<uint64_t, std::vector<Plane>>> layout_;
    bool separate_ = false;
    std::function<void()> during_next_;
    size_t clashes_ = 0;
    std::map<std::string, int> errors_;
    std::map<std::string, size_t> calls_;
    Request last_;
    size_t devices_ = 0;
    size_t buffers_ = 0;
};

} // namespace fencebridge::test
