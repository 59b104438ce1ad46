// SPDX-License-Identifier: MIT
#include "sw_sync.hpp"

#include <linux/types.h>
#include <sys/ioctl.h>

namespace fencebridge::fake_driver {
namespace {

/// struct sw_sync_create_fence_data of the kernel.
struct CreateFence {
    __u32 value;
    char name[32];
    __s32 fence;
};

constexpr unsigned long create_fence_request = _IOWR('W', 0, CreateFence);
constexpr unsigned long increment_request = _IOW('W', 1, __u32);

} // namespace

Fd open_sw_sync_timeline() {
    return Fd{open("/sys/kernel/debug/sync/sw_sync", O_RDWR | O_CLOEXEC)};
}

Fd create_sw_sync_fence(const Fd& timeline, unsigned value) {
    CreateFence request{.value = value, .name = "fake driver", .fence = -1};
    if (!timeline.valid() || ioctl(timeline.get(), create_fence_request, &request) != 0)
        return {};
    return Fd{request.fence};
}

void increment_sw_sync_timeline(const Fd& timeline, unsigned by) {
    __u32 step = by;
    ioctl(timeline.get(), increment_request, &step);
}

} // namespace fencebridge::fake_driver
