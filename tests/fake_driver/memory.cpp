// SPDX-License-Identifier: MIT
// Device memory and buffers.
#include <algorithm>
#include <atomic>

#include "backing.hpp"
#include "chain.hpp"
#include "entry_points.hpp"
#include "memory_access.hpp"
#include "sync_state.hpp"

namespace fencebridge::fake_driver {
namespace {

constexpr auto dma_buf = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT;
constexpr auto host_allocation = VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT;
constexpr uint32_t all_memory_types = 0b11;
constexpr uint32_t host_visible_type = 1;

DeviceSettings settings_of(const Device& device) {
    return current_device_settings(device.physical_device->index);
}

bool supports_dma_bufs(const Device& device, VkExternalMemoryFeatureFlagBits feature) {
    return device.has(VK_EXT_EXTERNAL_MEMORY_DMA_BUF_EXTENSION_NAME) &&
           (settings_of(device).dma_bufs() & feature) != 0;
}

/// The size that the image or buffer needs to which the memory is dedicated; 0: it is not.
VkDeviceSize dedicated_size(const Memory& memory) {
    if (memory.dedicated_image != VK_NULL_HANDLE) {
        if (const auto image = objects().images.find(memory.dedicated_image))
            return image->size();
    } else if (memory.dedicated_buffer != VK_NULL_HANDLE) {
        if (const auto buffer = objects().buffers.find(memory.dedicated_buffer))
            return buffer->size;
    }
    return 0;
}

/// The size that a dma-buf must have for this allocation.
VkDeviceSize smallest_import(const Memory& memory) {
    const VkDeviceSize needed = dedicated_size(memory);
    if (needed == 0)
        return memory.size;
    return std::max(memory.size, needed + settings_of(*memory.device).import_padding);
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
    memory.imported_as = dma_buf;
    memory.fd = Fd{info.fd};
    return VK_SUCCESS;
}

/// VUID-VkMemoryAllocateInfo-allocationSize-01745, VUID-VkImportMemoryHostPointerInfoEXT-
/// pHostPointer-01749 and -01750, VUID-VkMemoryAllocateInfo-memoryTypeIndex-01744
VkResult import_host_pointer(const VkImportMemoryHostPointerInfoEXT& info, const Device& device,
                             Memory& memory) {
    const auto address = reinterpret_cast<uintptr_t>(info.pHostPointer);
    const VkDeviceSize alignment = settings_of(device).host_pointer_alignment;
    if (info.handleType != host_allocation ||
        !device.has(VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME) || address % alignment != 0 ||
        memory.size % alignment != 0 || memory.type != host_visible_type) {
        misuse("vkAllocateMemory: a host pointer of a type, address, size or memory type that the "
               "device does not support");
        return VK_ERROR_INVALID_EXTERNAL_HANDLE;
    }
    if (!is_mapped(info.pHostPointer, memory.size)) {
        misuse("vkAllocateMemory: the pages of the host pointer are not mapped");
        return VK_ERROR_INVALID_EXTERNAL_HANDLE;
    }
    memory.host_pointer = static_cast<std::byte*>(info.pHostPointer);
    memory.imported_as = host_allocation;
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
            info->pNext, VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO)) {
        memory.dedicated_image = dedicated->image;
        memory.dedicated_buffer = dedicated->buffer;
        // VUID-VkMemoryDedicatedAllocateInfo-image-02964, -buffer-02965
        if (dedicated_size(memory) != memory.size)
            misuse("vkAllocateMemory: dedicated memory of another size than the resource needs");
    }
    const auto* const import =
        find_in<VkImportMemoryFdInfoKHR>(info->pNext, VK_STRUCTURE_TYPE_IMPORT_MEMORY_FD_INFO_KHR);
    const auto* const exported = find_in<VkExportMemoryAllocateInfo>(
        info->pNext, VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO);
    const auto* const host = find_in<VkImportMemoryHostPointerInfoEXT>(
        info->pNext, VK_STRUCTURE_TYPE_IMPORT_MEMORY_HOST_POINTER_INFO_EXT);
    VkResult status = VK_SUCCESS;
    if (host != nullptr && host->handleType != 0)
        status = import_host_pointer(*host, *memory.device, memory);
    else if (import != nullptr && import->handleType != 0)
        status = import_memory(*import, *memory.device, memory);
    else if (exported != nullptr && exported->handleTypes != 0)
        status = prepare_export(*exported, *memory.device, memory);
    if (status == VK_SUCCESS)
        *result = objects().memories.add(std::move(memory));
    return status;
}

void free_memory(VkDevice, VkDeviceMemory handle, const VkAllocationCallbacks*) {
    note("vkFreeMemory");
    const auto memory = objects().memories.remove(handle);
    if (memory == nullptr)
        return;
    // The pages of a host pointer must stay mapped until now.
    if (memory->host_pointer != nullptr)
        (void)bytes_of(*memory);
    require_unused(memory->use, "vkFreeMemory");
}

VkResult map_memory(VkDevice, VkDeviceMemory handle, VkDeviceSize offset, VkDeviceSize,
                    VkMemoryMapFlags, void** data) {
    if (const auto failure = enter("vkMapMemory"))
        return *failure;
    const auto memory = objects().memories.find(handle);
    if (memory == nullptr || memory->type != host_visible_type || memory->mapped) {
        misuse("vkMapMemory: not host visible, or mapped already");
        return VK_ERROR_MEMORY_MAP_FAILED;
    }
    std::byte* const bytes = bytes_of(*memory);
    if (bytes == nullptr)
        return VK_ERROR_MEMORY_MAP_FAILED;
    memory->mapped = true;
    *data = bytes + offset;
    return VK_SUCCESS;
}

