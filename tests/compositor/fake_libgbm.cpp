// SPDX-License-Identifier: MIT
// The functions of libgbm that the layer uses. fake_gbm.cpp, in the executable of the test, has
// what they do. With FAKE_GBM_IS_OLD, those are left out that came last.
#include <cstdint>

extern "C" {
void* fake_gbm_create_device(int fd);
void fake_gbm_destroy_device(void* device);
void* fake_gbm_create_buffer(void* device, const char* function, uint32_t width, uint32_t height,
                             uint32_t format, uint32_t flags, const uint64_t* modifiers,
                             unsigned count);
void fake_gbm_destroy_buffer(void* buffer);
int fake_gbm_get_fd(void* buffer, int plane);
uint64_t fake_gbm_describe(void* buffer, int plane, uint32_t* offset, uint32_t* stride,
                           int* planes);

#pragma GCC visibility push(default)

void* gbm_create_device(int fd) { return fake_gbm_create_device(fd); }
void gbm_device_destroy(void* device) { fake_gbm_destroy_device(device); }

void* gbm_bo_create(void* device, uint32_t width, uint32_t height, uint32_t format,
                    uint32_t flags) {
    return fake_gbm_create_buffer(device, "gbm_bo_create", width, height, format, flags, nullptr,
                                  0);
}
void* gbm_bo_create_with_modifiers(void* device, uint32_t width, uint32_t height, uint32_t format,
                                   const uint64_t* modifiers, unsigned count) {
    return fake_gbm_create_buffer(device, "gbm_bo_create_with_modifiers", width, height, format, 0,
                                  modifiers, count);
}
void gbm_bo_destroy(void* buffer) { fake_gbm_destroy_buffer(buffer); }
int gbm_bo_get_fd(void* buffer) { return fake_gbm_get_fd(buffer, 0); }

int gbm_bo_get_plane_count(void* buffer) {
    uint32_t offset;
    uint32_t stride;
    int planes;
    fake_gbm_describe(buffer, 0, &offset, &stride, &planes);
    return planes;
}
uint32_t gbm_bo_get_offset(void* buffer, int plane) {
    uint32_t offset;
    uint32_t stride;
    int planes;
    fake_gbm_describe(buffer, plane, &offset, &stride, &planes);
    return offset;
}
uint32_t gbm_bo_get_stride_for_plane(void* buffer, int plane) {
    uint32_t offset;
    uint32_t stride;
    int planes;
    fake_gbm_describe(buffer, plane, &offset, &stride, &planes);
    return stride;
}
uint64_t gbm_bo_get_modifier(void* buffer) {
    uint32_t offset;
    uint32_t stride;
    int planes;
    return fake_gbm_describe(buffer, 0, &offset, &stride, &planes);
}

#ifndef FAKE_GBM_IS_OLD
void* gbm_bo_create_with_modifiers2(void* device, uint32_t width, uint32_t height, uint32_t format,
                                    const uint64_t* modifiers, unsigned count, uint32_t flags) {
    return fake_gbm_create_buffer(device, "gbm_bo_create_with_modifiers", width, height, format,
                                  flags, modifiers, count);
}
int gbm_bo_get_fd_for_plane(void* buffer, int plane) { return fake_gbm_get_fd(buffer, plane); }
#endif

#pragma GCC visibility pop
}
