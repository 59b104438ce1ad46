// SPDX-License-Identifier: MIT
// The allocator `copy-dma-buf`: the application draws to images in the driver's own layout, and
// each present copies one of them to a dma-buf, which the compositor reads.
#include "aliases.hpp"
#include "allocator_setting.hpp"
#include "fake_memory.hpp"
#include "fake_module.hpp"
#include "fixture.hpp"
#include "who_waits.hpp"

#include "fake_driver/control.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>

namespace fencebridge::test {
namespace {

constexpr uint32_t all_devices = FAKE_DRIVER_ALL_DEVICES;
constexpr VkExtent2D odd = {65, 33};
// How long a test waits for a commit that must not arrive.
constexpr std::chrono::milliseconds short_while{100};

using Bytes = std::vector<uint8_t>;

// The rows of a picture, without padding. No two rows and no two pictures are equal.
Bytes picture(VkExtent2D extent, size_t pixel, uint32_t seed) {
    Bytes bytes(extent.width * extent.height * pixel);
    for (size_t i = 0; i < bytes.size(); ++i)
        bytes[i] = uint8_t(i * 7 + i / 251 + seed * 31);
    return bytes;
}

// Records what the compositor reads at each commit.
class Reader {
public:
    explicit Reader(Compositor& compositor, size_t pixel) : compositor_(compositor) {
        compositor_.on_thread([this, pixel](Scene& scene) {
            scene.on_commit([this, &scene, pixel](const Commit& commit) {
                if (!commit.buffer)
                    return;
                Bytes bytes = read(scene.buffer(*commit.buffer), pixel);
                std::lock_guard lock(mutex_);
                pictures_.push_back(std::move(bytes));
            });
        });
    }
    ~Reader() {
        compositor_.on_thread([](Scene& scene) { scene.on_commit({}); });
    }

    std::vector<Bytes> pictures() {
        compositor_.settle();
        std::lock_guard lock(mutex_);
        return pictures_;
    }

private:
    static Bytes read(const ClientBuffer& buffer, size_t pixel) {
        const Plane& plane = buffer.planes.begin()->second;
        const size_t size = plane.offset + size_t(plane.stride) * size_t(buffer.height);
        void* const data = mmap(nullptr, size, PROT_READ, MAP_SHARED, plane.fd.get(), 0);
        Bytes bytes;
        if (data == MAP_FAILED)
            return bytes;
        const auto* row = static_cast<const uint8_t*>(data) + plane.offset;
        for (int32_t y = 0; y < buffer.height; ++y, row += plane.stride)
            bytes.insert(bytes.end(), row, row + size_t(buffer.width) * pixel);
        munmap(data, size);
        return bytes;
    }

    Compositor& compositor_;
    std::mutex mutex_;
    std::vector<Bytes> pictures_;
};

// Draws pictures. What it has made lives until the device is idle.
class Painter {
public:
    explicit Painter(VkDevice device) : device_(device) {
        VkCommandPoolCreateInfo info{VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO};
        EXPECT_EQ(vkCreateCommandPool(device_, &info, nullptr, &pool_), VK_SUCCESS);
    }
    ~Painter() {
        vkDeviceWaitIdle(device_);
        vkDestroyCommandPool(device_, pool_, nullptr);
        for (const Staging& one : staging_) {
            vkDestroyBuffer(device_, one.buffer, nullptr);
            vkFreeMemory(device_, one.memory, nullptr);
        }
    }
    Painter(const Painter&) = delete;
    Painter& operator=(const Painter&) = delete;

    // Submits commands that draw the picture to a swapchain's image.
    void paint(VkQueue queue, VkImage image, VkExtent2D extent, const Bytes& bytes,
               std::vector<VkSemaphore> signal) {
        const VkBuffer buffer = stage(bytes);
        VkCommandBuffer commands = begin_commands(device_, pool_);
        change_layout(commands, image, VK_IMAGE_LAYOUT_UNDEFINED,
                      VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL);
        VkBufferImageCopy all{};
        all.imageSubresource = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 0, 1};
        all.imageExtent = {extent.width, extent.height, 1};
        vkCmdCopyBufferToImage(commands, buffer, image, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL, 1,
                               &all);
        change_layout(commands, image, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL,
                      VK_IMAGE_LAYOUT_PRESENT_SRC_KHR);
        EXPECT_EQ(vkEndCommandBuffer(commands), VK_SUCCESS);
        VkSubmitInfo info{VK_STRUCTURE_TYPE_SUBMIT_INFO};
        info.commandBufferCount = 1;
        info.pCommandBuffers = &commands;
        info.signalSemaphoreCount = uint32_t(signal.size());
        info.pSignalSemaphores = signal.data();
        EXPECT_EQ(vkQueueSubmit(queue, 1, &info, VK_NULL_HANDLE), VK_SUCCESS);
    }

private:
    struct Staging {
        VkBuffer buffer;
        VkDeviceMemory memory;
    };

