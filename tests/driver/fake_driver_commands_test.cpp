// SPDX-License-Identifier: MIT
// The fake driver executes recorded commands, and imports host pointers.
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "fake_driver_fixture.hpp"

namespace fencebridge::test {
namespace {

constexpr uint64_t second = 1'000'000'000;
constexpr uint32_t width = 8;
constexpr uint32_t height = 4;
constexpr VkDeviceSize page = 4096;
using Pixel = std::array<uint8_t, 4>; // in the order of VK_FORMAT_B8G8R8A8_UNORM
constexpr Pixel red{0, 0, 255, 255};
constexpr Pixel untouched{};

VkClearColorValue colour(const Pixel& pixel) {
    return {{pixel[2] / 255.0F, pixel[1] / 255.0F, pixel[0] / 255.0F, pixel[3] / 255.0F}};
}

/// Pages of the application.
class Pages {
public:
    explicit Pages(size_t size) :
        size_{size}, data_{mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                                -1, 0)} {}
    ~Pages() { unmap(); }
    Pages(const Pages&) = delete;
    Pages& operator=(const Pages&) = delete;

    void unmap() {
        if (data_ != nullptr)
            munmap(std::exchange(data_, nullptr), size_);
    }
    [[nodiscard]] void* data() const { return data_; }
    [[nodiscard]] Pixel pixel(size_t index) const {
        Pixel value;
        std::memcpy(value.data(), static_cast<const uint8_t*>(data_) + index * 4, 4);
        return value;
    }

private:
    size_t size_;
    void* data_;
};

/// An application that renders to an image, and copies the image to a buffer in memory of its own.
template <class Base>
class WithCommands : public Base {
protected:
    void SetUp() override {
        Base::SetUp();
        fake_driver().set_executes_commands(VK_TRUE);
        fake_driver().add_device_extension(0, "VK_EXT_external_memory_host");
    }

    void begin() {
        auto extensions = sync_extensions;
        extensions.push_back("VK_EXT_external_memory_host");
        this->make_device(extensions);
        image_ = make_image(VK_IMAGE_TILING_OPTIMAL, nullptr);
        VkMemoryRequirements needs{};
        vkGetImageMemoryRequirements(*this->device_, image_, &needs);
        image_memory_ = allocate(needs.size, 0, nullptr);
        ASSERT_EQ(vkBindImageMemory(*this->device_, image_, image_memory_, 0), VK_SUCCESS);
        target_memory_ = import_pages(pages_.data(), page);
        const VkExternalMemoryBufferCreateInfo external{
            .sType = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_BUFFER_CREATE_INFO,
            .pNext = nullptr,
            .handleTypes = VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT};
        VkBufferCreateInfo info{};
        info.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO;
        info.pNext = &external;
        info.size = page;
        info.usage = VK_BUFFER_USAGE_TRANSFER_DST_BIT;
        ASSERT_EQ(vkCreateBuffer(*this->device_, &info, nullptr, &buffer_), VK_SUCCESS);
        ASSERT_EQ(vkBindBufferMemory(*this->device_, buffer_, target_memory_, 0), VK_SUCCESS);
    }

    VkImage make_image(VkImageTiling tiling, const void* next) {
        VkImageCreateInfo info{};
        info.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO;
        info.pNext = next;
        info.imageType = VK_IMAGE_TYPE_2D;
        info.format = VK_FORMAT_B8G8R8A8_UNORM;
        info.extent = {width, height, 1};
        info.mipLevels = info.arrayLayers = 1;
        info.samples = VK_SAMPLE_COUNT_1_BIT;
        info.tiling = tiling;
        info.usage = VK_IMAGE_USAGE_TRANSFER_DST_BIT | VK_IMAGE_USAGE_TRANSFER_SRC_BIT;
        VkImage image = VK_NULL_HANDLE;
        EXPECT_EQ(vkCreateImage(*this->device_, &info, nullptr, &image), VK_SUCCESS);
        return image;
    }

