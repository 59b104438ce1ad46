// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>
#include <vulkan/vulkan.h>

namespace fencebridge::core {

/// Named primaries, with the numbers of color-management-v1 (wp_color_manager_v1.primaries).
enum class Primaries : uint32_t { srgb = 1, bt2020 = 6, display_p3 = 9, adobe_rgb = 10 };

/// Named transfer functions, with the numbers of color-management-v1
/// (wp_color_manager_v1.transfer_function).
enum class TransferFunction : uint32_t {
    bt1886 = 1,
    gamma22 = 2,
    ext_linear = 5,
    srgb = 9,
    st2084_pq = 11,
    hlg = 13,
};

/// What a compositor with color-management-v1 can describe.
struct ColourCapabilities {
    bool parametric = false;    ///< descriptions of primaries and a transfer function
    bool mastering = false;     ///< primaries and luminances of a mastering display
    bool windows_scrgb = false; ///< the predefined description of this name
    uint64_t primaries = 0;     ///< bit n: the primaries with number n
    uint64_t transfers = 0;     ///< bit n: the transfer function with number n

    /// Adds a name that the compositor lists. Unknown names are allowed.
    void add_primaries(uint32_t number) { primaries |= bit(number); }
    void add_transfer(uint32_t number) { transfers |= bit(number); }
    [[nodiscard]] bool has(Primaries name) const {
        return (primaries & bit(static_cast<uint32_t>(name))) != 0;
    }
    [[nodiscard]] bool has(TransferFunction name) const {
        return (transfers & bit(static_cast<uint32_t>(name))) != 0;
    }

private:
    static constexpr uint64_t bit(uint32_t number) {
        return number < 64 ? uint64_t{1} << number : 0;
    }
};

/// How a compositor is told of the colour space of a swapchain's images.
struct ColourEncoding {
    bool windows_scrgb = false; ///< by that predefined description; the other members do not count
    Primaries primaries = Primaries::srgb;
    TransferFunction transfer = TransferFunction::srgb;

    /// Whether VkHdrMetadataEXT can be part of the description.
    [[nodiscard]] bool takes_hdr_metadata() const {
        return !windows_scrgb &&
               (transfer == TransferFunction::st2084_pq || transfer == TransferFunction::hlg);
    }
    bool operator==(const ColourEncoding&) const = default;
};

/// @return nothing if the compositor cannot describe the colour space; also for
///         VK_COLOR_SPACE_SRGB_NONLINEAR_KHR and VK_COLOR_SPACE_PASS_THROUGH_EXT, which are not
///         described
[[nodiscard]] std::optional<ColourEncoding> find_encoding(VkColorSpaceKHR space,
                                                          const ColourCapabilities& compositor);

/// Every colour space for which find_encoding() returns a value.
[[nodiscard]] std::vector<VkColorSpaceKHR> described_spaces(const ColourCapabilities& compositor);

/// Whether images of the format can have such contents. A write to an SRGB format applies the sRGB
/// transfer function, and only formats of floating-point numbers have values outside of 0 to 1.
/// @param is_srgb   the format is one of those whose names end in _SRGB
/// @param is_float  the format has floating-point components
[[nodiscard]] bool can_hold(VkColorSpaceKHR space, bool is_srgb, bool is_float);

/// The part of VkHdrMetadataEXT that is known and that color-management-v1 allows, in the
/// protocol's units.
struct HdrMetadata {
    /// x and y of red, green, blue and the white point, in millionths.
    std::optional<std::array<int32_t, 8>> mastering_primaries = {};
    struct Luminance {
        uint32_t min; ///< in 1/10000 cd/m²
        uint32_t max; ///< in cd/m²
        bool operator==(const Luminance&) const = default;
    };
    std::optional<Luminance> mastering_luminance = {};
    std::optional<uint32_t> max_cll = {};  ///< maximum content light level, in cd/m²
    std::optional<uint32_t> max_fall = {}; ///< maximum frame-average light level, in cd/m²
    bool operator==(const HdrMetadata&) const = default;
};

/// Converts metadata. Leaves out what is unknown (0), what the compositor does not support, and
/// what would be a protocol error in version 1 of color-management-v1.
/// @param encoding  with takes_hdr_metadata()
[[nodiscard]] HdrMetadata convert_metadata(const VkHdrMetadataEXT& metadata,
                                           const ColourEncoding& encoding,
                                           const ColourCapabilities& compositor);

} // namespace fencebridge::core