    VkBuffer stage(const Bytes& bytes) {
        Staging made{};
        VkBufferCreateInfo info{VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO};
        info.size = bytes.size();
        info.usage = VK_BUFFER_USAGE_TRANSFER_SRC_BIT;
        EXPECT_EQ(vkCreateBuffer(device_, &info, nullptr, &made.buffer), VK_SUCCESS);
        VkMemoryAllocateInfo memory{VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO};
        memory.allocationSize = bytes.size();
        memory.memoryTypeIndex = 1; // host-visible
        EXPECT_EQ(vkAllocateMemory(device_, &memory, nullptr, &made.memory), VK_SUCCESS);
        EXPECT_EQ(vkBindBufferMemory(device_, made.buffer, made.memory, 0), VK_SUCCESS);
        void* data = nullptr;
        EXPECT_EQ(vkMapMemory(device_, made.memory, 0, VK_WHOLE_SIZE, 0, &data), VK_SUCCESS);
        std::memcpy(data, bytes.data(), bytes.size());
        vkUnmapMemory(device_, made.memory);
        staging_.push_back(made);
        return made.buffer;
    }

    VkDevice device_;
    VkCommandPool pool_ = VK_NULL_HANDLE;
    std::deque<Staging> staging_;
};

struct TestedFormat {
    VkFormat format;
    uint32_t drm_with_alpha;
    uint32_t drm_opaque;
    size_t pixel; // bytes
    uint32_t pitch;
    friend void PrintTo(const TestedFormat& tested, std::ostream* out) { *out << tested.format; }
};
constexpr uint32_t rgb565 = fourcc('R', 'G', '1', '6');
constexpr uint32_t bgr888 = fourcc('B', 'G', '2', '4');
constexpr TestedFormat bgra = {VK_FORMAT_B8G8R8A8_UNORM, drm_argb8888, drm_xrgb8888, 4, 512};

class Copies : public CompositorTest {
protected:
    void SetUp() override {
        CompositorTest::SetUp();
        fake_driver().set_executes_commands(VK_TRUE);
    }

    static uint64_t calls(const char* function) { return fake_driver().call_count(function); }

