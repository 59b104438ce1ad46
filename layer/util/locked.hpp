// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <mutex>
#include <utility>

namespace fencebridge {

/// Data that can be reached only with its mutex held. Keep what runs under the lock short: no
/// wait, and no call into the driver, the kernel or the compositor.
template <class T>
class Locked {
public:
    Locked() = default;
    template <class... Args>
    explicit Locked(std::in_place_t, Args&&... args) : data_(std::forward<Args>(args)...) {}

    /// Runs `use(data)` under the lock and gives back what it returns, by value.
    template <class Use>
    auto with(Use&& use) {
        const std::lock_guard guard(mutex_);
        return std::invoke(std::forward<Use>(use), data_);
    }
    template <class Use>
    auto with(Use&& use) const {
        const std::lock_guard guard(mutex_);
        return std::invoke(std::forward<Use>(use), std::as_const(data_));
    }

private:
    mutable std::mutex mutex_;
    T data_;
};

} // namespace fencebridge
