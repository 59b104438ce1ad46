// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace fencebridge::core {

/// Where the memory of a swapchain's images comes from; docs/allocators.md.
enum class ImageSource {
    driver_export,
    gbm,
    dma_heap,
    dumb,
    udmabuf,
    copy_dma_buf,
    host_pointer,
    copy_host_pointer,
    unshared,
};

struct ImageSourceName {
    std::string_view name; ///< in the settings and in the log
    ImageSource source;
};

/// Best first.
constexpr std::array<ImageSourceName, 9> image_sources = {{
    {"driver-export", ImageSource::driver_export},
    {"gbm", ImageSource::gbm},
    {"dma-heap", ImageSource::dma_heap},
    {"dumb", ImageSource::dumb},
    {"udmabuf", ImageSource::udmabuf},
    {"copy-dma-buf", ImageSource::copy_dma_buf},
    {"host-pointer", ImageSource::host_pointer},
    {"copy-host-pointer", ImageSource::copy_host_pointer},
    {"unshared", ImageSource::unshared},
}};

[[nodiscard]] constexpr std::string_view name(ImageSource source) {
    return std::ranges::find(image_sources, source, &ImageSourceName::source)->name;
}

} // namespace fencebridge::core
