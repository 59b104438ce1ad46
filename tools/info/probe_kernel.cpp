// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <expected>
#include <fcntl.h>
#include <fencebridge.h>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <sys/eventfd.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <variant>

#include "image/host_memory.hpp"
#include "info/fence_trial.hpp"
#include "info/probes.hpp"
#include "ioctl/drm_nodes.hpp"
#include "ioctl/fencebridge_device.hpp"
#include "ioctl/shared_memory.hpp"
#include "sync/timeline_device.hpp"

namespace fencebridge::info {

namespace {

namespace fs = std::filesystem;
using Progress = ProbeProgress<KernelFacts>;
using Buffer = std::expected<Fd, ioctl::Errno>;

/// Whether a line of the file contains the text.
bool has_line_with(const std::string& path, const std::string& text) {
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
        if (line.find(text) != std::string::npos)
            return true;
    }
    return false;
}

Buffer buffer_of_udmabuf(const std::string& path) {
    const Fd device(::open(path.c_str(), O_RDWR | O_CLOEXEC));
    if (!device)
        return std::unexpected(ioctl::Errno{errno});
    const size_t size = image::page_size();
    const auto memfd = image::create_memfd(size);
    if (!memfd)
        return std::unexpected(memfd.error());
    return ioctl::create_udmabuf(device, *memfd, size);
}

Buffer buffer_of_heap(const std::string& path) {
    const Fd heap(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!heap)
        return std::unexpected(ioctl::Errno{errno});
    return ioctl::allocate_from_heap(heap, image::page_size());
}

/// Tries one source of dma-bufs, and keeps its first buffer.
void add_source(Progress& progress, Fd& kept, const std::string& path,
                Buffer (*make)(const std::string&)) {
    progress.begin(path);
    Buffer made = make(path);
    Check access = made ? Check{State::yes} : check_of(path.c_str(), made.error());
    progress.facts.memory_sources.push_back({path, std::move(access)});
    if (made && !kept) {
        kept = std::move(*made);
        progress.facts.buffer = path;
    }
}

std::vector<std::string> dma_heaps() {
    std::vector<std::string> heaps;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator("/dev/dma_heap", error))
        heaps.push_back(entry.path());
    std::ranges::sort(heaps);
    return heaps;
}

/// The kernel's driver of a DRM node, as sysfs names it.
std::string driver_of(dev_t node) {
    std::error_code error;
    const auto link = fs::read_symlink("/sys/dev/char/" + std::to_string(::major(node)) + ":" +
                                           std::to_string(::minor(node)) + "/device/driver",
                                       error);
    return link.filename();
}

Check try_timelines(const std::string& node) {
    const Fd eventfd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    const auto works = sync::TimelineDevice::open_node(node, {}, eventfd);
    if (works)
        return {State::yes};
    const auto* reason = std::get_if<std::string>(&works.error());
    return {State::no, reason != nullptr ? *reason : "out of memory or file descriptors"};
}

void probe_nodes(Progress& progress) {
    for (const auto kind : {ioctl::NodeKind::primary, ioctl::NodeKind::render}) {
        const auto nodes = ioctl::drm_nodes(kind, std::nullopt);
        if (!nodes)
            continue;
        for (const ioctl::DrmNode& node : *nodes) {
            progress.begin(node.path);
            DrmNodeFacts facts = {.path = node.path, .driver = driver_of(node.number)};
            // A primary node is not opened: the process could become the master of a display.
            facts.access = ::access(node.path.c_str(), R_OK | W_OK) == 0
                               ? Check{State::yes}
                               : check_of(node.path.c_str(), ioctl::Errno{errno});
            if (kind == ioctl::NodeKind::render && facts.access.is(State::yes))
                facts.timelines = try_timelines(node.path);
            progress.facts.drm_nodes.push_back(std::move(facts));
        }
    }
}

/// Makes a dumb buffer, if no other source has made a dma-buf.
void probe_dumb_buffers(Progress& progress, Fd& kept) {
    for (const DrmNodeFacts& node : progress.facts.drm_nodes) {
        if (kept || !node.path.starts_with("/dev/dri/card") || !node.access.is(State::yes))
            continue;
        progress.begin(node.path);
        if (auto made = ioctl::allocate_dumb_buffer(node.path, image::page_size())) {
            kept = std::move(*made);
            progress.facts.buffer = node.path;
        }
    }
}

FenceOperations try_module(const ioctl::FencebridgeDevice& device, const Fd& dma_buf) {
    FenceOperations tried;
    const auto exported = device.export_sync_file(dma_buf, false);
    if (!exported) {
        tried.export_sync_file = check_of("FENCEBRIDGE_IOCTL_EXPORT", exported.error());
        return tried;
    }
    tried.export_sync_file = {State::yes};
    const auto imported = device.import_sync_file(dma_buf, *exported);
    tried.import_sync_file =
        imported ? Check{State::yes} : check_of("FENCEBRIDGE_IOCTL_IMPORT", imported.error());
    return tried;
}

void probe_module(Progress& progress, const Fd& dma_buf) {
    ModuleFacts& module = progress.facts.module;
    progress.begin(FENCEBRIDGE_DEVICE);
    module.loaded = ::access("/sys/module/fencebridge", F_OK) == 0;
    module.installed =
        has_line_with("/lib/modules/" + progress.facts.release + "/modules.dep", "/fencebridge.ko");
    auto device = ioctl::FencebridgeDevice::open();
    if (!device) {
        module.device = check_of(FENCEBRIDGE_DEVICE, device.error());
        return;
    }
    const auto lacks = device->query();
    module.version = device->version();
    if (!lacks)
        module.device = check_of("FENCEBRIDGE_IOCTL_QUERY", lacks.error());
    else if (*lacks)
        module.device = {State::no, **lacks};
    else
        module.device = {State::yes};
    if (module.device.is(State::yes) && dma_buf)
        module.operations = try_module(*device, dma_buf);
}

} // namespace

void probe_kernel(Progress& progress) {
    utsname name = {};
    ::uname(&name);
    progress.facts.release = name.release;
    progress.facts.architecture = name.machine;
    Fd dma_buf;
    add_source(progress, dma_buf, "/dev/udmabuf", &buffer_of_udmabuf);
    for (const std::string& heap : dma_heaps())
        add_source(progress, dma_buf, heap, &buffer_of_heap);
    probe_nodes(progress);
    probe_dumb_buffers(progress, dma_buf);
    if (dma_buf) {
        progress.begin("the dma-buf ioctls");
        progress.facts.operations = try_kernel_ioctls(dma_buf);
    }
    probe_module(progress, dma_buf);
}

} // namespace fencebridge::info
