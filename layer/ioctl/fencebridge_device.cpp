// SPDX-License-Identifier: MIT
#include "ioctl/fencebridge_device.hpp"

#include <cerrno>
#include <cstdint>
#include <fcntl.h>
#include <fencebridge.h>

namespace fencebridge::ioctl {

namespace {

/// The first version of the interface. Feature bits report which operations a module has.
constexpr uint32_t needed_version = 1;

} // namespace

std::expected<FencebridgeDevice, Errno> FencebridgeDevice::open() {
    Fd fd(::open(FENCEBRIDGE_DEVICE, O_RDWR | O_CLOEXEC));
    if (!fd)
        return std::unexpected(Errno{errno});
    return FencebridgeDevice(std::move(fd));
}

std::expected<std::optional<std::string>, Errno> FencebridgeDevice::query() {
    fencebridge_query query = {};
    if (auto done = retry_ioctl(fd_, FENCEBRIDGE_IOCTL_QUERY, &query); !done)
        return std::unexpected(done.error());
    version_ = query.version;
    if (query.version < needed_version)
        return "too old (version " + std::to_string(query.version) + ")";
    if (!(query.features & FENCEBRIDGE_FEATURE_EXPORT))
        return "exports no fences";
    if (!(query.features & FENCEBRIDGE_FEATURE_IMPORT))
        return "imports no fences";
    has_none_if_idle_ = (query.features & FENCEBRIDGE_FEATURE_NONE_IF_IDLE) != 0;
    return std::nullopt;
}

std::expected<Fd, Errno> FencebridgeDevice::export_sync_file(const Fd& dma_buf,
                                                             bool none_if_idle) const {
    fencebridge_export argument = {
        .flags = FENCEBRIDGE_WRITE | (none_if_idle ? FENCEBRIDGE_NONE_IF_IDLE : 0u),
        .dma_buf_fd = dma_buf.get(),
        .sync_file_fd = -1,
        .reserved = 0,
    };
    if (auto done = retry_ioctl(fd_, FENCEBRIDGE_IOCTL_EXPORT, &argument); !done)
        return std::unexpected(done.error());
    return Fd(argument.sync_file_fd);
}

std::expected<void, Errno> FencebridgeDevice::import_sync_file(const Fd& dma_buf,
                                                               const Fd& sync_file) const {
    fencebridge_import argument = {
        .flags = FENCEBRIDGE_WRITE,
        .dma_buf_fd = dma_buf.get(),
        .sync_file_fd = sync_file.get(),
        .reserved = 0,
    };
    return retry_ioctl(fd_, FENCEBRIDGE_IOCTL_IMPORT, &argument);
}

} // namespace fencebridge::ioctl
