// SPDX-License-Identifier: MIT
// The transport `module` on a fake of the module: when it is used, what it costs, and what happens
// if a call fails. The suite `fences` tests with the real module who waits for which fence.
#include "fake_module.hpp"
#include "fixture.hpp"
#include "who_waits.hpp"

#include "fake_compositor/dma_buf.hpp"
#include "fake_driver/control.hpp"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/stat.h>

#include <cerrno>
#include <optional>
#include <thread>

namespace fencebridge::test {
namespace {

constexpr std::chrono::milliseconds short_while{100};
constexpr unsigned long opening = FakeModule::opening;
constexpr unsigned long query = FENCEBRIDGE_IOCTL_QUERY;
constexpr unsigned long exporting = FENCEBRIDGE_IOCTL_EXPORT;
constexpr unsigned long importing = FENCEBRIDGE_IOCTL_IMPORT;
constexpr uint64_t needed_features = FENCEBRIDGE_FEATURE_EXPORT | FENCEBRIDGE_FEATURE_IMPORT;

class ModuleTransport : public CompositorTest {
protected:
    void SetUp() override {
        CompositorTest::SetUp();
        request(nullptr);
        module_.emplace();
    }
    void TearDown() override {
        module_.reset();
        request(nullptr);
        CompositorTest::TearDown();
    }
    // Sets FENCEBRIDGE_SYNC for instances that are created from now on; null unsets it.
    static void request(const char* transport) {
        if (transport)
            setenv("FENCEBRIDGE_SYNC", transport, 1);
        else
            unsetenv("FENCEBRIDGE_SYNC");
    }
    // Creates a swapchain, and returns the line of the log that names its transport. Expects one
    // error in the log, with these words; without words it expects none.
    std::string transport_of_new_swapchain(std::vector<std::string> errors = {}) {
        ErrorLog log;
        Client client(start());
        EXPECT_EQ(client.swapchain().result, VK_SUCCESS);
        auto lines = log.lines_with({"fencebridge: info: swapchain", "transport="});
        EXPECT_EQ(lines.size(), 1u);
        EXPECT_EQ(log.lines_with({"fencebridge: error:"}).size(), errors.empty() ? 0u : 1u);
        if (!errors.empty()) {
            errors.emplace_back("fencebridge: error:");
            EXPECT_EQ(log.lines_with(errors).size(), 1u);
        }
        compositor_.reset();
        return lines.empty() ? "" : lines.front();
    }