    AllocatorSetting setting_{"copy-dma-buf"};
};

// The transport `kernel`, on a fake of the ioctls, while it lives. With `cpu`, each present waits
// for its copy.
class KernelTransport {
public:
    KernelTransport() {
        module_.enable_dma_buf_ioctls();
        setenv("FENCEBRIDGE_SYNC", "kernel", 1);
    }
    ~KernelTransport() { unsetenv("FENCEBRIDGE_SYNC"); }
    KernelTransport(const KernelTransport&) = delete;
    KernelTransport& operator=(const KernelTransport&) = delete;

private:
    FakeModule module_;
};

// ---- what the compositor reads ----

class CopiesOfAFormat : public Copies, public testing::WithParamInterface<TestedFormat> {
protected:
    void SetUp() override {
        Copies::SetUp();
        const FakeDriverModifier linear = driver_modifier(drm_linear);
        fake_driver().set_format(all_devices, GetParam().format, 1, &linear);
    }
};

TEST_P(CopiesOfAFormat, AreWhatTheApplicationHasDrawn) {
    const TestedFormat& tested = GetParam();
    ErrorLog log;
    Feedback feedback = linear_feedback();
    for (const uint32_t format : {tested.drm_with_alpha, tested.drm_opaque})
        feedback.tranches.front().formats.push_back({format, drm_linear});
    Compositor& compositor = start({.feedback = feedback});
    Client client(compositor);
    Reader reader(compositor, tested.pixel);
    const Swapchain swapchain = client.swapchain(
        {.extent = odd,
         .format = tested.format,
         .usage = VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT | VK_IMAGE_USAGE_TRANSFER_DST_BIT});
    ASSERT_EQ(swapchain.result, VK_SUCCESS);
    EXPECT_EQ(swapchains_by(log, "copy-dma-buf"), 1u) << log.text();
    Painter painter(client.device);
    const auto rendered = make_semaphore(client.device);
    std::vector<Bytes> drawn;
    for (uint32_t frame = 0; frame < 7; ++frame) {
        const auto [result, index] = client.acquire(swapchain);
        ASSERT_EQ(result, VK_SUCCESS);
        drawn.push_back(picture(odd, tested.pixel, frame));
        painter.paint(client.device.queue, swapchain.images[index], odd, drawn.back(), {rendered});
        EXPECT_EQ(client.present_after(swapchain, index, {rendered}), VK_SUCCESS);
    }
    EXPECT_EQ(reader.pictures(), drawn);
    const uint32_t pitch = compositor.on_thread([](Scene& scene) {
        return scene.buffer(*scene.commits().back().buffer).planes.begin()->second.stride;
    });
    EXPECT_EQ(pitch, tested.pitch);
}

INSTANTIATE_TEST_SUITE_P(
    , CopiesOfAFormat,
    testing::Values(bgra, TestedFormat{VK_FORMAT_R5G6B5_UNORM_PACK16, rgb565, rgb565, 2, 256},
                    TestedFormat{VK_FORMAT_R8G8B8_UNORM, bgr888, bgr888, 3, 768},
                    TestedFormat{VK_FORMAT_R16G16B16A16_UNORM, fourcc('A', 'B', '4', '8'),
                                 fourcc('X', 'B', '4', '8'), 8, 768}),
    [](const auto& row) { return "Of" + std::to_string(row.param.pixel) + "Bytes"; });

class CopiesOfOne : public Copies {
protected:
    // Of a swapchain whose images can be painted.
    static constexpr SwapchainOptions options = {.extent = odd,
                                                 .usage = VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT |
                                                          VK_IMAGE_USAGE_TRANSFER_DST_BIT};

    // A client with one such swapchain.
    void open(Script script = {},
              std::vector<const char*> extensions = {VK_KHR_SWAPCHAIN_EXTENSION_NAME}) {
        client_ = std::make_unique<Client>(start(std::move(script)).connect(), InstanceOptions{},
                                           std::move(extensions));
        reopen_swapchain();
        painter_.emplace(client_->device);
    }
    void reopen_swapchain() {
        swapchain_ = {};
        swapchain_ = client_->swapchain(options);
        ASSERT_EQ(swapchain_.result, VK_SUCCESS);
    }
    void close() {
        painter_.reset();
        swapchain_ = {};
        client_.reset();
    }
    void TearDown() override {
        fake_driver().hold_rendering(VK_FALSE);
        close();
        CompositorTest::TearDown();
    }

    // Acquires an image and draws to it on a queue.
    uint32_t paint(const Bytes& bytes, VkQueue queue, VkSemaphore rendered) {
        const auto [result, index] = client_->acquire(swapchain_);
        EXPECT_EQ(result, VK_SUCCESS);
        painter_->paint(queue, swapchain_.images[index], odd, bytes, {rendered});
        return index;
    }

    // The same, and the drawing ends. What is submitted from now on is held.
    uint32_t paint_and_hold() {
        const auto [result, index] = client_->acquire(swapchain_);
        EXPECT_EQ(result, VK_SUCCESS);
        painter_->paint(client_->device.queue, swapchain_.images[index], odd,
                        picture(odd, bgra.pixel, 1), {});
        EXPECT_EQ(vkDeviceWaitIdle(client_->device), VK_SUCCESS);
        fake_driver().hold_rendering(VK_TRUE);
        return index;
    }

    // Presents a picture to each of the two swapchains in one call.
    void present_both(const Swapchain& other) {
        ASSERT_EQ(other.result, VK_SUCCESS);
        Reader reader(*compositor_, bgra.pixel);
        const auto rendered = make_semaphore(client_->device);
        const auto other_rendered = make_semaphore(client_->device);
        std::vector<Bytes> drawn = {picture(odd, bgra.pixel, 1), picture(odd, bgra.pixel, 2)};
        const uint32_t index = paint(drawn[0], client_->device.queue, rendered);
        const auto [result, other_index] = client_->acquire(other);
        ASSERT_EQ(result, VK_SUCCESS);
        painter_->paint(client_->device.queue, other.images[other_index], odd, drawn[1],
                        {other_rendered});
        const uint64_t submissions = calls("vkQueueSubmit");
        Presented both[] = {{swapchain_, index}, {other, other_index}};
        EXPECT_EQ(present_together(client_->device.queue, both, {rendered, other_rendered}),
                  VK_SUCCESS);
        EXPECT_EQ(calls("vkQueueSubmit"), submissions + 1);
        EXPECT_EQ(reader.pictures(), drawn);
        vkDeviceWaitIdle(client_->device);
    }