    VkDeviceMemory allocate(VkDeviceSize size, uint32_t type, const void* next) {
        const VkMemoryAllocateInfo info{.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
                                        .pNext = next,
                                        .allocationSize = size,
                                        .memoryTypeIndex = type};
        VkDeviceMemory memory = VK_NULL_HANDLE;
        result_ = vkAllocateMemory(*this->device_, &info, nullptr, &memory);
        return memory;
    }

    VkDeviceMemory import_pages(void* data, VkDeviceSize size) {
        const VkImportMemoryHostPointerInfoEXT host{
            .sType = VK_STRUCTURE_TYPE_IMPORT_MEMORY_HOST_POINTER_INFO_EXT,
            .pNext = nullptr,
            .handleType = VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT,
            .pHostPointer = data};
        return allocate(size, 1, &host);
    }

    void barrier(VkCommandBuffer commands, VkImageLayout from, VkImageLayout to) {
        VkImageMemoryBarrier info{};
        info.sType = VK_STRUCTURE_TYPE_IMAGE_MEMORY_BARRIER;
        info.oldLayout = from;
        info.newLayout = to;
        info.image = image_;
        info.subresourceRange = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1};
        vkCmdPipelineBarrier(commands, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT,
                             VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, 0, 0, nullptr, 0, nullptr, 1,
                             &info);
    }

    void render(VkCommandBuffer commands, const Pixel& pixel) {
        barrier(commands, VK_IMAGE_LAYOUT_UNDEFINED, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL);
        const VkClearColorValue value = colour(pixel);
        const VkImageSubresourceRange all{VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1};
        vkCmdClearColorImage(commands, image_, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL, &value, 1,
                             &all);
        barrier(commands, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL,
                VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL);
    }

    void copy(VkCommandBuffer commands, uint32_t buffer_row_length = 0) {
        VkBufferImageCopy region{};
        region.bufferRowLength = buffer_row_length;
        region.imageSubresource = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 0, 1};
        region.imageExtent = {width, height, 1};
        vkCmdCopyImageToBuffer(commands, image_, VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL, buffer_, 1,
                               &region);
    }

    using Commands = FakeDriverTest::Commands;
    template <class Record>
    Commands recorded(Record&& record) {
        const Commands commands = this->begin_commands();
        record(commands.buffer);
        EXPECT_EQ(vkEndCommandBuffer(commands.buffer), VK_SUCCESS);
        pools_.push_back(commands.pool);
        return commands;
    }

    void TearDown() override {
        if (this->device_ != nullptr) {
            EXPECT_EQ(vkDeviceWaitIdle(*this->device_), VK_SUCCESS);
            for (const VkCommandPool pool : pools_)
                vkDestroyCommandPool(*this->device_, pool, nullptr);
            vkDestroyBuffer(*this->device_, buffer_, nullptr);
            vkDestroyImage(*this->device_, image_, nullptr);
            for (const VkDeviceMemory memory : {image_memory_, target_memory_})
                vkFreeMemory(*this->device_, memory, nullptr);
        }
        Base::TearDown();
    }

    Pages pages_{page};
    VkImage image_{VK_NULL_HANDLE};
    VkBuffer buffer_{VK_NULL_HANDLE};
    VkDeviceMemory image_memory_{VK_NULL_HANDLE};
    VkDeviceMemory target_memory_{VK_NULL_HANDLE};
    VkResult result_{VK_SUCCESS};
    std::vector<VkCommandPool> pools_;
};

using FakeDriverCommands = WithCommands<FakeDriverTest>;
using FakeDriverCommandsMisuse = WithCommands<FakeDriverMisuse>;

