// SPDX-License-Identifier: MIT
#include "wayland/shm.hpp"

#include <algorithm>
#include <drm_fourcc.h>
#include <new>

#include "util/log.hpp"

namespace fencebridge::wayland {

namespace {

// "The drm format codes match the macros defined in drm_fourcc.h, except argb8888 and xrgb8888"
// (wl_shm.format).

uint32_t to_fourcc(uint32_t format) {
    switch (format) {
    case WL_SHM_FORMAT_ARGB8888:
        return DRM_FORMAT_ARGB8888;
    case WL_SHM_FORMAT_XRGB8888:
        return DRM_FORMAT_XRGB8888;
    default:
        return format;
    }
}

uint32_t from_fourcc(uint32_t fourcc) {
    switch (fourcc) {
    case DRM_FORMAT_ARGB8888:
        return WL_SHM_FORMAT_ARGB8888;
    case DRM_FORMAT_XRGB8888:
        return WL_SHM_FORMAT_XRGB8888;
    default:
        return fourcc;
    }
}

} // namespace

struct ShmGlobal::Handlers {
    static void format(void* data, wl_shm*, uint32_t format) {
        // An exception must not pass through libwayland, which is C.
        try {
            static_cast<ShmGlobal*>(data)->formats_.push_back(to_fourcc(format));
        } catch (const std::bad_alloc&) {
            log::error("out of memory in wl_shm.format: a format is not used");
        }
    }
};

void ShmGlobal::bind(AnnouncedGlobal& global) {
    static constexpr wl_shm_listener listener = {.format = &Handlers::format};
    if (shm_ || !global.is(wl_shm_interface))
        return;
    const auto known = static_cast<uint32_t>(wl_shm_interface.version);
    shm_.reset(global.bind<wl_shm>(wl_shm_interface, std::min({global.version(), known, 2u})));
    if (shm_)
        wl_shm_add_listener(shm_.get(), &listener, this);
}

bool fits_shm_pool(const image::SwapchainImage& image, VkExtent2D extent) {
    const image::Plane& plane = image.layout.planes[0];
    const uint64_t end = plane.offset + uint64_t{plane.pitch} * extent.height;
    return image.layout.plane_count == 1 && end <= image.host.size() &&
           image.host.size() <= INT32_MAX;
}

Proxy<wl_buffer> create_shm_buffer(wl_shm* shm, const image::SwapchainImage& image,
                                   VkExtent2D extent, uint32_t fourcc) {
    struct PoolDestroyer {
        void operator()(wl_shm_pool* pool) const { wl_shm_pool_destroy(pool); }
    };
    // The buffer keeps the memory mapped after the pool is destroyed.
    const std::unique_ptr<wl_shm_pool, PoolDestroyer> pool(
        wl_shm_create_pool(shm, image.host.file().get(), static_cast<int32_t>(image.host.size())));
    if (!pool)
        return nullptr;
    const image::Plane& plane = image.layout.planes[0];
    return Proxy<wl_buffer>(wl_shm_pool_create_buffer(
        pool.get(), static_cast<int32_t>(plane.offset), static_cast<int32_t>(extent.width),
        static_cast<int32_t>(extent.height), static_cast<int32_t>(plane.pitch),
        from_fourcc(fourcc)));
}

} // namespace fencebridge::wayland
