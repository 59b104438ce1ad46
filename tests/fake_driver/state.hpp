// SPDX-License-Identifier: MIT
// The state of the driver: settings, injected failures, counts and logs, behind one lock.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "settings.hpp"

namespace fencebridge::fake_driver {

/// A FakeDriverCreate together with what its pointers point to.
struct CreateRecord {
    FakeDriverCreate view{};
    std::deque<std::string> names;
    std::vector<const char*> extensions;
    std::vector<VkStructureType> next_types;
    std::vector<const void*> next_addresses;
};

/// A FakeDriverPresent together with what its pointers point to.
struct PresentRecord {
    FakeDriverPresent view{};
    std::vector<VkSwapchainKHR> swapchains;
    std::vector<uint32_t> rectangle_counts;
    std::vector<uint64_t> ids;
    std::vector<uint32_t> device_masks;
    std::vector<VkFence> fences;
    std::vector<VkPresentModeKHR> modes;
};

/// A failure that is armed. It counts the calls of one function, or of all functions that call
/// enter().
struct ArmedFailure {
    std::optional<std::string> function;
    uint32_t remaining{1};
    VkResult result{VK_SUCCESS};
};

struct State {
    Settings settings{Settings::initial()};
    std::vector<ArmedFailure> failures;
    uint32_t injected{0};
    const char* last_injected{nullptr};
    std::map<std::string, uint64_t, std::less<>> counts;
    std::vector<const char*> log;
    std::deque<std::string> misuses;
    std::deque<CreateRecord> instance_creates;
    std::deque<CreateRecord> device_creates;
    std::deque<PresentRecord> presents;
    uint64_t exported_memory_fds{0};
    uint64_t exported_sync_fds{0};
    uint64_t imported_sync_fds{0};
};

struct LockedState {
    std::mutex mutex;
    State state;
};

/// The state of this library. It is used by with_state() alone.
[[nodiscard]] LockedState& locked_state();

/// Runs `use` on the state with its lock held.
template <class Use>
auto with_state(Use&& use) {
    LockedState& locked = locked_state();
    const std::lock_guard lock{locked.mutex};
    return std::forward<Use>(use)(locked.state);
}

/// A copy of the settings as they are now.
[[nodiscard]] Settings current_settings();
[[nodiscard]] DeviceSettings current_device_settings(uint32_t device);

/// Counts and logs a call that can run out of memory or lose the device. If a failure is armed for
/// this call, returns the result that the call has to return. `function` is a string literal.
[[nodiscard]] std::optional<VkResult> enter(const char* function);
/// The same for a query, which is not logged, and fails only if the armed failure names it.
[[nodiscard]] std::optional<VkResult> enter_query(const char* function);
/// Counts and logs a call that returns nothing.
void note(const char* function);
/// Counts a query that cannot fail.
void note_query(const char* function);

/// Records a breach of valid usage, and prints it to stderr.
void misuse(std::string text);

/// The record of a create call. The caller stores it once the result is known.
[[nodiscard]] CreateRecord make_record(uint32_t extension_count, const char* const* extensions,
                                       const void* next);
void store(std::deque<CreateRecord> State::*list, CreateRecord record);

} // namespace fencebridge::fake_driver
