// SPDX-License-Identifier: MIT
// The test picture, computed on the CPU: what it looks like and how it is packed into pixels.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <vulkan/vulkan_core.h>

namespace fencebridge::still {

// Straight (not premultiplied) colour, 0 to 255.
struct Colour {
    uint32_t red, green, blue, alpha;
};

struct PixelFormat {
    VkFormat format;
    const char* name;
    uint32_t bytes; // of one pixel
    // Writes one pixel with its alpha multiplied into the colour.
    void (*pack)(Colour colour, std::byte* pixel);
};

// The formats that the program can draw, in order of preference.
std::span<const PixelFormat> pixel_formats();

// Null for a format that is not among pixel_formats().
const PixelFormat* find_pixel_format(VkFormat format);

// The picture, from the top:
//   1/2  eight colour bars, opaque
//   1/4  the bars in reverse order, two thirds opaque
//   1/4  an orange band whose alpha grows from 0 at the left to 1 at the right
// A white line one pixel wide frames it, and a checkerboard of single pixels marks the top left
// corner. So a comparison detects a picture that was scaled, shifted or flipped.
Colour colour_at(uint32_t x, uint32_t y, uint32_t width, uint32_t height);

// Rows without padding: the size of pixels is width * height * format.bytes.
void draw_picture(std::span<std::byte> pixels, const PixelFormat& format, uint32_t width,
                  uint32_t height);

} // namespace fencebridge::still
