// SPDX-License-Identifier: MIT
// VK_EXT_swapchain_maintenance1 and its KHR version: present fences, present modes that change, and
// images that are released without a present. On a fake of the module, so that no present waits for
// the rendering.
#include "fake_module.hpp"
#include "fixture.hpp"
#include "who_waits.hpp"

#include "fake_driver/control.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <thread>

namespace fencebridge::test {
namespace {

constexpr VkPresentModeKHR fifo = VK_PRESENT_MODE_FIFO_KHR;
constexpr VkPresentModeKHR mailbox = VK_PRESENT_MODE_MAILBOX_KHR;
constexpr const char* maintenance1 = VK_EXT_SWAPCHAIN_MAINTENANCE_1_EXTENSION_NAME;

// How long a test waits for a commit that must not arrive.
constexpr std::chrono::milliseconds short_while{100};

const std::vector<const char*> without_it{VK_KHR_SWAPCHAIN_EXTENSION_NAME};
const std::vector<const char*> with_it{VK_KHR_SWAPCHAIN_EXTENSION_NAME, maintenance1};

// The fence, and the mode, of each swapchain of a vkQueuePresentKHR.
struct Fences {
    explicit Fences(std::vector<VkFence> of) : all(std::move(of)) {}
    const void* chain(const void* next = nullptr) {
        info.pNext = const_cast<void*>(next);
        info.swapchainCount = uint32_t(all.size());
        info.pFences = all.data();
        return &info;
    }
    std::vector<VkFence> all;
    VkSwapchainPresentFenceInfoEXT info{VK_STRUCTURE_TYPE_SWAPCHAIN_PRESENT_FENCE_INFO_EXT};
};
struct Modes {
    explicit Modes(std::vector<VkPresentModeKHR> of) : all(std::move(of)) {}
    const void* chain(const void* next = nullptr) {
        info.pNext = const_cast<void*>(next);
        info.swapchainCount = uint32_t(all.size());
        info.pPresentModes = all.data();
        return &info;
    }
    std::vector<VkPresentModeKHR> all;
    VkSwapchainPresentModeInfoEXT info{VK_STRUCTURE_TYPE_SWAPCHAIN_PRESENT_MODE_INFO_EXT};
};

class Maintenance1 : public CompositorTest {
protected:
    void SetUp() override {
        CompositorTest::SetUp();
        unsetenv("FENCEBRIDGE_SYNC");
        module_.emplace();
    }
    void TearDown() override {
        module_.reset();
        CompositorTest::TearDown();
    }

    static Client client_of(Compositor& compositor,
                            const std::vector<const char*>& extensions = with_it) {
        return Client(compositor.connect(), {}, extensions);
    }
    // A swapchain that can change between these modes. The first one is its own.
    static Swapchain swapchain_with(Client& client, const std::vector<VkPresentModeKHR>& modes,
                                    uint32_t min_images = 2) {
        VkSwapchainPresentModesCreateInfoEXT listed{
            VK_STRUCTURE_TYPE_SWAPCHAIN_PRESENT_MODES_CREATE_INFO_EXT};
        listed.presentModeCount = uint32_t(modes.size());
        listed.pPresentModes = modes.data();
        return client.swapchain({.mode = modes.front(), .min_images = min_images, .next = &listed});
    }
    static VkResult present(Client& client, const Swapchain& swapchain, uint32_t index,
                            std::vector<VkSemaphore> wait, const void* next) {
        return test::present(client.device.queue, swapchain, index, std::move(wait), next);
    }
    // Presents a frame without rendering.
    static VkResult show(Client& client, const Swapchain& swapchain, const void* next = nullptr) {
        return present(client, swapchain, client.acquire(swapchain).index, {}, next);
    }
    static VkResult show(Client& client, const Swapchain& swapchain, VkPresentModeKHR mode) {
        Modes modes({mode});
        return show(client, swapchain, modes.chain());
    }
    static VkResult status(const Client& client, VkFence fence) {
        return vkGetFenceStatus(client.device, fence);
    }