    std::unique_ptr<Client> client_;
    Swapchain swapchain_;
    std::optional<Painter> painter_;
};

TEST_F(CopiesOfOne, WaitForTheSemaphoresOfThePresent) {
    open();
    Reader reader(*compositor_, bgra.pixel);
    fake_driver().hold_rendering(VK_TRUE);
    const auto rendered = make_semaphore(client_->device);
    const Bytes drawn = picture(odd, bgra.pixel, 1);
    // Only the semaphore orders the copy behind this queue.
    const uint32_t index = paint(drawn, client_->device.other_queue, rendered);
    std::thread presenting(
        [&] { EXPECT_EQ(client_->present_after(swapchain_, index, {rendered}), VK_SUCCESS); });
    EXPECT_FALSE(compositor_->wait_for_commits(1, short_while));
    fake_driver().hold_rendering(VK_FALSE);
    presenting.join();
    EXPECT_EQ(reader.pictures(), std::vector<Bytes>{drawn});
}

TEST_F(CopiesOfOne, AreOneSubmissionAndAreRecordedOnce) {
    open();
    for (size_t frame = 0; frame < 4 * swapchain_.images.size(); ++frame) {
        const auto rendered = make_semaphore(client_->device);
        const uint32_t index = paint(picture(odd, bgra.pixel, 0), client_->device.queue, rendered);
        const uint64_t submissions = calls("vkQueueSubmit");
        const uint64_t begun = calls("vkBeginCommandBuffer");
        const bool is_first = frame < swapchain_.images.size();
        EXPECT_EQ(client_->present_after(swapchain_, index, {rendered}), VK_SUCCESS);
        EXPECT_EQ(calls("vkQueueSubmit"), submissions + 1);
        EXPECT_EQ(calls("vkBeginCommandBuffer"), begun + (is_first ? 1 : 0)) << frame;
        vkDeviceWaitIdle(client_->device);
    }
}

TEST_F(CopiesOfOne, OfSeveralSwapchainsAreOneSubmission) {
    open();
    SecondWindow second(*client_);
    const Swapchain other(client_->device, second.surface, options);
    present_both(other);
}

TEST_F(CopiesOfOne, ShareASubmissionWithImagesThatAreNotCopied) {
    setenv("FENCEBRIDGE_IMAGE", "auto", 1);
    fake_driver().hide_device_extension(all_devices,
                                        VK_EXT_IMAGE_DRM_FORMAT_MODIFIER_EXTENSION_NAME);
    fake_driver().set_linear_features(all_devices, VK_FORMAT_FEATURE_COLOR_ATTACHMENT_BIT |
                                                       VK_FORMAT_FEATURE_TRANSFER_DST_BIT);
    ErrorLog log;
    open();
    SecondWindow second(*client_);
    const Swapchain other(client_->device, second.surface,
                          {.extent = odd, .usage = options.usage | VK_IMAGE_USAGE_SAMPLED_BIT});
    EXPECT_EQ(swapchains_by(log, "driver-export"), 1u) << log.text();
    EXPECT_EQ(swapchains_by(log, "copy-dma-buf"), 1u) << log.text();
    present_both(other);
}

class AliasesOfCopied : public CopiesOfOne, public testing::WithParamInterface<VkBool32> {};

// The copy is made of the memory that both images have.
TEST_P(AliasesOfCopied, AreShown) {
    fake_driver().set_dedicated(all_devices, GetParam(), VK_FALSE);
    open();
    const auto [result, index] = client_->acquire(swapchain_);
    ASSERT_EQ(result, VK_SUCCESS);
    const Owned<VkImage> alias = make_alias(client_->device, swapchain_, index, options);
    Reader reader(*compositor_, bgra.pixel);
    const VkQueue queue = client_->device.queue;
    const auto rendered = make_semaphore(client_->device);
    const Bytes drawn = picture(odd, bgra.pixel, 1);
    painter_->paint(queue, swapchain_.images[index], odd, picture(odd, bgra.pixel, 2), {});
    painter_->paint(queue, alias, odd, drawn, {rendered});
    EXPECT_EQ(client_->present_after(swapchain_, index, {rendered}), VK_SUCCESS);
    EXPECT_EQ(reader.pictures(), std::vector<Bytes>{drawn});
    vkDeviceWaitIdle(client_->device);
}

INSTANTIATE_TEST_SUITE_P(, AliasesOfCopied, testing::Values(VK_FALSE, VK_TRUE),
                         [](const auto& row) {
                             return std::string(row.param ? "PrefersDedicated" : "NotDedicated");
                         });

// Its memory can be bound to no other image, and is not a dma-buf that could be imported again.
TEST_F(CopiesOfOne, HaveNoAliasesIfTheDriverRequiresDedicatedMemory) {
    fake_driver().set_dedicated(all_devices, VK_TRUE, VK_TRUE);
    open();
    const Owned<VkImage> alias = create_alias(client_->device, swapchain_, options);
    EXPECT_EQ(bind_alias(client_->device, swapchain_, 0, alias), VK_ERROR_OUT_OF_DEVICE_MEMORY);
}

// ---- the owner of the copies ----

// "External Resource Sharing" in the specification. A driver may resolve or flush what it keeps of
// the memory only then.
TEST_F(CopiesOfOne, BelongToForeignQueuesAfterAPresent) {
    open();
    for (size_t frame = 0; frame < 2 * swapchain_.images.size(); ++frame) {
        const auto rendered = make_semaphore(client_->device);
        const uint32_t index = paint(picture(odd, bgra.pixel, 0), client_->device.queue, rendered);
        EXPECT_EQ(client_->present_after(swapchain_, index, {rendered}), VK_SUCCESS);
        vkDeviceWaitIdle(client_->device);
        EXPECT_EQ(fake_driver().foreign_buffers(), std::min(frame + 1, swapchain_.images.size()));
    }
}

TEST_F(CopiesOfOne, AreNotTransferredIfTheDriverDoesNotKnowForeignQueues) {
    fake_driver().hide_device_extension(all_devices, VK_EXT_QUEUE_FAMILY_FOREIGN_EXTENSION_NAME);
    open();
    const auto rendered = make_semaphore(client_->device);
    const uint32_t index = paint(picture(odd, bgra.pixel, 0), client_->device.queue, rendered);
    EXPECT_EQ(client_->present_after(swapchain_, index, {rendered}), VK_SUCCESS);
    vkDeviceWaitIdle(client_->device);
    EXPECT_EQ(fake_driver().foreign_buffers(), 0u);
}

// ---- the memory of the copies ----

class CopiesTo : public CopiesOfOne {
protected:
    void SetUp() override {
        memory_.emplace();
        CopiesOfOne::SetUp();
        // As a driver may have it.
        fake_driver().set_dedicated(all_devices, VK_TRUE, VK_TRUE);
        fake_driver().set_import_padding(all_devices, 64);
    }
    void TearDown() override {
        CopiesOfOne::TearDown();
        memory_.reset();
    }

