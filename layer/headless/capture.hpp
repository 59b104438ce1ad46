// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>
#include <vulkan/vulkan.h>

#include "core/image_ring.hpp"
#include "headless/mapped_pixels.hpp"
#include "headless/options.hpp"
#include "headless/pam.hpp"
#include "swapchain/window.hpp"
#include "util/fd.hpp"

namespace fencebridge::headless {

/// Writes frames of one swapchain as files, for debugging (setting `headless_capture`). Used by the
/// thread that shows them.
class Capture {
public:
    /// @return nothing if no frames are to be written, or if they cannot be; the log then says why
    [[nodiscard]] static std::optional<Capture>
    create(const Options& options, VkExtent2D extent, const PixelFormat& pixels,
           const std::vector<image::SwapchainImage>& images);

    /// A frame is presented. If it is to be written, waits for its rendering on the CPU, and writes
    /// the file. A failure is logged once for a swapchain, and has no other consequence.
    /// @param number  of the frame in its swapchain, from 1 on
    void present(uint64_t number, core::ImageIndex image, const sync::Rendering& rendering);

private:
    Capture(std::string prefix, uint32_t every, uint32_t rows, PamWriter pam,
            std::vector<MappedPixels> images) :
        prefix_(std::move(prefix)),
        every_(every), rows_(rows), pam_(std::move(pam)), images_(std::move(images)) {}

    [[nodiscard]] std::string write(const std::string& path, const MappedPixels& pixels);

    std::string prefix_; ///< of the files' paths
    uint32_t every_;
    uint32_t rows_;
    PamWriter pam_;
    std::vector<MappedPixels> images_;
    bool failure_logged_ = false;
};

} // namespace fencebridge::headless