    std::optional<FakeModule> module_;
};

// --- present fences ---

TEST_F(Maintenance1, APresentFenceSignalsWhenTheRenderingIsDone) {
    Compositor& compositor = start();
    Client client = client_of(compositor);
    const Swapchain swapchain = client.swapchain();
    fake_driver().hold_rendering(VK_TRUE);
    const Owned<VkSemaphore> rendered = make_semaphore(client.device);
    const Owned<VkFence> fence = make_fence(client.device);
    for (size_t frame = 1; frame <= 5; ++frame) {
        const uint32_t index = client.acquire_and_render(swapchain, rendered);
        Fences fences({fence});
        ASSERT_EQ(present(client, swapchain, index, {rendered}, fences.chain()), VK_SUCCESS);
        EXPECT_EQ(compositor.commits(), frame);
        EXPECT_EQ(status(client, fence), VK_NOT_READY);
        ASSERT_TRUE(fake_driver().release_one());
        EXPECT_TRUE(wait_and_reset(client.device, fence));
    }
}

TEST_F(Maintenance1, APresentFenceSignalsAtOnceIfTheRenderingIsDone) {
    Client client = client_of(start());
    const Swapchain swapchain = client.swapchain();
    const Owned<VkFence> fence = make_fence(client.device);
    Fences fences({fence});
    ASSERT_EQ(show(client, swapchain, fences.chain()), VK_SUCCESS);
    EXPECT_EQ(status(client, fence), VK_SUCCESS);
}

TEST_F(Maintenance1, EachSwapchainOfACallHasItsOwnFenceOrNone) {
    Client client = client_of(start());
    const SecondWindow second(client);
    const SecondWindow third(client);
    const std::array swapchains{client.swapchain(), Swapchain(client.device, second.surface),
                                Swapchain(client.device, third.surface)};
    std::vector<Presented> all;
    for (const Swapchain& swapchain : swapchains)
        all.push_back({swapchain, client.acquire(swapchain).index});
    fake_driver().hold_rendering(VK_TRUE);
    const Owned<VkSemaphore> rendered = make_semaphore(client.device);
    client.renderer.submit({}, {rendered});
    const std::array fences{make_fence(client.device), make_fence(client.device)};
    Fences chained({fences[0], VK_NULL_HANDLE, fences[1]});
    ASSERT_EQ(present_together(client.device.queue, all, {rendered}, chained.chain()), VK_SUCCESS);
    for (const auto& fence : fences)
        EXPECT_EQ(status(client, fence), VK_NOT_READY);
    ASSERT_TRUE(fake_driver().release_one());
    for (const auto& fence : fences)
        EXPECT_TRUE(wait_and_reset(client.device, fence));
}

// "The set of queue operations are still considered to be enqueued."
TEST_F(Maintenance1, APresentFenceSignalsAfterTheSurfaceIsLost) {
    Compositor& compositor = start();
    Client client = client_of(compositor);
    const Swapchain swapchain = client.swapchain();
    ASSERT_EQ(client.frame(swapchain), VK_SUCCESS);
    fake_driver().hold_rendering(VK_TRUE);
    const Owned<VkSemaphore> rendered = make_semaphore(client.device);
    const Owned<VkFence> fence = make_fence(client.device);
    const uint32_t index = client.acquire_and_render(swapchain, rendered);
    compositor.disconnect_clients();
    Fences fences({fence});
    EXPECT_EQ(present(client, swapchain, index, {rendered}, fences.chain()),
              VK_ERROR_SURFACE_LOST_KHR);
    EXPECT_EQ(status(client, fence), VK_NOT_READY);
    fake_driver().hold_rendering(VK_FALSE);
    EXPECT_TRUE(wait_and_reset(client.device, fence));
    EXPECT_EQ(vkDeviceWaitIdle(client.device), VK_SUCCESS);
}

// A driver's swapchain has taken the window over from the layer's.
TEST_F(Maintenance1, APresentFenceSignalsIfTheSwapchainIsOutOfDate) {
    Client client = client_of(start());
    Swapchain old = client.swapchain();
    const uint32_t index = client.acquire(old).index;
    setenv("FENCEBRIDGE_TAKEOVER", "off", 1);
    const auto other_instance = make_instance();
    unsetenv("FENCEBRIDGE_TAKEOVER");
    const Device other(other_instance);
    const auto surface = make_surface(other_instance, client.app, client.window);
    ASSERT_EQ(client.swapchain({.old = old}).result, VK_SUCCESS); // destroyed at once
    const Swapchain drivers(
        other, surface,
        {.format = FAKE_DRIVER_NATIVE_FORMAT, .mode = VK_PRESENT_MODE_IMMEDIATE_KHR});
    ASSERT_EQ(drivers.result, VK_SUCCESS);
    const Owned<VkFence> fence = make_fence(client.device);
    Fences fences({fence});
    EXPECT_EQ(present(client, old, index, {}, fences.chain()), VK_ERROR_OUT_OF_DATE_KHR);
    EXPECT_TRUE(wait_and_reset(client.device, fence));
}

// The fake driver reports the destruction of an object that a batch still uses.
TEST_F(Maintenance1, SemaphoresAndSwapchainMayBeDestroyedOnceTheFenceHasSignalled) {
    Client client = client_of(start());
    Swapchain swapchain = client.swapchain();
    Owned<VkSemaphore> rendered = make_semaphore(client.device);
    Owned<VkFence> fence = make_fence(client.device);
    const uint32_t index = client.acquire_and_render(swapchain, rendered);
    Fences fences({fence});
    ASSERT_EQ(present(client, swapchain, index, {rendered}, fences.chain()), VK_SUCCESS);
    ASSERT_TRUE(wait_and_reset(client.device, fence));
    rendered.reset();
    swapchain = {};
    fence.reset();
}

TEST_F(Maintenance1, FencesAndModesAreIgnoredIfTheExtensionIsNotEnabled) {
    Compositor& compositor = start({.refresh = Refresh::manual, .release = Release::at_once});
    Client client = client_of(compositor, without_it);
    const Swapchain swapchain = swapchain_with(client, {fifo, mailbox});
    EXPECT_EQ(swapchain.images.size(), 2u);
    const Owned<VkFence> fence = make_fence(client.device);
    Fences fences({fence});
    Modes modes({mailbox});
    ASSERT_EQ(show(client, swapchain, fences.chain(modes.chain())), VK_SUCCESS);
    EXPECT_EQ(status(client, fence), VK_NOT_READY);
    EXPECT_TRUE(compositor.last_commit().frame_callback) << "a frame of FIFO";
    EXPECT_EQ(vkGetDeviceProcAddr(client.device, "vkReleaseSwapchainImagesEXT"), nullptr);
}

// --- drivers that cannot import into fences ---

struct SyncFd {
    const char* name;
    VkExternalSemaphoreFeatureFlags semaphore;
    VkExternalFenceFeatureFlags fence;
    bool present_waits; // with the transport `cpu`
};

class PresentFenceSupport : public Maintenance1, public testing::WithParamInterface<SyncFd> {
protected:
    void SetUp() override {
        Maintenance1::SetUp();
        fake_driver().set_sync_fd_features(0, GetParam().semaphore, GetParam().fence);
        fake_driver().set_queue_count(0, 3);
    }
};

TEST_P(PresentFenceSupport, APresentFenceSignalsWhenTheRenderingIsDone) {
    Client client = client_of(start());
    const Swapchain swapchain = client.swapchain();
    const Owned<VkSemaphore> rendered = make_semaphore(client.device);
    const Owned<VkFence> fence = make_fence(client.device);
    for (int frame = 0; frame < 5; ++frame) {
        fake_driver().hold_rendering(VK_TRUE);
        const uint32_t index = client.acquire_and_render(swapchain, rendered);
        Fences fences({fence});
        VkResult result = VK_ERROR_UNKNOWN;
        const bool waited = run_and_see_whether_it_waits(
            [&] { result = present(client, swapchain, index, {rendered}, fences.chain()); },
            [&] {
                EXPECT_EQ(status(client, fence), VK_NOT_READY);
                fake_driver().hold_rendering(VK_FALSE);
            });
        ASSERT_EQ(result, VK_SUCCESS);
        EXPECT_EQ(waited, GetParam().present_waits);
        if (!waited) {
            EXPECT_EQ(status(client, fence), VK_NOT_READY);
            fake_driver().hold_rendering(VK_FALSE);
        }
        EXPECT_TRUE(wait_and_reset(client.device, fence));
    }
    EXPECT_EQ(vkDeviceWaitIdle(client.device), VK_SUCCESS);
}

constexpr auto export_semaphore = VK_EXTERNAL_SEMAPHORE_FEATURE_EXPORTABLE_BIT;
constexpr auto import_semaphore = VK_EXTERNAL_SEMAPHORE_FEATURE_IMPORTABLE_BIT;
constexpr auto export_fence = VK_EXTERNAL_FENCE_FEATURE_EXPORTABLE_BIT;
constexpr auto import_fence = VK_EXTERNAL_FENCE_FEATURE_IMPORTABLE_BIT;

INSTANTIATE_TEST_SUITE_P(
    , PresentFenceSupport,
    testing::Values(
        SyncFd{"All", export_semaphore | import_semaphore, export_fence | import_fence, false},
        SyncFd{"NoImportIntoFences", export_semaphore | import_semaphore, export_fence, false},
        SyncFd{"NoImportIntoSemaphores", export_semaphore, export_fence | import_fence, true},
        SyncFd{"NoImport", export_semaphore, export_fence, true},
        SyncFd{"NoExport", import_semaphore, import_fence, true}, SyncFd{"Nothing", 0, 0, true}),
    [](const auto& tested) { return std::string(tested.param.name); });

// Invariant 2. The fence of a present is signalled by a submission that waits for the rendering. An
// acquire is signalled by a submission, too, which must not wait for that one.
TEST_F(Maintenance1, APresentFenceDoesNotDelayLaterAcquires) {
    fake_driver().set_sync_fd_features(0, export_semaphore | import_semaphore, export_fence);
    fake_driver().set_queue_count(0, 3);
    Client client = client_of(start({.release = Release::at_once}));
    const Swapchain swapchain = client.swapchain();
    fake_driver().hold_rendering(VK_TRUE);
    const Owned<VkSemaphore> rendered = make_semaphore(client.device);
    const Owned<VkFence> presented = make_fence(client.device);
    const Owned<VkFence> acquired = make_fence(client.device);
    const uint32_t index = client.acquire_and_render(swapchain, rendered);
    Fences fences({presented});
    ASSERT_EQ(present(client, swapchain, index, {rendered}, fences.chain()), VK_SUCCESS);
    ASSERT_EQ(acquire(client.device, swapchain, forever, VK_NULL_HANDLE, acquired).result,
              VK_SUCCESS);
    EXPECT_TRUE(wait_and_reset(client.device, acquired));
    EXPECT_EQ(status(client, presented), VK_NOT_READY);
    fake_driver().hold_rendering(VK_FALSE);
    EXPECT_EQ(vkDeviceWaitIdle(client.device), VK_SUCCESS);
}

TEST_F(Maintenance1, APresentWhoseFenceCannotBeImportedWaitsForTheRendering) {
    Client client = client_of(start());
    const Swapchain swapchain = client.swapchain();
    fake_driver().hold_rendering(VK_TRUE);
    const Owned<VkSemaphore> rendered = make_semaphore(client.device);
    const Owned<VkFence> fence = make_fence(client.device);
    const uint32_t index = client.acquire_and_render(swapchain, rendered);
    Fences fences({fence});
    fake_driver().fail_call("vkImportFenceFdKHR", 1, VK_ERROR_INVALID_EXTERNAL_HANDLE);
    const ErrorLog log;
    VkResult result = VK_ERROR_UNKNOWN;
    EXPECT_TRUE(run_and_see_whether_it_waits(
        [&] { result = present(client, swapchain, index, {rendered}, fences.chain()); },
        [&] {
            EXPECT_EQ(status(client, fence), VK_NOT_READY);
            fake_driver().release_one();
        }));
    EXPECT_EQ(result, VK_SUCCESS);
    EXPECT_EQ(status(client, fence), VK_SUCCESS);
    EXPECT_EQ(log.lines_with({"error:", "VkFence of a present"}).size(), 1u) << log.text();
}

// The fences of presents to a swapchain signal in the order of the presents. Here that takes a wait
// on the CPU: eventfds, which stand for sync_files, cannot be merged.
TEST_F(Maintenance1, APresentFenceWaitsForTheRenderingOfEarlierPresents) {
    Client client = client_of(start());
    const Swapchain swapchain = client.swapchain();
    fake_driver().hold_rendering(VK_TRUE);
    const Owned<VkSemaphore> slow = make_semaphore(client.device);
    const Owned<VkSemaphore> quick = make_semaphore(client.device);
    const Owned<VkFence> first = make_fence(client.device);
    const Owned<VkFence> second = make_fence(client.device);
    const uint32_t index = client.acquire_and_render(swapchain, slow);
    Fences fences({first});
    ASSERT_EQ(present(client, swapchain, index, {slow}, fences.chain()), VK_SUCCESS);
    client.renderer.submit_elsewhere({quick});
    fences.all = {second};
    const uint32_t next = client.acquire(swapchain).index;
    VkResult result = VK_ERROR_UNKNOWN;
    EXPECT_TRUE(run_and_see_whether_it_waits(
        [&] { result = present(client, swapchain, next, {quick}, fences.chain()); },
        [&] {
            EXPECT_EQ(status(client, second), VK_NOT_READY);
            fake_driver().hold_rendering(VK_FALSE);
        }));
    EXPECT_EQ(result, VK_SUCCESS);
    EXPECT_EQ(status(client, first), VK_SUCCESS);
    EXPECT_EQ(status(client, second), VK_SUCCESS);
}

// --- present modes that change ---

TEST_F(Maintenance1, ASwapchainHasEnoughImagesForEachListedMode) {
    Client client = client_of(start());
    EXPECT_EQ(swapchain_with(client, {fifo}).images.size(), 2u);
    EXPECT_EQ(swapchain_with(client, {fifo, mailbox}).images.size(), 4u);
    EXPECT_EQ(swapchain_with(client, {mailbox, fifo}).images.size(), 4u);
    EXPECT_EQ(swapchain_with(client, {fifo, mailbox}, 6).images.size(), 6u);
}

TEST_F(Maintenance1, AListedModeThatTheSurfaceLacksIsRefused) {
    Client client = client_of(start());
    EXPECT_EQ(swapchain_with(client, {fifo, VK_PRESENT_MODE_IMMEDIATE_KHR}).result,
              VK_ERROR_INITIALIZATION_FAILED);
    EXPECT_EQ(swapchain_with(client, {mailbox, VK_PRESENT_MODE_SHARED_DEMAND_REFRESH_KHR}).result,
              VK_ERROR_INITIALIZATION_FAILED);
}

// VUID-VkSwapchainPresentModesCreateInfoKHR-pPresentModes-07763.
TEST_F(Maintenance1, ListedModesThatAreNotCompatibleAreRefused) {
    fake_driver().add_device_extension(0, VK_KHR_SHARED_PRESENTABLE_IMAGE_EXTENSION_NAME);
    Client client = client_of(start());
    constexpr VkPresentModeKHR demand = VK_PRESENT_MODE_SHARED_DEMAND_REFRESH_KHR;
    EXPECT_EQ(swapchain_with(client, {demand}, 1).result, VK_SUCCESS);
    EXPECT_EQ(swapchain_with(client, {demand, fifo}, 1).result, VK_ERROR_INITIALIZATION_FAILED);
    EXPECT_EQ(swapchain_with(client, {fifo, demand}).result, VK_ERROR_INITIALIZATION_FAILED);
}

TEST_F(Maintenance1, TheModeOfAPresentIsThatOfLaterPresents) {
    Compositor& compositor = start({.refresh = Refresh::manual, .release = Release::at_once});
    Client client = client_of(compositor);
    const Swapchain swapchain = swapchain_with(client, {mailbox, fifo});
    ASSERT_EQ(show(client, swapchain), VK_SUCCESS);
    EXPECT_FALSE(compositor.last_commit().frame_callback);
    for (int frame = 0; frame < 3; ++frame) {
        ASSERT_EQ(frame == 0 ? show(client, swapchain, fifo) : show(client, swapchain), VK_SUCCESS);
        EXPECT_TRUE(compositor.last_commit().frame_callback);
        compositor.refresh();
    }
    for (int frame = 0; frame < 3; ++frame) {
        ASSERT_EQ(frame == 0 ? show(client, swapchain, mailbox) : show(client, swapchain),
                  VK_SUCCESS);
        EXPECT_FALSE(compositor.last_commit().frame_callback);
    }
}

// "Once the last present operation is performed based on the respective vertical blanking period,
// the current and subsequent updates are applied according to the new mode."
TEST_F(Maintenance1, AFrameOfMailboxWaitsForTheQueuedFramesOfFifo) {
    Compositor& compositor = start({.refresh = Refresh::manual, .release = Release::at_once});
    Client client = client_of(compositor);
    const Swapchain swapchain = swapchain_with(client, {fifo, mailbox});
    ASSERT_EQ(show(client, swapchain), VK_SUCCESS);
    std::thread presenting([&] { EXPECT_EQ(show(client, swapchain, mailbox), VK_SUCCESS); });
    EXPECT_FALSE(compositor.wait_for_commits(2, short_while));
    compositor.refresh();
    EXPECT_TRUE(compositor.wait_for_commits(2));
    presenting.join();
}

#ifdef FAKE_COMPOSITOR_HAS_FIFO

TEST_F(Maintenance1, WithFifoV1TheBarriersFollowTheModeOfEachPresent) {
    Compositor& compositor = start({.globals = {.fifo = 1}});
    Client client = client_of(compositor);
    const Swapchain swapchain = swapchain_with(client, {mailbox, fifo});
    struct Barriers {
        VkPresentModeKHR mode;
        bool wait, set;
    };
    for (const Barriers& expected :
         {Barriers{mailbox, false, false}, Barriers{fifo, true, true}, Barriers{fifo, true, true},
          Barriers{mailbox, true, false}, Barriers{mailbox, false, false}}) {
        ASSERT_EQ(show(client, swapchain, expected.mode), VK_SUCCESS);
        const Commit commit = compositor.last_commit();
        EXPECT_EQ(commit.fifo_wait_barrier, expected.wait);
        EXPECT_EQ(commit.fifo_set_barrier, expected.set);
    }
}

// The first swapchain of the call has to wait for a callback, but only with the mode that the call
// names. The second one is presented first.
TEST_F(Maintenance1, APresentToTwoWindowsIsOrderedByTheNewModes) {
    Compositor& compositor = start({.globals = {.fifo = 1}, .release = Release::at_once});
    Client client = client_of(compositor);
    const SecondWindow second(client);
    const Swapchain changing = swapchain_with(client, {mailbox, fifo});
    const Swapchain other(client.device, second.surface, {.mode = mailbox});
    ASSERT_EQ(show(client, changing), VK_SUCCESS);
    const SurfaceId hidden = compositor.last_commit().surface;
    compositor.on_thread([=](Scene& scene) { scene.set_hidden(hidden, true); });
    // As many frames as there are images may follow the one that requested a callback.
    for (size_t frame = 0; frame <= changing.images.size(); ++frame)
        ASSERT_EQ(show(client, changing, fifo), VK_SUCCESS);
    ASSERT_EQ(show(client, changing, mailbox), VK_SUCCESS);
    const size_t before = compositor.commits();
    std::array both{Presented{changing, client.acquire(changing).index},
                    Presented{other, client.acquire(other).index}};
    Modes modes({fifo, mailbox});
    std::thread presenting([&] {
        EXPECT_EQ(present_together(client.device.queue, both, {}, modes.chain()), VK_SUCCESS);
    });
    EXPECT_TRUE(compositor.wait_for_commits(before + 1));
    EXPECT_NE(compositor.commit_at(before).surface, hidden);
    compositor.on_thread([=](Scene& scene) {
        scene.set_hidden(hidden, false);
        scene.refresh();
    });
    presenting.join();
    EXPECT_EQ(compositor.last_commit().surface, hidden);
}

#endif
#if defined(FAKE_COMPOSITOR_HAS_TEARING) && defined(FAKE_COMPOSITOR_HAS_FIFO)

TEST_F(Maintenance1, ASwapchainCanChangeBetweenAllModesOfItsSurface) {
    Compositor& compositor = start({.globals = {.fifo = 1, .tearing = 1}});
    Client client = client_of(compositor);
    const std::vector<VkPresentModeKHR> all{fifo, mailbox, VK_PRESENT_MODE_IMMEDIATE_KHR,
                                            VK_PRESENT_MODE_FIFO_RELAXED_KHR};
    const Swapchain swapchain = swapchain_with(client, all);
    EXPECT_EQ(swapchain.images.size(), 4u);
    for (const VkPresentModeKHR from : all) {
        for (const VkPresentModeKHR to : all) {
            ASSERT_EQ(show(client, swapchain, from), VK_SUCCESS);
            ASSERT_EQ(show(client, swapchain, to), VK_SUCCESS);
            const Commit commit = compositor.last_commit();
            const bool queued = to == fifo || to == VK_PRESENT_MODE_FIFO_RELAXED_KHR;
            EXPECT_EQ(commit.fifo_set_barrier, queued) << from << " to " << to;
            EXPECT_EQ(commit.may_tear,
                      to == VK_PRESENT_MODE_IMMEDIATE_KHR || to == VK_PRESENT_MODE_FIFO_RELAXED_KHR)
                << from << " to " << to;
        }
    }
}

#endif

// VUID-VkSwapchainPresentModeInfoKHR-pPresentModes-07761 forbids it.
TEST_F(Maintenance1, AModeThatIsNotListedChangesNothingAndIsLoggedOnce) {
    Compositor& compositor = start({.refresh = Refresh::manual, .release = Release::at_once});
    Client client = client_of(compositor);
    const Swapchain swapchain = client.swapchain({.mode = fifo});
    const ErrorLog log;
    for (int frame = 0; frame < 3; ++frame) {
        ASSERT_EQ(show(client, swapchain, mailbox), VK_SUCCESS);
        EXPECT_TRUE(compositor.last_commit().frame_callback);
        compositor.refresh();
    }
    EXPECT_EQ(log.lines_with({"error:", "present mode"}).size(), 1u) << log.text();
    ASSERT_EQ(show(client, swapchain, fifo), VK_SUCCESS);
    EXPECT_EQ(log.lines_with({"error:", "present mode"}).size(), 1u) << log.text();
}

// --- released images ---

class ReleasedImages : public Maintenance1 {
protected:
    static VkResult release(const Client& client, VkSwapchainKHR swapchain,
                            std::vector<uint32_t> images) {
        const auto command = reinterpret_cast<PFN_vkReleaseSwapchainImagesEXT>(
            vkGetDeviceProcAddr(client.device, "vkReleaseSwapchainImagesEXT"));
        VkReleaseSwapchainImagesInfoEXT info{VK_STRUCTURE_TYPE_RELEASE_SWAPCHAIN_IMAGES_INFO_EXT};
        info.swapchain = swapchain;
        info.imageIndexCount = uint32_t(images.size());
        info.pImageIndices = images.data();
        return command(client.device, &info);
    }
    // Acquires images until there is no free one, and returns their indices in ascending order.
    static std::vector<uint32_t> acquire_all(Client& client, const Swapchain& swapchain) {
        std::vector<uint32_t> all;
        for (;;) {
            const auto [result, index] = client.acquire(swapchain, 0);
            if (result != VK_SUCCESS) {
                EXPECT_EQ(result, VK_NOT_READY);
                std::ranges::sort(all);
                return all;
            }
            all.push_back(index);
        }
    }
};

TEST_F(ReleasedImages, CanBeAcquiredAgainAfterAReleaseInAnyOrder) {
    Client client = client_of(start());
    const Swapchain swapchain = client.swapchain();
    const std::vector<uint32_t> all{0, 1, 2, 3};
    ASSERT_EQ(acquire_all(client, swapchain), all);
    EXPECT_EQ(release(client, swapchain, {2}), VK_SUCCESS);
    EXPECT_EQ(acquire_all(client, swapchain), std::vector<uint32_t>{2});
    EXPECT_EQ(release(client, swapchain, {3, 0}), VK_SUCCESS);
    EXPECT_EQ(acquire_all(client, swapchain), (std::vector<uint32_t>{0, 3}));
    EXPECT_EQ(release(client, swapchain, {1, 3, 0, 2}), VK_SUCCESS);
    EXPECT_EQ(acquire_all(client, swapchain), all);
    EXPECT_EQ(release(client, swapchain, all), VK_SUCCESS);
    for (int frame = 0; frame < 8; ++frame)
        ASSERT_EQ(client.frame(swapchain), VK_SUCCESS);
    EXPECT_EQ(vkDeviceWaitIdle(client.device), VK_SUCCESS);
}

TEST_F(ReleasedImages, AreNotShown) {
    Compositor& compositor = start();
    Client client = client_of(compositor);
    const Swapchain swapchain = client.swapchain();
    for (int i = 0; i < 10; ++i)
        ASSERT_EQ(release(client, swapchain, {client.acquire(swapchain).index}), VK_SUCCESS);
    EXPECT_EQ(compositor.commits(), 0u);
}

TEST_F(ReleasedImages, MayBelongToARetiredSwapchain) {
    Client client = client_of(start());
    const Swapchain old = client.swapchain();
    const uint32_t index = client.acquire(old).index;
    const Swapchain swapchain = client.swapchain({.old = old});
    EXPECT_EQ(release(client, old, {index}), VK_SUCCESS);
    EXPECT_EQ(client.acquire(old).result, VK_ERROR_OUT_OF_DATE_KHR);
    EXPECT_EQ(client.frame(swapchain), VK_SUCCESS);
    EXPECT_EQ(vkDeviceWaitIdle(client.device), VK_SUCCESS);
}

TEST_F(ReleasedImages, MayBelongToASwapchainWhoseSurfaceIsLost) {
    Compositor& compositor = start();
    Client client = client_of(compositor);
    const Swapchain swapchain = client.swapchain();
    const uint32_t index = client.acquire(swapchain).index;
    compositor.disconnect_clients();
    EXPECT_EQ(release(client, swapchain, {index}), VK_SUCCESS);
}

// VUID-VkReleaseSwapchainImagesInfoKHR-pImageIndices-07785 forbids it.
TEST_F(ReleasedImages, AreThoseOfACallThatWereAcquired) {
    Client client = client_of(start({.release = Release::manual}));
    const Swapchain swapchain = client.swapchain();
    const uint32_t shown = client.acquire(swapchain).index;
    ASSERT_EQ(client.present(swapchain, shown), VK_SUCCESS);
    const uint32_t acquired = client.acquire(swapchain).index;
    EXPECT_EQ(release(client, swapchain, {shown, 99, acquired, acquired}),
              VK_ERROR_VALIDATION_FAILED_EXT);
    EXPECT_EQ(acquire_all(client, swapchain).size(), 3u) << "all but the one that is shown";
    EXPECT_EQ(client.present(swapchain, shown), VK_ERROR_VALIDATION_FAILED_EXT);
}

TEST_F(ReleasedImages, CannotBePresented) {
    Compositor& compositor = start();
    Client client = client_of(compositor);
    const Swapchain swapchain = client.swapchain();
    const uint32_t index = client.acquire(swapchain).index;
    ASSERT_EQ(release(client, swapchain, {index}), VK_SUCCESS);
    EXPECT_EQ(client.present(swapchain, index), VK_ERROR_VALIDATION_FAILED_EXT);
    EXPECT_EQ(compositor.commits(), 0u);
}

// --- creation ---

TEST_F(Maintenance1, DeferredAllocationIsAccepted) {
    Client client = client_of(start());
    const Swapchain swapchain =
        client.swapchain({.flags = VK_SWAPCHAIN_CREATE_DEFERRED_MEMORY_ALLOCATION_BIT_EXT});
    ASSERT_EQ(swapchain.result, VK_SUCCESS);
    EXPECT_EQ(client.frame(swapchain), VK_SUCCESS);
    EXPECT_EQ(vkDeviceWaitIdle(client.device), VK_SUCCESS);
}

TEST_F(Maintenance1, AnyScalingIsRefused) {
    Client client = client_of(start());
    Client without = client_of(*compositor_, without_it);
    struct Scaling {
        VkPresentScalingFlagsEXT behaviour;
        VkPresentGravityFlagsEXT x, y;
    };
    for (const Scaling& asked : {Scaling{VK_PRESENT_SCALING_ONE_TO_ONE_BIT_EXT, 0, 0},
                                 Scaling{0, VK_PRESENT_GRAVITY_MIN_BIT_EXT, 0},
                                 Scaling{0, 0, VK_PRESENT_GRAVITY_MIN_BIT_EXT}, Scaling{0, 0, 0}}) {
        VkSwapchainPresentScalingCreateInfoEXT info{
            VK_STRUCTURE_TYPE_SWAPCHAIN_PRESENT_SCALING_CREATE_INFO_EXT};
        info.scalingBehavior = asked.behaviour;
        info.presentGravityX = asked.x;
        info.presentGravityY = asked.y;
        const bool nothing = asked.behaviour == 0 && asked.x == 0 && asked.y == 0;
        EXPECT_EQ(client.swapchain({.next = &info}).result,
                  nothing ? VK_SUCCESS : VK_ERROR_INITIALIZATION_FAILED);
        EXPECT_EQ(without.swapchain({.next = &info}).result, VK_SUCCESS) << "it is ignored";
    }
}

// --- swapchains of the driver's ---

class DriversSwapchain : public ReleasedImages, public testing::WithParamInterface<bool> {
protected:
    void SetUp() override {
        ReleasedImages::SetUp();
        if (driver_has_it())
            fake_driver().add_device_extension(0, maintenance1);
    }
    static bool driver_has_it() { return GetParam(); }
};

// A window of the same application whose swapchains are the driver's: its compositor imports no
// dma-bufs.
struct DriversWindow {
    explicit DriversWindow(Client& client) :
        app(compositor), window(app.new_surface()),
        surface(make_surface(client.instance, app, window)),
        swapchain(client.device, surface,
                  {.format = FAKE_DRIVER_NATIVE_FORMAT,
                   .mode = VK_PRESENT_MODE_IMMEDIATE_KHR,
                   .flags = VK_SWAPCHAIN_CREATE_DEFERRED_MEMORY_ALLOCATION_BIT_EXT}) {
        EXPECT_EQ(swapchain.result, VK_SUCCESS);
        EXPECT_EQ(fake_driver().call_count("vkCreateSwapchainKHR"), calls_before + 1);
    }

