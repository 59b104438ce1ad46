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

constexpr std::array known = {
    // The buffers have AMDGPU_GEM_CREATE_EXPLICIT_SYNC, unless Mesa's own swapchain allocates them:
    // radv_amdgpu_winsys_bo_create() in Mesa's src/amd/vulkan/winsys/amdgpu/radv_amdgpu_bo.c. For
    // those amdgpu_cs_sync_rings() asks for AMDGPU_SYNC_EXPLICIT, with which
    // amdgpu_sync_test_fence() leaves amdgpu's own fences out (Linux,
    // drivers/gpu/drm/amd/amdgpu/amdgpu_cs.c and amdgpu_sync.c). The flag belongs to the buffer, so
    // that a compositor's OpenGL on the same GPU does not wait either.
    Entry{VK_DRIVER_ID_MESA_RADV, {.importers = Importers::ignore_fences}},
    // The same flag: explicitSync, which Memory sets for what is exported (xgl,
    // icd/api/vk_memory.cpp), in GpuMemory::AllocateOrPinMemory() (pal,
    // src/core/os/amdgpu/amdgpuGpuMemory.cpp). The proprietary driver is built from those, too.
    Entry{VK_DRIVER_ID_AMD_OPEN_SOURCE, {.importers = Importers::ignore_fences}},
    Entry{VK_DRIVER_ID_AMD_PROPRIETARY, {.importers = Importers::ignore_fences}},
};

} // namespace

DriverFacts facts_of(VkDriverId driver) {
    const auto* found = std::ranges::find(known, driver, &Entry::driver);
    return found == known.end() ? DriverFacts{} : found->facts;
}

} // namespace fencebridge::vk
