// SPDX-License-Identifier: MIT
// The setting FENCEBRIDGE_PRELOAD. The library reads it when a process starts, so each case runs in
// a new process.
#include "forced_test.hpp"

#include "fixture.hpp"

#include <algorithm>
#include <cerrno>

#include <sys/auxv.h>
#include <sys/wait.h>
#include <unistd.h>

namespace fencebridge::test {

namespace {

/// Who performed the import; the exit status of the child process.
enum Path : int { by_kernel = 10, by_module, by_neither, not_started };

constexpr uid_t nobody = 65534;

bool has(const std::vector<std::string>& options, const char* option) {
    return std::find(options.begin(), options.end(), option) != options.end();
}

/// The fixture without a test. It runs in the child process, on a fake kernel of its own.
class Probe : public PreloadTest {
public:
    explicit Probe(const std::vector<std::string>& options) {
        native = has(options, "old-kernel") ? -ENOTTY : 0;
        if (has(options, "no-device"))
            remove_device();
        if (has(options, "no-dma-buf"))
            fake_kernel::set_dma_buf(-1);
    }
    void TestBody() override {}

    Path path() {
        fencebridge_dma_buf_import argument{.flags = FENCEBRIDGE_DMA_BUF_READ, .fd = 1234};
        const Answer answer = call(dma_buf.get(), FENCEBRIDGE_DMA_BUF_IOCTL_IMPORT, &argument);
        if (answer != success)
            return answer == failure(ENOTTY) ? by_neither : not_started;
        return module_calls() == 0 ? by_kernel : by_module;
    }
};

/// Runs an import in a child process. @return who performed it
/// @param setting the value of FENCEBRIDGE_PRELOAD; nullptr unsets it
/// @param options "secure": the child process must have AT_SECURE, as a setuid program has;
///                "old-kernel": the kernel lacks the ioctls; "no-device": there is no device;
///                "no-dma-buf": the file is not a dma-buf
/// @param real_user the real user of the child process
int run(const char* setting, const std::vector<const char*>& options = {},
        uid_t real_user = getuid()) {
    std::vector<char*> argv{const_cast<char*>("preload_test"), const_cast<char*>("--probe")};
    for (const char* option : options)
        argv.push_back(const_cast<char*>(option));
    argv.push_back(nullptr);
    const pid_t child = fork();
    if (child == 0) {
        if (setting)
            setenv("FENCEBRIDGE_PRELOAD", setting, 1);
        else
            unsetenv("FENCEBRIDGE_PRELOAD");
        if (setresuid(real_user, static_cast<uid_t>(-1), static_cast<uid_t>(-1)) == 0)
            execv("/proc/self/exe", argv.data());
        _exit(not_started);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : not_started;
}

TEST(PreloadSetting, ModuleSelectsTheModuleForDmaBufs) {
    EXPECT_EQ(run(nullptr), by_kernel);
    EXPECT_EQ(run("module"), by_module);
    EXPECT_EQ(run("anything else"), by_kernel);
    EXPECT_EQ(run(""), by_kernel);
    EXPECT_EQ(run(nullptr, {"old-kernel"}), by_module);
    EXPECT_EQ(run("module", {"no-dma-buf"}), by_kernel);
}

TEST(PreloadSetting, ModuleFailsWithEnottyWithoutTheDevice) {
    EXPECT_EQ(run("module", {"no-device"}), by_neither);
    EXPECT_EQ(run(nullptr, {"no-device"}), by_kernel);
    EXPECT_EQ(run(nullptr, {"no-device", "old-kernel"}), by_neither);
}

TEST(PreloadSetting, IsIgnoredInASetuidProgram) {
    if (geteuid() != 0)
        GTEST_SKIP() << "needs root to start a process whose real and effective users differ";
    EXPECT_EQ(run("module", {"secure"}, nobody), by_kernel);
}

} // namespace

int probe(const std::vector<std::string>& options) {
    if (has(options, "secure") != (getauxval(AT_SECURE) != 0))
        return not_started;
    return Probe(options).path();
}

} // namespace fencebridge::test
