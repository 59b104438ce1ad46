// SPDX-License-Identifier: MIT
#include "sync_state.hpp"

#include <deque>

namespace fencebridge::fake_driver {
namespace {

struct Held {
    std::mutex mutex;
    bool holding{false};
    std::deque<Gate> gates; // oldest first
};

Held& held() {
    static Held state;
    return state;
}

} // namespace

std::mutex& payload_mutex() {
    static std::mutex mutex;
    return mutex;
}

void require_unused(const std::shared_ptr<Use>& use, const char* function) {
    const std::lock_guard lock{payload_mutex()};
    if (!use->last.signalled())
        misuse(std::string{function} + ": a batch that uses the object has not finished");
}

std::optional<Payload> gate_for_rendering() {
    Held& state = held();
    const FakeDriverSync kind = current_settings().sync;
    const std::lock_guard lock{state.mutex};
    if (!state.holding)
        return Payload{};
    auto gate = Gate::make(kind);
    if (!gate)
        return std::nullopt;
    return Payload{state.gates.emplace_back(std::move(*gate)).leaf()};
}

void hold_rendering(bool on) {
    Held& state = held();
    const std::lock_guard lock{state.mutex};
    state.holding = on;
    if (on)
        return;
    for (Gate& gate : state.gates)
        gate.open();
    state.gates.clear();
}

bool release_one() {
    Held& state = held();
    const std::lock_guard lock{state.mutex};
    if (state.gates.empty())
        return false;
    state.gates.front().open();
    state.gates.pop_front();
    return true;
}

bool release_newest() {
    Held& state = held();
    const std::lock_guard lock{state.mutex};
    if (state.gates.empty())
        return false;
    state.gates.back().open();
    state.gates.pop_back();
    return true;
}

uint32_t held_batches() {
    Held& state = held();
    const std::lock_guard lock{state.mutex};
    return static_cast<uint32_t>(state.gates.size());
}

} // namespace fencebridge::fake_driver
