// SPDX-License-Identifier: MIT
// The image allocator `gbm`, on a fake of libgbm: when it is used, what it asks for, and what
// happens if a call fails. Images that libgbm has allocated need no wait in present on RADV, whose
// own images do (invariants 3 and 4).
#include "allocator_setting.hpp"
#include "fake_gbm.hpp"
#include "fake_module.hpp"
#include "fixture.hpp"

#include "fake_compositor/dma_buf.hpp"
#include "fake_driver/control.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <optional>
#include <thread>

namespace fencebridge::test {
namespace {

constexpr uint64_t tiled = 0x0200000000000001;
constexpr uint64_t compressed = 0x0200000000000002; // two planes
constexpr uint32_t use_rendering = 4;
constexpr uint32_t use_linear = 16;
constexpr VkExtent2D odd = {65, 33};

class SyncSetting {
public:
    explicit SyncSetting(const char* name) { setenv("FENCEBRIDGE_SYNC", name, 1); }
    ~SyncSetting() { unsetenv("FENCEBRIDGE_SYNC"); }
    SyncSetting(const SyncSetting&) = delete;
    SyncSetting& operator=(const SyncSetting&) = delete;
};

// FENCEBRIDGE_TEST_GBM: the version of libgbm that the process finds.
std::string libgbm() {
    const char* const version = std::getenv("FENCEBRIDGE_TEST_GBM");
    return version == nullptr ? "new" : version;
}

std::vector<FormatModifier> formats_of(const std::vector<uint64_t>& modifiers) {
    std::vector<FormatModifier> formats;
    for (const uint64_t modifier : modifiers)
        std::ranges::copy(common_formats(modifier), std::back_inserter(formats));
    return formats;
}

class GbmTest : public CompositorTest {
protected:
    void SetUp() override {
        CompositorTest::SetUp();
        kernel_.emplace();
        kernel_->enable_dma_buf_ioctls();
        fake_driver().set_drm_nodes(0, 0, FakeGbm::node);
        auto two_planes = driver_modifier(compressed);
        two_planes.plane_count = 2;
        two_planes.pitch_alignment = 1;
        two_planes.pitch_shift[1] = 4;
        std::vector modifiers = {driver_modifier(tiled), two_planes, driver_modifier(drm_linear)};
        for (FakeDriverModifier& modifier : modifiers)
            modifier.pitch_alignment = 4;
        for (const VkFormat format : {VK_FORMAT_B8G8R8A8_UNORM, VK_FORMAT_B8G8R8A8_SRGB})
            fake_driver().set_format(0, format, uint32_t(modifiers.size()), modifiers.data());
    }
    void TearDown() override {
        client_.reset();
        EXPECT_EQ(gbm_.devices(), 0u);
        EXPECT_EQ(gbm_.buffers(), 0u);
        kernel_.reset();
        CompositorTest::TearDown();
    }

    // A client of a surface that was queried already: the layer has tried the allocators.
    // @param node  of the compositor
    Client& connect(const std::vector<uint64_t>& modifiers = {tiled, compressed, drm_linear},
                    dev_t node = FakeGbm::node) {
        client_.reset();
        Compositor& compositor = start({.globals = {.syncobj = syncobj_},
                                        .feedback = {node, {{node, 0, formats_of(modifiers)}}}});
        client_ = std::make_unique<Client>(compositor);
        VkSurfaceCapabilitiesKHR capabilities{};
        EXPECT_EQ(vkGetPhysicalDeviceSurfaceCapabilitiesKHR(client_->device.physical,
                                                            client_->surface, &capabilities),
                  VK_SUCCESS);
        return *client_;
    }
    // The result of a new swapchain and of a frame for each of its images.
    VkResult show_swapchain() {
        const Swapchain swapchain = client_->swapchain({.extent = odd});
        return swapchain.result == VK_SUCCESS ? client_->show_every_image(swapchain)
                                              : swapchain.result;
    }
    // Expects that a new swapchain uses another allocator, after a warning with these words.
    void expect_the_next_allocator(std::vector<std::string> words) {
        ErrorLog log;
        EXPECT_EQ(show_swapchain(), VK_SUCCESS);
        EXPECT_EQ(swapchains_by(log, "gbm"), 0u) << log.text();
        EXPECT_EQ(log.lines_with({"info: swapchain 65x33"}).size(), 1u) << log.text();
        words.emplace_back("warning: image allocator gbm: ");
        EXPECT_GE(log.lines_with(words).size(), 1u) << log.text();
    }

