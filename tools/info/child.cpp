// SPDX-License-Identifier: MIT
#include "info/child.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <string_view>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "info/probe_pipe.hpp"
#include "util/deadline.hpp"
#include "util/fd.hpp"

namespace fencebridge::info {

namespace {

/// What is kept of a probe's output, and of records that are not complete yet. A driver that writes
/// without end fills no memory, to whichever file descriptor.
constexpr size_t max_output = 256 * 1024;
constexpr size_t max_records = 16 * 1024 * 1024;
/// After the kill. A process that waits in the kernel for a driver may not end at all.
constexpr std::chrono::seconds patience_after_kill{2};

struct Pipe {
    Fd read;
    Fd write;
};

Pipe make_pipe() {
    std::array<int, 2> fds = {-1, -1};
    if (::pipe2(fds.data(), O_CLOEXEC) != 0)
        return {};
    return {Fd(fds[0]), Fd(fds[1])};
}

/// Blocks SIGCHLD, and receives it by a file descriptor.
class ChildSignal {
public:
    ChildSignal() {
        sigset_t set;
        ::sigemptyset(&set);
        ::sigaddset(&set, SIGCHLD);
        ::pthread_sigmask(SIG_BLOCK, &set, &before_);
        fd_ = Fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
    }
    ~ChildSignal() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    ChildSignal(const ChildSignal&) = delete;
    ChildSignal& operator=(const ChildSignal&) = delete;

