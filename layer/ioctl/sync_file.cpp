// SPDX-License-Identifier: MIT
#include "ioctl/sync_file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>
#include <linux/sync_file.h>
#include <memory>
#include <new>
#include <span>
#include <string_view>

namespace fencebridge::ioctl {

std::expected<bool, Errno> wait_signalled(const Fd& sync_file, const Deadline& deadline) {
    // A sync_file is readable once its fence has signalled, also with an error.
    pollfd request{.fd = sync_file.get(), .events = POLLIN, .revents = 0};
    const auto ready = retry_poll(std::span(&request, 1), deadline);
    if (ready && *ready && (request.revents & POLLNVAL))
        return std::unexpected(Errno{EBADF});
    return ready;
}

std::expected<Fd, Errno> merge(const Fd& one, const Fd& other) {
    sync_merge_data argument = {.name = "fencebridge", .fd2 = other.get(), .fence = -1};
    if (auto done = retry_ioctl(one, SYNC_IOC_MERGE, &argument); !done)
        return std::unexpected(done.error());
    return Fd(argument.fence);
}

std::expected<std::optional<std::chrono::steady_clock::time_point>, Errno>
signal_time(const Fd& sync_file) {
    // Without room for fences, the kernel writes their number and the common status.
    sync_file_info info = {};
    if (auto done = retry_ioctl(sync_file, SYNC_IOC_FILE_INFO, &info); !done)
        return std::unexpected(done.error());
    if (info.status == 0)
        return std::nullopt;
    const size_t count = info.num_fences;
    const std::unique_ptr<sync_fence_info[]> fences(new (std::nothrow) sync_fence_info[count]());
    if (!fences)
        return std::unexpected(Errno{ENOMEM});
    info = {};
    info.num_fences = static_cast<uint32_t>(count);
    info.sync_fence_info = reinterpret_cast<uintptr_t>(fences.get());
    if (auto done = retry_ioctl(sync_file, SYNC_IOC_FILE_INFO, &info); !done)
        return std::unexpected(done.error());
    uint64_t latest = 0;
    for (const sync_fence_info& fence : std::span(fences.get(), info.num_fences))
        latest = std::max<uint64_t>(latest, fence.timestamp_ns);
    return std::chrono::steady_clock::time_point(
        std::chrono::nanoseconds(static_cast<int64_t>(latest)));
}

size_t query_fences(const Fd& sync_file, std::span<FenceInfo> fences) {
    std::array<sync_fence_info, 64> all = {};
    sync_file_info info = {};
    info.num_fences = static_cast<uint32_t>(all.size());
    info.sync_fence_info = reinterpret_cast<uintptr_t>(all.data());
    if (!retry_ioctl(sync_file, SYNC_IOC_FILE_INFO, &info))
        return 0;
    const size_t count = std::min({fences.size(), all.size(), size_t{info.num_fences}});
    for (size_t i = 0; i < count; ++i) {
        FenceInfo& fence = fences[i];
        std::copy_n(std::begin(all[i].driver_name), fence.driver.size(), fence.driver.begin());
        std::copy_n(std::begin(all[i].obj_name), fence.timeline.size(), fence.timeline.begin());
        fence.driver.back() = fence.timeline.back() = '\0';
        fence.signalled = std::nullopt;
        if (all[i].status != 0)
            fence.signalled = std::chrono::steady_clock::time_point(
                std::chrono::nanoseconds(static_cast<int64_t>(all[i].timestamp_ns)));
    }
    return count;
}

bool may_be_same(const FenceInfo& before, const FenceInfo& now) {
    const auto fits = [&](const auto& old, const auto& name, std::string_view of_signalled) {
        const std::string_view text = name.data();
        return text == old.data() || (now.signalled && text == of_signalled);
    };
    return fits(before.driver, now.driver, "detached-driver") &&
           fits(before.timeline, now.timeline, "signaled-timeline");
}

} // namespace fencebridge::ioctl
