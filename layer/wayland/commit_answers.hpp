// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <optional>
#include <vulkan/vulkan.h>

#include "core/unread_commits.hpp"
#include "util/deadline.hpp"
#include "util/locked.hpp"
#include "wayland/event_queue.hpp"

namespace fencebridge::wayland {

/// The compositor's answers to the commits of a shared image on one wl_surface:
/// core::UnreadCommits, with its requests and its wait.
class CommitAnswers {
public:
    /// @param display  must outlive this
    explicit CommitAnswers(Display& display) : display_(display) {}

    /// Waits until a commit cannot fill the socket.
    /// @return VK_SUCCESS; VK_TIMEOUT: the compositor does not read, and the present is to make no
    ///         commit; or VK_ERROR_SURFACE_LOST_KHR
    [[nodiscard]] VkResult wait();
    /// Until when wait() would wait; see core::UnreadCommits::wait_limit().
    [[nodiscard]] std::optional<Clock::time_point> wait_limit() const;
    /// See core::UnreadCommits::next_may_be_last().
    [[nodiscard]] bool next_may_be_last() const;
    /// After a commit: requests the answer to it, if one is wanted. Only makes requests.
    void committed();

private:
    struct Handlers;
    struct Answer;
    struct State {
        core::UnreadCommits commits;
        std::shared_ptr<Answer> answer; ///< the one that `commits` waits for; null: none
    };

    VkResult wait_for(Answer& answer) const;
    std::shared_ptr<Answer> request() const;

    Display& display_;
    Locked<State> state_;
};

} // namespace fencebridge::wayland
