// SPDX-License-Identifier: MIT
// A log line must not affect the application's signals, even if nobody reads standard error, or if
// it is a file that may not grow. It goes to standard error or to a file, and to the thread's
// receiver.
#include "util/log.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <tuple>
#include <unistd.h>
#include <vector>

namespace fencebridge {
namespace {

/// Runs `body` in a child process, which SIGPIPE and SIGXFSZ end.
/// @return the status from waitpid(2); the child exits with what `body` returns
template <class Body>
int run_in_child(Body&& body) {
    const pid_t child = fork();
    if (child == 0) {
        signal(SIGPIPE, SIG_DFL);
        signal(SIGXFSZ, SIG_DFL);
        _exit(body());
    }
    int status = -1;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    return status;
}

/// Runs `body` in a child process whose standard error is a pipe without a reader.
template <class Body>
int run_without_a_reader(Body&& body) {
    return run_in_child([&] {
        int ends[2];
        if (pipe(ends) != 0 || dup2(ends[1], STDERR_FILENO) < 0)
            return EXIT_FAILURE;
        close(ends[0]);
        return body();
    });
}

/// Runs `body` in a child process whose standard error is a file that may not grow.
template <class Body>
int run_with_a_full_file(Body&& body) {
    return run_in_child([&] {
        const rlimit none = {.rlim_cur = 0, .rlim_max = 0};
        const int file = memfd_create("log", 0);
        if (dup2(file, STDERR_FILENO) < 0 || setrlimit(RLIMIT_FSIZE, &none) != 0)
            return EXIT_FAILURE;
        return body();
    });
}

bool is_pending(int signal = SIGPIPE) {
    sigset_t pending;
    sigpending(&pending);
    return sigismember(&pending, signal) == 1;
}

bool is_blocked(int signal = SIGPIPE) {
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    return sigismember(&mask, signal) == 1;
}

void block_sigpipe() {
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &mask, nullptr);
}

void expect_exit(int status, int expected) {
    ASSERT_TRUE(WIFEXITED(status)) << "killed by signal " << WTERMSIG(status);
    EXPECT_EQ(WEXITSTATUS(status), expected);
}

TEST(Log, AClosedStandardErrorDoesNotEndTheApplication) {
    expect_exit(run_without_a_reader([] {
                    log::error("nobody reads this");
                    return is_pending() || is_blocked() ? 2 : 7;
                }),
                7);
}

TEST(Log, NoSigpipeIsLeftPendingIfTheApplicationBlocksIt) {
    expect_exit(run_without_a_reader([] {
                    block_sigpipe();
                    log::error("nobody reads this");
                    return is_pending() || !is_blocked() ? 2 : 7;
                }),
                7);
}

TEST(Log, APendingSigpipeOfTheApplicationStaysPending) {
    expect_exit(run_without_a_reader([] {
                    block_sigpipe();
                    raise(SIGPIPE);
                    log::error("nobody reads this");
                    return is_pending() && is_blocked() ? 7 : 2;
                }),
                7);
}

TEST(Log, AFileThatMayNotGrowDoesNotEndTheApplication) {
    expect_exit(run_with_a_full_file([] {
                    log::error("there is no room for this");
                    return is_pending(SIGXFSZ) || is_blocked(SIGXFSZ) ? 2 : 7;
                }),
                7);
}

TEST(Log, ErrnoIsNotChanged) {
    expect_exit(run_without_a_reader([] {
                    errno = ENOTTY;
                    log::error("nobody reads this");
                    return errno == ENOTTY ? 7 : 2;
                }),
                7);
}

/// A folder for a log file. The destructor removes it, and makes standard error the log again.
class LogFolder {
public:
    LogFolder() { EXPECT_NE(::mkdtemp(folder_), nullptr); }
    ~LogFolder() {
        log::set_file("");
        std::filesystem::remove_all(folder_);
    }
    LogFolder(const LogFolder&) = delete;
    LogFolder& operator=(const LogFolder&) = delete;

    [[nodiscard]] std::string path() const { return std::string(folder_) + "/log"; }
    [[nodiscard]] std::string text() const {
        std::ifstream file(path());
        std::stringstream text;
        text << file.rdbuf();
        return text.str();
    }

private:
    char folder_[40] = "/tmp/fencebridge-log-XXXXXX";
};

/// The descriptor by which the process has a file open; -1 if there is none.
int find_descriptor(const std::string& path) {
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
        std::error_code error;
        if (std::filesystem::read_symlink(entry.path(), error) == path)
            return std::stoi(entry.path().filename());
    }
    return -1;
}