TEST_F(FakeDriverCommands, ACopyHasWhatWasRendered) {
    begin();
    const Commands commands = recorded([&](VkCommandBuffer buffer) {
        render(buffer, red);
        copy(buffer, width + 2);
    });
    submit({}, {}, VK_NULL_HANDLE, commands.buffer);
    EXPECT_EQ(vkDeviceWaitIdle(*device_), VK_SUCCESS);
    for (size_t y = 0; y < height; ++y) {
        EXPECT_EQ(pages_.pixel(y * (width + 2)), red);
        EXPECT_EQ(pages_.pixel(y * (width + 2) + width - 1), red);
        EXPECT_EQ(pages_.pixel(y * (width + 2) + width), untouched);
    }
}

TEST_F(FakeDriverCommands, ByDefaultCommandsAreNotExecuted) {
    fake_driver().set_executes_commands(VK_FALSE);
    begin();
    const Commands commands = recorded([&](VkCommandBuffer buffer) {
        render(buffer, red);
        copy(buffer);
    });
    submit({}, {}, VK_NULL_HANDLE, commands.buffer);
    EXPECT_EQ(pages_.pixel(0), untouched);
}

TEST_F(FakeDriverCommands, ACopyIsExecutedAfterItsWaitAndBeforeWhatItSignals) {
    begin();
    const VkSemaphore acquired = make_semaphore(false);
    const VkSemaphore copied = make_semaphore();
    const VkFence fence = make_fence();
    const int event = eventfd(0, EFD_CLOEXEC);
    ASSERT_EQ(import_semaphore(acquired, dup(event)), VK_SUCCESS);
    const Commands rendering = recorded([&](VkCommandBuffer buffer) { render(buffer, red); });
    const Commands copying = recorded([&](VkCommandBuffer buffer) { copy(buffer); });
    submit({acquired}, {}, VK_NULL_HANDLE, rendering.buffer);
    submit({}, {copied}, fence, copying.buffer);
    const int fd = export_semaphore(copied);
    ASSERT_GE(fd, 0);
    EXPECT_EQ(pages_.pixel(0), untouched);
    EXPECT_EQ(vkGetFenceStatus(*device_, fence), VK_NOT_READY);
    eventfd_write(event, 1);
    pollfd entry{.fd = fd, .events = POLLIN, .revents = 0};
    EXPECT_EQ(poll(&entry, 1, 10'000), 1);
    EXPECT_EQ(vkWaitForFences(*device_, 1, &fence, VK_TRUE, 10 * second), VK_SUCCESS);
    EXPECT_EQ(pages_.pixel(0), red);
    for (const int descriptor : {fd, event})
        close(descriptor);
    for (const VkSemaphore semaphore : {acquired, copied})
        vkDestroySemaphore(*device_, semaphore, nullptr);
    vkDestroyFence(*device_, fence, nullptr);
}

TEST_F(FakeDriverCommands, ACopyThatDoesNotWaitForTheRenderingReadsWhatWasThereBefore) {
    begin();
    constexpr Pixel blue{255, 0, 0, 255};
    const VkSemaphore acquired = make_semaphore(false);
    const int event = eventfd(0, EFD_CLOEXEC);
    ASSERT_EQ(import_semaphore(acquired, dup(event)), VK_SUCCESS);
    const Commands before = recorded([&](VkCommandBuffer buffer) { render(buffer, blue); });
    const Commands rendering = recorded([&](VkCommandBuffer buffer) { render(buffer, red); });
    const Commands copying = recorded([&](VkCommandBuffer buffer) { copy(buffer); });
    submit({}, {}, VK_NULL_HANDLE, before.buffer);
    submit({acquired}, {}, VK_NULL_HANDLE, rendering.buffer, 0);
    submit({}, {}, VK_NULL_HANDLE, copying.buffer, 1);
    EXPECT_EQ(pages_.pixel(0), blue);
    eventfd_write(event, 1);
    EXPECT_EQ(vkDeviceWaitIdle(*device_), VK_SUCCESS);
    EXPECT_EQ(pages_.pixel(0), blue);
    close(event);
    vkDestroySemaphore(*device_, acquired, nullptr);
}

TEST_F(FakeDriverCommands, AnImageIsCopiedToALinearImageOfHostMemory) {
    begin();
    const VkExternalMemoryImageCreateInfo external{
        .sType = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_IMAGE_CREATE_INFO,
        .pNext = nullptr,
        .handleTypes = VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT};
    fake_driver().set_linear_layout(0, 64, 0);
    const VkImage target = make_image(VK_IMAGE_TILING_LINEAR, &external);
    Pages shown{page};
    const VkDeviceMemory memory = import_pages(shown.data(), page);
    ASSERT_EQ(vkBindImageMemory(*device_, target, memory, 0), VK_SUCCESS);
    const Commands commands = recorded([&](VkCommandBuffer buffer) {
        render(buffer, red);
        VkImageMemoryBarrier2 to_target{};
        to_target.sType = VK_STRUCTURE_TYPE_IMAGE_MEMORY_BARRIER_2;
        to_target.newLayout = VK_IMAGE_LAYOUT_GENERAL;
        to_target.image = target;
        VkDependencyInfo info{};
        info.sType = VK_STRUCTURE_TYPE_DEPENDENCY_INFO;
        info.imageMemoryBarrierCount = 1;
        info.pImageMemoryBarriers = &to_target;
        device_->function<PFN_vkCmdPipelineBarrier2>("vkCmdPipelineBarrier2")(buffer, &info);
        VkImageCopy region{};
        region.dstOffset = {1, 1, 0};
        region.extent = {2, 2, 1};
        vkCmdCopyImage(buffer, image_, VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL, target,
                       VK_IMAGE_LAYOUT_GENERAL, 1, &region);
    });
    submit({}, {}, VK_NULL_HANDLE, commands.buffer);
    EXPECT_EQ(vkDeviceWaitIdle(*device_), VK_SUCCESS);
    constexpr size_t pitch = 16; // pixels, of 64 bytes
    EXPECT_NE(shown.pixel(pitch), red);
    EXPECT_EQ(shown.pixel(pitch + 1), red);
    EXPECT_EQ(shown.pixel(2 * pitch + 2), red);
    EXPECT_NE(shown.pixel(3 * pitch + 1), red);
    vkDestroyImage(*device_, target, nullptr);
    vkFreeMemory(*device_, memory, nullptr);
}

TEST_F(FakeDriverCommands, TheLayoutsOfHostMemoryAreReported) {
    begin();
    VkPhysicalDeviceExternalMemoryHostPropertiesEXT host{};
    host.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_MEMORY_HOST_PROPERTIES_EXT;
    VkPhysicalDeviceProperties2 properties{};
    properties.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2;
    properties.pNext = &host;
    vkGetPhysicalDeviceProperties2(instance_->physical_device(), &properties);
    EXPECT_EQ(host.minImportedHostPointerAlignment,
              VkDeviceSize{FAKE_DRIVER_HOST_POINTER_ALIGNMENT});
    const auto get = device_->function<PFN_vkGetMemoryHostPointerPropertiesEXT>(
        "vkGetMemoryHostPointerPropertiesEXT");
    VkMemoryHostPointerPropertiesEXT types{};
    types.sType = VK_STRUCTURE_TYPE_MEMORY_HOST_POINTER_PROPERTIES_EXT;
    ASSERT_EQ(get(*device_, VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT, pages_.data(),
                  &types),
              VK_SUCCESS);
    EXPECT_EQ(types.memoryTypeBits, 0b10U);
    fake_driver().fail_call("vkGetMemoryHostPointerPropertiesEXT", 1, VK_ERROR_OUT_OF_HOST_MEMORY);
    EXPECT_EQ(get(*device_, VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT, pages_.data(),
                  &types),
              VK_ERROR_OUT_OF_HOST_MEMORY);
    for (const VkImageTiling tiling : {VK_IMAGE_TILING_LINEAR, VK_IMAGE_TILING_OPTIMAL}) {
        const VkPhysicalDeviceExternalImageFormatInfo external{
            .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_IMAGE_FORMAT_INFO,
            .pNext = nullptr,
            .handleType = VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT};
        const VkPhysicalDeviceImageFormatInfo2 info{
            .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_IMAGE_FORMAT_INFO_2,
            .pNext = &external,
            .format = VK_FORMAT_B8G8R8A8_UNORM,
            .type = VK_IMAGE_TYPE_2D,
            .tiling = tiling,
            .usage = VK_IMAGE_USAGE_TRANSFER_DST_BIT,
            .flags = 0};
        VkImageFormatProperties2 format{};
        format.sType = VK_STRUCTURE_TYPE_IMAGE_FORMAT_PROPERTIES_2;
        EXPECT_EQ(
            vkGetPhysicalDeviceImageFormatProperties2(instance_->physical_device(), &info, &format),
            tiling == VK_IMAGE_TILING_LINEAR ? VK_SUCCESS : VK_ERROR_FORMAT_NOT_SUPPORTED);
    }
}

TEST_F(FakeDriverCommandsMisuse, AHostPointerThatIsNotAlignedIsReported) {
    begin();
    (void)import_pages(static_cast<std::byte*>(pages_.data()) + 64, page);
    EXPECT_EQ(result_, VK_ERROR_INVALID_EXTERNAL_HANDLE);
}

TEST_F(FakeDriverCommandsMisuse, AHostPointerOfAPartOfAPageIsReported) {
    begin();
    (void)import_pages(pages_.data(), page / 2);
    EXPECT_EQ(result_, VK_ERROR_INVALID_EXTERNAL_HANDLE);
}

TEST_F(FakeDriverCommandsMisuse, AHostPointerWithoutPagesIsReported) {
    begin();
    (void)import_pages(reinterpret_cast<void*>(page), page); // Linux maps nothing there
    EXPECT_EQ(result_, VK_ERROR_INVALID_EXTERNAL_HANDLE);
}

TEST_F(FakeDriverCommandsMisuse, PagesThatAreUnmappedBeforeTheirMemoryIsFreedAreReported) {
    begin();
    pages_.unmap();
}

TEST_F(FakeDriverCommandsMisuse, AnImageInAnotherLayoutIsReported) {
    begin();
    const Commands commands = recorded([&](VkCommandBuffer buffer) { copy(buffer); });
    submit({}, {}, VK_NULL_HANDLE, commands.buffer);
}

TEST_F(FakeDriverCommandsMisuse, ACommandOutsideOfARecordingIsReported) {
    begin();
    const Commands commands = recorded([](VkCommandBuffer) {});
    render(commands.buffer, red);
    EXPECT_EQ(fake_driver().misuses(), 3U); // a clear and two barriers
    fake_driver().reset();
    vkEndCommandBuffer(commands.buffer);
}

TEST_F(FakeDriverCommandsMisuse, ACommandBufferThatIsNotRecordedIsReported) {
    begin();
    const Commands commands = begin_commands();
    pools_.push_back(commands.pool);
    submit({}, {}, VK_NULL_HANDLE, commands.buffer);
}

TEST_F(FakeDriverCommandsMisuse, ACommandBufferFreedBeforeItsBatchHasFinishedIsReported) {
    begin();
    const Commands commands = recorded([](VkCommandBuffer) {});
    fake_driver().hold_rendering(VK_TRUE);
    submit({}, {}, VK_NULL_HANDLE, commands.buffer);
    vkFreeCommandBuffers(*device_, commands.pool, 1, &commands.buffer);
    fake_driver().hold_rendering(VK_FALSE);
}

TEST_F(FakeDriverCommandsMisuse, AnImageDestroyedBeforeItsBatchHasFinishedIsReported) {
    begin();
    const Commands commands = recorded([&](VkCommandBuffer buffer) { render(buffer, red); });
    fake_driver().hold_rendering(VK_TRUE);
    submit({}, {}, VK_NULL_HANDLE, commands.buffer);
    vkDestroyImage(*device_, std::exchange(image_, VK_NULL_HANDLE), nullptr);
    fake_driver().hold_rendering(VK_FALSE);
}

TEST_F(FakeDriverCommandsMisuse, ARecordedCommandBufferOfAPoolWithoutResetsIsNotBegunAgain) {
    begin();
    const Commands commands = recorded([](VkCommandBuffer) {});
    const VkCommandBufferBeginInfo info{.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
                                        .pNext = nullptr,
                                        .flags = 0,
                                        .pInheritanceInfo = nullptr};
    EXPECT_EQ(vkBeginCommandBuffer(commands.buffer, &info), VK_SUCCESS);
}

TEST_F(FakeDriverCommandsMisuse, ACopyBeyondTheBufferIsReported) {
    begin();
    const Commands commands = recorded([&](VkCommandBuffer buffer) {
        render(buffer, red);
        copy(buffer, 2 * page);
    });
    submit({}, {}, VK_NULL_HANDLE, commands.buffer);
}

TEST_F(FakeDriverCommands, EveryCallOfACommandBufferCanFail) {
    begin();
    for (const char* const function : {"vkCreateCommandPool", "vkAllocateCommandBuffers"})
        fake_driver().fail_call(function, 1, VK_ERROR_OUT_OF_HOST_MEMORY);
    const VkCommandPoolCreateInfo pool{.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
                                       .pNext = nullptr,
                                       .flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT,
                                       .queueFamilyIndex = 0};
    Commands commands;
    EXPECT_EQ(vkCreateCommandPool(*device_, &pool, nullptr, &commands.pool),
              VK_ERROR_OUT_OF_HOST_MEMORY);
    EXPECT_EQ(vkCreateCommandPool(*device_, &pool, nullptr, &commands.pool), VK_SUCCESS);
    pools_.push_back(commands.pool);
    const VkCommandBufferAllocateInfo info{.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
                                           .pNext = nullptr,
                                           .commandPool = commands.pool,
                                           .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
                                           .commandBufferCount = 1};
    EXPECT_EQ(vkAllocateCommandBuffers(*device_, &info, &commands.buffer),
              VK_ERROR_OUT_OF_HOST_MEMORY);
    EXPECT_EQ(fake_driver().live_objects(FAKE_DRIVER_COMMAND_BUFFER), 0U);
    EXPECT_EQ(vkAllocateCommandBuffers(*device_, &info, &commands.buffer), VK_SUCCESS);
    const VkCommandBufferBeginInfo begin{.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
                                         .pNext = nullptr,
                                         .flags = 0,
                                         .pInheritanceInfo = nullptr};
    for (const char* const function :
         {"vkBeginCommandBuffer", "vkEndCommandBuffer", "vkResetCommandBuffer"})
        fake_driver().fail_call(function, 1, VK_ERROR_OUT_OF_DEVICE_MEMORY);
    EXPECT_EQ(vkBeginCommandBuffer(commands.buffer, &begin), VK_ERROR_OUT_OF_DEVICE_MEMORY);
    EXPECT_EQ(vkBeginCommandBuffer(commands.buffer, &begin), VK_SUCCESS);
    EXPECT_EQ(vkEndCommandBuffer(commands.buffer), VK_ERROR_OUT_OF_DEVICE_MEMORY);
    EXPECT_EQ(vkEndCommandBuffer(commands.buffer), VK_SUCCESS);
    EXPECT_EQ(vkResetCommandBuffer(commands.buffer, 0), VK_ERROR_OUT_OF_DEVICE_MEMORY);
    EXPECT_EQ(vkResetCommandBuffer(commands.buffer, 0), VK_SUCCESS);
}

} // namespace
} // namespace fencebridge::test
