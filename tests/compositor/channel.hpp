// SPDX-License-Identifier: MIT
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <utility>

namespace fencebridge::test {

// A queue of values from one thread to another. take() waits until there is a value.
template <class T>
class Channel {
public:
    void put(T value) {
        {
            std::lock_guard lock(mutex_);
            values_.push_back(std::move(value));
        }
        changed_.notify_one();
    }
    T take() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return !values_.empty(); });
        T value = std::move(values_.front());
        values_.pop_front();
        return value;
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<T> values_;
};

} // namespace fencebridge::test