    std::vector<FakeGbm::Plane> last_shown(uint64_t& modifier) {
        return compositor_->on_thread([&](Scene& scene) {
            const ClientBuffer& buffer = scene.buffer(*scene.commits().back().buffer);
            std::vector<FakeGbm::Plane> planes;
            for (const auto& [index, plane] : buffer.planes) {
                modifier = plane.modifier;
                planes.push_back({.offset = plane.offset, .stride = plane.stride});
            }
            return planes;
        });
    }

    uint32_t syncobj_ = 0; // the version of linux-drm-syncobj-v1 that the compositor has
    FakeGbm gbm_;
    std::optional<FakeModule> kernel_;
    std::unique_ptr<Client> client_;
};

// ---- when it is used ----

constexpr const char* waits = "each vkQueuePresentKHR waits for the rendering on the CPU";

TEST_F(GbmTest, IsFirstWhereAttachedFencesAreIgnoredOnTheDriversOwnBuffers) {
    fake_driver().set_driver_id(0, VK_DRIVER_ID_MESA_RADV);
    ErrorLog log;
    connect();
    EXPECT_EQ(show_swapchain(), VK_SUCCESS);
    EXPECT_EQ(swapchains_by(log, "gbm"), 1u) << log.text();
    EXPECT_EQ(log.lines_with({"transport=kernel"}).size(), 1u) << log.text();
    EXPECT_EQ(log.lines_with({waits}).size(), 0u) << log.text();
}

// Invariant 4.
TEST_F(GbmTest, PresentDoesNotWaitThere) {
    fake_driver().set_driver_id(0, VK_DRIVER_ID_MESA_RADV);
    connect();
    const Swapchain swapchain = client_->swapchain();
    fake_driver().hold_rendering(VK_TRUE);
    const auto rendered = make_semaphore(client_->device);
    const uint32_t index = client_->acquire_and_render(swapchain, rendered);
    EXPECT_EQ(client_->present_after(swapchain, index, {rendered}), VK_SUCCESS);
    const Fd attached = kernel_->imported_fence();
    EXPECT_FALSE(sync_file_signalled(attached.get()));
    EXPECT_TRUE(fake_driver().release_one());
    EXPECT_TRUE(sync_file_signalled(attached.get()));
    fake_driver().hold_rendering(VK_FALSE);
    vkDeviceWaitIdle(client_->device);
}

TEST_F(GbmTest, IsNotFirstIfEveryPresentWaits) {
    const SyncSetting setting("cpu");
    fake_driver().set_driver_id(0, VK_DRIVER_ID_MESA_RADV);
    ErrorLog log;
    connect();
    EXPECT_EQ(show_swapchain(), VK_SUCCESS);
    EXPECT_EQ(swapchains_by(log, "driver-export"), 1u) << log.text();
}

TEST_F(GbmTest, IsNotFirstIfTheCompositorUsesAnotherGpu) {
    fake_driver().set_device_type(0, VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU);
    fake_driver().set_driver_id(0, VK_DRIVER_ID_MESA_RADV);
    ErrorLog log;
    connect({drm_linear}, makedev(1, 5));
    EXPECT_EQ(show_swapchain(), VK_SUCCESS);
    EXPECT_EQ(swapchains_by(log, "copy-dma-buf"), 1u) << log.text();
}

TEST_F(GbmTest, IsNotUsedWhereTheDriversOwnBuffersAreAsGood) {
    // Nothing is known of the first; with the second, imported buffers are no better.
    for (const VkDriverId id : {VkDriverId(0), VK_DRIVER_ID_NVIDIA_PROPRIETARY}) {
        fake_driver().set_driver_id(0, id);
        ErrorLog log;
        connect();
        EXPECT_EQ(show_swapchain(), VK_SUCCESS);
        EXPECT_EQ(swapchains_by(log, "driver-export"), 1u) << log.text();
        EXPECT_EQ(gbm_.calls("gbm_create_device"), 0u);
    }
}

TEST_F(GbmTest, IsUsedByDriversThatExportNothing) {
    fake_driver().set_dma_buf_features(0, VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT);
    ErrorLog log;
    connect();
    EXPECT_EQ(show_swapchain(), VK_SUCCESS);
    EXPECT_EQ(swapchains_by(log, "gbm"), 1u) << log.text();
    EXPECT_EQ(fake_driver().exported_memory_fds(), 0u);
}

// The warning names what is missing.
class WithoutGbm : public GbmTest {
protected:
    void expect(const std::string& reason) {
        fake_driver().set_driver_id(0, VK_DRIVER_ID_MESA_RADV);
        ErrorLog log;
        connect();
        EXPECT_EQ(show_swapchain(), VK_SUCCESS);
        EXPECT_EQ(swapchains_by(log, "driver-export"), 1u) << log.text();
        EXPECT_EQ(log.lines_with({"warning", waits, "gbm", reason}).size(), 1u) << log.text();
    }
};

TEST_F(WithoutGbm, PresentWaitsIfTheDriverNamesNoRenderNode) {
    fake_driver().set_drm_nodes(0, FakeGbm::node, 0);
    expect("names no DRM render node");
}

TEST_F(WithoutGbm, PresentWaitsIfThereIsNoLibrary) {
    expect("libgbm.so.1: cannot open shared object file");
}

TEST_F(WithoutGbm, PresentWaitsIfItFails) {
    gbm_.fail("gbm_bo_create_with_modifiers", EINVAL);
    expect("which failed");
}

TEST_F(WithoutGbm, PresentWaitsIfTheSettingNamesAnotherAllocator) {
    const AllocatorSetting setting("driver-export");
    expect("FENCEBRIDGE_IMAGE=gbm");
}

// If libgbm were looked for, it would be looked for again and again.
TEST_F(WithoutGbm, NoLibraryIsLookedForIfTheDriverExportsTheImages) {
    const size_t before = FakeGbm::loads();
    connect();
    EXPECT_EQ(show_swapchain(), VK_SUCCESS);
    EXPECT_EQ(FakeGbm::loads(), before);
}

// Needs a kernel with timeline syncobjs.
class TimelinesAndGbm : public GbmTest {
protected:
    void SetUp() override {
        GbmTest::SetUp();
        fake_driver().set_driver_id(0, VK_DRIVER_ID_MESA_RADV);
        syncobj_ = 1;
    }
};

TEST_F(TimelinesAndGbm, ItIsNotFirst) {
    ErrorLog log;
    connect();
    EXPECT_EQ(show_swapchain(), VK_SUCCESS);
    EXPECT_EQ(swapchains_by(log, "driver-export"), 1u) << log.text();
    EXPECT_EQ(log.lines_with({"transport=explicit"}).size(), 1u) << log.text();
    EXPECT_EQ(gbm_.calls("gbm_create_device"), 0u);
}

TEST_F(TimelinesAndGbm, ItIsFirstIfTheSettingNamesATransportThatAttachesFences) {
    const SyncSetting setting("kernel");
    ErrorLog log;
    connect();
    EXPECT_EQ(show_swapchain(), VK_SUCCESS);
    EXPECT_EQ(swapchains_by(log, "gbm"), 1u) << log.text();
    EXPECT_EQ(log.lines_with({"transport=kernel"}).size(), 1u) << log.text();
}

class NamedGbm : public GbmTest {
    const AllocatorSetting setting_{"gbm"};
};

TEST_F(NamedGbm, IsUsed) {
    ErrorLog log;
    connect();
    EXPECT_EQ(show_swapchain(), VK_SUCCESS);
    EXPECT_EQ(swapchains_by(log, "gbm"), 1u) << log.text();
}

// Its import of such a buffer ends the process.
TEST_F(NamedGbm, IsNotUsedOnVenus) {
    fake_driver().set_driver_id(0, VK_DRIVER_ID_MESA_VENUS);
    ErrorLog log;
    connect();
    EXPECT_EQ(show_swapchain(), VK_SUCCESS);
    EXPECT_EQ(swapchains_by(log, "driver-export"), 1u) << log.text();
    EXPECT_EQ(gbm_.calls("gbm_create_device"), 0u);
}

// ---- what it asks for, and what it tells the driver and the compositor ----

TEST_F(NamedGbm, IsAskedForModifiersThatDriverAndCompositorHaveInCommon) {
    connect({0x1234, drm_linear, tiled});
    const Swapchain swapchain = client_->swapchain({.extent = odd});
    const FakeGbm::Request request = gbm_.last_request();
    EXPECT_EQ(request.width, odd.width);
    EXPECT_EQ(request.height, odd.height);
    EXPECT_EQ(request.format, fourcc('X', 'R', '2', '4'));
    EXPECT_EQ(request.flags, libgbm() == "new" ? use_rendering : 0);
    // The other images have the layout of the first one.
    EXPECT_EQ(request.modifiers.size(), 1u);
    EXPECT_EQ(gbm_.calls("gbm_bo_create_with_modifiers"), swapchain.images.size() + 1); // the trial
}

TEST_F(NamedGbm, ChoosesTheLayout) {
    const std::vector<FakeGbm::Plane> planes = {{.offset = 64, .stride = 1024}};
    gbm_.lay_out(tiled, planes);
    connect();
    const Swapchain swapchain = client_->swapchain({.extent = odd});
    EXPECT_EQ(client_->show_every_image(swapchain), VK_SUCCESS);
    uint64_t modifier = 0;
    EXPECT_EQ(last_shown(modifier), planes);
    EXPECT_EQ(modifier, tiled);
}

TEST_F(NamedGbm, SeveralPlanesAreOneDmaBuf) {
    const std::vector<FakeGbm::Plane> planes = {{.offset = 0, .stride = 512},
                                                {.offset = 20480, .stride = 64}};
    gbm_.lay_out(compressed, planes);
    connect();
    const Swapchain swapchain = client_->swapchain({.extent = odd});
    EXPECT_EQ(client_->show_every_image(swapchain), VK_SUCCESS);
    uint64_t modifier = 0;
    EXPECT_EQ(last_shown(modifier), planes);
    EXPECT_EQ(modifier, compressed);
}

TEST_F(NamedGbm, IsAskedForLinearImagesIfItKnowsNoModifiers) {
    gbm_.fail("gbm_bo_create_with_modifiers", ENOSYS);
    ErrorLog log;
    connect();
    const Swapchain swapchain = client_->swapchain({.extent = odd});
    EXPECT_EQ(client_->show_every_image(swapchain), VK_SUCCESS);
    EXPECT_EQ(swapchains_by(log, "gbm"), 1u) << log.text();
    EXPECT_EQ(gbm_.last_request().flags, use_rendering | use_linear);
    uint64_t modifier = 1;
    last_shown(modifier);
    EXPECT_EQ(modifier, drm_linear);
}

TEST_F(NamedGbm, IsNotAskedForLinearImagesThatTheCompositorDoesNotAccept) {
    gbm_.fail("gbm_bo_create_with_modifiers", ENOSYS);
    connect({tiled});
    expect_the_next_allocator({"gbm_bo_create_with_modifiers"});
    EXPECT_EQ(gbm_.calls("gbm_bo_create"), 0u);
}

TEST_F(NamedGbm, SwapchainsShareADevice) {
    connect();
    const Swapchain one = client_->swapchain();
    EXPECT_EQ(gbm_.devices(), 1u);
    const size_t made = gbm_.calls("gbm_create_device");
    const Swapchain other = client_->swapchain({.old = one.handle});
    EXPECT_EQ(other.result, VK_SUCCESS);
    EXPECT_EQ(gbm_.calls("gbm_create_device"), made);
}

// libgbm does not say that several threads may use a gbm_device. Here, one thread makes a swapchain
// while another is in the middle of a call.
TEST_F(NamedGbm, ThreadsNeitherUseADeviceTogetherNorWaitForEachOther) {
    connect();
    const SecondWindow window(*client_);
    Swapchain second;
    gbm_.during_next_buffer([&] {
        std::thread other([&] { second = Swapchain(client_->device, window.surface); });
        other.join();
    });
    ErrorLog log;
    const Swapchain first = client_->swapchain();
    EXPECT_EQ(first.result, VK_SUCCESS);
    EXPECT_EQ(second.result, VK_SUCCESS);
    EXPECT_EQ(swapchains_by(log, "gbm"), 2u) << log.text();
    EXPECT_EQ(gbm_.clashes(), 0u);
    EXPECT_EQ(gbm_.devices(), 1u); // the other one was closed
}

TEST_F(NamedGbm, NothingIsKeptButTheDevice) {
    connect();
    std::optional<size_t> before; // after the first swapchain: the fakes keep some descriptors
    for (int i = 0; i < 3; ++i) {
        {
            const Swapchain swapchain = client_->swapchain();
            EXPECT_EQ(gbm_.buffers(), 0u);
            EXPECT_EQ(gbm_.devices(), 1u);
        }
        EXPECT_EQ(gbm_.devices(), 0u);
        client_->app.round_trip(); // the compositor has closed its descriptors
        EXPECT_EQ(open_fds(), before.value_or(open_fds()));
        before = open_fds();
    }
}

// ---- what fails ----

TEST_F(NamedGbm, TheNextAllocatorIsUsedIfTheDriverDoesNotKnowTheModifier) {
    gbm_.lay_out(0x5678, {{.offset = 0, .stride = 512}});
    connect();
    expect_the_next_allocator({"modifier 0x5678"});
}

TEST_F(NamedGbm, TheNextAllocatorIsUsedIfTheNumberOfPlanesDiffers) {
    gbm_.lay_out(tiled, {{.offset = 0, .stride = 512}, {.offset = 20480, .stride = 64}});
    connect();
    expect_the_next_allocator({libgbm() == "new" ? "2 planes" : "not supported"});
}

TEST_F(NamedGbm, TheNextAllocatorIsUsedIfThePlanesAreApart) {
    gbm_.lay_out(compressed, {{.offset = 0, .stride = 512}, {.offset = 20480, .stride = 64}});
    gbm_.separate_planes();
    connect();
    expect_the_next_allocator({"not supported"});
}

TEST_F(NamedGbm, TheNextAllocatorIsUsedIfTheNodeCannotBeOpened) {
    connect();
    gbm_.replace_node("/nonexistent");
    expect_the_next_allocator({"No such file"});
}

TEST_F(NamedGbm, TheNextAllocatorIsUsedIfTheNodeIsAnotherOne) {
    connect();
    gbm_.replace_node("/dev/zero");
    expect_the_next_allocator({"No such device"});
}

TEST_F(NamedGbm, TheNextAllocatorIsUsedIfACallFails) {
    connect();
    for (const char* function :
         {"gbm_create_device", "gbm_bo_create_with_modifiers", "gbm_bo_get_fd"}) {
        for (const int error : {EACCES, EINVAL, ENOSYS}) {
            if (error == ENOSYS && std::string(function) == "gbm_bo_create_with_modifiers")
                continue; // libgbm does not know modifiers: see above
            gbm_.fail(function, error);
            expect_the_next_allocator({});
            gbm_.fail(function, 0);
        }
    }
    ErrorLog log;
    EXPECT_EQ(show_swapchain(), VK_SUCCESS);
    EXPECT_EQ(swapchains_by(log, "gbm"), 1u);
}

TEST_F(NamedGbm, TheNextAllocatorIsUsedIfMemoryRunsOut) {
    ErrorLog log;
    connect();
    for (const char* function :
         {"gbm_create_device", "gbm_bo_create_with_modifiers", "gbm_bo_get_fd"}) {
        gbm_.fail(function, ENOMEM);
        EXPECT_EQ(show_swapchain(), VK_SUCCESS) << function;
        gbm_.fail(function, 0);
    }
    EXPECT_EQ(swapchains_by(log, "gbm"), 0u);
}

TEST_F(NamedGbm, TheSwapchainIsNotMadeIfDescriptorsRunOut) {
    connect();
    for (const char* function :
         {"gbm_create_device", "gbm_bo_create_with_modifiers", "gbm_bo_get_fd"}) {
        gbm_.fail(function, EMFILE);
        EXPECT_EQ(show_swapchain(), VK_ERROR_OUT_OF_HOST_MEMORY) << function;
        gbm_.fail(function, 0);
    }
    EXPECT_EQ(show_swapchain(), VK_SUCCESS);
}

TEST_F(NamedGbm, TheNextAllocatorIsUsedIfTheModifierIsUnknown) {
    constexpr uint64_t unknown = 0xffffffffffffff; // DRM_FORMAT_MOD_INVALID
    gbm_.lay_out(unknown, {{.offset = 0, .stride = 512}});
    ErrorLog log;
    connect();
    EXPECT_EQ(show_swapchain(), VK_SUCCESS);
    EXPECT_EQ(swapchains_by(log, "gbm"), 0u);
}

TEST_F(NamedGbm, TheNextAllocatorIsUsedIfTheDriverRefusesTheLayout) {
    gbm_.lay_out(tiled, {{.offset = 0, .stride = 16}}); // less than a row
    ErrorLog log;
    connect();
    EXPECT_EQ(show_swapchain(), VK_SUCCESS);
    EXPECT_EQ(swapchains_by(log, "driver-export"), 1u) << log.text();
}

TEST_F(NamedGbm, TheDriversErrorsAreReported) {
    connect();
    for (const char* function :
         {"vkCreateImage", "vkGetMemoryFdPropertiesKHR", "vkAllocateMemory", "vkBindImageMemory"}) {
        fake_driver().fail_call(function, 1, VK_ERROR_OUT_OF_HOST_MEMORY);
        EXPECT_EQ(show_swapchain(), VK_ERROR_OUT_OF_HOST_MEMORY) << function;
        EXPECT_EQ(gbm_.devices(), 0u) << function;
        ErrorLog log;
        fake_driver().fail_call(function, 1, VK_ERROR_INVALID_EXTERNAL_HANDLE);
        EXPECT_EQ(show_swapchain(), VK_SUCCESS) << function;
        EXPECT_EQ(swapchains_by(log, "driver-export"), 1u) << function << log.text();
    }
}

} // namespace
} // namespace fencebridge::test
