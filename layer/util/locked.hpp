// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <mutex>
#include <utility>

namespace fencebridge {

/// Data that can be accessed only with its mutex held. Code that runs with the lock held must
/// neither wait nor call the driver. Wayland requests are allowed: they do not wait.
template <class T>
class Locked {
public:
    Locked() = default;
    template <class... Args>
    explicit Locked(std::in_place_t, Args&&... args) : data_(std::forward<Args>(args)...) {}

    /// Runs `use(data)` with the lock held.
    /// @return the result of `use`, by value
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
