// SPDX-License-Identifier: MIT
#pragma once

#include <new>
#include <source_location>
#include <utility>
#include <vulkan/vulkan.h>

#include "util/log.hpp"

namespace fencebridge::entry {

/// Runs the body of an entry point that returns a VkResult. Stops exceptions: the application may
/// be written in C.
/// @param entry_point  for the log; by default the calling function
template <class Body>
VkResult
guarded(Body&& body,
        const char* entry_point = std::source_location::current().function_name()) noexcept {
    try {
        return std::forward<Body>(body)();
    } catch (const std::bad_alloc&) {
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    } catch (...) {
        log::error("unexpected exception in %s", entry_point);
        return VK_ERROR_UNKNOWN;
    }
}

/// The same for an entry point without a result.
template <class Body>
void guarded_void(Body&& body, const char* entry_point =
                                   std::source_location::current().function_name()) noexcept {
    static_cast<void>(guarded(
        [&] {
            std::forward<Body>(body)();
            return VK_SUCCESS;
        },
        entry_point));
}

/// Undoes what the next layer has done, unless commit() is called.
template <class Undo>
class Rollback {
public:
    explicit Rollback(Undo undo) : undo_(std::move(undo)) {}
    Rollback(const Rollback&) = delete;
    Rollback& operator=(const Rollback&) = delete;
    ~Rollback() {
        if (armed_)
            undo_();
    }
    void commit() { armed_ = false; }

private:
    Undo undo_;
    bool armed_ = true;
};

} // namespace fencebridge::entry
