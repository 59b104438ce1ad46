// SPDX-License-Identifier: MIT
#include "memory_access.hpp"

#include <cstdint>
#include <sys/mman.h>

#include "backing.hpp"

namespace fencebridge::fake_driver {
namespace {

std::mutex& mapping_mutex() {
    static std::mutex mutex;
    return mutex;
}

} // namespace

Mapping::~Mapping() {
    if (data != nullptr)
        munmap(data, size);
}

bool is_mapped(const void* first, VkDeviceSize bytes) {
    constexpr size_t page = 4096;
    const auto size = static_cast<size_t>(bytes);
    std::vector<unsigned char> residency((size + page - 1) / page);
    return mincore(const_cast<void*>(first), size, residency.data()) == 0;
}

std::byte* bytes_of(Memory& memory) {
    if (memory.host_pointer != nullptr) {
        if (is_mapped(memory.host_pointer, memory.size))
            return memory.host_pointer;
        misuse("the memory of an imported host pointer is not mapped any more");
        return nullptr;
    }
    const std::lock_guard lock{mapping_mutex()};
    if (memory.mapping.data != nullptr)
        return static_cast<std::byte*>(memory.mapping.data);
    if (!memory.fd.valid())
        memory.fd = make_backing(FAKE_DRIVER_MEMORY_MEMFD, memory.size);
    if (memory.size > VkDeviceSize{PTRDIFF_MAX})
        return nullptr; // it does not fit into the process
    const auto size = static_cast<size_t>(memory.size);
    void* const data = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, memory.fd.get(), 0);
    if (data == MAP_FAILED)
        return nullptr;
    memory.mapping.data = data;
    memory.mapping.size = size;
    return static_cast<std::byte*>(data);
}

bool Pixels::contains(VkOffset3D start, VkExtent3D size) const {
    return start.x >= 0 && start.y >= 0 && start.z == 0 && size.depth == 1 &&
           static_cast<uint32_t>(start.x) + size.width <= extent.width &&
           static_cast<uint32_t>(start.y) + size.height <= extent.height;
}

std::optional<Pixels> pixels_of(const Image& image) {
    if (image.planes.empty())
        return std::nullopt;
    const auto memory = image.memory.lock();
    if (memory == nullptr) {
        misuse("a command that uses an image whose memory is not bound, or is freed");
        return std::nullopt;
    }
    std::byte* const first = bytes_of(*memory);
    if (first == nullptr)
        return std::nullopt;
    return Pixels{.first = first + image.memory_offset + image.planes.front().offset,
                  .pitch = image.planes.front().pitch,
                  .bytes_per_pixel = image.bytes_per_pixel,
                  .extent = image.extent};
}

std::byte* bytes_of(const Buffer& buffer) {
    const auto memory = buffer.memory.lock();
    if (memory == nullptr) {
        misuse("a command that uses a buffer whose memory is not bound, or is freed");
        return nullptr;
    }
    std::byte* const first = bytes_of(*memory);
    return first != nullptr ? first + buffer.memory_offset : nullptr;
}

} // namespace fencebridge::fake_driver
