// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <expected>

#include "image/allocator.hpp"
#include "image/shared_image.hpp"
#include "ioctl/ioctl.hpp"
#include "util/fd.hpp"

namespace fencebridge::image {

/// Images in dma-bufs that the kernel makes and the driver imports. The layout is LINEAR: such
/// memory belongs to no GPU. Each source of dma-bufs is one derived class.
class DmaBufImport : public ImageAllocator {
public:
    std::optional<std::string> obstacle(const vk::PhysicalDevice& physical) const final;
    core::Placement placement() const final { return core::Placement::dma_buf; }
    std::expected<std::vector<vk::ImageLayout>, VkResult>
    layouts(const vk::PhysicalDevice& physical, const vk::ImageParameters& parameters) const final;
    std::expected<SwapchainImage, VkResult>
    allocate(const vk::Device& device, const vk::ImageParameters& parameters,
             std::span<const vk::ImageLayout> layouts) const final;

    /// Whether this process may use the source.
    [[nodiscard]] virtual bool is_available() const = 0;
    /// What is_available() looks for: a path.
    [[nodiscard]] virtual const char* path() const = 0;

    /// A dma-buf of at least this size. A failure is logged.
    /// @param size  in bytes
    /// @return the error is VK_ERROR_OUT_OF_DEVICE_MEMORY; VK_ERROR_OUT_OF_HOST_MEMORY if
    ///         descriptors ran out; VK_ERROR_INITIALIZATION_FAILED if the source does not work
    [[nodiscard]] std::expected<Fd, VkResult> create_dma_buf(const vk::Device& device,
                                                             size_t size) const;

protected:
    ~DmaBufImport() = default;

private:
    /// create_dma_buf() of a source.
    /// @return the error of the call that failed
    [[nodiscard]] virtual std::expected<Fd, ioctl::Errno> create(const vk::Device& device,
                                                                 size_t size) const = 0;

    /// An image without memory, and the dma-buf that is to be its memory.
    struct Parts {
        UnboundImage image;
        Fd dma_buf;
    };
    enum class Size { as_required, padded };
    std::expected<Parts, VkResult> create_parts(const vk::Device& device,
                                                const vk::ImageParameters& parameters,
                                                std::span<const vk::ImageLayout> layouts,
                                                Size size) const;
    std::expected<SwapchainImage, VkResult> import_parts(const vk::Device& device,
                                                         Parts parts) const;
};

/// Dma-bufs of a dma-heap: of the system's memory, or contiguous (CMA) where there is no such heap.
class DmaHeap final : public DmaBufImport {
public:
    core::ImageSource source() const override { return core::ImageSource::dma_heap; }
    bool is_available() const override;
    const char* path() const override { return "/dev/dma_heap"; }

private:
    std::expected<Fd, ioctl::Errno> create(const vk::Device& device, size_t size) const override;
};

/// Dumb buffers of a KMS node: memory that the display can show.
class DumbBuffer final : public DmaBufImport {
public:
    core::ImageSource source() const override { return core::ImageSource::dumb; }
    bool is_available() const override;
    const char* path() const override { return "/dev/dri/card*"; }

private:
    std::expected<Fd, ioctl::Errno> create(const vk::Device& device, size_t size) const override;
};

/// Dma-bufs of this process's own memory, by /dev/udmabuf.
class Udmabuf final : public DmaBufImport {
public:
    core::ImageSource source() const override { return core::ImageSource::udmabuf; }
    bool is_available() const override;
    const char* path() const override { return "/dev/udmabuf"; }

private:
    std::expected<Fd, ioctl::Errno> create(const vk::Device& device, size_t size) const override;
};

} // namespace fencebridge::image