    // The client's surface was queried before: the layer has made its trial.
    void open_and_show(const char* allocator = "copy-dma-buf") {
        ErrorLog log;
        open();
        EXPECT_EQ(swapchains_by(log, allocator), 1u) << log.text();
        Reader reader(*compositor_, bgra.pixel);
        const auto rendered = make_semaphore(client_->device);
        const Bytes drawn = picture(odd, bgra.pixel, 1);
        const uint32_t index = paint(drawn, client_->device.queue, rendered);
        EXPECT_EQ(client_->present_after(swapchain_, index, {rendered}), VK_SUCCESS);
        EXPECT_EQ(reader.pictures(), std::vector<Bytes>{drawn});
        vkDeviceWaitIdle(client_->device);
    }

    std::optional<FakeMemory> memory_;
};

TEST_F(CopiesTo, ImportedDmaBufsIfTheDriverExportsNone) {
    memory_->fail_ioctl(udmabuf, EPERM);
    fake_driver().set_dma_buf_features(all_devices, VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT);
    open_and_show();
    EXPECT_GE(memory_->made(system_heap), swapchain_.images.size());
    EXPECT_EQ(fake_driver().exported_memory_fds(), 0u);
}

TEST_F(CopiesTo, DmaBufsOfTheNextSourceIfTheDriverRefusesTheFirst) {
    fake_driver().set_dma_buf_features(all_devices, VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT);
    memory_->fail_ioctl(system_heap, EPERM);
    open_and_show();
    EXPECT_GE(memory_->made(udmabuf), swapchain_.images.size());
}

TEST_F(CopiesTo, ExportedDmaBufsIfTheDriverImportsNone) {
    fake_driver().set_dma_buf_features(all_devices, VK_EXTERNAL_MEMORY_FEATURE_EXPORTABLE_BIT);
    open_and_show();
    EXPECT_EQ(memory_->made(system_heap), 0u);
    EXPECT_GE(fake_driver().exported_memory_fds(), swapchain_.images.size());
}

TEST_F(CopiesTo, ImportedDmaBufsIfTheExportFails) {
    open_and_show();
    EXPECT_EQ(memory_->made(system_heap), 0u);
    fake_driver().fail_call("vkAllocateMemory", 1, VK_ERROR_OUT_OF_DEVICE_MEMORY);
    reopen_swapchain();
    EXPECT_EQ(memory_->made(system_heap), 1u);
}

// RADV: importers ignore the fences on its own buffers, and wait for those on imported ones.
class FencesOnCopies : public CopiesTo {
protected:
    void SetUp() override {
        CopiesTo::SetUp();
        fake_driver().set_driver_id(all_devices, VK_DRIVER_ID_MESA_RADV);
        transport_.emplace();
    }
    void TearDown() override {
        close();
        transport_.reset();
        CopiesTo::TearDown();
    }

