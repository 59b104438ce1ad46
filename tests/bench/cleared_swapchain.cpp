// SPDX-License-Identifier: MIT
#include "cleared_swapchain.hpp"

#include <algorithm>
#include <chrono>
#include <future>
#include <limits>
#include <string>
#include <thread>

#include <unistd.h>

#include "still/failure.hpp"
#include "still/layout.hpp"

namespace fencebridge::bench {
namespace {

using still::check;

constexpr uint64_t forever = std::numeric_limits<uint64_t>::max();

} // namespace

void Marks::set(const char* name) const {
    if (on_)
        static_cast<void>(access(name, F_OK));
}

ClearedSwapchain::ClearedSwapchain(const still::Gpu& gpu, still::Surface surface,
                                   VkPresentModeKHR mode, Size size, uint32_t clears,
                                   const still::CommandPool& pool) :
    gpu_(gpu),
    surface_(std::move(surface)) {
    create(mode, size);
    for (VkImage image : gpu_.images_of(swapchain_))
        add_image(image, clears, pool);
    for (Slot& slot : slots_)
        slot = {gpu_.create_semaphore(), gpu_.create_signalled_fence()};
}

void ClearedSwapchain::create(VkPresentModeKHR mode, Size size) {
    if (std::ranges::none_of(gpu_.formats_of(surface_), [](const VkSurfaceFormatKHR& offered) {
            return offered.format == VK_FORMAT_B8G8R8A8_UNORM;
        }))
        throw still::Unsupported("the surface lacks VK_FORMAT_B8G8R8A8_UNORM");
    // With two images, each acquire of FIFO waits for the screen, and hides what the calls cost.
    const uint32_t images = std::max(gpu_.capabilities_of(surface_).minImageCount, 3u);
    swapchain_ = gpu_.create_swapchain(surface_, {.format = VK_FORMAT_B8G8R8A8_UNORM,
                                                  .extent = {size.width, size.height},
                                                  .min_images = images,
                                                  .alpha = VK_COMPOSITE_ALPHA_OPAQUE_BIT_KHR,
                                                  .mode = mode});
}

void ClearedSwapchain::add_image(VkImage image, uint32_t clears, const still::CommandPool& pool) {
    VkCommandBuffer commands = gpu_.allocate_commands(pool);
    VkCommandBufferBeginInfo begin{};
    begin.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO;
    check(vkBeginCommandBuffer(commands, &begin), "vkBeginCommandBuffer");
    still::change_layout(commands, image, still::to_be_written);
    // Each image has a shade of its own, so that successive frames differ visibly.
    const float shade = float(images_.size() + 1) / 8;
    const VkClearColorValue colour{.float32 = {shade, shade, 0.5f, 1}};
    constexpr VkClearColorValue red{.float32 = {1, 0, 0, 1}};
    for (uint32_t i = 1; i <= clears; ++i) {
        vkCmdClearColorImage(commands, image, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL,
                             i == clears ? &colour : &red, 1, &still::whole_image);
        if (i < clears)
            still::change_layout(commands, image, still::to_be_written_again);
    }
    still::change_layout(commands, image, still::to_be_presented);
    check(vkEndCommandBuffer(commands), "vkEndCommandBuffer");
    images_.push_back({commands, gpu_.create_semaphore()});
}

// The next slot, when its last submission has ended.
ClearedSwapchain::Slot& ClearedSwapchain::next_slot() {
    Slot& slot = slots_[next_slot_];
    next_slot_ = (next_slot_ + 1) % slots_.size();
    check(vkWaitForFences(gpu_.device(), 1, slot.done.address(), VK_TRUE, forever),
          "vkWaitForFences");
    check(vkResetFences(gpu_.device(), 1, slot.done.address()), "vkResetFences");
    return slot;
}

uint32_t ClearedSwapchain::acquire(VkSemaphore semaphore, VkFence fence) {
    uint32_t index = 0;
    check(vkAcquireNextImageKHR(gpu_.device(), swapchain_.get(), forever, semaphore, fence, &index),
          "vkAcquireNextImageKHR");
    return index;
}

void ClearedSwapchain::hold(uint32_t count) {
    // The compositor keeps an image, and one is needed for the frames.
    if (count > 0 && count + 2 > images_.size())
        throw still::UsageError("a swapchain of " + std::to_string(images_.size()) +
                                " images can do without at most " +
                                std::to_string(images_.size() - 2));
    for (uint32_t i = 0; i < count; ++i) {
        held_.push_back(gpu_.create_semaphore());
        acquire(held_.back().get(), VK_NULL_HANDLE);
    }
}

std::pair<uint32_t, std::chrono::nanoseconds> ClearedSwapchain::timed_acquire(VkSemaphore semaphore,
                                                                              VkFence fence) {
    const uint64_t timeout = held_.empty() ? forever : 0;
    while (true) {
        uint32_t index = 0;
        const auto start = Clock::now();
        const VkResult result = vkAcquireNextImageKHR(gpu_.device(), swapchain_.get(), timeout,
                                                      semaphore, fence, &index);
        if (result != VK_NOT_READY) {
            check(result, "vkAcquireNextImageKHR");
            return {index, Clock::now() - start};
        }
        std::this_thread::sleep_for(std::chrono::microseconds(200)); // for the compositor to run
    }
}

void ClearedSwapchain::submit(const Slot& slot, const Image& image) {
    const VkPipelineStageFlags stage = VK_PIPELINE_STAGE_TRANSFER_BIT;
    VkSubmitInfo submission{};
    submission.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO;
    submission.waitSemaphoreCount = 1;
    submission.pWaitSemaphores = slot.acquired.address();
    submission.pWaitDstStageMask = &stage;
    submission.commandBufferCount = 1;
    submission.pCommandBuffers = &image.clear;
    submission.signalSemaphoreCount = 1;
    submission.pSignalSemaphores = image.drawn.address();
    check(vkQueueSubmit(gpu_.queue(), 1, &submission, slot.done.get()), "vkQueueSubmit");
}

void ClearedSwapchain::present(const Image& image, uint32_t index, const void* next) {
    const VkSwapchainKHR swapchain = swapchain_.get();
    VkPresentInfoKHR present{};
    present.sType = VK_STRUCTURE_TYPE_PRESENT_INFO_KHR;
    present.pNext = next;
    present.waitSemaphoreCount = 1;
    present.pWaitSemaphores = image.drawn.address();
    present.swapchainCount = 1;
    present.pSwapchains = &swapchain;
    present.pImageIndices = &index;
    check(vkQueuePresentKHR(gpu_.queue(), &present), "vkQueuePresentKHR");
}

void ClearedSwapchain::show(const Marks& marks, const void* next) {
    const Slot& slot = next_slot();
    marks.set("bench:acquire");
    const uint32_t index = acquire(slot.acquired.get(), VK_NULL_HANDLE);
    marks.set("bench:submit");
    submit(slot, images_[index]);
    marks.set("bench:present");
    present(images_[index], index, next);
}

void ClearedSwapchain::frame(const Marks& marks) {
    show(marks, nullptr);
    marks.set("bench:between");
}

CallTimes ClearedSwapchain::clocked_frame() {
    const Slot& slot = next_slot();
    const auto start = Clock::now();
    const uint32_t index = acquire(slot.acquired.get(), VK_NULL_HANDLE);
    const auto acquired = Clock::now();
    submit(slot, images_[index]);
    const auto submitted = Clock::now();
    present(images_[index], index);
    return {acquired - start, Clock::now() - submitted};
}

void ClearedSwapchain::awaited_frame(const Marks& marks) {
    const uint64_t before = present_id_++;
    VkPresentIdKHR id{};
    id.sType = VK_STRUCTURE_TYPE_PRESENT_ID_KHR;
    id.swapchainCount = 1;
    id.pPresentIds = &present_id_;
    show(marks, &id);
    marks.set("bench:wait");
    if (before > 0)
        check(wait_for_present_(gpu_.device(), swapchain_.get(), before, forever),
              "vkWaitForPresentKHR");
    marks.set("bench:between");
}

bool ClearedSwapchain::is_rendered_early(const Slot& slot) const {
    const std::array fences{slot.done.get(), acquired_.get()};
    check(vkWaitForFences(gpu_.device(), uint32_t(fences.size()), fences.data(), VK_FALSE, forever),
          "vkWaitForFences");
    const bool is_rendered = vkGetFenceStatus(gpu_.device(), slot.done.get()) == VK_SUCCESS;
    return is_rendered && vkGetFenceStatus(gpu_.device(), acquired_.get()) == VK_NOT_READY;
}

FrameTimes ClearedSwapchain::timed_frame(std::chrono::milliseconds pause, wl_surface* surface,
                                         Presentations& presentations) {
    const Slot& slot = next_slot();
    check(vkResetFences(gpu_.device(), 1, acquired_.address()), "vkResetFences");
    FrameTimes times{};
    const auto [index, time] = timed_acquire(slot.acquired.get(), acquired_.get());
    const auto acquired = Clock::now();
    times.acquire = time;
    // Other threads wait, since the frame goes on.
    std::future<Clock::time_point> signalled;
    std::future<bool> rendered_early;
    if (vkGetFenceStatus(gpu_.device(), acquired_.get()) == VK_NOT_READY)
        signalled = std::async(std::launch::async, [&] {
            check(vkWaitForFences(gpu_.device(), 1, acquired_.address(), VK_TRUE, forever),
                  "vkWaitForFences");
            return Clock::now();
        });
    std::this_thread::sleep_for(pause);
    submit(slot, images_[index]);
    if (signalled.valid())
        rendered_early = std::async(std::launch::async, [&] { return is_rendered_early(slot); });
    presentations.expect(surface);
    const auto submitted = Clock::now();
    present(images_[index], index);
    times.present = Clock::now() - submitted;
    times.rendering_pending = vkGetFenceStatus(gpu_.device(), slot.done.get()) == VK_NOT_READY;
    if (signalled.valid()) {
        times.acquire_signalled = signalled.get();
        times.acquire_pending = times.acquire_signalled - acquired;
        times.rendered_early = rendered_early.get();
    }
    return times;
}

} // namespace fencebridge::bench
