// SPDX-License-Identifier: MIT
#include "headless/pam.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <drm_fourcc.h>

namespace fencebridge::headless {

namespace {

/// The bits of a channel in the little-endian word of a pixel.
struct Channel {
    unsigned shift;
    unsigned bits; ///< 0: there is no such channel
};

} // namespace

struct PamWriter::Row {
    uint32_t fourcc;
    unsigned bytes;
    unsigned largest;                ///< value in the file: PAM's MAXVAL
    std::array<Channel, 4> channels; ///< red, green, blue, alpha
};

const PamWriter::Row* PamWriter::find(uint32_t fourcc) {
    static constexpr std::array rows = {
        Row{DRM_FORMAT_ARGB8888, 4, 255, {{{16, 8}, {8, 8}, {0, 8}, {24, 8}}}},
        Row{DRM_FORMAT_XRGB8888, 4, 255, {{{16, 8}, {8, 8}, {0, 8}, {}}}},
        Row{DRM_FORMAT_ABGR8888, 4, 255, {{{0, 8}, {8, 8}, {16, 8}, {24, 8}}}},
        Row{DRM_FORMAT_XBGR8888, 4, 255, {{{0, 8}, {8, 8}, {16, 8}, {}}}},
        Row{DRM_FORMAT_ARGB2101010, 4, 1023, {{{20, 10}, {10, 10}, {0, 10}, {30, 2}}}},
        Row{DRM_FORMAT_XRGB2101010, 4, 1023, {{{20, 10}, {10, 10}, {0, 10}, {}}}},
        Row{DRM_FORMAT_ABGR2101010, 4, 1023, {{{0, 10}, {10, 10}, {20, 10}, {30, 2}}}},
        Row{DRM_FORMAT_XBGR2101010, 4, 1023, {{{0, 10}, {10, 10}, {20, 10}, {}}}},
        Row{DRM_FORMAT_ABGR16161616, 8, 65535, {{{0, 16}, {16, 16}, {32, 16}, {48, 16}}}},
        Row{DRM_FORMAT_XBGR16161616, 8, 65535, {{{0, 16}, {16, 16}, {32, 16}, {}}}},
        Row{DRM_FORMAT_RGB888, 3, 255, {{{16, 8}, {8, 8}, {0, 8}, {}}}},
        Row{DRM_FORMAT_BGR888, 3, 255, {{{0, 8}, {8, 8}, {16, 8}, {}}}},
        Row{DRM_FORMAT_RGB565, 2, 255, {{{11, 5}, {5, 6}, {0, 5}, {}}}},
        Row{DRM_FORMAT_BGR565, 2, 255, {{{0, 5}, {5, 6}, {11, 5}, {}}}},
        Row{DRM_FORMAT_ARGB1555, 2, 255, {{{10, 5}, {5, 5}, {0, 5}, {15, 1}}}},
        Row{DRM_FORMAT_XRGB1555, 2, 255, {{{10, 5}, {5, 5}, {0, 5}, {}}}},
        Row{DRM_FORMAT_RGBA5551, 2, 255, {{{11, 5}, {6, 5}, {1, 5}, {0, 1}}}},
        Row{DRM_FORMAT_RGBX5551, 2, 255, {{{11, 5}, {6, 5}, {1, 5}, {}}}},
        Row{DRM_FORMAT_BGRA5551, 2, 255, {{{1, 5}, {6, 5}, {11, 5}, {0, 1}}}},
        Row{DRM_FORMAT_BGRX5551, 2, 255, {{{1, 5}, {6, 5}, {11, 5}, {}}}},
        Row{DRM_FORMAT_RGBA4444, 2, 255, {{{12, 4}, {8, 4}, {4, 4}, {0, 4}}}},
        Row{DRM_FORMAT_RGBX4444, 2, 255, {{{12, 4}, {8, 4}, {4, 4}, {}}}},
        Row{DRM_FORMAT_BGRA4444, 2, 255, {{{4, 4}, {8, 4}, {12, 4}, {0, 4}}}},
        Row{DRM_FORMAT_BGRX4444, 2, 255, {{{4, 4}, {8, 4}, {12, 4}, {}}}},
        Row{DRM_FORMAT_ARGB4444, 2, 255, {{{8, 4}, {4, 4}, {0, 4}, {12, 4}}}},
        Row{DRM_FORMAT_XRGB4444, 2, 255, {{{8, 4}, {4, 4}, {0, 4}, {}}}},
        Row{DRM_FORMAT_ABGR4444, 2, 255, {{{0, 4}, {4, 4}, {8, 4}, {12, 4}}}},
        Row{DRM_FORMAT_XBGR4444, 2, 255, {{{0, 4}, {4, 4}, {8, 4}, {}}}},
    };
    const auto* const found = std::ranges::find(rows, fourcc, &Row::fourcc);
    return found == rows.end() ? nullptr : found;
}

bool PamWriter::has(uint32_t fourcc) { return find(fourcc) != nullptr; }

PamWriter::PamWriter(uint32_t fourcc, VkExtent2D extent) :
    format_(*find(fourcc)), width_(extent.width) {
    const bool has_alpha = format_.channels[3].bits > 0;
    const unsigned depth = has_alpha ? 4 : 3;
    header_ = "P7\nWIDTH " + std::to_string(extent.width) + "\nHEIGHT " +
              std::to_string(extent.height) + "\nDEPTH " + std::to_string(depth) + "\nMAXVAL " +
              std::to_string(format_.largest) + "\nTUPLTYPE " + (has_alpha ? "RGB_ALPHA" : "RGB") +
              "\nENDHDR\n";
    const size_t bytes = format_.largest > 255 ? 2 : 1;
    converted_.resize(size_t{width_} * depth * bytes);
}

size_t PamWriter::bytes_per_row() const { return size_t{width_} * format_.bytes; }

std::span<const unsigned char> PamWriter::convert(std::span<const std::byte> pixels) {
    auto to = converted_.begin();
    for (uint32_t x = 0; x < width_; ++x) {
        uint64_t word = 0;
        for (unsigned i = 0; i < format_.bytes; ++i)
            word |= std::to_integer<uint64_t>(pixels[size_t{x} * format_.bytes + i]) << (8 * i);
        for (const Channel& channel : format_.channels) {
            if (channel.bits == 0)
                continue;
            const uint64_t most = (uint64_t{1} << channel.bits) - 1;
            const uint64_t value =
                ((word >> channel.shift & most) * format_.largest + most / 2) / most;
            if (format_.largest > 255) // the most significant byte first
                *to++ = static_cast<unsigned char>(value >> 8);
            *to++ = static_cast<unsigned char>(value);
        }
    }
    return converted_;
}

} // namespace fencebridge::headless
