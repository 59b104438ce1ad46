// SPDX-License-Identifier: MIT
// Device memory and buffers.
#include <algorithm>
#include <sys/mman.h>

#include "backing.hpp"
#include "chain.hpp"
#include "entry_points.hpp"
#include "objects.hpp"

namespace fencebridge::fake_driver {
namespace {

constexpr auto dma_buf = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT;
constexpr uint32_t all_memory_types = 0b11;
constexpr uint32_t host_visible_type = 1;

DeviceSettings settings_of(const Device& device) {
    return current_device_settings(device.physical_device->index);
}

bool supports_dma_bufs(const Device& device, VkExternalMemoryFeatureFlagBits feature) {
    return device.has(VK_EXT_EXTERNAL_MEMORY_DMA_BUF_EXTENSION_NAME) &&
           (settings_of(device).dma_bufs() & feature) != 0;
}

/// The size that a dma-buf must have for this allocation.
VkDeviceSize smallest_import(const Memory& memory) {
    const auto image = memory.dedicated_image != VK_NULL_HANDLE
                           ? objects().images.find(memory.dedicated_image)
                           : nullptr;
    if (image == nullptr)
        return memory.size;
    return std::max(memory.size, image->size() + settings_of(*memory.device).import_padding);
}

/// The driver owns an imported descriptor only if the call succeeds.
VkResult import_memory(const VkImportMemoryFdInfoKHR& info, const Device& device, Memory& memory) {
    if (info.handleType != dma_buf ||
        !supports_dma_bufs(device, VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT)) {
        misuse("vkAllocateMemory: import of a handle type that the device does not support");
        return VK_ERROR_INVALID_EXTERNAL_HANDLE;
    }
    const off_t size = lseek(info.fd, 0, SEEK_END);
    if (size < 0 || static_cast<VkDeviceSize>(size) < smallest_import(memory))
        return VK_ERROR_INVALID_EXTERNAL_HANDLE;
    memory.imported_size = static_cast<VkDeviceSize>(size);
    memory.fd = Fd{info.fd};
    return VK_SUCCESS;
}

VkResult prepare_export(const VkExportMemoryAllocateInfo& info, const Device& device,
                        Memory& memory) {
    if (info.handleTypes != dma_buf ||
        !supports_dma_bufs(device, VK_EXTERNAL_MEMORY_FEATURE_EXPORTABLE_BIT)) {
        misuse("vkAllocateMemory: export of a handle type that the device does not support");
        return VK_ERROR_INVALID_EXTERNAL_HANDLE;
    }
    memory.exportable = true;
    memory.fd = make_backing(current_settings().memory, memory.size);
    return memory.fd.valid() ? VK_SUCCESS : VK_ERROR_OUT_OF_DEVICE_MEMORY;
}

VkResult allocate_memory(VkDevice handle, const VkMemoryAllocateInfo* info,
                         const VkAllocationCallbacks*, VkDeviceMemory* result) {
    if (const auto failure = enter("vkAllocateMemory"))
        return *failure;
    Memory memory;
    memory.device = from_handle<Device>(handle);
    memory.size = info->allocationSize;
    memory.type = info->memoryTypeIndex;
    if (const auto* const dedicated = find_in<VkMemoryDedicatedAllocateInfo>(
            info->pNext, VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO))
        memory.dedicated_image = dedicated->image;
    const auto* const import =
        find_in<VkImportMemoryFdInfoKHR>(info->pNext, VK_STRUCTURE_TYPE_IMPORT_MEMORY_FD_INFO_KHR);
    const auto* const exported = find_in<VkExportMemoryAllocateInfo>(
        info->pNext, VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO);
    VkResult status = VK_SUCCESS;
    if (import != nullptr && import->handleType != 0)
        status = import_memory(*import, *memory.device, memory);
    else if (exported != nullptr && exported->handleTypes != 0)
        status = prepare_export(*exported, *memory.device, memory);
    if (status == VK_SUCCESS)
        *result = objects().memories.add(std::move(memory));
    return status;
}

void unmap(Memory& memory) {
    if (memory.mapping != nullptr)
        munmap(std::exchange(memory.mapping, nullptr), memory.size);
}

void free_memory(VkDevice, VkDeviceMemory handle, const VkAllocationCallbacks*) {
    note("vkFreeMemory");
    if (const auto memory = objects().memories.remove(handle))
        unmap(*memory);
}

VkResult map_memory(VkDevice, VkDeviceMemory handle, VkDeviceSize offset, VkDeviceSize,
                    VkMemoryMapFlags, void** data) {
    if (const auto failure = enter("vkMapMemory"))
        return *failure;
    const auto memory = objects().memories.find(handle);
    if (memory == nullptr || memory->type != host_visible_type || memory->mapping != nullptr) {
        misuse("vkMapMemory: not host visible, or mapped already");
        return VK_ERROR_MEMORY_MAP_FAILED;
    }
    if (!memory->fd.valid())
        memory->fd = make_backing(FAKE_DRIVER_MEMORY_MEMFD, memory->size);
    void* const mapping =
        mmap(nullptr, memory->size, PROT_READ | PROT_WRITE, MAP_SHARED, memory->fd.get(), 0);
    if (mapping == MAP_FAILED)
        return VK_ERROR_MEMORY_MAP_FAILED;
    memory->mapping = mapping;
    *data = static_cast<std::byte*>(mapping) + offset;
    return VK_SUCCESS;
}

void unmap_memory(VkDevice, VkDeviceMemory handle) {
    note("vkUnmapMemory");
    if (const auto memory = objects().memories.find(handle))
        unmap(*memory);
}

VkResult sync_ranges(VkDevice, uint32_t count, const VkMappedMemoryRange* ranges) {
    for (const VkMappedMemoryRange& range : std::span{ranges, count})
        (void)objects().memories.find(range.memory);
    return VK_SUCCESS;
}

VkResult get_memory_fd(VkDevice, const VkMemoryGetFdInfoKHR* info, int* fd) {
    if (const auto failure = enter("vkGetMemoryFdKHR"))
        return *failure;
    const auto memory = objects().memories.find(info->memory);
    if (memory == nullptr || !memory->exportable || info->handleType != dma_buf) {
        misuse("vkGetMemoryFdKHR: the memory was not allocated for this export");
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    *fd = memory->fd.duplicate();
    if (*fd < 0)
        return VK_ERROR_TOO_MANY_OBJECTS;
    with_state([](State& state) { ++state.exported_memory_fds; });
    return VK_SUCCESS;
}

VkResult get_memory_fd_properties(VkDevice device, VkExternalMemoryHandleTypeFlagBits type, int,
                                  VkMemoryFdPropertiesKHR* properties) {
    if (const auto failure = enter("vkGetMemoryFdPropertiesKHR"))
        return *failure;
    if (type != dma_buf ||
        !supports_dma_bufs(*from_handle<Device>(device), VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT))
        return VK_ERROR_INVALID_EXTERNAL_HANDLE;
    properties->memoryTypeBits = all_memory_types;
    return VK_SUCCESS;
}

VkResult create_buffer(VkDevice handle, const VkBufferCreateInfo* info,
                       const VkAllocationCallbacks*, VkBuffer* result) {
    if (const auto failure = enter("vkCreateBuffer"))
        return *failure;
    *result = objects().buffers.add(
        {.device = from_handle<Device>(handle), .size = info->size, .bound = false});
    return VK_SUCCESS;
}

void destroy_buffer(VkDevice, VkBuffer handle, const VkAllocationCallbacks*) {
    note("vkDestroyBuffer");
    objects().buffers.remove(handle);
}

void get_buffer_requirements(VkDevice, VkBuffer handle, VkMemoryRequirements* requirements) {
    const auto buffer = objects().buffers.find(handle);
    *requirements = {.size = buffer != nullptr ? buffer->size : 0,
                     .alignment = 256,
                     .memoryTypeBits = all_memory_types};
}

void get_buffer_requirements2(VkDevice device, const VkBufferMemoryRequirementsInfo2* info,
                              VkMemoryRequirements2* requirements) {
    get_buffer_requirements(device, info->buffer, &requirements->memoryRequirements);
}

VkResult bind_buffer(VkDevice, VkBuffer handle, VkDeviceMemory memory, VkDeviceSize) {
    if (const auto failure = enter("vkBindBufferMemory"))
        return *failure;
    const auto buffer = objects().buffers.find(handle);
    if (buffer == nullptr || objects().memories.find(memory) == nullptr)
        return VK_ERROR_OUT_OF_DEVICE_MEMORY;
    if (std::exchange(buffer->bound, true))
        misuse("vkBindBufferMemory: bound already");
    return VK_SUCCESS;
}

} // namespace

std::span<const EntryPoint> memory_entry_points() {
    constexpr auto level = Level::device;
    constexpr auto external = VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME;
    static const EntryPoint table[]{
        entry_point<PFN_vkAllocateMemory, allocate_memory>("vkAllocateMemory", level),
        entry_point<PFN_vkFreeMemory, free_memory>("vkFreeMemory", level),
        entry_point<PFN_vkMapMemory, map_memory>("vkMapMemory", level),
        entry_point<PFN_vkUnmapMemory, unmap_memory>("vkUnmapMemory", level),
        entry_point<PFN_vkFlushMappedMemoryRanges, sync_ranges>("vkFlushMappedMemoryRanges", level),
        entry_point<PFN_vkInvalidateMappedMemoryRanges, sync_ranges>(
            "vkInvalidateMappedMemoryRanges", level),
        entry_point<PFN_vkGetMemoryFdKHR, get_memory_fd>("vkGetMemoryFdKHR", level, never_core,
                                                         external),
        entry_point<PFN_vkGetMemoryFdPropertiesKHR, get_memory_fd_properties>(
            "vkGetMemoryFdPropertiesKHR", level, never_core, external),
        entry_point<PFN_vkCreateBuffer, create_buffer>("vkCreateBuffer", level),
        entry_point<PFN_vkDestroyBuffer, destroy_buffer>("vkDestroyBuffer", level),
        entry_point<PFN_vkGetBufferMemoryRequirements, get_buffer_requirements>(
            "vkGetBufferMemoryRequirements", level),
        entry_point<PFN_vkGetBufferMemoryRequirements2, get_buffer_requirements2>(
            "vkGetBufferMemoryRequirements2", level, VK_API_VERSION_1_1),
        entry_point<PFN_vkGetBufferMemoryRequirements2, get_buffer_requirements2>(
            "vkGetBufferMemoryRequirements2KHR", level, never_core,
            VK_KHR_GET_MEMORY_REQUIREMENTS_2_EXTENSION_NAME),
        entry_point<PFN_vkBindBufferMemory, bind_buffer>("vkBindBufferMemory", level),
    };
    return table;
}

} // namespace fencebridge::fake_driver
