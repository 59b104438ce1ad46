// SPDX-License-Identifier: MIT
// Which ioctls the library forwards, which it sends to the module, and what it returns.
#include "fixture.hpp"

#include <array>
#include <cerrno>

#include <fcntl.h>
#include <linux/udmabuf.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

namespace fencebridge::test {

namespace {

constexpr std::array<unsigned long, 2> both = {FENCEBRIDGE_DMA_BUF_IOCTL_EXPORT,
                                               FENCEBRIDGE_DMA_BUF_IOCTL_IMPORT};

// The result of an ioctl() that .preinit_array makes, before the constructors of all libraries.
struct {
    int result, error;
} early_call;

void call_early(int, char**, char**) {
    errno = 0;
    early_call.result = ::ioctl(-1, TCGETS, nullptr);
    early_call.error = errno;
}

__attribute__((section(".preinit_array"), used)) void (*const preinit)(int, char**,
                                                                       char**) = call_early;

TEST(Preload, IoctlWorksBeforeConstructorsRun) {
    EXPECT_EQ(early_call.result, -1);
    EXPECT_EQ(early_call.error, EBADF);
}

TEST_F(PreloadTest, ForwardsOtherRequests) {
    int something = 0;
    // The second request is sign-extended, as by programs that hold it in an int.
    for (unsigned long request : {static_cast<unsigned long>(FIONREAD), 0xffffffffc0086201ul,
                                  0x40106202ul, static_cast<unsigned long>(_IO('b', 2))}) {
        for (long answer : {0l, 7l, -ENOTTY + 0l, -EINTR + 0l}) {
            this->answer();
            native = answer;
            EXPECT_EQ(call(dma_buf.get(), request, &something),
                      answer < 0 ? failure(static_cast<int>(-answer))
                                 : (Answer{static_cast<int>(answer), errno_before}));
            const std::vector<fake_kernel::Call> calls = fake_kernel::calls();
            ASSERT_EQ(calls.size(), 1u);
            EXPECT_EQ(calls[0].fd, dma_buf.get());
            EXPECT_EQ(calls[0].request, request);
            EXPECT_EQ(calls[0].argument, &something);
        }
    }
}

TEST_F(PreloadTest, UsesTheModuleOnlyIfTheKernelReturnsEnotty) {
    for (unsigned long request : both) {
        for (int error : {0, EINVAL, EFAULT, EMFILE, ENOMEM, EBADF, EINTR, ENOSYS, EPERM}) {
            native = -error;
            fencebridge_dma_buf_export argument{.flags = FENCEBRIDGE_DMA_BUF_READ, .fd = -1};
            EXPECT_EQ(call(dma_buf.get(), request, &argument), error ? failure(error) : success);
        }
    }
    EXPECT_EQ(module_calls(), 0);
}

TEST_F(PreloadTest, DoesNotUseTheModuleForOtherFiles) {
    const Fd other(memfd_create("other", MFD_CLOEXEC));
    for (unsigned long request : both) {
        for (int error : {0, ENOTTY, EINVAL}) {
            answer();
            native = -error;
            fencebridge_dma_buf_export argument{.flags = FENCEBRIDGE_DMA_BUF_READ, .fd = -1};
            EXPECT_EQ(call(other.get(), request, &argument), error ? failure(error) : success);
            EXPECT_EQ(fake_kernel::calls().size(), 1u);
        }
        answer();
        native = -EBADF;
        EXPECT_EQ(call(-1, request, nullptr), failure(EBADF));
    }
    EXPECT_EQ(module_calls(), 0);
}

TEST_F(PreloadTest, ExportsThroughTheModule) {
    const size_t before = open_fds();
    for (unsigned flags :
         {FENCEBRIDGE_DMA_BUF_READ, FENCEBRIDGE_DMA_BUF_WRITE, FENCEBRIDGE_DMA_BUF_RW}) {
        fencebridge_dma_buf_export argument{.flags = flags, .fd = -1};
        EXPECT_EQ(call(dma_buf.get(), FENCEBRIDGE_DMA_BUF_IOCTL_EXPORT, &argument), success);
        EXPECT_EQ(exported_flags, flags);
        EXPECT_EQ(argument.flags, flags);
        ASSERT_GE(argument.fd, 0);
        EXPECT_EQ(open_fds(), before + 1);
        const Fd sync_file(argument.fd);
        EXPECT_EQ(fcntl(sync_file.get(), F_GETFD), FD_CLOEXEC);
        EXPECT_EQ(device_flags & O_ACCMODE, O_RDWR);
        EXPECT_EQ(device_fd_flags, FD_CLOEXEC);
    }
    EXPECT_EQ(open_fds(), before);
}

TEST_F(PreloadTest, ImportsThroughTheModule) {
    const size_t before = open_fds();
    fencebridge_dma_buf_import argument{.flags = FENCEBRIDGE_DMA_BUF_WRITE, .fd = 1234};
    EXPECT_EQ(call(dma_buf.get(), FENCEBRIDGE_DMA_BUF_IOCTL_IMPORT, &argument), success);
    EXPECT_EQ(imported.flags, FENCEBRIDGE_WRITE);
    EXPECT_EQ(imported.dma_buf_fd, dma_buf.get());
    EXPECT_EQ(imported.sync_file_fd, 1234);
    EXPECT_EQ(imported.reserved, 0u);
    EXPECT_EQ(open_fds(), before);
}

TEST_F(PreloadTest, InvalidFlagsFailWithEinval) {
    for (unsigned flags : {0u, 4u, 0x80000001u}) {
        fencebridge_dma_buf_export argument{.flags = flags, .fd = -1};
        EXPECT_EQ(call(dma_buf.get(), FENCEBRIDGE_DMA_BUF_IOCTL_EXPORT, &argument),
                  failure(EINVAL));
        EXPECT_EQ(argument.fd, -1);
    }
}

TEST_F(PreloadTest, ReturnsTheErrorsOfTheModule) {
    const size_t before = open_fds();
    for (unsigned long request : both) {
        for (int error : {EINVAL, EBADF, EMFILE, ENFILE, ENOMEM, E2BIG, ENOTTY}) {
            module = -error;
            fencebridge_dma_buf_export argument{.flags = FENCEBRIDGE_DMA_BUF_READ, .fd = -7};
            EXPECT_EQ(call(dma_buf.get(), request, &argument), failure(error));
            EXPECT_EQ(argument.flags, FENCEBRIDGE_DMA_BUF_READ);
            EXPECT_EQ(argument.fd, -7);
        }
    }
    EXPECT_EQ(open_fds(), before);
}

TEST_F(PreloadTest, ReturnsEnottyWithoutADevice) {
    remove_device();
    fencebridge_dma_buf_export argument{.flags = FENCEBRIDGE_DMA_BUF_READ, .fd = -1};
    for (unsigned long request : both) {
        EXPECT_EQ(call(dma_buf.get(), request, &argument), failure(ENOTTY));
        EXPECT_EQ(call(dma_buf.get(), request, nullptr), failure(ENOTTY));
    }
}

TEST_F(PreloadTest, ReturnsEnottyIfTheDeviceCannotBeOpened) {
    remove_device();
    // A folder stands for the device, because even root cannot open a folder for writing.
    ASSERT_EQ(mkdir("fencebridge-device", 0700), 0);
    fencebridge_dma_buf_export argument{.flags = FENCEBRIDGE_DMA_BUF_READ, .fd = -1};
    for (unsigned long request : both)
        EXPECT_EQ(call(dma_buf.get(), request, &argument), failure(ENOTTY));
}

// fstatfs() of the real kernel recognises the dma-buf. The ioctls are still those of the fake
// kernel.
TEST_F(PreloadTest, RecognisesARealDmaBuf) {
    fake_kernel::answer_with(nullptr);
    const Fd udmabuf(open("/dev/udmabuf", O_RDWR | O_CLOEXEC));
    if (!udmabuf)
        GTEST_SKIP() << "no /dev/udmabuf";
    const Fd memory(memfd_create("memory", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    const long size = sysconf(_SC_PAGESIZE);
    ASSERT_EQ(ftruncate(memory.get(), size), 0);
    ASSERT_EQ(fcntl(memory.get(), F_ADD_SEALS, F_SEAL_SHRINK), 0);
    udmabuf_create create{.memfd = static_cast<__u32>(memory.get()),
                          .flags = UDMABUF_FLAGS_CLOEXEC,
                          .offset = 0,
                          .size = static_cast<__u64>(size)};
    const Fd real(::ioctl(udmabuf.get(), UDMABUF_CREATE, &create));
    ASSERT_TRUE(real);
    answer();
    fencebridge_dma_buf_import argument{.flags = FENCEBRIDGE_DMA_BUF_READ, .fd = 1};
    EXPECT_EQ(call(real.get(), FENCEBRIDGE_DMA_BUF_IOCTL_IMPORT, &argument), success);
    EXPECT_EQ(imported.dma_buf_fd, real.get());
}

} // namespace

} // namespace fencebridge::test
