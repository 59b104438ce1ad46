// SPDX-License-Identifier: MIT
// gpu_copy_limit SECONDS: how many frames of 1920x1080 pixels a second the driver can put into
// memory of the CPU. A frame clears an image with the driver's own layout and copies it into an
// mmap of a memfd, which VK_EXT_external_memory_host imports. No swapchain that is shown by wl_shm
// can have more frames than this. Prints one line, which also has the number for the clear alone.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>

#include <sys/mman.h>
#include <unistd.h>

#include "still/failure.hpp"
#include "still/gpu.hpp"
#include "still/layout.hpp"

namespace fencebridge::gpu {
namespace {

using still::check;
using Clock = std::chrono::steady_clock;
using Image = still::Owned<VkDevice, VkImage, vkDestroyImage>;

constexpr VkExtent3D extent{1920, 1080, 1};
constexpr VkDeviceSize pixels_size = VkDeviceSize{extent.width} * extent.height * 4;
constexpr VkClearColorValue colour{.float32 = {0, 1, 0, 1}};
constexpr uint32_t colour_in_memory = 0xff00ff00; // in B8G8R8A8_UNORM
constexpr auto host_pointer = VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT;

// An mmap of a memfd.
class SharedMemory {
public:
    explicit SharedMemory(size_t size) : size_(size), fd_(memfd_create("pixels", MFD_CLOEXEC)) {
        if (fd_ < 0 || ftruncate(fd_, off_t(size)) != 0)
            throw still::Failure("no memory for the pixels (memfd_create, ftruncate)");
        data_ = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd_, 0);
        if (data_ == MAP_FAILED)
            throw still::Failure("mmap of the memfd failed");
    }
    ~SharedMemory() {
        munmap(data_, size_);
        close(fd_);
    }
    SharedMemory(const SharedMemory&) = delete;
    SharedMemory& operator=(const SharedMemory&) = delete;

    void* data() const { return data_; }
    size_t size() const { return size_; }

private:
    const size_t size_;
    const int fd_;
    void* data_ = MAP_FAILED;
};

uint32_t memory_type(const still::Gpu& gpu, uint32_t allowed, VkMemoryPropertyFlags wanted) {
    if (const auto type = gpu.find_memory_type(allowed, wanted))
        return *type;
    throw still::Unsupported("\"" + gpu.name() + "\" has no memory type for the pixels");
}

VkDeviceSize host_pointer_alignment(const still::Gpu& gpu) {
    VkPhysicalDeviceExternalMemoryHostPropertiesEXT host{};
    host.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_MEMORY_HOST_PROPERTIES_EXT;
    VkPhysicalDeviceProperties2 properties{};
    properties.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2;
    properties.pNext = &host;
    vkGetPhysicalDeviceProperties2(gpu.physical_device(), &properties);
    return host.minImportedHostPointerAlignment;
}

// The image that is cleared, and the buffer in the memory of the CPU.
class Frame {
public:
    Frame(const still::Gpu& gpu, VkDeviceSize alignment) :
        gpu_(gpu), pixels_((pixels_size + alignment - 1) / alignment * alignment) {
        create_image();
        create_buffer();
    }

    void record(VkCommandBuffer commands, bool copies) const {
        VkCommandBufferBeginInfo begin{};
        begin.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO;
        check(vkBeginCommandBuffer(commands, &begin), "vkBeginCommandBuffer");
        still::change_layout(commands, image_.get(), still::to_be_written);
        vkCmdClearColorImage(commands, image_.get(), VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL, &colour,
                             1, &still::whole_image);
        if (copies)
            record_copy(commands);
        check(vkEndCommandBuffer(commands), "vkEndCommandBuffer");
    }

