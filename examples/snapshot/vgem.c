// SPDX-License-Identifier: MIT
#include "vgem.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <drm.h>
#include <drm_mode.h>

#include "give_up.h"

/* The two ioctls of <drm/vgem_drm.h>, a header that not every distribution has. */
struct fence_attach {
    __u32 handle;
    __u32 flags;
    __u32 out_fence;
    __u32 pad;
};
#define FENCE_WRITE 1u

struct fence_signal {
    __u32 fence;
    __u32 flags;
};

#define IOCTL_FENCE_ATTACH DRM_IOWR(DRM_COMMAND_BASE + 1, struct fence_attach)
#define IOCTL_FENCE_SIGNAL DRM_IOW(DRM_COMMAND_BASE + 2, struct fence_signal)

static bool is_vgem(int device) {
    char name[8] = "";
    struct drm_version version = {.name = name, .name_len = sizeof(name) - 1};
    return ioctl(device, DRM_IOCTL_VERSION, &version) == 0 && strcmp(name, "vgem") == 0;
}

int vgem_open(void) {
    // The card first: on stock kernels a render node creates no dumb buffers.
    glob_t nodes = {0};
    glob("/dev/dri/card*", 0, NULL, &nodes);
    glob("/dev/dri/renderD*", GLOB_APPEND, NULL, &nodes);
    int vgem = -1;
    int error = ENODEV;
    for (size_t i = 0; i < nodes.gl_pathc && vgem < 0; ++i) {
        const int device = open(nodes.gl_pathv[i], O_RDWR | O_CLOEXEC);
        if (device < 0) {
            error = errno;
        } else if (is_vgem(device)) {
            vgem = device;
            printf("%s is vgem's.\n", nodes.gl_pathv[i]);
        } else {
            close(device);
        }
    }
    globfree(&nodes);
    if (vgem < 0) {
        errno = error;
        give_up("look for vgem in /dev/dri",
                error == EACCES ? "run this as root" : "load the driver: modprobe vgem");
    }
    return vgem;
}

struct buffer vgem_buffer(int vgem) {
    struct drm_mode_create_dumb create = {.width = 32, .height = 32, .bpp = 32};
    if (ioctl(vgem, DRM_IOCTL_MODE_CREATE_DUMB, &create) != 0)
        give_up("make a buffer (DRM_IOCTL_MODE_CREATE_DUMB)",
                errno == EACCES ? "run this as root, to use vgem's card node: its render node "
                                  "creates no dumb buffers"
                                : NULL);
    struct drm_prime_handle share = {.handle = create.handle, .flags = DRM_CLOEXEC | DRM_RDWR};
    if (ioctl(vgem, DRM_IOCTL_PRIME_HANDLE_TO_FD, &share) != 0)
        give_up("share the buffer as a dma-buf (DRM_IOCTL_PRIME_HANDLE_TO_FD)", NULL);
    return (struct buffer){.handle = create.handle, .dma_buf = share.fd};
}

uint32_t vgem_attach_writer(int vgem, struct buffer buffer) {
    struct fence_attach attach = {.handle = buffer.handle, .flags = FENCE_WRITE};
    if (ioctl(vgem, IOCTL_FENCE_ATTACH, &attach) != 0)
        give_up("attach a fence to the buffer (DRM_IOCTL_VGEM_FENCE_ATTACH)",
                errno == EBUSY ? "it has one that is pending" : NULL);
    return attach.out_fence;
}

int vgem_signal(int vgem, uint32_t fence) {
    struct fence_signal signal = {.fence = fence};
    return ioctl(vgem, IOCTL_FENCE_SIGNAL, &signal);
}