    // Whether a present waits for the rendering.
    bool present_waits() {
        const uint32_t index = paint_and_hold();
        const bool waited = run_and_see_whether_it_waits(
            [&] { EXPECT_EQ(client_->present(swapchain_, index), VK_SUCCESS); },
            [] { EXPECT_TRUE(fake_driver().release_one()); });
        fake_driver().hold_rendering(VK_FALSE);
        vkDeviceWaitIdle(client_->device);
        return waited;
    }

    std::optional<KernelTransport> transport_;
};

TEST_F(FencesOnCopies, AreIgnoredIfTheMemoryIsExported) {
    open();
    EXPECT_TRUE(present_waits());
}

TEST_F(FencesOnCopies, AreHonouredIfTheMemoryIsImported) {
    fake_driver().set_dma_buf_features(all_devices, VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT);
    open();
    EXPECT_FALSE(present_waits());
}

TEST_F(FencesOnCopies, AreIgnoredIfTheMemoryOfOneImageIsExported) {
    open();
    // The memory of the first image's copy, the first image, the memory of the second one's copy.
    fake_driver().fail_call("vkAllocateMemory", 1, VK_ERROR_OUT_OF_DEVICE_MEMORY);
    const size_t before = memory_->made(system_heap);
    reopen_swapchain();
    EXPECT_EQ(memory_->made(system_heap), before + 1);
    EXPECT_TRUE(present_waits());
}

// ---- failures ----

class FailingCopies : public CopiesOfOne, public testing::WithParamInterface<const char*> {};

// VK_ERROR_OUT_OF_DEVICE_MEMORY: "the set of queue operations are not enqueued", and the
// application may present again.
TEST_P(FailingCopies, ConsumeNothing) {
    open();
    Reader reader(*compositor_, bgra.pixel);
    const auto rendered = make_semaphore(client_->device);
    const Bytes drawn = picture(odd, bgra.pixel, 1);
    const uint32_t index = paint(drawn, client_->device.queue, rendered);
    fake_driver().fail_call(GetParam(), 1, VK_ERROR_OUT_OF_DEVICE_MEMORY);
    EXPECT_EQ(client_->present_after(swapchain_, index, {rendered}), VK_ERROR_OUT_OF_DEVICE_MEMORY);
    EXPECT_EQ(fake_driver().injected_failures(), 1u);
    EXPECT_EQ(compositor_->commits(), 0u);
    EXPECT_EQ(client_->present_after(swapchain_, index, {rendered}), VK_SUCCESS);
    EXPECT_EQ(reader.pictures(), std::vector<Bytes>{drawn});
}

INSTANTIATE_TEST_SUITE_P(, FailingCopies,
                         testing::Values("vkCreateCommandPool", "vkAllocateCommandBuffers",
                                         "vkBeginCommandBuffer", "vkEndCommandBuffer",
                                         "vkQueueSubmit"),
                         [](const auto& row) { return std::string(row.param + 2); });

class FailingCreation : public Copies, public testing::WithParamInterface<const char*> {};

TEST_P(FailingCreation, FailsWithTheDriversError) {
    // Otherwise the layer would import a dma-buf instead.
    fake_driver().set_dma_buf_features(all_devices, VK_EXTERNAL_MEMORY_FEATURE_EXPORTABLE_BIT);
    Client client(start());
    VkSurfaceCapabilitiesKHR capabilities{};
    ASSERT_EQ(vkGetPhysicalDeviceSurfaceCapabilitiesKHR(client.device.physical, client.surface,
                                                        &capabilities),
              VK_SUCCESS);
    for (const uint32_t nth : {1u, 2u}) {
        fake_driver().fail_call(GetParam(), nth, VK_ERROR_OUT_OF_HOST_MEMORY);
        EXPECT_EQ(client.swapchain().result, VK_ERROR_OUT_OF_HOST_MEMORY);
        EXPECT_EQ(fake_driver().injected_failures(), nth);
    }
    EXPECT_EQ(client.swapchain().result, VK_SUCCESS);
}

INSTANTIATE_TEST_SUITE_P(, FailingCreation,
                         testing::Values("vkCreateBuffer", "vkAllocateMemory", "vkGetMemoryFdKHR",
                                         "vkBindBufferMemory", "vkCreateImage",
                                         "vkBindImageMemory"),
                         [](const auto& row) { return std::string(row.param + 2); });

// ---- the end of a swapchain ----

// The application has waited for its own rendering, and not for the copy.
TEST_F(CopiesOfOne, EndBeforeTheirSwapchain) {
    const KernelTransport transport;
    open();
    const uint32_t index = paint_and_hold();
    ASSERT_EQ(client_->present(swapchain_, index), VK_SUCCESS);
    ASSERT_EQ(fake_driver().held_batches(), 1u);
    EXPECT_TRUE(run_and_see_whether_it_waits([&] { swapchain_ = {}; },
                                             [] { EXPECT_TRUE(fake_driver().release_one()); }));
}

// VK_EXT_swapchain_maintenance1: the present fence signals when the copy has ended.
TEST_F(CopiesOfOne, EndBeforeThePresentFenceSignals) {
    const KernelTransport transport;
    open({}, {VK_KHR_SWAPCHAIN_EXTENSION_NAME, VK_EXT_SWAPCHAIN_MAINTENANCE_1_EXTENSION_NAME});
    const uint32_t index = paint_and_hold();
    const auto fence = make_fence(client_->device);
    VkSwapchainPresentFenceInfoEXT fences{VK_STRUCTURE_TYPE_SWAPCHAIN_PRESENT_FENCE_INFO_EXT};
    const VkFence handle = fence;
    fences.swapchainCount = 1;
    fences.pFences = &handle;
    ASSERT_EQ(present(client_->device.queue, swapchain_, index, {}, &fences), VK_SUCCESS);
    EXPECT_EQ(vkGetFenceStatus(client_->device, fence), VK_NOT_READY);
    EXPECT_TRUE(fake_driver().release_one());
    EXPECT_TRUE(wait_and_reset(client_->device, fence));
}

// ---- queues ----

// Only an image that the application shares with the compositor, or one whose present has failed
// for want of a slot for its times, is presented twice without an acquire.
TEST_F(Copies, OfOneImageOnTwoQueuesFollowEachOther) {
    FakeModule module;
    module.enable_dma_buf_ioctls();
    setenv("FENCEBRIDGE_SYNC", "kernel", 1);
    fake_driver().set_executes_commands(VK_FALSE);
    fake_driver().add_device_extension(0, VK_KHR_SHARED_PRESENTABLE_IMAGE_EXTENSION_NAME);
    Client client(
        start({.shares_buffers = true}).connect(), {},
        {VK_KHR_SWAPCHAIN_EXTENSION_NAME, VK_KHR_SHARED_PRESENTABLE_IMAGE_EXTENSION_NAME});
    unsetenv("FENCEBRIDGE_SYNC");
    const Swapchain swapchain =
        client.swapchain({.mode = VK_PRESENT_MODE_SHARED_DEMAND_REFRESH_KHR, .min_images = 1});
    ASSERT_EQ(swapchain.result, VK_SUCCESS);
    ASSERT_EQ(client.acquire(swapchain).result, VK_SUCCESS);
    fake_driver().hold_rendering(VK_TRUE);
    EXPECT_EQ(present(client.device.queue, swapchain, 0), VK_SUCCESS);
    EXPECT_TRUE(run_and_see_whether_it_waits(
        [&] { EXPECT_EQ(present(client.device.other_queue, swapchain, 0), VK_SUCCESS); },
        [] {
            EXPECT_EQ(fake_driver().held_batches(), 1u); // the second copy is not submitted yet
            EXPECT_TRUE(fake_driver().release_one());
        }));
    EXPECT_EQ(fake_driver().held_batches(), 1u);
    fake_driver().hold_rendering(VK_FALSE);
    vkDeviceWaitIdle(client.device);
}

TEST_F(Copies, NeedAQueueFamilyThatCanCopy) {
    constexpr VkQueueFlags video_decode = 0x20; // VK_QUEUE_VIDEO_DECODE_BIT_KHR
    const VkQueueFlags families[] = {VK_QUEUE_GRAPHICS_BIT, VK_QUEUE_COMPUTE_BIT,
                                     VK_QUEUE_TRANSFER_BIT, VK_QUEUE_SPARSE_BINDING_BIT,
                                     video_decode};
    fake_driver().set_queue_families(all_devices, 5, families);
    Client client(start());
    for (uint32_t family = 0; family < 6; ++family) {
        VkBool32 supported = VK_FALSE;
        EXPECT_EQ(vkGetPhysicalDeviceSurfaceSupportKHR(client.device.physical, family,
                                                       client.surface, &supported),
                  VK_SUCCESS);
        EXPECT_EQ(supported, VkBool32(family < 3)) << family;
        EXPECT_EQ(vkGetPhysicalDeviceWaylandPresentationSupportKHR(client.device.physical, family,
                                                                   client.app.display()),
                  supported)
            << family;
    }
}

// The fake driver reports a command buffer of another family as misuse.
TEST_F(Copies, AreRecordedForEachQueueFamily) {
    const VkQueueFlags families[] = {VK_QUEUE_GRAPHICS_BIT | VK_QUEUE_TRANSFER_BIT,
                                     VK_QUEUE_TRANSFER_BIT};
    fake_driver().set_queue_families(all_devices, 2, families);
    Compositor& compositor = start();
    App app(compositor);
    const auto instance = make_instance();
    Device device(instance);
    constexpr float priority = 1;
    VkDeviceQueueCreateInfo queues[2] = {};
    for (uint32_t family = 0; family < 2; ++family) {
        queues[family].sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO;
        queues[family].queueFamilyIndex = family;
        queues[family].queueCount = 1;
        queues[family].pQueuePriorities = &priority;
    }
    const char* const extension = VK_KHR_SWAPCHAIN_EXTENSION_NAME;
    VkDeviceCreateInfo info{VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO};
    info.queueCreateInfoCount = 2;
    info.pQueueCreateInfos = queues;
    info.enabledExtensionCount = 1;
    info.ppEnabledExtensionNames = &extension;
    VkDevice handle = VK_NULL_HANDLE;
    ASSERT_EQ(vkCreateDevice(device.physical, &info, nullptr, &handle), VK_SUCCESS);
    device.device = {handle, [](VkDevice dying) { vkDestroyDevice(dying, nullptr); }};
    VkQueue of_family[2] = {};
    for (uint32_t family = 0; family < 2; ++family)
        vkGetDeviceQueue(device, family, 0, &of_family[family]);

    const auto window = app.new_surface();
    const auto surface = make_surface(instance, app, window);
    const Swapchain swapchain(
        device, surface,
        {.extent = odd,
         .usage = VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT | VK_IMAGE_USAGE_TRANSFER_DST_BIT});
    ASSERT_EQ(swapchain.result, VK_SUCCESS);
    Reader reader(compositor, bgra.pixel);
    Painter painter(device);
    const auto rendered = make_semaphore(device);
    std::vector<Bytes> drawn;
    for (uint32_t frame = 0; frame < 8; ++frame) {
        const auto [result, index] = acquire(device, swapchain);
        ASSERT_EQ(result, VK_SUCCESS);
        drawn.push_back(picture(odd, bgra.pixel, frame));
        painter.paint(of_family[0], swapchain.images[index], odd, drawn.back(), {rendered});
        EXPECT_EQ(present(of_family[frame % 2], swapchain, index, {rendered}), VK_SUCCESS);
    }
    EXPECT_EQ(reader.pictures(), drawn);
}

} // namespace
} // namespace fencebridge::test
