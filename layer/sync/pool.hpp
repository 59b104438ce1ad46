// SPDX-License-Identifier: MIT
#pragma once

#include <list>
#include <utility>

#include "util/locked.hpp"

namespace fencebridge::sync {

/// Objects for reuse, in the order in which they were pushed. Used by many threads.
template <class T>
class Pool {
public:
    /// Owns one object, or none. The object stays in its list node, so push() does not allocate and
    /// cannot fail. A submission may still use the object.
    class Item {
    public:
        Item() = default;
        explicit Item(T thing) { node_.push_back(std::move(thing)); }
        explicit operator bool() const { return !node_.empty(); }
        T& operator*() { return node_.front(); }
        T* operator->() { return &node_.front(); }

    private:
        friend Pool;
        std::list<T> node_;
    };

    /// Removes the object that was pushed first. Empty if there is none.
    [[nodiscard]] Item pop() {
        Item item;
        all_.with([&](std::list<T>& all) {
            if (!all.empty())
                item.node_.splice(item.node_.end(), all, all.begin());
        });
        return item;
    }

    void push(Item item) noexcept {
        all_.with([&](std::list<T>& all) { all.splice(all.end(), item.node_); });
    }

private:
    Locked<std::list<T>> all_;
};

} // namespace fencebridge::sync