    const size_t calls_before = fake_driver().call_count("vkCreateSwapchainKHR");
    Compositor compositor{{.globals = {.dmabuf = 0}}};
    App app;
    Owned<wl_surface*> window;
    Owned<VkSurfaceKHR> surface;
    Swapchain swapchain;
};

// A call that presents to a swapchain of the layer's and to one of the driver's, each with a fence.
struct MixedPresent {
    explicit MixedPresent(Client& with) : client(with) {}

    VkResult present() {
        return present_together(client.device.queue, all, {rendered}, fences.chain());
    }
    void expect_signalled_fences() {
        for (const auto& fence : owned)
            EXPECT_TRUE(wait_and_reset(client.device, fence));
        EXPECT_EQ(vkDeviceWaitIdle(client.device), VK_SUCCESS);
    }

    Client& client;
    const DriversWindow window{client};
    const Swapchain ours = client.swapchain();
    const Owned<VkSemaphore> rendered = make_semaphore(client.device);
    std::array<Presented, 2> all{
        Presented{ours, client.acquire_and_render(ours, rendered)},
        Presented{window.swapchain, client.acquire(window.swapchain).index}};
    const std::array<Owned<VkFence>, 2> owned{make_fence(client.device), make_fence(client.device)};
    Fences fences{{owned[0], owned[1]}};
};

TEST_P(DriversSwapchain, HasItsFenceSignalled) {
    Client client = client_of(start());
    const DriversWindow window(client);
    fake_driver().hold_rendering(VK_TRUE);
    const Owned<VkSemaphore> rendered = make_semaphore(client.device);
    const Owned<VkFence> fence = make_fence(client.device);
    const uint32_t index = client.acquire_and_render(window.swapchain, rendered);
    Fences fences({fence});
    ASSERT_EQ(present(client, window.swapchain, index, {rendered}, fences.chain()), VK_SUCCESS);
    EXPECT_EQ(fake_driver().present(0)->swapchains[0], VkSwapchainKHR(window.swapchain));
    EXPECT_EQ(fake_driver().call_count("vkQueueSubmit"), driver_has_it() ? 1u : 2u);
    EXPECT_EQ(status(client, fence), VK_NOT_READY);
    fake_driver().hold_rendering(VK_FALSE);
    EXPECT_TRUE(wait_and_reset(client.device, fence));
    EXPECT_EQ(vkDeviceWaitIdle(client.device), VK_SUCCESS);
}

TEST_P(DriversSwapchain, HasNoFenceSignalledIfTheCallRanOutOfMemory) {
    Client client = client_of(start());
    const DriversWindow window(client);
    const Owned<VkFence> fence = make_fence(client.device);
    Fences fences({fence});
    const uint32_t index = client.acquire(window.swapchain).index;
    fake_driver().fail_call("vkQueuePresentKHR", 1, VK_ERROR_OUT_OF_HOST_MEMORY);
    EXPECT_EQ(present(client, window.swapchain, index, {}, fences.chain()),
              VK_ERROR_OUT_OF_HOST_MEMORY);
    EXPECT_EQ(status(client, fence), VK_NOT_READY);
}

TEST_P(DriversSwapchain, HasItsPartOfAMixedCall) {
    Client client = client_of(start());
    const DriversWindow window(client);
    const Swapchain ours = swapchain_with(client, {mailbox, fifo});
    const SecondWindow second(client);
    const Swapchain other(client.device, second.surface);
    std::array all{Presented{ours, client.acquire(ours).index},
                   Presented{window.swapchain, client.acquire(window.swapchain).index},
                   Presented{other, client.acquire(other).index}};
    const std::array owned{make_fence(client.device), make_fence(client.device),
                           make_fence(client.device)};
    const VkRectLayerKHR rectangle{{1, 2}, {3, 4}, 0};
    const std::array regions{VkPresentRegionKHR{0, nullptr}, VkPresentRegionKHR{1, &rectangle},
                             VkPresentRegionKHR{0, nullptr}};
    const std::array<uint64_t, 3> numbers{7, 8, 9};
    VkPresentRegionsKHR damage{VK_STRUCTURE_TYPE_PRESENT_REGIONS_KHR, nullptr, 3, regions.data()};
    VkPresentIdKHR ids{VK_STRUCTURE_TYPE_PRESENT_ID_KHR, &damage, 3, numbers.data()};
    Fences fences({owned[0], owned[1], owned[2]});
    Modes modes({fifo, VK_PRESENT_MODE_IMMEDIATE_KHR, mailbox});
    ASSERT_EQ(present_together(client.device.queue, all, {}, fences.chain(modes.chain(&ids))),
              VK_SUCCESS);
    ASSERT_EQ(fake_driver().presents(), 1u);
    const FakeDriverPresent& seen = *fake_driver().present(0);
    ASSERT_EQ(seen.swapchain_count, 1u);
    EXPECT_EQ(seen.swapchains[0], VkSwapchainKHR(window.swapchain));
    ASSERT_NE(seen.fences, nullptr);
    EXPECT_EQ(seen.fences[0], VkFence(owned[1]));
    ASSERT_NE(seen.modes, nullptr);
    EXPECT_EQ(seen.modes[0], VK_PRESENT_MODE_IMMEDIATE_KHR);
    ASSERT_NE(seen.ids, nullptr);
    EXPECT_EQ(seen.ids[0], 8u);
    ASSERT_NE(seen.rectangle_counts, nullptr);
    EXPECT_EQ(seen.rectangle_counts[0], 1u);
    for (const auto& fence : owned)
        EXPECT_TRUE(wait_and_reset(client.device, fence));
    EXPECT_EQ(vkDeviceWaitIdle(client.device), VK_SUCCESS);
}

// The layer has waited for the semaphores, and has presented its own part: lack of memory would
// tell the application that it can repeat the call.
TEST_P(DriversSwapchain, LosesTheDeviceIfItsPartOfAMixedCallRunsOutOfMemory) {
    Client client = client_of(start());
    MixedPresent mixed(client);
    fake_driver().fail_call("vkQueuePresentKHR", 1, VK_ERROR_OUT_OF_HOST_MEMORY);
    EXPECT_EQ(mixed.present(), VK_ERROR_DEVICE_LOST);
    EXPECT_EQ(fake_driver().injected_failures(), 1u);
    EXPECT_EQ(mixed.all[0].result, VK_SUCCESS);
    EXPECT_EQ(mixed.all[1].result, VK_ERROR_DEVICE_LOST);
    mixed.expect_signalled_fences();
}

TEST_P(DriversSwapchain, SignalsEveryFenceForWhichASubmissionSucceeds) {
    Client client = client_of(start());
    const DriversWindow one(client);
    const DriversWindow other(client);
    std::array all{Presented{one.swapchain, client.acquire(one.swapchain).index},
                   Presented{other.swapchain, client.acquire(other.swapchain).index}};
    const std::array owned{make_fence(client.device), make_fence(client.device)};
    Fences fences({owned[0], owned[1]});
    fake_driver().fail_call("vkQueueSubmit", 1, VK_ERROR_DEVICE_LOST);
    // The layer submits only for a driver that does not know the fences.
    EXPECT_EQ(present_together(client.device.queue, all, {}, fences.chain()),
              driver_has_it() ? VK_SUCCESS : VK_ERROR_DEVICE_LOST);
    fake_driver().clear_failures();
    EXPECT_EQ(vkDeviceWaitIdle(client.device), VK_SUCCESS);
    EXPECT_EQ(status(client, owned[0]), driver_has_it() ? VK_SUCCESS : VK_NOT_READY);
    EXPECT_EQ(status(client, owned[1]), VK_SUCCESS);
}

// vkWaitForFences "must return in finite time even in the case of a lost device", and this device
// works: only the layer knows that the call could not wait for its semaphores.
TEST_P(DriversSwapchain, LosesTheDeviceWithItsFencesIfTheWaitsFail) {
    Client client = client_of(start());
    MixedPresent mixed(client);
    fake_driver().fail_call("vkGetSemaphoreFdKHR", 1, VK_ERROR_DEVICE_LOST);
    fake_driver().fail_call("vkQueueWaitIdle", 1, VK_ERROR_DEVICE_LOST);
    EXPECT_EQ(mixed.present(), VK_ERROR_DEVICE_LOST);
    fake_driver().clear_failures();
    mixed.expect_signalled_fences();
}

// The driver has presented.
TEST_P(DriversSwapchain, LosesTheDeviceIfItsFenceCannotBeSignalled) {
    Client client = client_of(start());
    const DriversWindow window(client);
    const Owned<VkFence> fence = make_fence(client.device);
    Fences fences({fence});
    const uint32_t index = client.acquire(window.swapchain).index;
    fake_driver().fail_call("vkQueueSubmit", 1, VK_ERROR_OUT_OF_HOST_MEMORY);
    EXPECT_EQ(present(client, window.swapchain, index, {}, fences.chain()),
              driver_has_it() ? VK_SUCCESS : VK_ERROR_DEVICE_LOST);
    EXPECT_EQ(fake_driver().injected_failures(), driver_has_it() ? 0u : 1u);
    fake_driver().clear_failures();
    EXPECT_EQ(vkDeviceWaitIdle(client.device), VK_SUCCESS);
}

TEST_P(DriversSwapchain, HasItsImagesReleasedByTheDriver) {
    Client client = client_of(start());
    const DriversWindow window(client);
    const uint32_t index = client.acquire(window.swapchain).index;
    const ErrorLog log;
    EXPECT_EQ(release(client, window.swapchain, {index}), VK_SUCCESS);
    EXPECT_EQ(fake_driver().call_count("vkReleaseSwapchainImagesKHR"), driver_has_it() ? 1u : 0u);
    EXPECT_EQ(log.lines_with({"warning:", "vkReleaseSwapchainImages"}).size(),
              driver_has_it() ? 0u : 1u)
        << log.text();
    const uint32_t other = client.acquire(window.swapchain).index;
    fake_driver().fail_call("vkReleaseSwapchainImagesKHR", 1, VK_ERROR_SURFACE_LOST_KHR);
    EXPECT_EQ(release(client, window.swapchain, {other}),
              driver_has_it() ? VK_ERROR_SURFACE_LOST_KHR : VK_SUCCESS);
    fake_driver().clear_failures();
}

INSTANTIATE_TEST_SUITE_P(, DriversSwapchain, testing::Bool(), [](const auto& tested) {
    return tested.param ? "DriverHasTheExtension" : "DriverLacksTheExtension";
});

} // namespace
} // namespace fencebridge::test
