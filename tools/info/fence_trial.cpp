// SPDX-License-Identifier: MIT
#include "info/fence_trial.hpp"

#include <cerrno>
#include <string>

#include "ioctl/dma_buf.hpp"

namespace fencebridge::info {

Check check_of(const char* what, ioctl::Errno error) {
    const std::string detail = std::string(what) + ": " + ioctl::text(error);
    switch (static_cast<int>(error)) {
    case ENOENT:
    case ENODEV:
    case ENXIO:
        return {State::absent, detail};
    case EACCES:
    case EPERM:
        return {State::denied, detail};
    default:
        return {State::no, detail};
    }
}

FenceOperations try_kernel_ioctls(const Fd& dma_buf) {
    FenceOperations tried;
    const auto exported = ioctl::export_sync_file(dma_buf);
    if (!exported) {
        tried.export_sync_file = check_of("EXPORT_SYNC_FILE", exported.error());
        return tried;
    }
    tried.export_sync_file = {State::yes};
    const auto imported = ioctl::import_sync_file(dma_buf, *exported);
    tried.import_sync_file =
        imported ? Check{State::yes} : check_of("IMPORT_SYNC_FILE", imported.error());
    return tried;
}

} // namespace fencebridge::info
