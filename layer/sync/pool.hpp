// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "util/locked.hpp"

namespace fencebridge::sync {

/// Things that are used again, in the order in which they are put back. Used from many threads.
template <class T>
class Pool {
public:
    /// The one that was put back first, if any. There is room to put it, or what is made in its
    /// place, back.
    [[nodiscard]] std::optional<T> take() {
        return state_.with([](State& state) -> std::optional<T> {
            state.make_room();
            if (state.all.empty())
                return std::nullopt;
            std::optional<T> first(std::move(state.all.front()));
            state.all.erase(state.all.begin());
            return first;
        });
    }

    /// For something that is made although take() gave one, which has been put back.
    void make_room() { state_.with(&State::make_room); }

    /// After take() or make_room(). Allocates nothing: what a submission still uses must not be
    /// lost here.
    void put(T thing) noexcept {
        state_.with([&](State& state) {
            --state.out;
            state.all.push_back(std::move(thing));
        });
    }

private:
    struct State {
        std::vector<T> all;
        size_t out = 0;
        void make_room() {
            all.reserve(all.size() + out + 1);
            ++out;
        }
    };
    Locked<State> state_;
};

} // namespace fencebridge::sync