    // The first and the last pixel tell whether a copy has arrived.
    bool arrived() const {
        const auto* pixels = static_cast<const std::byte*>(pixels_.data());
        uint32_t first, last;
        std::memcpy(&first, pixels, sizeof first);
        std::memcpy(&last, pixels + pixels_size - sizeof last, sizeof last);
        return first == colour_in_memory && last == colour_in_memory;
    }

private:
    void create_image() {
        VkImageCreateInfo info{};
        info.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO;
        info.imageType = VK_IMAGE_TYPE_2D;
        info.format = VK_FORMAT_B8G8R8A8_UNORM;
        info.extent = extent;
        info.mipLevels = 1;
        info.arrayLayers = 1;
        info.samples = VK_SAMPLE_COUNT_1_BIT;
        info.tiling = VK_IMAGE_TILING_OPTIMAL;
        // A swapchain's image is rendered to.
        info.usage = VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT | VK_IMAGE_USAGE_TRANSFER_SRC_BIT |
                     VK_IMAGE_USAGE_TRANSFER_DST_BIT;
        VkImage image;
        check(vkCreateImage(gpu_.device(), &info, nullptr, &image), "vkCreateImage");
        image_ = Image(gpu_.device(), image);
        VkMemoryRequirements needed;
        vkGetImageMemoryRequirements(gpu_.device(), image, &needed);
        image_memory_ =
            gpu_.allocate(needed.size, memory_type(gpu_, needed.memoryTypeBits,
                                                   VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT));
        check(vkBindImageMemory(gpu_.device(), image, image_memory_.get(), 0), "vkBindImageMemory");
    }

    void create_buffer() {
        VkExternalMemoryBufferCreateInfo external{};
        external.sType = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_BUFFER_CREATE_INFO;
        external.handleTypes = host_pointer;
        VkBufferCreateInfo info{};
        info.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO;
        info.pNext = &external;
        info.size = pixels_.size();
        info.usage = VK_BUFFER_USAGE_TRANSFER_DST_BIT;
        info.sharingMode = VK_SHARING_MODE_EXCLUSIVE;
        VkBuffer buffer;
        check(vkCreateBuffer(gpu_.device(), &info, nullptr, &buffer), "vkCreateBuffer");
        buffer_ = still::Buffer(gpu_.device(), buffer);
        VkMemoryRequirements needed;
        vkGetBufferMemoryRequirements(gpu_.device(), buffer, &needed);

        const auto get_properties = reinterpret_cast<PFN_vkGetMemoryHostPointerPropertiesEXT>(
            vkGetDeviceProcAddr(gpu_.device(), "vkGetMemoryHostPointerPropertiesEXT"));
        VkMemoryHostPointerPropertiesEXT importable{};
        importable.sType = VK_STRUCTURE_TYPE_MEMORY_HOST_POINTER_PROPERTIES_EXT;
        check(get_properties(gpu_.device(), host_pointer, pixels_.data(), &importable),
              "vkGetMemoryHostPointerPropertiesEXT");
        VkImportMemoryHostPointerInfoEXT import{};
        import.sType = VK_STRUCTURE_TYPE_IMPORT_MEMORY_HOST_POINTER_INFO_EXT;
        import.handleType = host_pointer;
        import.pHostPointer = pixels_.data();
        buffer_memory_ = gpu_.allocate(
            pixels_.size(), memory_type(gpu_, needed.memoryTypeBits & importable.memoryTypeBits, 0),
            &import);
        check(vkBindBufferMemory(gpu_.device(), buffer, buffer_memory_.get(), 0),
              "vkBindBufferMemory");
    }

    void record_copy(VkCommandBuffer commands) const {
        still::change_layout(commands, image_.get(),
                             {VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL,
                              VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL, VK_ACCESS_TRANSFER_WRITE_BIT,
                              VK_ACCESS_TRANSFER_READ_BIT, VK_PIPELINE_STAGE_TRANSFER_BIT});
        VkBufferImageCopy region{};
        region.imageSubresource = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 0, 1};
        region.imageExtent = extent;
        vkCmdCopyImageToBuffer(commands, image_.get(), VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL,
                               buffer_.get(), 1, &region);
        VkMemoryBarrier for_cpu{};
        for_cpu.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER;
        for_cpu.srcAccessMask = VK_ACCESS_TRANSFER_WRITE_BIT;
        for_cpu.dstAccessMask = VK_ACCESS_HOST_READ_BIT;
        vkCmdPipelineBarrier(commands, VK_PIPELINE_STAGE_TRANSFER_BIT, VK_PIPELINE_STAGE_HOST_BIT,
                             0, 1, &for_cpu, 0, nullptr, 0, nullptr);
    }

