// SPDX-License-Identifier: MIT
#pragma once

#include "image/allocator.hpp"
#include "image/dma_buf_import.hpp"

namespace fencebridge::image {

/// The parameters of an image of which copies are made.
[[nodiscard]] vk::ImageParameters with_copies(vk::ImageParameters parameters);

/// Images in the driver's own best layout. At each present, the image is copied to memory that the
/// window system can import, with the layout LINEAR. Each kind of such memory is one derived class.
class Copied : public ImageAllocator {
public:
    std::expected<std::vector<vk::ImageLayout>, VkResult>
    layouts(const vk::PhysicalDevice& physical, const vk::ImageParameters& parameters) const final;
    std::expected<SwapchainImage, VkResult>
    allocate(const vk::Device& device, const vk::ImageParameters& parameters,
             std::span<const vk::ImageLayout> layouts) const final;

protected:
    ~Copied() = default;

    /// The memory of a copy.
    struct Target {
        Fd dma_buf;
        vk::ImplicitFences implicit_fences; ///< SwapchainImage's
        uint32_t reader;                    ///< ImageCopy's
        HostMemory host;
        vk::Memory memory;
        vk::Buffer buffer; ///< bound to `memory`
    };

private:
    /// @param size  in bytes
    [[nodiscard]] virtual std::expected<Target, VkResult>
    create_target(const vk::Device& device, VkDeviceSize size) const = 0;
};

/// Copies to a dma-buf: the driver's own, or else one that it imports.
class CopiedToDmaBuf final : public Copied {
public:
    /// @param sources  of dma-bufs for drivers that export none, best first
    explicit constexpr CopiedToDmaBuf(std::span<const DmaBufImport* const> sources) :
        sources_(sources) {}

    core::ImageSource source() const override { return core::ImageSource::copy_dma_buf; }
    core::Placement placement() const override { return core::Placement::dma_buf; }
    std::optional<std::string> obstacle(const vk::PhysicalDevice& physical) const override;

private:
    std::expected<Target, VkResult> create_target(const vk::Device& device,
                                                  VkDeviceSize size) const override;

    const std::span<const DmaBufImport* const> sources_;
};

/// Copies to memory of this process.
class CopiedToHost final : public Copied {
public:
    core::ImageSource source() const override { return core::ImageSource::copy_host_pointer; }
    core::Placement placement() const override { return core::Placement::shared_memory; }
    std::optional<std::string> obstacle(const vk::PhysicalDevice& physical) const override {
        if (!vk::can_share_copies(physical, vk::imported_host_pointer))
            return "the driver does not import host pointers into buffers";
        return std::nullopt;
    }

private:
    std::expected<Target, VkResult> create_target(const vk::Device& device,
                                                  VkDeviceSize size) const override;
};

} // namespace fencebridge::image
