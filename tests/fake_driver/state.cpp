// SPDX-License-Identifier: MIT
#include "state.hpp"

#include <cstdio>

namespace fencebridge::fake_driver {
namespace {

std::optional<VkResult> injected_failure(State& state, const char* function, bool query) {
    std::optional<VkResult> result;
    for (auto armed = state.failures.begin(); armed != state.failures.end();) {
        const bool counts = armed->function ? *armed->function == function : !query;
        if (!counts || --armed->remaining > 0) {
            ++armed;
            continue;
        }
        result = armed->result;
        armed = state.failures.erase(armed);
    }
    if (result) {
        ++state.injected;
        state.last_injected = function;
    }
    return result;
}

void note_call(State& state, const char* function) {
    ++state.counts[function];
    if (state.settings.keep_log)
        state.log.push_back(function);
}

bool is_loader_structure(VkStructureType type) {
    return type == VK_STRUCTURE_TYPE_LOADER_INSTANCE_CREATE_INFO ||
           type == VK_STRUCTURE_TYPE_LOADER_DEVICE_CREATE_INFO;
}

} // namespace

LockedState& locked_state() {
    static LockedState locked;
    return locked;
}

Settings current_settings() {
    return with_state([](State& state) { return state.settings; });
}

DeviceSettings current_device_settings(uint32_t device) {
    return with_state([&](State& state) { return state.settings.devices.at(device); });
}

std::optional<VkResult> enter(const char* function) {
    return with_state([&](State& state) {
        note_call(state, function);
        return injected_failure(state, function, false);
    });
}

std::optional<VkResult> enter_query(const char* function) {
    return with_state([&](State& state) {
        ++state.counts[function];
        return injected_failure(state, function, true);
    });
}

void note(const char* function) {
    with_state([&](State& state) { note_call(state, function); });
}

void note_query(const char* function) {
    with_state([&](State& state) { ++state.counts[function]; });
}

void misuse(std::string text) {
    std::fprintf(stderr, "fake driver: misuse: %s\n", text.c_str());
    with_state([&](State& state) { state.misuses.push_back(std::move(text)); });
}

CreateRecord make_record(uint32_t extension_count, const char* const* extensions,
                         const void* next) {
    CreateRecord record;
    for (uint32_t i = 0; i < extension_count; ++i)
        record.extensions.push_back(record.names.emplace_back(extensions[i]).c_str());
    for (auto* link = static_cast<const VkBaseInStructure*>(next); link != nullptr;
         link = link->pNext) {
        if (is_loader_structure(link->sType))
            continue;
        record.next_types.push_back(link->sType);
        record.next_addresses.push_back(link);
    }
    return record;
}

void store(std::deque<CreateRecord> State::*list, CreateRecord record) {
    with_state([&](State& state) {
        // Moving the deque does not move the names. The view is filled in at its final address.
        CreateRecord& stored = (state.*list).emplace_back(std::move(record));
        stored.view.extension_count = static_cast<uint32_t>(stored.extensions.size());
        stored.view.extensions = stored.extensions.data();
        stored.view.next_count = static_cast<uint32_t>(stored.next_types.size());
        stored.view.next_types = stored.next_types.data();
        stored.view.next_addresses = stored.next_addresses.data();
    });
}

} // namespace fencebridge::fake_driver
