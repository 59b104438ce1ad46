// SPDX-License-Identifier: MIT
// The fake driver reports each handle that it did not create, whatever call receives it. So tests
// notice if the layer passes down a handle of its own. Surfaces are left out, because the loader
// itself dereferences their handles.
#include <ostream>

#include "fake_driver_fixture.hpp"

namespace fencebridge::test {
namespace {

/// A handle of any type to which the driver has no object.
struct UnknownHandle {
    template <class Handle>
    operator Handle() const {
        return (Handle)uint64_t{0x77};
    }
};
constexpr UnknownHandle unknown;

struct Call {
    const char* name;
    void (*make)(const Device& device, VkCommandBuffer commands);
};

void PrintTo(const Call& call, std::ostream* out) { *out << call.name; }

void submit_with(const Device& device, VkSemaphore wait, VkSemaphore signal, VkFence fence) {
    static constexpr VkPipelineStageFlags stage = VK_PIPELINE_STAGE_ALL_COMMANDS_BIT;
    VkSubmitInfo info{};
    info.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO;
    info.waitSemaphoreCount = wait != VK_NULL_HANDLE ? 1 : 0;
    info.pWaitSemaphores = &wait;
    info.pWaitDstStageMask = &stage;
    info.signalSemaphoreCount = signal != VK_NULL_HANDLE ? 1 : 0;
    info.pSignalSemaphores = &signal;
    (void)vkQueueSubmit(device.queue(), 1, &info, fence);
}

void present(const Device& device, VkSemaphore wait, VkSwapchainKHR swapchain) {
    static constexpr uint32_t image = 0;
    VkPresentInfoKHR info{};
    info.sType = VK_STRUCTURE_TYPE_PRESENT_INFO_KHR;
    info.waitSemaphoreCount = wait != VK_NULL_HANDLE ? 1 : 0;
    info.pWaitSemaphores = &wait;
    info.swapchainCount = swapchain != VK_NULL_HANDLE ? 1 : 0;
    info.pSwapchains = &swapchain;
    info.pImageIndices = &image;
    (void)vkQueuePresentKHR(device.queue(), &info);
}

VkMappedMemoryRange range_of_unknown_memory() {
    VkMappedMemoryRange range{};
    range.sType = VK_STRUCTURE_TYPE_MAPPED_MEMORY_RANGE;
    range.memory = unknown;
    return range;
}

const Call calls[]{
    {"vkDestroyImage", [](const Device& d, auto) { vkDestroyImage(d, unknown, nullptr); }},
    {"vkGetImageMemoryRequirements",
     [](const Device& d, auto) {
         VkMemoryRequirements requirements;
         vkGetImageMemoryRequirements(d, unknown, &requirements);
     }},
    {"vkBindImageMemory",
     [](const Device& d, auto) { (void)vkBindImageMemory(d, unknown, unknown, 0); }},
    {"vkGetImageSubresourceLayout",
     [](const Device& d, auto) {
         const VkImageSubresource part{VK_IMAGE_ASPECT_COLOR_BIT, 0, 0};
         VkSubresourceLayout layout;
         vkGetImageSubresourceLayout(d, unknown, &part, &layout);
     }},
    {"vkCreateImage_of_a_swapchain",
     [](const Device& d, auto) {
         VkImageSwapchainCreateInfoKHR of{};
         of.sType = VK_STRUCTURE_TYPE_IMAGE_SWAPCHAIN_CREATE_INFO_KHR;
         of.swapchain = unknown;
         VkImageCreateInfo info{};
         info.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO;
         info.pNext = &of;
         info.format = VK_FORMAT_B8G8R8A8_UNORM;
         info.extent = {1, 1, 1};
         VkImage image = VK_NULL_HANDLE;
         EXPECT_EQ(vkCreateImage(d, &info, nullptr, &image), VK_SUCCESS);
         vkDestroyImage(d, image, nullptr);
     }},
    {"vkCreateImageView",
     [](const Device& d, auto) {
         VkImageViewCreateInfo info{};
         info.sType = VK_STRUCTURE_TYPE_IMAGE_VIEW_CREATE_INFO;
         info.image = unknown;
         VkImageView view;
         (void)vkCreateImageView(d, &info, nullptr, &view);
     }},
    {"vkDestroyImageView", [](const Device& d, auto) { vkDestroyImageView(d, unknown, nullptr); }},
    {"vkFreeMemory", [](const Device& d, auto) { vkFreeMemory(d, unknown, nullptr); }},
    {"vkMapMemory",
     [](const Device& d, auto) {
         void* data;
         (void)vkMapMemory(d, unknown, 0, 1, 0, &data);
     }},
    {"vkUnmapMemory", [](const Device& d, auto) { vkUnmapMemory(d, unknown); }},
    {"vkFlushMappedMemoryRanges",
     [](const Device& d, auto) {
         const auto range = range_of_unknown_memory();
         (void)vkFlushMappedMemoryRanges(d, 1, &range);
     }},
    {"vkInvalidateMappedMemoryRanges",
     [](const Device& d, auto) {
         const auto range = range_of_unknown_memory();
         (void)vkInvalidateMappedMemoryRanges(d, 1, &range);
     }},
    {"vkDestroyBuffer", [](const Device& d, auto) { vkDestroyBuffer(d, unknown, nullptr); }},
    {"vkGetBufferMemoryRequirements",
     [](const Device& d, auto) {
         VkMemoryRequirements requirements;
         vkGetBufferMemoryRequirements(d, unknown, &requirements);
     }},
    {"vkBindBufferMemory",
     [](const Device& d, auto) { (void)vkBindBufferMemory(d, unknown, unknown, 0); }},
    {"vkDestroySemaphore", [](const Device& d, auto) { vkDestroySemaphore(d, unknown, nullptr); }},
    {"vkDestroyFence", [](const Device& d, auto) { vkDestroyFence(d, unknown, nullptr); }},
    {"vkResetFences",
     [](const Device& d, auto) {
         const VkFence fence = unknown;
         (void)vkResetFences(d, 1, &fence);
     }},
    {"vkGetFenceStatus", [](const Device& d, auto) { (void)vkGetFenceStatus(d, unknown); }},
    {"vkWaitForFences",
     [](const Device& d, auto) {
         const VkFence fence = unknown;
         (void)vkWaitForFences(d, 1, &fence, VK_TRUE, 0);
     }},
    {"vkQueueSubmit_waits",
     [](const Device& d, auto) { submit_with(d, unknown, VK_NULL_HANDLE, VK_NULL_HANDLE); }},
    {"vkQueueSubmit_signals",
     [](const Device& d, auto) { submit_with(d, VK_NULL_HANDLE, unknown, VK_NULL_HANDLE); }},
    {"vkQueueSubmit_fence",
     [](const Device& d, auto) { submit_with(d, VK_NULL_HANDLE, VK_NULL_HANDLE, unknown); }},
    {"vkDestroySwapchainKHR",
     [](const Device& d, auto) { vkDestroySwapchainKHR(d, unknown, nullptr); }},
    {"vkGetSwapchainImagesKHR",
     [](const Device& d, auto) {
         uint32_t count = 0;
         (void)vkGetSwapchainImagesKHR(d, unknown, &count, nullptr);
     }},
    {"vkAcquireNextImageKHR",
     [](const Device& d, auto) {
         uint32_t image;
         (void)vkAcquireNextImageKHR(d, unknown, 0, VK_NULL_HANDLE, VK_NULL_HANDLE, &image);
     }},
    {"vkQueuePresentKHR_waits", [](const Device& d, auto) { present(d, unknown, VK_NULL_HANDLE); }},
    {"vkQueuePresentKHR_swapchain",
     [](const Device& d, auto) { present(d, VK_NULL_HANDLE, unknown); }},
    {"vkDestroyCommandPool",
     [](const Device& d, auto) { vkDestroyCommandPool(d, unknown, nullptr); }},
    {"vkResetCommandPool", [](const Device& d, auto) { (void)vkResetCommandPool(d, unknown, 0); }},
    {"vkAllocateCommandBuffers",
     [](const Device& d, auto) {
         VkCommandBufferAllocateInfo info{};
         info.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO;
         info.commandPool = unknown;
         info.commandBufferCount = 1;
         VkCommandBuffer commands;
         (void)vkAllocateCommandBuffers(d, &info, &commands);
     }},
    {"vkFreeCommandBuffers",
     [](const Device& d, VkCommandBuffer commands) {
         vkFreeCommandBuffers(d, unknown, 1, &commands);
     }},
    {"vkCmdClearColorImage",
     [](const Device&, VkCommandBuffer commands) {
         const VkClearColorValue colour{};
         vkCmdClearColorImage(commands, unknown, VK_IMAGE_LAYOUT_GENERAL, &colour, 0, nullptr);
     }},
    {"vkCmdCopyImage",
     [](const Device&, VkCommandBuffer commands) {
         vkCmdCopyImage(commands, unknown, VK_IMAGE_LAYOUT_GENERAL, unknown,
                        VK_IMAGE_LAYOUT_GENERAL, 0, nullptr);
     }},
    {"vkCmdPipelineBarrier",
     [](const Device&, VkCommandBuffer commands) {
         VkBufferMemoryBarrier barrier{};
         barrier.sType = VK_STRUCTURE_TYPE_BUFFER_MEMORY_BARRIER;
         barrier.buffer = unknown;
         vkCmdPipelineBarrier(commands, 0, 0, 0, 0, nullptr, 1, &barrier, 0, nullptr);
     }},
    {"vkSetPrivateData",
     [](const Device& d, auto) {
         const auto set = d.function<PFN_vkSetPrivateData>("vkSetPrivateData");
         (void)set(d, VK_OBJECT_TYPE_SWAPCHAIN_KHR, 0x77, unknown, 1);
     }},
    {"vkGetPrivateData",
     [](const Device& d, auto) {
         const auto get = d.function<PFN_vkGetPrivateData>("vkGetPrivateData");
         uint64_t data;
         get(d, VK_OBJECT_TYPE_SWAPCHAIN_KHR, 0x77, unknown, &data);
     }},
    {"vkDestroyPrivateDataSlot",
     [](const Device& d, auto) {
         d.function<PFN_vkDestroyPrivateDataSlot>("vkDestroyPrivateDataSlot")(d, unknown, nullptr);
     }},
};

class FakeDriverHandles : public FakeDriverTest, public testing::WithParamInterface<Call> {
protected:
    void SetUp() override {
        FakeDriverTest::SetUp();
        make_device({"VK_KHR_swapchain"});
        commands_ = begin_commands();
    }
    void TearDown() override {
        vkDestroyCommandPool(*device_, commands_.pool, nullptr);
        FakeDriverTest::TearDown();
    }
    Commands commands_;
};

TEST_P(FakeDriverHandles, AHandleThatIsNotTheDriversIsAMisuse) {
    GetParam().make(*device_, commands_.buffer);
    EXPECT_GT(fake_driver().misuses(), 0U);
    fake_driver().reset();
}

INSTANTIATE_TEST_SUITE_P(, FakeDriverHandles, testing::ValuesIn(calls),
                         [](const auto& row) { return row.param.name; });

/// What the loader expects behind a dispatchable handle: the dispatch table of a real object.
struct Dispatched {
    explicit Dispatched(void* of) : table{*static_cast<void**>(of)} {}
    void* table;
    void* room[64]{}; ///< the loader may read more than the dispatch table
};

using FakeDriverDeathTest = FakeDriverTest;

TEST_F(FakeDriverDeathTest, ADispatchableHandleThatIsNotTheDriversAborts) {
    make_device({"VK_KHR_swapchain"});
    Dispatched queue{device_->queue()};
    EXPECT_DEATH((void)vkQueueWaitIdle(reinterpret_cast<VkQueue>(&queue)), "not a live VkQueue");
    Dispatched device{static_cast<VkDevice>(*device_)};
    EXPECT_DEATH((void)vkDeviceWaitIdle(reinterpret_cast<VkDevice>(&device)),
                 "not a live VkDevice");
    const Commands real = make_commands();
    Dispatched commands{real.buffer};
    EXPECT_DEATH((void)vkEndCommandBuffer(reinterpret_cast<VkCommandBuffer>(&commands)),
                 "not a live VkCommandBuffer");
    vkDestroyCommandPool(*device_, real.pool, nullptr);
}

} // namespace
} // namespace fencebridge::test
