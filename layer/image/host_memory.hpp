// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <utility>
#include <vulkan/vulkan.h>

#include "ioctl/ioctl.hpp"
#include "util/fd.hpp"

namespace fencebridge::image {

[[nodiscard]] size_t page_size(); ///< in bytes

/// A driver's size of memory, in bytes, as a size in this process. An object in memory is at most
/// PTRDIFF_MAX bytes large: 2 GiB with 32-bit pointers.
/// @return the error is VK_ERROR_OUT_OF_DEVICE_MEMORY if the size is larger
[[nodiscard]] inline std::expected<size_t, VkResult> addressable(VkDeviceSize size) {
    if (size > VkDeviceSize{PTRDIFF_MAX})
        return std::unexpected(VK_ERROR_OUT_OF_DEVICE_MEMORY);
    return static_cast<size_t>(size);
}

/// The size of as many pages as `size` bytes need.
[[nodiscard]] size_t whole_pages(size_t size);

/// Makes a file of memory (memfd) that can neither shrink nor grow.
/// @param size  in bytes
[[nodiscard]] std::expected<Fd, ioctl::Errno> create_memfd(size_t size);

/// Memory of a memfd, mapped into this process. Another process can map the same memory.
class HostMemory {
public:
    HostMemory() = default;
    HostMemory(HostMemory&& other) noexcept { *this = std::move(other); }
    HostMemory& operator=(HostMemory&& other) noexcept {
        std::swap(file_, other.file_);
        std::swap(range_, other.range_);
        std::swap(range_size_, other.range_size_);
        std::swap(address_, other.address_);
        std::swap(size_, other.size_);
        return *this;
    }
    ~HostMemory();

    /// @param size       in bytes, a multiple of the page size
    /// @param alignment  of the address, in bytes; a power of two
    /// @return the error is that of allocation_error()
    [[nodiscard]] static std::expected<HostMemory, VkResult> create(size_t size, size_t alignment);

    [[nodiscard]] const Fd& file() const { return file_; }
    [[nodiscard]] void* address() const { return address_; }
    [[nodiscard]] size_t size() const { return size_; } ///< 0: no memory

private:
    Fd file_;
    void* range_ = nullptr; ///< of addresses: those of the memory, and some before and after it
    size_t range_size_ = 0;
    void* address_ = nullptr;
    size_t size_ = 0;
};

} // namespace fencebridge::image
