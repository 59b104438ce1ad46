// SPDX-License-Identifier: MIT
#include "fake_gbm.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <utility>

namespace fencebridge::test {
namespace {

// Guards `the` and what the library reads and writes.
constinit std::recursive_mutex library_mutex;
constinit FakeGbm* the = nullptr;
constinit std::atomic<size_t> load_count = 0;

constexpr uint64_t invalid_modifier = 0x00ffffffffffffff;

} // namespace

FakeGbm::FakeGbm() {
    const std::lock_guard lock(library_mutex);
    the = this;
    begin();
}

FakeGbm::~FakeGbm() {
    end();
    const std::lock_guard lock(library_mutex);
    the = nullptr;
}

void FakeGbm::replace_node(const std::string& by) {
    const std::lock_guard lock(mutex());
    node_file_ = by;
}

std::optional<long> FakeGbm::on_open(std::string_view path, int flags) {
    if (path != "/dev/dri/renderD3")
        return std::nullopt;
    const long fd = syscall(SYS_openat, AT_FDCWD, node_file_.c_str(), flags, 0);
    return fd < 0 ? -errno : fd;
}

FakeGbm* FakeGbm::current() {
    const std::lock_guard lock(library_mutex);
    return the;
}

void FakeGbm::lay_out(uint64_t modifier, std::vector<Plane> planes) {
    const std::lock_guard lock(library_mutex);
    layout_.emplace(modifier, std::move(planes));
}

void FakeGbm::separate_planes() {
    const std::lock_guard lock(library_mutex);
    separate_ = true;
}

void FakeGbm::during_next_buffer(std::function<void()> call) {
    const std::lock_guard lock(library_mutex);
    during_next_ = std::move(call);
}

size_t FakeGbm::clashes() const {
    const std::lock_guard lock(library_mutex);
    return clashes_;
}

size_t FakeGbm::loads() { return load_count; }

void FakeGbm::count_load() { ++load_count; }

void FakeGbm::fail(const std::string& function, int error) {
    const std::lock_guard lock(library_mutex);
    errors_[function] = error;
}

size_t FakeGbm::calls(const std::string& function) const {
    const std::lock_guard lock(library_mutex);
    const auto found = calls_.find(function);
    return found == calls_.end() ? 0 : found->second;
}

FakeGbm::Request FakeGbm::last_request() const {
    const std::lock_guard lock(library_mutex);
    return last_;
}

size_t FakeGbm::devices() const {
    const std::lock_guard lock(library_mutex);
    return devices_;
}

size_t FakeGbm::buffers() const {
    const std::lock_guard lock(library_mutex);
    return buffers_;
}

bool FakeGbm::fails(const char* function) {
    const std::lock_guard lock(library_mutex);
    ++calls_[function];
    const auto found = errors_.find(function);
    if (found == errors_.end() || found->second == 0)
        return false;
    errno = found->second;
    return true;
}

void* FakeGbm::create_device(int fd) {
    const std::lock_guard lock(library_mutex);
    struct stat status;
    if (fstat(fd, &status) != 0 || status.st_rdev != node) {
        errno = EINVAL;
        return nullptr;
    }
    ++devices_;
    return new Device{.fd = fd};
}

void FakeGbm::destroy_device(void* device) {
    const std::lock_guard lock(library_mutex);
    // The node is closed afterwards.
    if (fcntl(static_cast<Device*>(device)->fd, F_GETFD) < 0)
        std::abort();
    delete static_cast<Device*>(device);
    --devices_;
}

void* FakeGbm::create_buffer(void* on, Request request) {
    std::unique_lock lock(library_mutex);
    auto& device = *static_cast<Device*>(on);
    clashes_ += device.is_in_use ? 1 : 0;
    if (const auto call = std::exchange(during_next_, nullptr)) {
        device.is_in_use = true;
        lock.unlock();
        call();
        lock.lock();
        device.is_in_use = false;
    }
    auto* const buffer = new Buffer{};
    if (layout_) {
        buffer->modifier = layout_->first;
        buffer->planes = layout_->second;
    } else {
        buffer->modifier = request.modifiers.empty() ? invalid_modifier : request.modifiers.front();
        buffer->planes = {{.offset = 0, .stride = (request.width * 4 + 511) / 512 * 512}};
    }
    const Plane& last = buffer->planes.back();
    for (size_t i = 0; i < (separate_ ? buffer->planes.size() : 1); ++i) {
        buffer->dma_bufs.emplace_back(memfd_create("dma-buf of GBM", MFD_CLOEXEC));
        // Larger than needed: some drivers demand it.
        if (ftruncate(buffer->dma_bufs.back().get(),
                      off_t{last.offset} + off_t{last.stride} * off_t{request.height} + 8192) != 0)
            std::abort();
    }
    last_ = std::move(request);
    ++buffers_;
    return buffer;
}

void FakeGbm::destroy_buffer(void* buffer) {
    const std::lock_guard lock(library_mutex);
    delete static_cast<Buffer*>(buffer);
    --buffers_;
}

int FakeGbm::get_fd(void* buffer, int plane) {
    const std::lock_guard lock(library_mutex);
    const auto& dma_bufs = static_cast<Buffer*>(buffer)->dma_bufs;
    return fcntl(dma_bufs.at(separate_ ? size_t(plane) : 0).get(), F_DUPFD_CLOEXEC, 0);
}

} // namespace fencebridge::test

