// SPDX-License-Identifier: MIT
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <utility>

#include "kernel/ioctl.hpp"
#include "util/fd.hpp"

namespace fencebridge::kernel {

/// /dev/fencebridge: the dma-buf's sync_file ioctls for kernels that lack them, given by the
/// bundled module. kernel-uapi/fencebridge.h is the interface.
class FencebridgeDevice {
public:
    /// Opens the device, close-on-exec. ENOENT where the module is not loaded.
    [[nodiscard]] static std::expected<FencebridgeDevice, Errno> open();

    /// Asks the module whether it can do what follows here.
    /// @return what it lacks, in words, or nothing
    [[nodiscard]] std::expected<std::optional<std::string>, Errno> query();

    /// As export_sync_file() of dma_buf.hpp. E2BIG: more fences than the module can gather.
    /// @param none_if_idle  nothing is returned when nothing is pending; if the module
    /// can_tell_idle()
    [[nodiscard]] std::expected<Fd, Errno> export_sync_file(const Fd& dma_buf,
                                                            bool none_if_idle) const;
    [[nodiscard]] bool can_tell_idle() const { return can_tell_idle_; }

    /// As import_sync_file() of dma_buf.hpp. E2BIG: more fences than the module can attach.
    [[nodiscard]] std::expected<void, Errno> import_sync_file(const Fd& dma_buf,
                                                              const Fd& sync_file) const;

private:
    explicit FencebridgeDevice(Fd fd) : fd_(std::move(fd)) {}

    Fd fd_;
    bool can_tell_idle_ = false; ///< as query() found
};

} // namespace fencebridge::kernel
