// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <utility>

#include "ioctl/ioctl.hpp"
#include "util/fd.hpp"

namespace fencebridge::ioctl {

/// /dev/fencebridge, the bundled module's device. It does what the dma-buf's sync_file ioctls do,
/// for kernels without them. kernel-uapi/fencebridge.h is the interface.
class FencebridgeDevice {
public:
    /// Opens the device, close-on-exec. ENOENT where the module is not loaded.
    [[nodiscard]] static std::expected<FencebridgeDevice, Errno> open();

    /// Asks the module whether it supports the operations of this class.
    /// @return what it lacks, for the log; or nothing
    [[nodiscard]] std::expected<std::optional<std::string>, Errno> query();

    /// The version of the module's interface, as of query().
    [[nodiscard]] uint32_t version() const { return version_; }

    /// As export_sync_file() of dma_buf.hpp. E2BIG: more fences than the module can export.
    /// @param none_if_idle  return an empty Fd if no fence is pending; requires
    ///                      has_none_if_idle()
    [[nodiscard]] std::expected<Fd, Errno> export_sync_file(const Fd& dma_buf,
                                                            bool none_if_idle) const;
    [[nodiscard]] bool has_none_if_idle() const { return has_none_if_idle_; }

    /// As import_sync_file() of dma_buf.hpp. E2BIG: more fences than the module can attach.
    [[nodiscard]] std::expected<void, Errno> import_sync_file(const Fd& dma_buf,
                                                              const Fd& sync_file) const;

private:
    explicit FencebridgeDevice(Fd fd) : fd_(std::move(fd)) {}

    Fd fd_;
    uint32_t version_ = 0;
    bool has_none_if_idle_ = false; ///< FENCEBRIDGE_FEATURE_NONE_IF_IDLE, as of query()
};

} // namespace fencebridge::ioctl