// What the libraries call (fake_libgbm.cpp).
extern "C" {
using fencebridge::test::FakeGbm;

__attribute__((visibility("default"))) void* fake_gbm_create_device(int fd) {
    return FakeGbm::current()->fails("gbm_create_device") ? nullptr
                                                          : FakeGbm::current()->create_device(fd);
}

__attribute__((visibility("default"))) void fake_gbm_destroy_device(void* device) {
    FakeGbm::current()->destroy_device(device);
}

__attribute__((visibility("default"))) void*
fake_gbm_create_buffer(void* device, const char* function, uint32_t width, uint32_t height,
                       uint32_t format, uint32_t flags, const uint64_t* modifiers, unsigned count) {
    if (FakeGbm::current()->fails(function))
        return nullptr;
    return FakeGbm::current()->create_buffer(device, {.width = width,
                                                      .height = height,
                                                      .format = format,
                                                      .flags = flags,
                                                      .modifiers = {modifiers, modifiers + count}});
}

__attribute__((visibility("default"))) void fake_gbm_destroy_buffer(void* buffer) {
    FakeGbm::current()->destroy_buffer(buffer);
}

__attribute__((visibility("default"))) int fake_gbm_get_fd(void* buffer, int plane) {
    return FakeGbm::current()->fails("gbm_bo_get_fd") ? -1
                                                      : FakeGbm::current()->get_fd(buffer, plane);
}

__attribute__((visibility("default"))) uint64_t
fake_gbm_describe(void* buffer, int plane, uint32_t* offset, uint32_t* stride, int* planes) {
    const auto& described = *static_cast<FakeGbm::Buffer*>(buffer);
    *offset = described.planes.at(size_t(plane)).offset;
    *stride = described.planes.at(size_t(plane)).stride;
    *planes = int(described.planes.size());
    return described.modifier;
}

void* fencebridge_test_dlopen(const char* path, int flags) __asm__("dlopen")
    __attribute__((visibility("default")));

void* fencebridge_test_dlopen(const char* path, int flags) {
    using Function = void* (*)(const char*, int);
    static const auto real = reinterpret_cast<Function>(dlsym(RTLD_NEXT, "dlopen"));
    if (path == nullptr || std::strcmp(path, "libgbm.so.1") != 0)
        return real(path, flags);
    FakeGbm::count_load();
    const char* const version = std::getenv("FENCEBRIDGE_TEST_GBM");
    if (version == nullptr || std::strcmp(version, "new") == 0)
        return real(FAKE_GBM_NEW, flags);
    return real(std::strcmp(version, "old") == 0 ? FAKE_GBM_OLD : "/nonexistent/libgbm.so.1",
                flags);
}
}