    const still::Gpu& gpu_;
    // Memory outlives what is bound to it.
    SharedMemory pixels_;
    still::Memory buffer_memory_;
    still::Buffer buffer_;
    still::Memory image_memory_;
    Image image_;
};

// As many frames are in flight as a swapchain of three images allows.
class Loop {
public:
    explicit Loop(const still::Gpu& gpu) :
        gpu_(gpu), pool_(gpu.create_command_pool(VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT)) {
        const VkDeviceSize alignment = host_pointer_alignment(gpu);
        for (Slot& slot : slots_)
            slot = {std::make_unique<Frame>(gpu, alignment), gpu.create_signalled_fence(),
                    gpu.allocate_commands(pool_)};
    }
    ~Loop() { vkDeviceWaitIdle(gpu_.device()); }
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    // Frames a second.
    double rate(bool copies, double seconds) {
        gpu_.wait_idle();
        for (const Slot& slot : slots_)
            slot.frame->record(slot.commands, copies);
        for (size_t i = 0; i < warm_up; ++i)
            submit(slots_[i % slots_.size()]);
        gpu_.wait_idle();
        const std::chrono::duration<double> length(seconds);
        uint64_t frames = 0;
        const auto start = Clock::now();
        while (Clock::now() - start < length)
            submit(slots_[frames++ % slots_.size()]);
        gpu_.wait_idle();
        return double(frames) / std::chrono::duration<double>(Clock::now() - start).count();
    }

    bool arrived() const {
        return std::ranges::all_of(slots_, [](const Slot& slot) { return slot.frame->arrived(); });
    }

private:
    static constexpr size_t warm_up = 30;
    struct Slot {
        std::unique_ptr<Frame> frame;
        still::Fence done;
        VkCommandBuffer commands;
    };

    // When the slot's last submission has ended.
    void submit(const Slot& slot) {
        check(vkWaitForFences(gpu_.device(), 1, slot.done.address(), VK_TRUE,
                              std::numeric_limits<uint64_t>::max()),
              "vkWaitForFences");
        check(vkResetFences(gpu_.device(), 1, slot.done.address()), "vkResetFences");
        VkSubmitInfo info{};
        info.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO;
        info.commandBufferCount = 1;
        info.pCommandBuffers = &slot.commands;
        check(vkQueueSubmit(gpu_.queue(), 1, &info, slot.done.get()), "vkQueueSubmit");
    }

    const still::Gpu& gpu_;
    still::CommandPool pool_;
    std::array<Slot, 3> slots_;
};

void run(int argc, char** argv) {
    const double seconds = argc == 2 ? std::strtod(argv[1], nullptr) : 0;
    if (!(seconds > 0 && seconds <= 3600))
        throw still::UsageError("usage: gpu_copy_limit SECONDS");
    const still::Gpu gpu(nullptr, {.extensions = {VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME},
                                   .api_version = VK_API_VERSION_1_1});
    Loop loop(gpu);
    const double clears = loop.rate(false, seconds);
    const double copies = loop.rate(true, seconds);
    if (!loop.arrived())
        throw still::Failure("the copies did not arrive in the memory of the CPU");
    std::printf("%.1f frames a second with a copy, %.1f without, on \"%s\"\n", copies, clears,
                gpu.name().c_str());
}

} // namespace
} // namespace fencebridge::gpu

int main(int argc, char** argv) {
    using namespace fencebridge;
    return still::run_program("gpu_copy_limit", [&] {
        gpu::run(argc, argv);
        return still::exit_ok;
    });
}
