// SPDX-License-Identifier: MIT
#include "ioctl/copy_on_write.hpp"

#include <linux/fs.h>
#include <sys/ioctl.h>

namespace fencebridge::ioctl {

void disable_copy_on_write(const Fd& file) noexcept {
    int flags = 0; // the kernel's type, whatever the requests' numbers say
    if (::ioctl(file.get(), FS_IOC_GETFLAGS, &flags) != 0)
        return;
    flags = (flags & ~FS_COMPR_FL) | FS_NOCOW_FL;
    static_cast<void>(::ioctl(file.get(), FS_IOC_SETFLAGS, &flags));
}

} // namespace fencebridge::ioctl
