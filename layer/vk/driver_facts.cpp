// SPDX-License-Identifier: MIT
#include "vk/driver_facts.hpp"

#include <algorithm>
#include <array>

namespace fencebridge::vk {

namespace {

struct Entry {
    VkDriverId driver;
    DriverFacts facts;
};

// Mesa's swapchains hand out an acquire semaphore and fence that have signalled if the kernel lacks
// the dma-buf ioctls (wsi_signal_semaphore_for_image() in src/vulkan/wsi/wsi_common.c), and then
// rely on what the kernel driver does at each submission. Some kernel drivers wait there for the
// fences of the image, and add their own (`carried`).
constexpr core::OwnSwapchains mesas_by_submissions = {.otherwise = core::OwnFences::carried};

constexpr std::array known = {
    // RADV sets AMDGPU_GEM_CREATE_EXPLICIT_SYNC on its buffers, except for those of Mesa's own
    // swapchain: radv_amdgpu_winsys_bo_create() in Mesa's
    // src/amd/vulkan/winsys/amdgpu/radv_amdgpu_bo.c. For a buffer with this flag,
    // amdgpu_cs_sync_rings() asks for AMDGPU_SYNC_EXPLICIT, and amdgpu_sync_test_fence() then
    // leaves out the fences of every driver that uses the kernel's GPU scheduler (Linux,
    // drivers/gpu/drm/amd/amdgpu/amdgpu_cs.c and
    // amdgpu_sync.c). The flag belongs to the buffer: a compositor's OpenGL on the same GPU does
    // not wait either. A buffer that RADV imports has the flag only if RADV made it.
    Entry{VK_DRIVER_ID_MESA_RADV,
          {.implicit_fences_on_exports = ImplicitFences::ignored,
           .implicit_fences_on_imports = ImplicitFences::honoured,
           .own_swapchains = mesas_by_submissions}},
    // AMDVLK sets the same flag. xgl sets `explicitSync` for exported memory
    // (icd/api/vk_memory.cpp). For such memory, pal sets the flag in
    // GpuMemory::AllocateOrPinMemory() (src/core/os/amdgpu/amdgpuGpuMemory.cpp). AMD's proprietary
    // driver has the same code. Their own swapchains' images are not exported memory, so amdgpu
    // orders the submissions.
    Entry{VK_DRIVER_ID_AMD_OPEN_SOURCE,
          {.implicit_fences_on_exports = ImplicitFences::ignored,
           .implicit_fences_on_imports = ImplicitFences::honoured,
           .own_swapchains = {.otherwise = core::OwnFences::carried}}},
    Entry{VK_DRIVER_ID_AMD_PROPRIETARY,
          {.implicit_fences_on_exports = ImplicitFences::ignored,
           .implicit_fences_on_imports = ImplicitFences::honoured,
           .own_swapchains = {.otherwise = core::OwnFences::carried}}},
    // ANV and HASVK: i915 orders the submissions (ANV_BO_ALLOC_IMPLICIT_SYNC for Mesa's own
    // swapchains in src/intel/vulkan/anv_device.c). xe, which does not, is newer than the ioctls.
    Entry{VK_DRIVER_ID_INTEL_OPEN_SOURCE_MESA, {.own_swapchains = mesas_by_submissions}},
    // msm orders submissions with such an image (TU_BO_ALLOC_IMPLICIT_SYNC in
    // src/freedreno/vulkan/tu_device.cc, MSM_SUBMIT_BO_NO_IMPLICIT in tu_knl_drm_msm.cc).
    Entry{VK_DRIVER_ID_MESA_TURNIP, {.own_swapchains = mesas_by_submissions}},
    // v3d orders all submissions (Linux, drivers/gpu/drm/v3d/v3d_submit.c).
    Entry{VK_DRIVER_ID_MESA_V3DV, {.own_swapchains = mesas_by_submissions}},
    // lavapipe has one memory layout for all image layouts: it does not look at the latter
    // (handle_pipeline_barrier() in Mesa's src/gallium/frontends/lavapipe/lvp_execute.c).
    // Its swapchains wait for the rendering in present (`wsi->sw` in wsi_common.c). With the
    // layer's, the export of the wait semaphores does: neither is better.
    Entry{VK_DRIVER_ID_MESA_LLVMPIPE,
          {.own_swapchains = {.otherwise = core::OwnFences::carried},
           .knows_shared_present_layout = true}},
    // It waits until the queue is idle (Queue::present() in src/Vulkan/VkQueue.cpp).
    Entry{VK_DRIVER_ID_GOOGLE_SWIFTSHADER,
          {.own_swapchains = {.otherwise = core::OwnFences::waited_for}}},
    // virtio_gpu adds the fence of a submission to the buffers that the submission uses, but waits
    // for no fence on them: virtio_gpu_lock_buflist() in Linux, drivers/gpu/drm/virtio/
    // virtgpu_submit.c. A compositor that uses OpenGL (virgl) in the same guest reads too early.
    // Mesa's swapchains use timelines only on drivers that export OPAQUE_FD
    // (wsi_device_supports_explicit_sync()), which Venus does not.
    // A buffer that virgl has allocated, as libgbm's are in such a guest, is unknown to the host's
    // process for Venus. Mesa then ends the application (seen: docs/drivers.md, "Compositors on
    // Venus").
    Entry{VK_DRIVER_ID_MESA_VENUS,
          {.implicit_fences_on_exports = ImplicitFences::ignored,
           .implicit_fences_on_imports = ImplicitFences::ignored,
           .imports_gbm = false,
           .own_swapchains = {.otherwise = core::OwnFences::lost}}},
    // Neither its kernel module nor its OpenGL waits for fences of dma-bufs (issue 207 of
    // KhronosGroup/EGL-Registry, pull request 104 of NVIDIA/egl-wayland). Without timelines, its
    // own swapchains wait until the queue is idle (that pull request).
    Entry{VK_DRIVER_ID_NVIDIA_PROPRIETARY,
          {.implicit_fences_on_exports = ImplicitFences::ignored,
           .implicit_fences_on_imports = ImplicitFences::ignored,
           .own_swapchains = {.otherwise = core::OwnFences::waited_for}}},
};

/// The drivers that a Mesa older than `mesa_with_headless_surfaces` may have, with the common code
/// of window systems.
constexpr std::array of_mesa = {VK_DRIVER_ID_MESA_RADV,
                                VK_DRIVER_ID_INTEL_OPEN_SOURCE_MESA,
                                VK_DRIVER_ID_MESA_LLVMPIPE,
                                VK_DRIVER_ID_MESA_TURNIP,
                                VK_DRIVER_ID_MESA_V3DV,
                                VK_DRIVER_ID_MESA_PANVK,
                                VK_DRIVER_ID_MESA_VENUS,
                                VK_DRIVER_ID_MESA_DOZEN,
                                VK_DRIVER_ID_IMAGINATION_OPEN_SOURCE_MESA};
/// A version of Mesa that has that code (src/vulkan/wsi/wsi_common_headless.c) in every driver.
constexpr uint32_t mesa_with_headless_surfaces = VK_MAKE_API_VERSION(0, 25, 0, 0);

} // namespace

DriverFacts facts_of(VkDriverId driver, uint32_t version) {
    const auto* found = std::ranges::find(known, driver, &Entry::driver);
    DriverFacts facts = found == known.end() ? DriverFacts{} : found->facts;
    // wsi_common_get_surface_support() calls through a table of window systems, in which the entry
    // was null: seen to crash with 22.3.
    const bool is_mesa = std::ranges::find(of_mesa, driver) != of_mesa.end();
    facts.answers_for_headless_surfaces = !is_mesa || version >= mesa_with_headless_surfaces;
    // 565.57 uses linux-drm-syncobj-v1 for Vulkan (issue 142 of NVIDIA/egl-wayland). NVIDIA's
    // driverVersion has the first part of the version in the upper ten bits.
    if (driver == VK_DRIVER_ID_NVIDIA_PROPRIETARY)
        facts.own_swapchains.use_timelines = version >> 22 >= 565;
    return facts;
}

} // namespace fencebridge::vk
