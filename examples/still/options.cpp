// SPDX-License-Identifier: MIT
#include "options.hpp"

#include <array>
#include <charconv>
#include <limits>
#include <string_view>

#include <getopt.h>

#include "failure.hpp"
#include "picture.hpp"

namespace fencebridge::still {

namespace {

struct PresentModeName {
    VkPresentModeKHR mode;
    const char* name;
};
constexpr std::array present_mode_names{
    PresentModeName{VK_PRESENT_MODE_FIFO_KHR, "fifo"},
    PresentModeName{VK_PRESENT_MODE_MAILBOX_KHR, "mailbox"},
    PresentModeName{VK_PRESENT_MODE_FIFO_RELAXED_KHR, "fifo-relaxed"},
    PresentModeName{VK_PRESENT_MODE_IMMEDIATE_KHR, "immediate"},
};

// With these limits, a mistyped number does not request terabytes from the driver.
constexpr uint64_t max_side = 16384;
constexpr uint64_t max_windows = 16;

enum OptionId : int {
    id_help = 'h',
    id_width = 256,
    id_height,
    id_headless,
    id_fullscreen,
    id_windows,
    id_frames,
    id_still_after,
    id_resize_every,
    id_present_mode,
    id_alpha,
    id_format,
    id_backdrop,
    id_hold,
    id_ready_file,
};

constexpr option long_options[] = {
    {"help", no_argument, nullptr, id_help},
    {"width", required_argument, nullptr, id_width},
    {"height", required_argument, nullptr, id_height},
    {"headless", no_argument, nullptr, id_headless},
    {"fullscreen", no_argument, nullptr, id_fullscreen},
    {"windows", required_argument, nullptr, id_windows},
    {"frames", required_argument, nullptr, id_frames},
    {"still-after", required_argument, nullptr, id_still_after},
    {"resize-every", required_argument, nullptr, id_resize_every},
    {"present-mode", required_argument, nullptr, id_present_mode},
    {"alpha", required_argument, nullptr, id_alpha},
    {"format", required_argument, nullptr, id_format},
    {"backdrop", required_argument, nullptr, id_backdrop},
    {"hold", no_argument, nullptr, id_hold},
    {"ready-file", required_argument, nullptr, id_ready_file},
    {nullptr, 0, nullptr, 0},
};

uint64_t number(std::string_view name, std::string_view text, uint64_t least, uint64_t most,
                int base = 10) {
    uint64_t value = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (error != std::errc{} || end != text.data() + text.size() || value < least || value > most)
        throw UsageError("--" + std::string(name) + ": \"" + std::string(text) +
                         "\" is not a number between " + std::to_string(least) + " and " +
                         std::to_string(most));
    return value;
}

uint32_t colour(std::string_view text) {
    if (text.size() != 6)
        throw UsageError("--backdrop: give six hexadecimal digits, RRGGBB");
    return uint32_t(number("backdrop", text, 0, 0xffffff, 16));
}

VkPresentModeKHR present_mode(std::string_view text) {
    for (const auto& entry : present_mode_names)
        if (text == entry.name)
            return entry.mode;
    throw UsageError("--present-mode: \"" + std::string(text) +
                     "\" is not one of fifo, mailbox, fifo-relaxed, immediate");
}

VkCompositeAlphaFlagBitsKHR alpha(std::string_view text) {
    if (text == "opaque")
        return VK_COMPOSITE_ALPHA_OPAQUE_BIT_KHR;
    if (text == "premultiplied")
        return VK_COMPOSITE_ALPHA_PRE_MULTIPLIED_BIT_KHR;
    throw UsageError("--alpha: \"" + std::string(text) + "\" is not one of opaque, premultiplied");
}

VkFormat format(std::string_view text) {
    for (const PixelFormat& entry : pixel_formats())
        if (text == entry.name)
            return entry.format;
    std::string known;
    for (const PixelFormat& entry : pixel_formats())
        known += std::string(known.empty() ? "" : ", ") + entry.name;
    throw UsageError("--format: \"" + std::string(text) + "\" is not one of " + known);
}

void apply(Options& options, int id, const char* text) {
    constexpr uint64_t any = std::numeric_limits<uint64_t>::max();
    switch (id) {
    case id_help:
        options.help = true;
        break;
    case id_width:
        options.width = uint32_t(number("width", text, 1, max_side));
        break;
    case id_height:
        options.height = uint32_t(number("height", text, 1, max_side));
        break;
    case id_headless:
        options.headless = true;
        break;
    case id_fullscreen:
        options.fullscreen = true;
        break;
    case id_windows:
        options.windows = uint32_t(number("windows", text, 1, max_windows));
        break;
    case id_frames:
        options.frames = number("frames", text, 0, any);
        break;
    case id_still_after:
        options.still_after = number("still-after", text, 0, any);
        break;
    case id_resize_every:
        options.resize_every = number("resize-every", text, 0, any);
        break;
    case id_present_mode:
        options.present_mode = present_mode(text);
        break;
    case id_alpha:
        options.alpha = alpha(text);
        break;
    case id_format:
        options.format = format(text);
        break;
    case id_backdrop:
        options.backdrop = colour(text);
        break;
    case id_hold:
        options.hold = true;
        break;
    case id_ready_file:
        options.ready_file = text;
        break;
    default: // getopt_long has already reported what it did not understand
        throw UsageError("try --help");
    }
}

} // namespace

Options parse_options(int argc, char** argv) {
    Options options;
    // NOLINTNEXTLINE(concurrency-mt-unsafe): no other thread has been started yet
    for (int id; (id = getopt_long(argc, argv, "h", long_options, nullptr)) != -1;)
        apply(options, id, optarg);
    if (optind < argc)
        throw UsageError("\"" + std::string(argv[optind]) + "\" is not an option");
    if (options.frames == 0 && (options.hold || !options.ready_file.empty()))
        throw UsageError(
            "--hold and --ready-file need --frames: without it there is no last frame");
    if (options.headless && options.frames == 0)
        throw UsageError("--headless needs --frames: without a window, nobody can close it");
    if (options.headless &&
        (options.fullscreen || options.backdrop || options.hold || options.windows > 1 ||
         options.resize_every > 0 || !options.ready_file.empty()))
        throw UsageError("--fullscreen, --windows, --resize-every, --backdrop, --ready-file and "
                         "--hold are for windows, not for --headless");
    return options;
}

const char* usage_text() {
    return "usage: fencebridge-still [OPTION...]\n"
           "Shows a fixed test picture in a Wayland window, drawn through Vulkan.\n"
           "\n"
           "  --width N, --height N   size of the window (500x500)\n"
           "  --headless              no window: present to a surface of "
           "VK_EXT_headless_surface\n"
           "  --fullscreen            cover the output; the compositor gives the size\n"
           "  --windows N             N windows, all presented by one vkQueuePresentKHR (1); each "
           "is\n"
           "                          smaller than the one before, so that none is hidden\n"
           "  --frames N              present N frames, then end (0: until closed)\n"
           "  --still-after N         scroll the picture for N frames, then keep it still (0)\n"
           "  --resize-every N        change the size after every N frames (0: never)\n"
           "  --present-mode MODE     fifo, mailbox, fifo-relaxed, immediate (fifo)\n"
           "  --alpha MODE            opaque, premultiplied (opaque); premultiplied shows that\n"
           "                          the lower half of the picture is translucent\n"
           "  --format FORMAT         b8g8r8a8-unorm, r8g8b8a8-unorm, b8g8r8a8-srgb,\n"
           "                          r8g8b8a8-srgb, a2r10g10b10-unorm, a2b10g10r10-unorm,\n"
           "                          r5g6b5-unorm (the first that the surface has)\n"
           "  --backdrop RRGGBB       put the picture on a plain surface of this colour, so that\n"
           "                          what shines through is the same on every desktop\n"
           "  --ready-file PATH       create PATH when the last frame's callback has come\n"
           "  --hold                  after the last frame stay until standard input ends, the\n"
           "                          window is closed, or SIGTERM or SIGINT comes\n"
           "  -h, --help              show this text\n"
           "\n"
           "Exit status: 0 done, 1 a call failed, 2 wrong usage, 77 the driver or the compositor\n"
           "lacks something that was asked for.\n";
}

const char* name_of(VkPresentModeKHR mode) {
    for (const auto& entry : present_mode_names)
        if (mode == entry.mode)
            return entry.name;
    return "?";
}

} // namespace fencebridge::still