    std::optional<FakeModule> module_;
};

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

bool same_file(int fd, int other) {
    struct stat one;
    struct stat two;
    return fstat(fd, &one) == 0 && fstat(other, &two) == 0 && one.st_dev == two.st_dev &&
           one.st_ino == two.st_ino;
}

// --- when it is used ---

TEST_F(ModuleTransport, TheModuleIsUsedIfDmaBufsHaveNoSyncFileIoctls) {
    std::string line = transport_of_new_swapchain();
    EXPECT_TRUE(contains(line, "transport=module")) << line;
    EXPECT_TRUE(contains(line, "no kernel: EXPORT_SYNC_FILE on a dma-buf: Inappropriate ioctl"))
        << line;
}

TEST_F(ModuleTransport, TheModuleIsNotOpenedIfDmaBufsHaveSyncFileIoctls) {
    module_->enable_dma_buf_ioctls();
    std::string line = transport_of_new_swapchain();
    EXPECT_TRUE(contains(line, "transport=kernel")) << line;
    EXPECT_EQ(module_->calls(opening), 0u);
}

TEST_F(ModuleTransport, TheModuleIsNotOpenedIfAnotherTransportIsRequested) {
    request("cpu");
    EXPECT_TRUE(contains(transport_of_new_swapchain(), "transport=cpu reason=\"the setting\""));
    EXPECT_EQ(module_->calls(opening), 0u);
}

TEST_F(ModuleTransport, TheModuleIsUsedIfItIsRequested) {
    module_->enable_dma_buf_ioctls();
    request("module");
    EXPECT_TRUE(contains(transport_of_new_swapchain(), "transport=module reason=\"the setting\""));
    EXPECT_EQ(module_->calls(FENCEBRIDGE_DMA_BUF_IOCTL_EXPORT), 0u);
}

TEST_F(ModuleTransport, AnErrorIsLoggedIfTheModuleIsRequestedAndMissing) {
    request("module");
    module_->fail(opening, ENOENT);
    constexpr const char* why =
        "the setting is module, but /dev/fencebridge: No such file or directory";
    EXPECT_TRUE(contains(transport_of_new_swapchain({"transport cpu", why}), "transport=cpu"));
    module_->enable_dma_buf_ioctls();
    EXPECT_TRUE(
        contains(transport_of_new_swapchain({"transport kernel", why}), "transport=kernel"));
}

TEST_F(ModuleTransport, AModuleOfALaterVersionIsUsed) {
    module_->answer_queries(FENCEBRIDGE_VERSION + 1, ~uint64_t(0));
    EXPECT_TRUE(contains(transport_of_new_swapchain(), "transport=module"));
}

struct Refusal {
    const char* name;
    unsigned long request;
    int error;
    const char* reason;
    uint32_t version = FENCEBRIDGE_VERSION;
    uint64_t features = needed_features;
};

class UnusableModule : public ModuleTransport, public testing::WithParamInterface<Refusal> {};

TEST_P(UnusableModule, TheNextTransportIsUsedAndTheReasonLogged) {
    const Refusal& refusal = GetParam();
    module_->fail(refusal.request, refusal.error);
    module_->answer_queries(refusal.version, refusal.features);
    std::string line = transport_of_new_swapchain();
    EXPECT_TRUE(contains(line, "transport=cpu")) << line;
    EXPECT_TRUE(contains(line, std::string("no module: ") + refusal.reason + "; ")) << line;
}

INSTANTIATE_TEST_SUITE_P(
    , UnusableModule,
    testing::Values(
        Refusal{"NotLoaded", opening, ENOENT, "/dev/fencebridge: No such file or directory"},
        Refusal{"NotAllowed", opening, EACCES, "/dev/fencebridge: Permission denied"},
        Refusal{"AnotherDevice", query, ENOTTY,
                "FENCEBRIDGE_IOCTL_QUERY: Inappropriate ioctl for device"},
        Refusal{"VersionTooOld", query, 0, "/dev/fencebridge: too old (version 0)", 0},
        Refusal{"NoExport", query, 0, "/dev/fencebridge: exports no fences", 1,
                FENCEBRIDGE_FEATURE_IMPORT},
        Refusal{"NoImport", query, 0, "/dev/fencebridge: imports no fences", 1,
                FENCEBRIDGE_FEATURE_EXPORT},
        Refusal{"ExportFails", exporting, EINVAL, "FENCEBRIDGE_IOCTL_EXPORT: Invalid argument"},
        Refusal{"ImportFails", importing, EINVAL, "FENCEBRIDGE_IOCTL_IMPORT: Invalid argument"},
        // ENOTSUPP: C libraries have no text for it.
        Refusal{"ErrorInternalToTheKernel", importing, 524, "FENCEBRIDGE_IOCTL_IMPORT: error 524"}),
    [](auto& tested) { return std::string(tested.param.name); });

struct TransientFailure {
    const char* name;
    unsigned long request;
    int error;
};

class TransientModuleFailure : public ModuleTransport,
                               public testing::WithParamInterface<TransientFailure> {};

TEST_P(TransientModuleFailure, OneSwapchainFailsButNotTheNext) {
    Client client(start());
    module_->fail(GetParam().request, GetParam().error);
    EXPECT_EQ(client.swapchain().result, VK_ERROR_OUT_OF_HOST_MEMORY);
    EXPECT_EQ(module_->open_devices().size(), 0u);
    module_->fail(GetParam().request, 0);
    Swapchain swapchain = client.swapchain();
    EXPECT_EQ(swapchain.result, VK_SUCCESS);
    EXPECT_EQ(module_->open_devices().size(), 1u);
}

INSTANTIATE_TEST_SUITE_P(
    , TransientModuleFailure,
    testing::Values(TransientFailure{"OpenFailsWithEMFILE", opening, EMFILE},
                    TransientFailure{"OpenFailsWithENFILE", opening, ENFILE},
                    TransientFailure{"OpenFailsWithENOMEM", opening, ENOMEM},
                    TransientFailure{"QueryFailsWithENOMEM", query, ENOMEM},
                    TransientFailure{"ExportFailsWithEMFILE", exporting, EMFILE},
                    TransientFailure{"ExportFailsWithENFILE", exporting, ENFILE},
                    TransientFailure{"ImportFailsWithENOMEM", importing, ENOMEM}),
    [](auto& tested) { return std::string(tested.param.name); });

// --- what it costs ---

TEST_F(ModuleTransport, ASwapchainHoldsOneDescriptorOfTheModule) {
    Client client(start());
    {
        Swapchain swapchain = client.swapchain();
        ASSERT_EQ(swapchain.result, VK_SUCCESS);
        ASSERT_EQ(module_->open_devices().size(), 1u);
        EXPECT_EQ(fcntl(module_->open_devices().front(), F_GETFD), FD_CLOEXEC);
        EXPECT_EQ(module_->open_flags() & (O_ACCMODE | O_CLOEXEC), O_RDWR | O_CLOEXEC);
        ASSERT_EQ(client.frame(swapchain), VK_SUCCESS);
        vkDeviceWaitIdle(client.device);
    }
    EXPECT_EQ(module_->open_devices().size(), 0u);
}

TEST_F(ModuleTransport, AFrameTakesOneExportAndOneImport) {
    fake_driver().set_export_signalled_as_minus_one(VK_FALSE);
    Client client(start());
    Swapchain swapchain = client.swapchain();
    ASSERT_EQ(swapchain.result, VK_SUCCESS);
    size_t exports = module_->calls(exporting);
    size_t imports = module_->calls(importing);
    constexpr size_t frames = 20;
    for (size_t i = 0; i < frames; ++i)
        ASSERT_EQ(client.frame(swapchain), VK_SUCCESS);
    vkDeviceWaitIdle(client.device);
    EXPECT_EQ(module_->calls(exporting), exports + frames);
    EXPECT_EQ(module_->calls(importing), imports + frames);
    EXPECT_EQ(module_->calls(query), 1u);
    EXPECT_EQ(module_->calls(opening), 1u);
}

TEST_F(ModuleTransport, NoSyncFileIsImportedForAnIdleImage) {
    module_->answer_queries(FENCEBRIDGE_VERSION,
                            needed_features | FENCEBRIDGE_FEATURE_NONE_IF_IDLE);
    Client client(start());
    Swapchain swapchain = client.swapchain();
    ASSERT_EQ(module_->calls(importing), 1u) << "tried out with a sync_file";
    Owned<VkFence> fence = make_fence(client.device);
    auto [idle_result, idle] = acquire(client.device, swapchain, forever, VK_NULL_HANDLE, fence);
    ASSERT_EQ(idle_result, VK_SUCCESS);
    EXPECT_EQ(module_->last_export().flags, uint32_t(FENCEBRIDGE_WRITE | FENCEBRIDGE_NONE_IF_IDLE));
    EXPECT_EQ(fake_driver().imported_sync_fds(), 0u);
    EXPECT_TRUE(wait_and_reset(client.device, fence));
    module_->export_fence(Fd(eventfd(0, EFD_CLOEXEC)));
    auto [busy_result, busy] = acquire(client.device, swapchain, forever, VK_NULL_HANDLE, fence);
    ASSERT_EQ(busy_result, VK_SUCCESS);
    EXPECT_EQ(fake_driver().imported_sync_fds(), 1u);
    EXPECT_EQ(vkGetFenceStatus(client.device, fence), VK_NOT_READY);
}

// --- which fences are exported and imported ---

TEST_F(ModuleTransport, AcquireSignalsItsFenceWhenTheExportedFenceSignals) {
    Client client(start());
    Swapchain swapchain = client.swapchain();
    Fd reader(eventfd(0, EFD_CLOEXEC));
    module_->export_fence(reader.duplicate());
    Owned<VkFence> fence = make_fence(client.device);
    auto [result, index] = acquire(client.device, swapchain, forever, VK_NULL_HANDLE, fence);
    ASSERT_EQ(result, VK_SUCCESS);
    // An export for a writer includes the fences of the window system's readers.
    EXPECT_EQ(module_->last_export().flags, uint32_t(FENCEBRIDGE_WRITE));
    EXPECT_EQ(module_->last_export().reserved, 0u);
    EXPECT_EQ(vkGetFenceStatus(client.device, fence), VK_NOT_READY);
    eventfd_write(reader.get(), 1);
    EXPECT_TRUE(wait_and_reset(client.device, fence));
}

TEST_F(ModuleTransport, PresentAttachesTheRenderingToTheDmaBufAsAWriter) {
    Compositor& compositor = start();
    Client client(compositor);
    Swapchain swapchain = client.swapchain();
    fake_driver().hold_rendering(VK_TRUE);
    Owned<VkSemaphore> rendered = make_semaphore(client.device);
    const uint32_t index = client.acquire_and_render(swapchain, rendered);
    ASSERT_EQ(client.present_after(swapchain, index, {rendered}), VK_SUCCESS);
    ASSERT_EQ(compositor.commits(), 1u);
    Fd dma_buf = compositor.dma_buf_of(*compositor.last_commit().buffer);
    EXPECT_TRUE(same_file(module_->last_import().dma_buf_fd, dma_buf.get()));
    EXPECT_EQ(module_->last_import().flags, uint32_t(FENCEBRIDGE_WRITE));
    EXPECT_EQ(module_->last_import().reserved, 0u);
    EXPECT_FALSE(sync_file_signalled(module_->imported_fence().get()));
    ASSERT_TRUE(fake_driver().release_one());
    EXPECT_TRUE(sync_file_signalled(module_->imported_fence().get()));
}

// --- drivers whose buffers are imported without regard to the fences on them ---

struct DriverCase {
    const char* name;
    VkDriverId id;
    bool importers_ignore_fences;
};

class AttachedFences : public ModuleTransport, public testing::WithParamInterface<DriverCase> {
protected:
    void expect_a_wait_only_if_importers_ignore_fences();
};

void AttachedFences::expect_a_wait_only_if_importers_ignore_fences() {
    fake_driver().set_driver_id(0, GetParam().id);
    Compositor& compositor = start();
    Client client(compositor);
    Swapchain swapchain = client.swapchain();
    fake_driver().hold_rendering(VK_TRUE);
    Owned<VkSemaphore> rendered = make_semaphore(client.device);
    const uint32_t index = client.acquire_and_render(swapchain, rendered);
    VkResult presented = VK_ERROR_UNKNOWN;
    const bool waited = run_and_see_whether_it_waits(
        [&] { presented = client.present_after(swapchain, index, {rendered}); },
        [&] {
            EXPECT_EQ(compositor.commits(), 0u);
            EXPECT_TRUE(fake_driver().release_one());
        });
    EXPECT_EQ(presented, VK_SUCCESS);
    EXPECT_EQ(waited, GetParam().importers_ignore_fences);
    EXPECT_TRUE(compositor.wait_for_commits(1));
    fake_driver().hold_rendering(VK_FALSE);
    vkDeviceWaitIdle(client.device);
}

TEST_P(AttachedFences, PresentWaitsForTheRenderingOnlyIfImportersIgnoreFences) {
    expect_a_wait_only_if_importers_ignore_fences();
}

TEST_P(AttachedFences, WithTheKernelsIoctlsPresentWaitsOnlyIfImportersIgnoreFences) {
    module_->enable_dma_buf_ioctls();
    expect_a_wait_only_if_importers_ignore_fences();
    EXPECT_EQ(module_->calls(opening), 0u);
}

INSTANTIATE_TEST_SUITE_P(
    , AttachedFences,
    testing::Values(DriverCase{"UnknownDriver", VkDriverId{}, false},
                    DriverCase{"Lavapipe", VK_DRIVER_ID_MESA_LLVMPIPE, false},
                    DriverCase{"Anv", VK_DRIVER_ID_INTEL_OPEN_SOURCE_MESA, false},
                    DriverCase{"Radv", VK_DRIVER_ID_MESA_RADV, true},
                    DriverCase{"Amdvlk", VK_DRIVER_ID_AMD_OPEN_SOURCE, true},
                    DriverCase{"Venus", VK_DRIVER_ID_MESA_VENUS, true},
                    DriverCase{"AmdProprietary", VK_DRIVER_ID_AMD_PROPRIETARY, true}),
    [](auto& tested) { return std::string(tested.param.name); });

// The test's instance has Vulkan 1.1, where VK_KHR_driver_properties is needed to identify the
// driver.
TEST_F(ModuleTransport, FencesAreAttachedIfTheDriverIsUnknown) {
    fake_driver().set_driver_id(0, VK_DRIVER_ID_MESA_RADV);
    fake_driver().hide_device_extension(0, VK_KHR_DRIVER_PROPERTIES_EXTENSION_NAME);
    ErrorLog log;
    Client client(start());
    ASSERT_EQ(client.swapchain().result, VK_SUCCESS);
    EXPECT_EQ(log.lines_with({"waits for the rendering on the CPU"}).size(), 0u) << log.text();
}

// The layer logs the warning once for a process, so no test that runs before this one may cause it.
TEST_F(ModuleTransport, OneWarningSaysThatImportersIgnoreAttachedFences) {
    fake_driver().set_driver_id(0, VK_DRIVER_ID_MESA_RADV);
    ErrorLog log;
    Client client(start());
    for (int i = 0; i < 2; ++i)
        ASSERT_EQ(client.swapchain().result, VK_SUCCESS);
    EXPECT_EQ(log.lines_with({"fencebridge: warning: transport module:",
                              "waits for the rendering on the CPU", "linux-drm-syncobj-v1"})
                  .size(),
              1u)
        << log.text();
}

// Nobody reads the images of a headless surface.
TEST_F(ModuleTransport, PresentToAHeadlessSurfaceDoesNotWaitAlthoughImportersIgnoreFences) {
    constexpr const char* headless = VK_EXT_HEADLESS_SURFACE_EXTENSION_NAME;
    fake_driver().set_driver_id(0, VK_DRIVER_ID_MESA_RADV);
    fake_driver().add_instance_extension(headless);
    setenv("FENCEBRIDGE_TAKEOVER", "on", 1);
    const auto instance = make_instance({.extensions = {VK_KHR_SURFACE_EXTENSION_NAME, headless}});
    unsetenv("FENCEBRIDGE_TAKEOVER");
    const Device device(instance);
    const auto create = reinterpret_cast<PFN_vkCreateHeadlessSurfaceEXT>(
        vkGetInstanceProcAddr(instance, "vkCreateHeadlessSurfaceEXT"));
    VkHeadlessSurfaceCreateInfoEXT info{};
    info.sType = VK_STRUCTURE_TYPE_HEADLESS_SURFACE_CREATE_INFO_EXT;
    VkSurfaceKHR made = VK_NULL_HANDLE;
    ASSERT_EQ(create(instance, &info, nullptr, &made), VK_SUCCESS);
    const Owned<VkSurfaceKHR> surface{
        made, [&](VkSurfaceKHR dying) { vkDestroySurfaceKHR(instance, dying, nullptr); }};
    ErrorLog log;
    const Swapchain swapchain(device, surface);
    ASSERT_EQ(swapchain.result, VK_SUCCESS);
    EXPECT_EQ(log.lines_with({"transport=module"}).size(), 1u) << log.text();

    Renderer renderer(device);
    const auto rendered = make_semaphore(device);
    const auto acquired = make_semaphore(device);
    fake_driver().hold_rendering(VK_TRUE);
    const Acquired image = acquire(device, swapchain, forever, acquired);
    ASSERT_EQ(image.result, VK_SUCCESS);
    renderer.submit({acquired}, {rendered});
    VkResult presented = VK_ERROR_UNKNOWN;
    EXPECT_FALSE(run_and_see_whether_it_waits(
        [&] { presented = present(device.queue, swapchain, image.index, {rendered}); },
        [&] { EXPECT_TRUE(fake_driver().release_one()); }));
    EXPECT_EQ(presented, VK_SUCCESS);
    fake_driver().hold_rendering(VK_FALSE);
    vkDeviceWaitIdle(device);
}

// --- failures in a frame ---

class FailingExport : public ModuleTransport, public testing::WithParamInterface<int> {};

TEST_P(FailingExport, AcquireFailsAndTheImageIsFreeAgain) {
    Client client(start());
    Swapchain swapchain = client.swapchain();
    ASSERT_EQ(client.frame(swapchain), VK_SUCCESS);
    module_->fail(exporting, GetParam());
    // More failures than there are images.
    for (size_t i = 0; i <= swapchain.images.size(); ++i)
        EXPECT_EQ(client.acquire(swapchain).result, VK_ERROR_OUT_OF_HOST_MEMORY);
    module_->fail(exporting, 0);
    EXPECT_EQ(client.frame(swapchain), VK_SUCCESS);
    vkDeviceWaitIdle(client.device);
}

// The name of an errno value that is used below.
std::string error_name(const testing::TestParamInfo<int>& tested) {
    switch (tested.param) {
    case E2BIG:
        return "E2BIG";
    case ENOMEM:
        return "ENOMEM";
    default:
        return "EMFILE";
    }
}

INSTANTIATE_TEST_SUITE_P(, FailingExport, testing::Values(E2BIG, ENOMEM, EMFILE), error_name);

class FailingImport : public ModuleTransport, public testing::WithParamInterface<int> {};

TEST_P(FailingImport, PresentWaitsForTheRenderingOnTheCpu) {
    ErrorLog log;
    Compositor& compositor = start();
    Client client(compositor);
    Swapchain swapchain = client.swapchain();
    fake_driver().hold_rendering(VK_TRUE);
    Owned<VkSemaphore> rendered = make_semaphore(client.device);
    const uint32_t index = client.acquire_and_render(swapchain, rendered);
    module_->fail(importing, GetParam());
    std::thread presenting(
        [&] { EXPECT_EQ(client.present_after(swapchain, index, {rendered}), VK_SUCCESS); });
    EXPECT_FALSE(compositor.wait_for_commits(1, short_while));
    ASSERT_TRUE(fake_driver().release_one());
    EXPECT_TRUE(compositor.wait_for_commits(1));
    presenting.join();
    EXPECT_EQ(log.lines_with({"fencebridge: error: FENCEBRIDGE_IOCTL_IMPORT:",
                              "waiting on the CPU for this frame's rendering"})
                  .size(),
              1u)
        << log.text();
    vkDeviceWaitIdle(client.device);
}

INSTANTIATE_TEST_SUITE_P(, FailingImport, testing::Values(E2BIG, ENOMEM), error_name);

} // namespace
} // namespace fencebridge::test