void unmap_memory(VkDevice, VkDeviceMemory handle) {
    note("vkUnmapMemory");
    if (const auto memory = objects().memories.find(handle))
        memory->mapped = false;
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

VkResult get_host_pointer_properties(VkDevice handle, VkExternalMemoryHandleTypeFlagBits type,
                                     const void* pointer,
                                     VkMemoryHostPointerPropertiesEXT* properties) {
    if (const auto failure = enter("vkGetMemoryHostPointerPropertiesEXT"))
        return *failure;
    const DeviceSettings settings = settings_of(*from_handle<Device>(handle));
    if (reinterpret_cast<uintptr_t>(pointer) % settings.host_pointer_alignment != 0)
        misuse("vkGetMemoryHostPointerPropertiesEXT: the pointer is not aligned");
    if (type != host_allocation)
        return VK_ERROR_INVALID_EXTERNAL_HANDLE;
    properties->memoryTypeBits = 1U << host_visible_type;
    return VK_SUCCESS;
}

VkResult create_buffer(VkDevice handle, const VkBufferCreateInfo* info,
                       const VkAllocationCallbacks*, VkBuffer* result) {
    if (const auto failure = enter("vkCreateBuffer"))
        return *failure;
    Device* const device = from_handle<Device>(handle);
    const auto* const external = find_in<VkExternalMemoryBufferCreateInfo>(
        info->pNext, VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_BUFFER_CREATE_INFO);
    const VkExternalMemoryHandleTypeFlags types = external != nullptr ? external->handleTypes : 0;
    if ((types & ~settings_of(*device).handle_types()) != 0)
        misuse("vkCreateBuffer: a handle type that the driver does not have");
    *result = objects().buffers.add(
        {.device = device, .size = info->size, .handle_types = types, .bound = false});
    return VK_SUCCESS;
}

void destroy_buffer(VkDevice, VkBuffer handle, const VkAllocationCallbacks*) {
    note("vkDestroyBuffer");
    const auto buffer = objects().buffers.remove(handle);
    if (buffer == nullptr)
        return;
    require_unused(buffer->use, "vkDestroyBuffer");
    if (std::atomic_ref(buffer->foreign).load())
        --objects().foreign_buffers;
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

VkResult check_binding(VkBuffer handle, VkDeviceMemory memory_handle, VkDeviceSize offset) {
    const auto buffer = objects().buffers.find(handle);
    const auto memory = objects().memories.find(memory_handle);
    if (buffer == nullptr || memory == nullptr)
        return VK_ERROR_OUT_OF_DEVICE_MEMORY;
    if (std::exchange(buffer->bound, true))
        misuse("vkBindBufferMemory: bound already");
    if (offset + buffer->size > memory->size)
        misuse("vkBindBufferMemory: the memory is too small");
    // VUID-vkBindBufferMemory-memory-02985 and -02726
    if ((memory->imported_as & ~buffer->handle_types) != 0 ||
        (memory->exportable && buffer->handle_types == 0))
        misuse("vkBindBufferMemory: external memory for a buffer that was not made for it");
    // VUID-VkMemoryAllocateInfo-pNext-00639 and VUID-vkBindBufferMemory-memory-01508
    const bool is_external = memory->imported_as == dma_buf || memory->exportable;
    if (is_external && settings_of(*buffer->device).requires_dedicated &&
        memory->dedicated_buffer == VK_NULL_HANDLE)
        misuse("vkBindBufferMemory: the buffer's external memory needs a dedicated allocation");
    if (memory->dedicated_image != VK_NULL_HANDLE ||
        (memory->dedicated_buffer != VK_NULL_HANDLE && memory->dedicated_buffer != handle))
        misuse("vkBindBufferMemory: the memory is dedicated to another resource");
    buffer->memory = memory;
    buffer->memory_offset = offset;
    return VK_SUCCESS;
}

VkResult bind_buffer(VkDevice, VkBuffer buffer, VkDeviceMemory memory, VkDeviceSize offset) {
    if (const auto failure = enter("vkBindBufferMemory"))
        return *failure;
    return check_binding(buffer, memory, offset);
}

VkResult bind_buffer2(VkDevice, uint32_t count, const VkBindBufferMemoryInfo* infos) {
    if (const auto failure = enter("vkBindBufferMemory2"))
        return *failure;
    for (const VkBindBufferMemoryInfo& info : std::span{infos, count})
        if (const VkResult result = check_binding(info.buffer, info.memory, info.memoryOffset);
            result != VK_SUCCESS)
            return result;
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
        entry_point<PFN_vkBindBufferMemory2, bind_buffer2>("vkBindBufferMemory2", level,
                                                           VK_API_VERSION_1_1),
        entry_point<PFN_vkBindBufferMemory2, bind_buffer2>(
            "vkBindBufferMemory2KHR", level, never_core, VK_KHR_BIND_MEMORY_2_EXTENSION_NAME),
        entry_point<PFN_vkGetMemoryHostPointerPropertiesEXT, get_host_pointer_properties>(
            "vkGetMemoryHostPointerPropertiesEXT", level, never_core,
            VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME),
    };
    return table;
}

} // namespace fencebridge::fake_driver
