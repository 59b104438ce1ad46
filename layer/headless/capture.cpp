// SPDX-License-Identifier: MIT
#include "headless/capture.hpp"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <drm_fourcc.h>
#include <fcntl.h>
#include <memory>
#include <new>
#include <unistd.h>

#include "ioctl/ioctl.hpp"
#include "util/blocked_signals.hpp"
#include "util/log.hpp"

namespace fencebridge::headless {

namespace {

struct Close {
    void operator()(std::FILE* file) const { static_cast<void>(std::fclose(file)); }
};
using File = std::unique_ptr<std::FILE, Close>;

std::string last_error() { return ioctl::text(ioctl::Errno{errno}); }

/// Names a swapchain among those of the process.
unsigned long long next_swapchain() {
    static std::atomic<unsigned long long> count = 0;
    return ++count;
}

/// Replaces what has that name. In a folder that others may write to, an existing file may be a
/// FIFO, whose open() waits for a reader, or a link to a file of the user's.
File create_file(const std::string& path) {
    ::unlink(path.c_str());
    Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
    File file(fd ? ::fdopen(fd.get(), "w") : nullptr);
    if (file)
        static_cast<void>(fd.release());
    return file;
}

void write_bytes(std::FILE* file, const void* bytes, size_t count) {
    static_cast<void>(std::fwrite(bytes, 1, count, file)); // ferror() tells about a failure
}

} // namespace

std::optional<Capture> Capture::create(const Options& options, VkExtent2D extent,
                                       const PixelFormat& pixels,
                                       const std::vector<image::SwapchainImage>& images) {
    if (options.capture_folder.empty())
        return std::nullopt;
    const uint32_t fourcc =
        pixels.opaque ? pixels.format->fourcc_opaque : pixels.format->fourcc_alpha;
    if (!PamWriter::has(fourcc)) {
        log::warning("headless_capture: a PAM file cannot hold VK_FORMAT_%s; no frames of this "
                     "swapchain are written",
                     pixels.format->name);
        return std::nullopt;
    }
    std::vector<MappedPixels> mapped;
    for (const image::SwapchainImage& image : images) {
        if (image.placement == core::Placement::unshared) {
            log::warning(
                "headless_capture: images of the allocator unshared are in memory that only "
                "the driver reads; no frames of this swapchain are written");
            return std::nullopt;
        }
        if (image.layout.modifier != DRM_FORMAT_MOD_LINEAR) {
            log::warning("headless_capture: the driver makes no LINEAR images of this format and "
                         "usage; no frames of this swapchain are written");
            return std::nullopt;
        }
        auto one = MappedPixels::map(image, extent.height);
        if (!one) {
            log::warning("headless_capture: mmap of an image: %s; no frames of this "
                         "swapchain are written",
                         ioctl::text(one.error()).c_str());
            return std::nullopt;
        }
        mapped.push_back(std::move(*one));
    }
    const std::string prefix = options.capture_folder + "/fencebridge-" +
                               std::to_string(::getpid()) + "-" + std::to_string(next_swapchain()) +
                               "-";
    log::info("headless_capture: one of %u frames is written to %sFRAME.pam; their presents wait "
              "for the rendering",
              options.capture_every, prefix.c_str());
    return Capture(prefix, options.capture_every, extent.height, PamWriter(fourcc, extent),
                   std::move(mapped));
}

void Capture::present(uint64_t number, core::ImageIndex image, const sync::Rendering& rendering) {
    if ((number - 1) % every_ != 0)
        return;
    std::string failure;
    try {
        std::string digits = std::to_string(number);
        digits.insert(0, digits.size() < 6 ? 6 - digits.size() : 0, '0');
        failure = rendering.wait() == VK_SUCCESS
                      ? write(prefix_ + digits + ".pam", images_[static_cast<size_t>(image)])
                      : "the wait for the rendering failed";
        if (!failure.empty() && !failure_logged_)
            log::error("headless_capture: frame %llu was not written: %s",
                       static_cast<unsigned long long>(number), failure.c_str());
    } catch (const std::bad_alloc&) {
        failure = "out of memory"; // short: no allocation
        if (!failure_logged_)
            log::error("headless_capture: frame %llu was not written: out of memory",
                       static_cast<unsigned long long>(number));
    }
    failure_logged_ = failure_logged_ || !failure.empty();
}

/// Writes a file under another name first, so that whoever reads the folder finds whole files.
/// @return why it failed; empty: it did not
std::string Capture::write(const std::string& path, const MappedPixels& pixels) {
    const std::string part = path + ".part";
    const BlockedSignals signals{SIGXFSZ}; // write() raises it if the file becomes too large
    File file = create_file(part);
    if (!file)
        return part + ": " + last_error();
    std::string failure;
    if (const auto readable = pixels.begin(); readable) {
        write_bytes(file.get(), pam_.header().data(), pam_.header().size());
        for (uint32_t y = 0; y < rows_; ++y) {
            const auto row = pam_.convert(pixels.row(y, pam_.bytes_per_row()));
            write_bytes(file.get(), row.data(), row.size());
        }
        pixels.end();
    } else {
        failure = "DMA_BUF_IOCTL_SYNC: " + ioctl::text(readable.error());
    }
    const bool written = std::ferror(file.get()) == 0;
    const bool closed = std::fclose(file.release()) == 0;
    if (!written || !closed)
        signals.discard_raised(); // before anything is allocated, which may throw
    if (failure.empty() && (!written || !closed || std::rename(part.c_str(), path.c_str()) != 0))
        failure = path + ": " + last_error();
    if (!failure.empty())
        ::unlink(part.c_str());
    return failure;
}

} // namespace fencebridge::headless
