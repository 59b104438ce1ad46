// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <vector>

namespace fencebridge::test {

// The formats and modifiers of drm_fourcc.h that the tests need.
inline constexpr uint32_t fourcc(char a, char b, char c, char d) {
    return uint32_t(a) | uint32_t(b) << 8 | uint32_t(c) << 16 | uint32_t(d) << 24;
}
inline constexpr uint32_t drm_xrgb8888 = fourcc('X', 'R', '2', '4');
inline constexpr uint32_t drm_argb8888 = fourcc('A', 'R', '2', '4');
inline constexpr uint32_t drm_xbgr8888 = fourcc('X', 'B', '2', '4');
inline constexpr uint32_t drm_abgr8888 = fourcc('A', 'B', '2', '4');
inline constexpr uint64_t drm_linear = 0;
inline constexpr uint64_t drm_invalid_modifier = 0x00ffffffffffffffULL;

struct FormatModifier {
    uint32_t format;
    uint64_t modifier;
    friend bool operator==(const FormatModifier&, const FormatModifier&) = default;
};

// zwp_linux_dmabuf_feedback_v1: one preference tranche.
struct Tranche {
    dev_t target_device = 0;
    uint32_t flags = 0;
    std::vector<FormatModifier> formats;
};

struct Feedback {
    dev_t main_device = 0;
    std::vector<Tranche> tranches;

    bool offers(FormatModifier wanted) const {
        for (const Tranche& tranche : tranches)
            for (const FormatModifier& format : tranche.formats)
                if (format == wanted)
                    return true;
        return false;
    }
};

// The four 8-bit RGB formats that every compositor supports, each with this modifier.
inline std::vector<FormatModifier> common_formats(uint64_t modifier = drm_linear) {
    return {{drm_xrgb8888, modifier},
            {drm_argb8888, modifier},
            {drm_xbgr8888, modifier},
            {drm_abgr8888, modifier}};
}

inline Feedback linear_feedback() { return {0, {{0, 0, common_formats()}}}; }

} // namespace fencebridge::test
