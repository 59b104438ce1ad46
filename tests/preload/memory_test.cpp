// SPDX-License-Identifier: MIT
// Inaccessible arguments, lack of fds, threads and cancellation.
#include "fixture.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <thread>

#include <pthread.h>
#include <sys/resource.h>

namespace fencebridge::test {

namespace {

using Argument = fencebridge_dma_buf_export;

TEST_F(PreloadTest, UnreadableArgumentFailsWithEfault) {
    const Pages pages;
    const size_t before = open_fds();
    for (unsigned long request :
         {FENCEBRIDGE_DMA_BUF_IOCTL_EXPORT, FENCEBRIDGE_DMA_BUF_IOCTL_IMPORT}) {
        // A null pointer, an inaccessible page, and an argument whose second half is inaccessible.
        for (void* argument : {static_cast<void*>(nullptr), static_cast<void*>(pages.end()),
                               static_cast<void*>(pages.end() - sizeof(Argument) / 2)})
            EXPECT_EQ(call(dma_buf.get(), request, argument), failure(EFAULT));
    }
    EXPECT_EQ(module_calls(), 0);
    EXPECT_EQ(open_fds(), before);
}

TEST_F(PreloadTest, ClosesTheSyncFileIfItsNumberCannotBeWritten) {
    Pages pages;
    const Argument argument{.flags = FENCEBRIDGE_DMA_BUF_READ, .fd = -7};
    std::memcpy(pages.begin(), &argument, sizeof(argument));
    pages.make_read_only();
    const size_t before = open_fds();
    EXPECT_EQ(call(dma_buf.get(), FENCEBRIDGE_DMA_BUF_IOCTL_EXPORT, pages.begin()),
              failure(EFAULT));
    EXPECT_EQ(module_calls(), 1);
    EXPECT_EQ(open_fds(), before);
    EXPECT_EQ(std::memcmp(pages.begin(), &argument, sizeof(argument)), 0);
}

TEST_F(PreloadTest, ImportsFromReadOnlyMemory) {
    Pages pages;
    const fencebridge_dma_buf_import argument{.flags = FENCEBRIDGE_DMA_BUF_READ, .fd = 1234};
    std::memcpy(pages.begin(), &argument, sizeof(argument));
    pages.make_read_only();
    EXPECT_EQ(call(dma_buf.get(), FENCEBRIDGE_DMA_BUF_IOCTL_IMPORT, pages.begin()), success);
    EXPECT_EQ(imported.sync_file_fd, 1234);
}

/// Limits the process to this number of additional fds.
class FdLimit {
public:
    explicit FdLimit(rlim_t spare) {
        getrlimit(RLIMIT_NOFILE, &before_);
        const Fd lowest_free(dup(0));
        rlimit limit = before_;
        limit.rlim_cur = static_cast<rlim_t>(lowest_free.get()) + spare;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    FdLimit(const FdLimit&) = delete;
    FdLimit& operator=(const FdLimit&) = delete;
    ~FdLimit() { setrlimit(RLIMIT_NOFILE, &before_); }

private:
    rlimit before_{};
};

TEST_F(PreloadTest, FailsWithEmfileIfAnyOfTheNeededFdsIsMissing) {
    const size_t before = open_fds();
    // An export needs four fds: the device, the sync_file, and the two ends of a pipe.
    for (rlim_t spare : {0, 1, 2, 3, 4}) {
        Argument argument{.flags = FENCEBRIDGE_DMA_BUF_READ, .fd = -1};
        Answer answer{};
        {
            const FdLimit limit(spare);
            answer = call(dma_buf.get(), FENCEBRIDGE_DMA_BUF_IOCTL_EXPORT, &argument);
        }
        EXPECT_EQ(answer, spare < 4 ? failure(EMFILE) : success) << spare;
        EXPECT_EQ(argument.fd >= 0, spare == 4) << spare;
        const Fd sync_file(argument.fd);
        EXPECT_EQ(open_fds(), before + (spare == 4)) << spare;
    }
}

TEST_F(PreloadTest, ConcurrentCallsReturnTheirOwnResults) {
    const size_t before = open_fds();
    std::array<std::atomic<int>, 8> wrong{};
    {
        std::vector<std::jthread> threads;
        for (size_t i = 0; i < wrong.size(); ++i) {
            threads.emplace_back([&, i] {
                const bool valid = i % 2 == 0;
                for (int round = 0; round < 200; ++round) {
                    Argument argument{.flags = valid ? FENCEBRIDGE_DMA_BUF_READ : 0u, .fd = -1};
                    const Answer answer =
                        call(dma_buf.get(), FENCEBRIDGE_DMA_BUF_IOCTL_EXPORT, &argument);
                    wrong[i] += answer != (valid ? success : failure(EINVAL));
                    if (valid && ::close(argument.fd) != 0)
                        ++wrong[i];
                }
            });
        }
    }
    for (size_t i = 0; i < wrong.size(); ++i)
        EXPECT_EQ(wrong[i], 0) << "thread " << i;
    EXPECT_EQ(open_fds(), before);
}

// ioctl() is not a cancellation point, so the library must not act on a cancellation in open(),
// read(), write() and close(), which are cancellation points.
TEST_F(PreloadTest, IsNotACancellationPoint) {
    struct {
        int dma_buf;
        Answer answer;
        Argument argument;
    } call_by_thread{
        dma_buf.get(), failure(ECANCELED), {.flags = FENCEBRIDGE_DMA_BUF_READ, .fd = -1}};
    pthread_t thread{};
    ASSERT_EQ(pthread_create(
                  &thread, nullptr,
                  [](void* data) -> void* {
                      auto& call_made = *static_cast<decltype(call_by_thread)*>(data);
                      pthread_cancel(pthread_self());
                      call_made.answer = call(call_made.dma_buf, FENCEBRIDGE_DMA_BUF_IOCTL_EXPORT,
                                              &call_made.argument);
                      return nullptr;
                  },
                  &call_by_thread),
              0);
    ASSERT_EQ(pthread_join(thread, nullptr), 0);
    EXPECT_EQ(call_by_thread.answer, success);
    const Fd sync_file(call_by_thread.argument.fd);
}

} // namespace

} // namespace fencebridge::test
