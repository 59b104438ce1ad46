// SPDX-License-Identifier: MIT
// The bytes of device memory, as recorded commands and vkMapMemory use them.
#pragma once

#include <optional>

#include "objects.hpp"

namespace fencebridge::fake_driver {

/// The first byte of the memory. Null if the memory cannot be mapped, or if it is a host pointer
/// whose pages are not mapped any more, which is a misuse. Memory without a file gets one.
[[nodiscard]] std::byte* bytes_of(Memory& memory);

/// Whether every page of the range is mapped in this process.
[[nodiscard]] bool is_mapped(const void* first, VkDeviceSize size);

/// The pixels of an image's first plane.
struct Pixels {
    std::byte* first;
    VkDeviceSize pitch;
    VkDeviceSize bytes_per_pixel;
    VkExtent3D extent;

    [[nodiscard]] std::byte* at(VkOffset3D pixel) const {
        return first + static_cast<VkDeviceSize>(pixel.y) * pitch +
               static_cast<VkDeviceSize>(pixel.x) * bytes_per_pixel;
    }
    [[nodiscard]] bool contains(VkOffset3D first, VkExtent3D size) const;
};

/// None if the image has no memory: a misuse, unless it is an image of a native swapchain.
[[nodiscard]] std::optional<Pixels> pixels_of(const Image& image);

/// The first byte of the buffer; null, which is a misuse, if it has no memory.
[[nodiscard]] std::byte* bytes_of(const Buffer& buffer);

} // namespace fencebridge::fake_driver
