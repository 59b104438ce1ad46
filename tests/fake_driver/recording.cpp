// SPDX-License-Identifier: MIT
// The commands of command buffers. While execution is on (FakeDriverControl), they act on real
// bytes; otherwise their handles are checked and nothing else.
#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstring>
#include <numeric>

#include "chain.hpp"
#include "entry_points.hpp"
#include "memory_access.hpp"

namespace fencebridge::fake_driver {
namespace {

/// Adds a command, and what must not be destroyed before the command is executed.
template <class... Resources>
void record(VkCommandBuffer handle, const char* function, std::function<void()> command,
            const Resources&... resources) {
    auto& buffer = *from_handle<CommandBuffer>(handle);
    if (buffer.state != CommandBuffer::State::recording)
        misuse(std::string{function} + ": the command buffer is not being recorded");
    if (((resources == nullptr) || ...))
        return;
    (buffer.uses.push_back(resources->use), ...);
    buffer.commands.push_back(std::move(command));
}

void check_layout(const Image& image, VkImageLayout layout, VkImageLayout wanted,
                  const char* function) {
    if (layout != VK_IMAGE_LAYOUT_GENERAL && layout != wanted)
        misuse(std::string{function} + ": not a layout for this command");
    if (image.layout != layout)
        misuse(std::string{function} + ": the image has the layout " +
               std::to_string(image.layout) + " instead of " + std::to_string(layout));
}

constexpr std::byte discarded{0xcd};

void transition(Image& image, VkImageLayout from, VkImageLayout to, bool changes_owner) {
    // The release and the acquire of an ownership transfer name the same layouts, and the
    // transition happens once.
    if (from != VK_IMAGE_LAYOUT_UNDEFINED && image.layout != from &&
        !(changes_owner && image.layout == to))
        misuse("vkCmdPipelineBarrier: the image has the layout " + std::to_string(image.layout) +
               " instead of " + std::to_string(from));
    image.layout = to;
    if (from != VK_IMAGE_LAYOUT_UNDEFINED)
        return;
    if (const auto pixels = pixels_of(image))
        std::memset(pixels->first, static_cast<int>(discarded),
                    static_cast<size_t>(pixels->pitch * pixels->extent.height));
}

template <class Barrier>
void record_image_barrier(VkCommandBuffer commands, const char* function, const Barrier& barrier) {
    const auto image = find_image(barrier.image);
    record(
        commands, function,
        [image, from = barrier.oldLayout, to = barrier.newLayout,
         changes_owner = barrier.srcQueueFamilyIndex != barrier.dstQueueFamilyIndex] {
            transition(*image, from, to, changes_owner);
        },
        image);
}

void set_foreign(Buffer& buffer, bool foreign) {
    if (std::atomic_ref(buffer.foreign).exchange(foreign) == foreign)
        return;
    if (foreign)
        ++objects().foreign_buffers;
    else
        --objects().foreign_buffers;
}

template <class Barrier>
void record_buffer_barrier(VkCommandBuffer commands, const char* function, const Barrier& barrier) {
    const auto buffer = objects().buffers.find(barrier.buffer);
    const auto& recording = *from_handle<CommandBuffer>(commands);
    const uint32_t from = barrier.srcQueueFamilyIndex;
    const uint32_t to = barrier.dstQueueFamilyIndex;
    const bool names_foreign =
        from == VK_QUEUE_FAMILY_FOREIGN_EXT || to == VK_QUEUE_FAMILY_FOREIGN_EXT;
    if (names_foreign && !recording.device->has(VK_EXT_QUEUE_FAMILY_FOREIGN_EXTENSION_NAME))
        misuse(std::string{function} + ": foreign queues without the extension");
    if (from != to && from != recording.family && to != recording.family)
        misuse(std::string{function} + ": an ownership transfer of other queue families");
    record(
        commands, function,
        [buffer, from, to] {
            if (from != to)
                set_foreign(*buffer, to == VK_QUEUE_FAMILY_FOREIGN_EXT);
        },
        buffer);
}

/// Whether a barrier makes writes visible to reads of the CPU.
template <class Barrier>
bool releases_to_host(const Barrier& barrier) {
    constexpr VkAccessFlags writes =
        VK_ACCESS_MEMORY_WRITE_BIT | VK_ACCESS_TRANSFER_WRITE_BIT | VK_ACCESS_SHADER_WRITE_BIT;
    return (barrier.srcAccessMask & writes) != 0 &&
           (barrier.dstAccessMask & VK_ACCESS_HOST_READ_BIT) != 0;
}

void pipeline_barrier(VkCommandBuffer commands, VkPipelineStageFlags before,
                      VkPipelineStageFlags after, VkDependencyFlags, uint32_t memory_count,
                      const VkMemoryBarrier* memory_barriers, uint32_t buffer_count,
                      const VkBufferMemoryBarrier* buffer_barriers, uint32_t count,
                      const VkImageMemoryBarrier* barriers) {
    note("vkCmdPipelineBarrier");
    if ((after & VK_PIPELINE_STAGE_HOST_BIT) != 0 &&
        (std::ranges::any_of(std::span{memory_barriers, memory_count},
                             releases_to_host<VkMemoryBarrier>) ||
         std::ranges::any_of(std::span{buffer_barriers, buffer_count},
                             releases_to_host<VkBufferMemoryBarrier>)))
        record(commands, "vkCmdPipelineBarrier", [] { ++objects().host_releases; });
    for (const VkBufferMemoryBarrier& barrier : std::span{buffer_barriers, buffer_count}) {
        if (((before | after) & VK_PIPELINE_STAGE_HOST_BIT) != 0 &&
            barrier.srcQueueFamilyIndex != barrier.dstQueueFamilyIndex)
            misuse("vkCmdPipelineBarrier: an ownership transfer from or to the host");
        record_buffer_barrier(commands, "vkCmdPipelineBarrier", barrier);
    }
    for (const VkImageMemoryBarrier& barrier : std::span{barriers, count})
        record_image_barrier(commands, "vkCmdPipelineBarrier", barrier);
}

void pipeline_barrier2(VkCommandBuffer commands, const VkDependencyInfo* info) {
    note("vkCmdPipelineBarrier2");
    for (const VkBufferMemoryBarrier2& barrier :
         std::span{info->pBufferMemoryBarriers, info->bufferMemoryBarrierCount})
        record_buffer_barrier(commands, "vkCmdPipelineBarrier2", barrier);
    for (const VkImageMemoryBarrier2& barrier :
         std::span{info->pImageMemoryBarriers, info->imageMemoryBarrierCount})
        record_image_barrier(commands, "vkCmdPipelineBarrier2", barrier);
}

/// The transfer function of sRGB, as the specification of data formats has it.
float to_srgb(float linear) {
    return linear <= 0.0031308F ? linear * 12.92F : 1.055F * std::pow(linear, 1 / 2.4F) - 0.055F;
}

std::byte to_byte(float value) {
    return static_cast<std::byte>(std::lround(std::clamp(value, 0.0F, 1.0F) * 255));
}

/// The bytes of a pixel. Formats other than those of 8 bits with red or blue first repeat the byte
/// of the red channel.
std::vector<std::byte> encode(const Image& image, const VkClearColorValue& colour) {
    std::array<float, 4> value{};
    std::ranges::copy(colour.float32, value.begin());
    switch (image.format) {
    case VK_FORMAT_B8G8R8A8_SRGB:
    case VK_FORMAT_R8G8B8A8_SRGB:
        std::transform(value.begin(), value.begin() + 3, value.begin(), to_srgb);
        break;
    default:
        break;
    }
    switch (image.format) {
    case VK_FORMAT_B8G8R8A8_SRGB:
    case VK_FORMAT_B8G8R8A8_UNORM:
        return {to_byte(value[2]), to_byte(value[1]), to_byte(value[0]), to_byte(value[3])};
    case VK_FORMAT_R8G8B8A8_SRGB:
    case VK_FORMAT_R8G8B8A8_UNORM:
        return {to_byte(value[0]), to_byte(value[1]), to_byte(value[2]), to_byte(value[3])};
    default:
        return std::vector<std::byte>(static_cast<size_t>(image.bytes_per_pixel),
                                      to_byte(value[0]));
    }
}

void fill(const Image& image, const VkClearColorValue& colour) {
    const auto pixels = pixels_of(image);
    if (!pixels)
        return;
    const std::vector<std::byte> pixel = encode(image, colour);
    for (int32_t y = 0; y < static_cast<int32_t>(pixels->extent.height); ++y)
        for (int32_t x = 0; x < static_cast<int32_t>(pixels->extent.width); ++x)
            std::ranges::copy(pixel, pixels->at({x, y, 0}));
}

void clear_image(VkCommandBuffer commands, VkImage handle, VkImageLayout layout,
                 const VkClearColorValue* colour, uint32_t, const VkImageSubresourceRange*) {
    constexpr auto function = "vkCmdClearColorImage";
    note(function);
    const auto image = find_image(handle);
    record(
        commands, function,
        [image, layout, value = *colour] {
            check_layout(*image, layout, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL, function);
            fill(*image, value);
        },
        image);
}

void copy_rectangle(const Pixels& from, const Pixels& to, const VkImageCopy& region) {
    if (!from.contains(region.srcOffset, region.extent) ||
        !to.contains(region.dstOffset, region.extent) ||
        from.bytes_per_pixel != to.bytes_per_pixel) {
        misuse("vkCmdCopyImage: outside of an image, or between formats of different sizes");
        return;
    }
    for (int32_t y = 0; y < static_cast<int32_t>(region.extent.height); ++y)
        std::memcpy(to.at({region.dstOffset.x, region.dstOffset.y + y, 0}),
                    from.at({region.srcOffset.x, region.srcOffset.y + y, 0}),
                    static_cast<size_t>(region.extent.width * from.bytes_per_pixel));
}

void copy_image(VkCommandBuffer commands, VkImage from_handle, VkImageLayout from_layout,
                VkImage to_handle, VkImageLayout to_layout, uint32_t count,
                const VkImageCopy* regions) {
    constexpr auto function = "vkCmdCopyImage";
    note(function);
    const auto from = find_image(from_handle);
    const auto to = find_image(to_handle);
    record(
        commands, function,
        [=, all = std::vector<VkImageCopy>(regions, regions + count)] {
            check_layout(*from, from_layout, VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL, function);
            check_layout(*to, to_layout, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL, function);
            const auto source = pixels_of(*from);
            const auto target = pixels_of(*to);
            for (const VkImageCopy& region : all)
                if (source && target)
                    copy_rectangle(*source, *target, region);
        },
        from, to);
}

/// The rows of a copy between an image and a buffer. `copy` is called with the row in the buffer,
/// that in the image, and their size.
template <class Copy>
void copy_rows(const char* function, const Pixels& image, const Buffer& buffer,
               const VkBufferImageCopy& region, Copy&& copy) {
    std::byte* const bytes = bytes_of(buffer);
    if (bytes == nullptr)
        return;
    const VkDeviceSize row = region.imageExtent.width * image.bytes_per_pixel;
    const VkDeviceSize pitch =
        region.bufferRowLength != 0 ? region.bufferRowLength * image.bytes_per_pixel : row;
    const VkDeviceSize rows = region.imageExtent.height;
    if (!image.contains(region.imageOffset, region.imageExtent) || pitch < row || rows == 0 ||
        region.bufferOffset + (rows - 1) * pitch + row > buffer.size ||
        region.bufferOffset % std::lcm(image.bytes_per_pixel, VkDeviceSize{4}) != 0) {
        misuse(std::string{function} + ": outside of the image or the buffer, or not aligned");
        return;
    }
    for (VkDeviceSize y = 0; y < rows; ++y)
        copy(bytes + region.bufferOffset + y * pitch,
             image.at({region.imageOffset.x, region.imageOffset.y + static_cast<int32_t>(y), 0}),
             static_cast<size_t>(row));
}

void copy_to_buffer(VkCommandBuffer commands, VkImage from_handle, VkImageLayout layout,
                    VkBuffer to_handle, uint32_t count, const VkBufferImageCopy* regions) {
    constexpr auto function = "vkCmdCopyImageToBuffer";
    note(function);
    const auto from = find_image(from_handle);
    const auto to = objects().buffers.find(to_handle);
    record(
        commands, function,
        [=, all = std::vector<VkBufferImageCopy>(regions, regions + count)] {
            check_layout(*from, layout, VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL, function);
            set_foreign(*to, false);
            const auto pixels = pixels_of(*from);
            for (const VkBufferImageCopy& region : all)
                if (pixels)
                    copy_rows(function, *pixels, *to, region,
                              [](std::byte* in_buffer, const std::byte* in_image, size_t size) {
                                  std::memcpy(in_buffer, in_image, size);
                              });
        },
        from, to);
}

void copy_to_image(VkCommandBuffer commands, VkBuffer from_handle, VkImage to_handle,
                   VkImageLayout layout, uint32_t count, const VkBufferImageCopy* regions) {
    constexpr auto function = "vkCmdCopyBufferToImage";
    note(function);
    const auto from = objects().buffers.find(from_handle);
    const auto to = find_image(to_handle);
    record(
        commands, function,
        [=, all = std::vector<VkBufferImageCopy>(regions, regions + count)] {
            check_layout(*to, layout, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL, function);
            const auto pixels = pixels_of(*to);
            for (const VkBufferImageCopy& region : all)
                if (pixels)
                    copy_rows(function, *pixels, *from, region,
                              [](const std::byte* in_buffer, std::byte* in_image, size_t size) {
                                  std::memcpy(in_image, in_buffer, size);
                              });
        },
        from, to);
}

} // namespace

std::span<const EntryPoint> recording_entry_points() {
    constexpr auto level = Level::device;
    static const EntryPoint table[]{
        entry_point<PFN_vkCmdPipelineBarrier, pipeline_barrier>("vkCmdPipelineBarrier", level),
        entry_point<PFN_vkCmdPipelineBarrier2, pipeline_barrier2>("vkCmdPipelineBarrier2", level,
                                                                  VK_API_VERSION_1_3),
        entry_point<PFN_vkCmdPipelineBarrier2, pipeline_barrier2>(
            "vkCmdPipelineBarrier2KHR", level, never_core, VK_KHR_SYNCHRONIZATION_2_EXTENSION_NAME),
        entry_point<PFN_vkCmdClearColorImage, clear_image>("vkCmdClearColorImage", level),
        entry_point<PFN_vkCmdCopyImage, copy_image>("vkCmdCopyImage", level),
        entry_point<PFN_vkCmdCopyImageToBuffer, copy_to_buffer>("vkCmdCopyImageToBuffer", level),
        entry_point<PFN_vkCmdCopyBufferToImage, copy_to_image>("vkCmdCopyBufferToImage", level),
    };
    return table;
}

} // namespace fencebridge::fake_driver
