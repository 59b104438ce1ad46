// SPDX-License-Identifier: MIT
#include "swapchain/deferred_presenter.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <new>
#include <pthread.h>
#include <sys/eventfd.h>
#include <system_error>
#include <utility>

#include "core/present_result.hpp"
#include "core/surface_limits.hpp"
#include "ioctl/ioctl.hpp"
#include "swapchain/trace.hpp"
#include "util/log.hpp"

namespace fencebridge {

namespace {

/// Runs a step of the thread. An exception that left the thread would end the process.
/// @return the step's result; or VK_ERROR_DEVICE_LOST. As in vkQueuePresentKHR, lack of memory
///         would mean that the application can repeat the present
template <class Step>
VkResult stop_exceptions(Step&& step) noexcept {
    try {
        return step();
    } catch (...) {
        return VK_ERROR_DEVICE_LOST;
    }
}

/// Logs that a thread could not be started, only once in a process: applications create a swapchain
/// for every step of a resize.
void log_missing_thread(ioctl::Errno error) {
    static std::atomic<bool> logged = false;
    if (!logged.exchange(true))
        log::error("pthread_create for a swapchain whose images carry no fences: %s; "
                   "vkQueuePresentKHR waits for the rendering on the CPU",
                   ioctl::text(error).c_str());
}

} // namespace

std::expected<std::unique_ptr<Presenter>, VkResult>
DeferredPresenter::wrap(std::unique_ptr<Presenter> inner, PresentationState& state) {
    Fd interrupt(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!interrupt) {
        log::error("eventfd for a swapchain whose images carry no fences: %s",
                   ioctl::text(ioctl::Errno{errno}).c_str());
        return std::unexpected(VK_ERROR_OUT_OF_HOST_MEMORY);
    }
    return std::unique_ptr<Presenter>(
        new DeferredPresenter(std::move(inner), state, std::move(interrupt)));
}

DeferredPresenter::~DeferredPresenter() {
    if (!thread_.joinable())
        return;
    {
        const std::lock_guard guard(mutex_);
        stop_ = true;
    }
    work_.notify_one();
    static_cast<void>(::eventfd_write(interrupt_.get(), 1));
    thread_.join();
}

std::expected<core::EventStamp, VkResult> DeferredPresenter::update() {
    if (const VkResult failure = failure_; failure != VK_SUCCESS)
        return std::unexpected(failure);
    return inner_->update();
}

/// Also ends when a queued image could not be shown: the window system would never release it.
VkResult DeferredPresenter::wait(core::EventStamp seen, const Deadline& deadline,
                                 std::span<pollfd> also) {
    std::array<pollfd, core::max_images> polled;
    const size_t count = std::min(also.size(), polled.size() - 1);
    std::copy_n(also.begin(), count, polled.begin());
    polled[count] = {.fd = interrupt_.get(), .events = POLLIN, .revents = 0};
    const VkResult result = inner_->wait(seen, deadline, std::span(polled).first(count + 1));
    std::copy_n(polled.begin(), count, also.begin());
    return result;
}

core::ExpectedWait DeferredPresenter::estimate_wait(VkPresentModeKHR mode) {
    const core::ExpectedWait expected = inner_->estimate_wait(mode);
    const bool waits_for_last =
        expected.reason == core::CommitWait::none && inner_->follows_last(mode) && !is_idle();
    return waits_for_last ? core::ExpectedWait{core::CommitWait::one_refresh} : expected;
}

VkResult DeferredPresenter::prepare(PresentRequest& request) {
    if (request.turn == core::Turn::wait && inner_->follows_last(*request.mode))
        wait_until_idle();
    request.last_is_shown = is_idle();
    const VkResult failure = failure_;
    return failure == VK_SUCCESS ? inner_->prepare(request) : failure;
}

VkResult DeferredPresenter::show(const PresentRequest& request,
                                 const std::optional<core::CommitPoints>&) {
    if (request.last_is_shown && request.rendering->has_ended())
        return show_now(request);
    if (!retired_ && start_thread() && queue(request))
        return is_suboptimal() ? VK_SUBOPTIMAL_KHR : VK_SUCCESS;
    wait_until_idle();
    if (const VkResult failure = failure_; failure != VK_SUCCESS)
        return failure;
    return show_now(request);
}

void DeferredPresenter::retire() {
    wait_until_idle();
    retired_ = true;
}

bool DeferredPresenter::is_idle() {
    const std::lock_guard guard(mutex_);
    return queue_.empty() && !showing_;
}

void DeferredPresenter::wait_until_idle() {
    if (is_idle())
        return;
    // Before the lock, so that the trace is written to without it.
    const trace::Span span(trace::event::wait, "presents before it");
    std::unique_lock lock(mutex_);
    idle_.wait(lock, [&] { return queue_.empty() && !showing_; });
}

void DeferredPresenter::end_presents(VkResult why) {
    wait_until_idle();
    inner_->end_presents(why);
}

VkResult DeferredPresenter::show_now(const PresentRequest& request) {
    const VkResult result = request.rendering->wait();
    return result == VK_SUCCESS ? commit(request) : result;
}

VkResult DeferredPresenter::commit(const PresentRequest& request) {
    return trace::commit(state_.trace.get(), request.image,
                         [&] { return inner_->show(request, std::nullopt); });
}

/// @return false if an image before could not be shown, memory or descriptors ran out, or the queue
///         is full. Only an image that the application shares with the window system can be queued
///         more often than there are images
bool DeferredPresenter::queue(const PresentRequest& request) {
    std::list<Queued> one;
    try {
        one.push_back({.request = request,
                       .rendering = request.rendering->share(),
                       .damage = {request.damage.begin(), request.damage.end()},
                       .timed = std::nullopt});
    } catch (const std::bad_alloc&) {
        return false;
    }
    Queued& queued = one.front();
    if (request.rendering->may_run() && !queued.rendering.may_run())
        return false;
    queued.request.damage = queued.damage;
    queued.request.wish = {};
    queued.request.may_read = false;
    {
        const std::lock_guard guard(mutex_);
        if (failure_ != VK_SUCCESS || queue_.size() >= core::max_images)
            return false;
        if (request.timed != nullptr)
            queued.timed.emplace(std::move(*request.timed));
        queue_.splice(queue_.end(), one);
    }
    work_.notify_one();
    return true;
}

bool DeferredPresenter::start_thread() {
    if (thread_.joinable())
        return true;
    // The application's signal handlers run on the application's threads. A signal that the thread
    // itself causes cannot go to another one. If it is blocked, the kernel ends the process without
    // the handler: that of a crash reporter, of a sandbox (SIGSYS of seccomp filters), or of a
    // layer that tracks writes to mapped memory (SIGSEGV).
    sigset_t blocked;
    sigset_t before;
    ::sigfillset(&blocked);
    for (const int own : {SIGSYS, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP})
        ::sigdelset(&blocked, own);
    int error = ::pthread_sigmask(SIG_SETMASK, &blocked, &before);
    if (error == 0) {
        try {
            thread_ = std::thread([this] { run(); });
        } catch (const std::system_error& failure) {
            error = failure.code().value();
        } catch (const std::bad_alloc&) {
            error = ENOMEM;
        }
        ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    }
    if (thread_.joinable())
        ::pthread_setname_np(thread_.native_handle(), "fencebridge");
    else
        log_missing_thread(ioctl::Errno{error});
    return thread_.joinable();
}

void DeferredPresenter::run() {
    for (;;) {
        std::list<Queued> next;
        {
            std::unique_lock lock(mutex_);
            work_.wait(lock, [&] { return !queue_.empty() || stop_; });
            if (queue_.empty())
                return;
            next.splice(next.end(), queue_, queue_.begin());
            showing_ = true;
        }
        const VkResult result = show_when_rendered(next.front());
        next.clear();
        note_shown(result);
    }
}

/// @return of Presenter::show(); or VK_ERROR_DEVICE_LOST, or VK_TIMEOUT if the swapchain is being
///         destroyed: the image was not shown, and the next ones must not be
VkResult DeferredPresenter::show_when_rendered(Queued& queued) {
    PresentRequest& request = queued.request;
    request.rendering = &queued.rendering;
    request.timed = queued.timed ? &*queued.timed : nullptr;
    const VkResult result = stop_exceptions([&] {
        const VkResult rendered = queued.rendering.wait(&interrupt_);
        return rendered == VK_SUCCESS ? commit(request) : rendered;
    });
    if (result < 0 && queued.timed)
        queued.timed->fail();
    if (core::ends_presents(result))
        static_cast<void>(stop_exceptions([&] {
            inner_->end_presents(result);
            return result;
        }));
    return result;
}

void DeferredPresenter::note_shown(VkResult result) {
    std::list<Queued> dropped;
    const bool goes_on = result >= 0 && result != VK_TIMEOUT;
    {
        const std::lock_guard guard(mutex_);
        showing_ = false;
        if (!goes_on) {
            // The first failure stays: it interrupts the waits that begin later.
            if (failure_ == VK_SUCCESS)
                failure_ = result == VK_TIMEOUT ? VK_ERROR_OUT_OF_DATE_KHR : result;
            dropped.swap(queue_);
        }
    }
    idle_.notify_all();
    if (!goes_on)
        static_cast<void>(::eventfd_write(interrupt_.get(), 1));
}

} // namespace fencebridge
