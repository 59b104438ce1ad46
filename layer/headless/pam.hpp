// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>
#include <vulkan/vulkan.h>

namespace fencebridge::headless {

/// Converts the pixels of one DRM format (drm_fourcc.h) to a PAM file (netpbm's P7, "man 5 pam"): a
/// text header, then the rows as plain numbers.
class PamWriter {
public:
    /// Whether files of this format can be written. Those of floating point cannot: PAM has whole
    /// numbers only.
    [[nodiscard]] static bool has(uint32_t fourcc);

    /// @param fourcc  has() it
    PamWriter(uint32_t fourcc, VkExtent2D extent);

    [[nodiscard]] const std::string& header() const { return header_; }
    /// Of a row as convert() expects it.
    [[nodiscard]] size_t bytes_per_row() const;

    /// Converts one row.
    /// @param pixels  bytes_per_row()
    /// @return valid until the next call
    [[nodiscard]] std::span<const unsigned char> convert(std::span<const std::byte> pixels);

private:
    struct Row;
    static const Row* find(uint32_t fourcc);

    const Row& format_;
    const uint32_t width_;
    std::string header_;
    std::vector<unsigned char> converted_;
};

} // namespace fencebridge::headless