/// What `body` writes to standard error.
template <class Body>
std::string standard_error_of(Body&& body) {
    testing::internal::CaptureStderr();
    body();
    return testing::internal::GetCapturedStderr();
}

TEST(Log, LinesAreAppendedToAFile) {
    const LogFolder folder;
    const std::string on_stderr = standard_error_of([&] {
        log::set_file(folder.path());
        log::error("one");
        log::set_file("");
        log::error("two");
        log::set_file(folder.path());
        log::error("three");
    });
    EXPECT_EQ(folder.text(), "fencebridge: error: one\nfencebridge: error: three\n");
    EXPECT_EQ(on_stderr, "fencebridge: error: two\n");
}

TEST(Log, OtherProcessesMayAppendToTheFile) {
    const LogFolder folder;
    std::ofstream(folder.path()) << "before\n";
    log::set_file(folder.path());
    log::error("one");
    std::ofstream(folder.path(), std::ios::app) << "other\n";
    log::error("two");
    EXPECT_EQ(folder.text(), "before\nfencebridge: error: one\nother\nfencebridge: error: two\n");
}

TEST(Log, TheFileIsTheUsersAndNoChilds) {
    const LogFolder folder;
    log::set_file(folder.path());
    EXPECT_EQ(std::filesystem::status(folder.path()).permissions(),
              std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    const int descriptor = find_descriptor(folder.path());
    ASSERT_GE(descriptor, 0);
    EXPECT_NE(::fcntl(descriptor, F_GETFD) & FD_CLOEXEC, 0);
}

TEST(Log, AFileThatCannotBeOpenedIsNamedOnce) {
    const std::string on_stderr = standard_error_of([] {
        log::set_file("/nowhere/log");
        log::set_file("/nowhere/log");
        log::error("one");
    });
    EXPECT_EQ(on_stderr, "fencebridge: warning: the log stays on standard error: open() of "
                         "log_file=/nowhere/log: No such file or directory\n"
                         "fencebridge: error: one\n");
}

TEST(Log, AFifoWithoutAReaderIsNotWaitedFor) {
    const LogFolder folder;
    ASSERT_EQ(::mkfifo(folder.path().c_str(), 0600), 0);
    const std::string on_stderr = standard_error_of([&] {
        log::set_file(folder.path());
        log::error("one");
    });
    EXPECT_TRUE(on_stderr.ends_with("fencebridge: error: one\n")) << on_stderr;
}

TEST(Log, ARepeatedProblemIsInformation) {
    log::set_level(log::Level::info);
    const std::string on_stderr = standard_error_of([] {
        for (int object = 0; object < 3; ++object)
            log::once(log::Level::warning, "the driver lacks %s", "an extension");
        log::once(log::Level::error, "the driver lacks %s", "another one");
    });
    log::set_level(log::Level::warning);
    EXPECT_EQ(on_stderr, "fencebridge: warning: the driver lacks an extension\n"
                         "fencebridge: info: the driver lacks an extension\n"
                         "fencebridge: info: the driver lacks an extension\n"
                         "fencebridge: error: the driver lacks another one\n");
}

/// Receives everything but errors, while it lives.
class Recorder final : public log::Receiver {
public:
    Recorder() : before_(log::exchange_receiver(this)) {}
    ~Recorder() override { log::exchange_receiver(before_); }
    Recorder(const Recorder&) = delete;
    Recorder& operator=(const Recorder&) = delete;

    [[nodiscard]] bool wants(log::Level level) const noexcept override {
        return level != log::Level::error;
    }
    void receive(log::Level level, log::Topic topic, std::string_view message) noexcept override {
        received.emplace_back(level, topic, message);
    }

    std::vector<std::tuple<log::Level, log::Topic, std::string>> received;

private:
    Receiver* const before_;
};

TEST(Log, AReceiverGetsTheMessagesOfItsThreadWhateverTheLevelOfTheLog) {
    Recorder recorder;
    const std::string on_stderr = standard_error_of([] {
        log::debug("%d", 1);
        log::slow(log::Level::warning, "%d", 2);
        log::error("%d", 3);
        std::thread([] { log::debug("%d", 4); }).join();
    });
    const decltype(recorder.received) expected = {
        {log::Level::debug, log::Topic::general, "1"},
        {log::Level::warning, log::Topic::performance, "2"}};
    EXPECT_EQ(recorder.received, expected);
    EXPECT_EQ(on_stderr, "fencebridge: warning: 2\nfencebridge: error: 3\n");
}

} // namespace
} // namespace fencebridge
