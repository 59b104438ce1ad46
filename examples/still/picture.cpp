// SPDX-License-Identifier: MIT
#include "picture.hpp"

#include <array>
#include <cstring>

namespace fencebridge::still {

namespace {

// Converts a value of 8 bits to a channel with the maximum `steps`: value * steps / 255, rounded.
uint32_t scaled(uint32_t value, uint32_t steps) { return (value * steps + 127) / 255; }

// One channel of a premultiplied colour. The alpha is rounded to the format's precision first. With
// a more precise alpha, the colour could exceed the alpha that is stored beside it.
uint32_t premultiplied(uint32_t value, uint32_t alpha, uint32_t alpha_steps, uint32_t steps) {
    uint32_t divisor = 255 * alpha_steps;
    return (value * scaled(alpha, alpha_steps) * steps + divisor / 2) / divisor;
}

void pack_8888(Colour colour, std::byte* pixel, bool blue_first) {
    auto channel = [&](uint32_t value) {
        return std::byte(premultiplied(value, colour.alpha, 255, 255));
    };
    pixel[0] = channel(blue_first ? colour.blue : colour.red);
    pixel[1] = channel(colour.green);
    pixel[2] = channel(blue_first ? colour.red : colour.blue);
    pixel[3] = std::byte(colour.alpha);
}

void pack_bgra(Colour colour, std::byte* pixel) { pack_8888(colour, pixel, true); }
void pack_rgba(Colour colour, std::byte* pixel) { pack_8888(colour, pixel, false); }

// PACK32 formats are words in host byte order, their first-named channel in the highest bits.
void pack_2101010(Colour colour, std::byte* pixel, bool red_high) {
    auto channel = [&](uint32_t value) { return premultiplied(value, colour.alpha, 3, 1023); };
    uint32_t high = channel(red_high ? colour.red : colour.blue);
    uint32_t low = channel(red_high ? colour.blue : colour.red);
    uint32_t word = scaled(colour.alpha, 3) << 30 | high << 20 | channel(colour.green) << 10 | low;
    std::memcpy(pixel, &word, sizeof word);
}

void pack_argb2101010(Colour colour, std::byte* pixel) { pack_2101010(colour, pixel, true); }
void pack_abgr2101010(Colour colour, std::byte* pixel) { pack_2101010(colour, pixel, false); }

void pack_565(Colour colour, std::byte* pixel) {
    auto channel = [&](uint32_t value, uint32_t steps) {
        return premultiplied(value, colour.alpha, 255, steps);
    };
    auto word = uint16_t(channel(colour.red, 31) << 11 | channel(colour.green, 63) << 5 |
                         channel(colour.blue, 31));
    std::memcpy(pixel, &word, sizeof word);
}

// A copy from a buffer moves bytes and applies no transfer function. So the sRGB formats need the
// same bytes as their UNORM counterparts.
constexpr std::array formats{
    PixelFormat{VK_FORMAT_B8G8R8A8_UNORM, "b8g8r8a8-unorm", 4, pack_bgra},
    PixelFormat{VK_FORMAT_R8G8B8A8_UNORM, "r8g8b8a8-unorm", 4, pack_rgba},
    PixelFormat{VK_FORMAT_B8G8R8A8_SRGB, "b8g8r8a8-srgb", 4, pack_bgra},
    PixelFormat{VK_FORMAT_R8G8B8A8_SRGB, "r8g8b8a8-srgb", 4, pack_rgba},
    PixelFormat{VK_FORMAT_A2R10G10B10_UNORM_PACK32, "a2r10g10b10-unorm", 4, pack_argb2101010},
    PixelFormat{VK_FORMAT_A2B10G10R10_UNORM_PACK32, "a2b10g10r10-unorm", 4, pack_abgr2101010},
    PixelFormat{VK_FORMAT_R5G6B5_UNORM_PACK16, "r5g6b5-unorm", 2, pack_565},
};

constexpr std::array bars{
    Colour{255, 255, 255, 255}, Colour{255, 255, 0, 255}, Colour{0, 255, 255, 255},
    Colour{0, 255, 0, 255},     Colour{255, 0, 255, 255}, Colour{255, 0, 0, 255},
    Colour{0, 0, 255, 255},     Colour{0, 0, 0, 255},
};
constexpr Colour white{255, 255, 255, 255};
constexpr Colour black{0, 0, 0, 255};
constexpr uint32_t checkerboard_side = 16;

} // namespace

std::span<const PixelFormat> pixel_formats() { return formats; }

const PixelFormat* find_pixel_format(VkFormat format) {
    for (const PixelFormat& entry : formats)
        if (entry.format == format)
            return &entry;
    return nullptr;
}

Colour colour_at(uint32_t x, uint32_t y, uint32_t width, uint32_t height) {
    if (x == 0 || y == 0 || x == width - 1 || y == height - 1)
        return white;
    if (x < checkerboard_side && y < checkerboard_side)
        return (x + y) % 2 ? white : black;
    if (y < height / 2)
        return bars[size_t{x} * bars.size() / width];
    if (y < height * 3 / 4) {
        Colour bar = bars[bars.size() - 1 - size_t{x} * bars.size() / width];
        bar.alpha = 170; // two thirds, which two bits of alpha can hold exactly
        return bar;
    }
    return {255, 128, 0, x * 255 / (width - 1)};
}

void draw_picture(std::span<std::byte> pixels, const PixelFormat& format, uint32_t width,
                  uint32_t height) {
    std::byte* pixel = pixels.data();
    for (uint32_t y = 0; y < height; ++y)
        for (uint32_t x = 0; x < width; ++x, pixel += format.bytes)
            format.pack(colour_at(x, y, width, height), pixel);
}

} // namespace fencebridge::still
