// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <wayland-client.h>

#include "linux-dmabuf-unstable-v1-client-protocol.h"
#ifdef FENCEBRIDGE_HAVE_FIFO_V1
#include "fifo-v1-client-protocol.h"
#else // only null pointers of these types exist
struct wp_fifo_manager_v1;
struct wp_fifo_v1;
#endif
struct wl_fixes;

namespace fencebridge::wayland {

/// Destroys a Wayland object, by its destructor request if it has one.
struct Destroyer {
    void operator()(wl_event_queue* queue) const { wl_event_queue_destroy(queue); }
    void operator()(wl_registry* registry) const { wl_registry_destroy(registry); }
    void operator()(wl_buffer* buffer) const { wl_buffer_destroy(buffer); }
    void operator()(wl_callback* callback) const { wl_callback_destroy(callback); }
#ifdef WL_SHM_RELEASE_SINCE_VERSION
    void operator()(wl_shm* shm) const {
        // Before version 2 the protocol has no such request.
        if (wl_shm_get_version(shm) >= WL_SHM_RELEASE_SINCE_VERSION)
            wl_shm_release(shm);
        else
            wl_shm_destroy(shm);
    }
#else // libwayland before 1.23
    void operator()(wl_shm* shm) const { wl_shm_destroy(shm); }
#endif
    void operator()(zwp_linux_dmabuf_v1* dmabuf) const { zwp_linux_dmabuf_v1_destroy(dmabuf); }
    void operator()(zwp_linux_dmabuf_feedback_v1* feedback) const {
        zwp_linux_dmabuf_feedback_v1_destroy(feedback);
    }
    void operator()(zwp_linux_buffer_params_v1* params) const {
        zwp_linux_buffer_params_v1_destroy(params);
    }
#ifdef FENCEBRIDGE_HAVE_FIFO_V1
    void operator()(wp_fifo_manager_v1* manager) const { wp_fifo_manager_v1_destroy(manager); }
    void operator()(wp_fifo_v1* fifo) const { wp_fifo_v1_destroy(fifo); }
#else
    void operator()(wp_fifo_manager_v1*) const {}
    void operator()(wp_fifo_v1*) const {}
#endif
#ifdef FENCEBRIDGE_HAVE_WL_FIXES
    void operator()(wl_fixes* fixes) const { wl_fixes_destroy(fixes); }
#else
    void operator()(wl_fixes*) const {}
#endif
};
template <class T>
using Proxy = std::unique_ptr<T, Destroyer>;

struct WrapperDestroyer {
    void operator()(void* wrapper) const { wl_proxy_wrapper_destroy(wrapper); }
};
/// A proxy wrapper (wl_proxy_create_wrapper): the events of objects that are created through it go
/// to another queue. The events of the wrapped object stay on its own queue.
template <class T>
using Wrapper = std::unique_ptr<T, WrapperDestroyer>;

/// @return null if memory could not be allocated
template <class T>
Wrapper<T> wrap(T* object, wl_event_queue* queue) {
    Wrapper<T> wrapper(static_cast<T*>(wl_proxy_create_wrapper(object)));
    if (wrapper)
        wl_proxy_set_queue(reinterpret_cast<wl_proxy*>(wrapper.get()), queue);
    return wrapper;
}

} // namespace fencebridge::wayland