    [[nodiscard]] int fd() const { return fd_.get(); }
    void drain() const {
        signalfd_siginfo info;
        while (::read(fd_.get(), &info, sizeof info) > 0)
            ;
    }
    [[nodiscard]] const sigset_t& before() const { return before_; }

private:
    sigset_t before_;
    Fd fd_;
};

/// The environment of a probe, with the changes of a request.
std::vector<std::string> environment_with(const std::vector<std::string>& changes) {
    std::vector<std::string> all;
    const auto name_of = [](std::string_view variable) {
        return variable.substr(0, variable.find('='));
    };
    for (char** variable = environ; *variable != nullptr; ++variable) {
        const auto is_same = [&](const std::string& change) {
            return name_of(change) == name_of(*variable);
        };
        if (std::ranges::none_of(changes, is_same))
            all.emplace_back(*variable);
    }
    std::ranges::copy_if(changes, std::back_inserter(all), [](const std::string& change) {
        return change.find('=') != std::string::npos;
    });
    return all;
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
    std::vector<char*> all;
    for (std::string& string : strings)
        all.push_back(string.data());
    all.push_back(nullptr);
    return all;
}

/// Starts this program again, as the leader of a process group.
/// @return the process, or the error negated
pid_t spawn(const ProbeRequest& request, const Pipe& records, const Pipe& output,
            const sigset_t& signals) {
    std::vector<std::string> arguments = {"fencebridge-info"};
    arguments.insert(arguments.end(), request.arguments.begin(), request.arguments.end());
    auto changes = request.environment;
    changes.emplace_back("WAYLAND_SOCKET"); // see wayland_socket()
    auto variables = environment_with(changes);
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    ::posix_spawn_file_actions_init(&files);
    ::posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&files, output.write.get(), STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&files, output.write.get(), STDERR_FILENO);
    ::posix_spawn_file_actions_adddup2(&files, records.write.get(), probe_pipe);
    ::posix_spawnattr_init(&attributes);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
    ::posix_spawnattr_setsigmask(&attributes, &signals);
    pid_t child = -1;
    const int error = ::posix_spawn(&child, "/proc/self/exe", &files, &attributes,
                                    pointers(arguments).data(), pointers(variables).data());
    ::posix_spawnattr_destroy(&attributes);
    ::posix_spawn_file_actions_destroy(&files);
    return error == 0 ? child : -error;
}

/// Reads what is there.
/// @param all  gets it, up to `most` bytes
/// @return false at the end of the file
bool read_available(const Fd& fd, std::string& all, size_t most) {
    std::array<char, 16 * 1024> buffer;
    const ssize_t size = ::read(fd.get(), buffer.data(), buffer.size());
    if (size > 0)
        all.append(buffer.data(), std::min(static_cast<size_t>(size), most - all.size()));
    return size > 0 || (size < 0 && (errno == EINTR || errno == EAGAIN));
}

std::vector<std::string> lines_of(std::string_view text) {
    std::vector<std::string> lines;
    while (!text.empty()) {
        const size_t end = std::min(text.find('\n'), text.size());
        if (end > 0)
            lines.emplace_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return lines;
}

/// A running probe, its two pipes, and what has come through them.
class Running {
public:
    Running(pid_t child, Fd records, Fd output, const ChildSignal& signal) :
        child_(child), records_(std::move(records)), output_(std::move(output)), signal_(signal) {
        for (const Fd* fd : {&records_, &output_})
            ::fcntl(fd->get(), F_SETFL, O_NONBLOCK);
    }

    /// Reads until the process has ended.
    /// @return its status as of waitpid(2); nothing if the deadline has passed
    std::optional<int> wait(const Deadline& deadline) {
        for (;;) {
            signal_.drain();
            int status = 0;
            const bool ended = ::waitpid(child_, &status, WNOHANG) == child_;
            // A process that writes without end, or its child, must not delay the deadline.
            while (read_all() && !deadline.has_passed()) {
            }
            if (ended)
                return status;
            if (deadline.has_passed())
                return std::nullopt;
            poll(deadline);
        }
    }
    void kill() const {
        ::kill(-child_, SIGKILL);
        ::kill(child_, SIGKILL);
    }
    [[nodiscard]] const ProbeRecord& last() const { return last_; }
    [[nodiscard]] std::vector<std::string> lines() const { return lines_of(text_); }

private:
    /// @return whether there may be more
    bool read_all() {
        const size_t before = bytes_.size() + text_.size();
        if (records_ && !read_available(records_, bytes_, max_records))
            records_.reset();
        if (output_ && !read_available(output_, text_, max_output))
            output_.reset();
        const bool more = bytes_.size() + text_.size() > before;
        while (auto record = take_record(bytes_))
            last_ = std::move(*record);
        return more;
    }
    void poll(const Deadline& deadline) const {
        std::array requests = {
            pollfd{.fd = records_.get(), .events = POLLIN, .revents = 0},
            pollfd{.fd = output_.get(), .events = POLLIN, .revents = 0},
            pollfd{.fd = signal_.fd(), .events = POLLIN, .revents = 0},
        };
        const auto left = deadline.remaining();
        ::ppoll(requests.data(), requests.size(), left ? &*left : nullptr, nullptr);
    }

    const pid_t child_;
    Fd records_;
    Fd output_;
    const ChildSignal& signal_;
    std::string bytes_;
    std::string text_;
    ProbeRecord last_;
};

std::string seconds(std::chrono::milliseconds time) {
    const auto count = time.count();
    return count % 1000 == 0 ? std::to_string(count / 1000) + " s" : std::to_string(count) + " ms";
}

/// @param status  as of waitpid(2)
ProbeEnd end_of(const ProbeRecord& last, int status) {
    if (WIFSIGNALED(status)) {
        const char* const name = ::sigabbrev_np(WTERMSIG(status));
        return {.end = End::crashed,
                .step = last.at.step,
                .detail = name != nullptr ? std::string("SIG") + name
                                          : "signal " + std::to_string(WTERMSIG(status))};
    }
    if (last.at.end == End::complete || last.at.end == End::failed)
        return last.at;
    return {.end = End::failed,
            .step = last.at.step,
            .detail = "the process ended with status " + std::to_string(WEXITSTATUS(status))};
}

} // namespace

ProbeOutcome run_probe(const ProbeRequest& request) {
    const ChildSignal signal;
    Pipe records = make_pipe();
    Pipe output = make_pipe();
    if (!records.read || !output.read || signal.fd() < 0)
        return {.end = {.detail = std::strerror(errno)}, .facts = {}, .lines = {}};
    const pid_t child = spawn(request, records, output, signal.before());
    if (child < 0)
        return {.end = {.detail = std::strerror(-child)}, .facts = {}, .lines = {}};
    records.write.reset();
    output.write.reset();

    Running running(child, std::move(records.read), std::move(output.read), signal);
    ProbeEnd end;
    if (const auto status = running.wait(Deadline::after(request.limit))) {
        end = end_of(running.last(), *status);
    } else {
        running.kill();
        const bool ended = running.wait(Deadline::after(patience_after_kill)).has_value();
        end = {.end = End::timed_out,
               .step = running.last().at.step,
               .detail = "no answer in " + seconds(request.limit) +
                         (ended ? "" : ", and the process does not end when killed")};
    }
    return {.end = std::move(end), .facts = running.last().facts, .lines = running.lines()};
}

} // namespace fencebridge::info
