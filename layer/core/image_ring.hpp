// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/surface_limits.hpp"

namespace fencebridge::core {

/// The index of a swapchain's image: pImageIndex of Vulkan.
enum class ImageIndex : uint32_t {};

/// Some of a swapchain's images in some order. Allocates no memory, since every frame makes such
/// lists.
class ImageList {
public:
    void push_back(ImageIndex image) { images_[size_++] = image; }
    [[nodiscard]] bool empty() const { return size_ == 0; }
    [[nodiscard]] size_t size() const { return size_; }
    [[nodiscard]] ImageIndex operator[](size_t position) const { return images_[position]; }
    [[nodiscard]] const ImageIndex* begin() const { return images_.data(); }
    [[nodiscard]] const ImageIndex* end() const { return images_.data() + size_; }

private:
    std::array<ImageIndex, max_images> images_;
    size_t size_ = 0;
};

/// Who owns each image of a swapchain. Pure bookkeeping: the caller says what happened.
///
///     free --mark_acquired()--> acquired --mark_presented()--> presented --mark_released()--> free
///                                  |                              |
///                                  +----------- undo() -----------+-------------------------> free
class ImageRing {
public:
    explicit ImageRing(size_t images);

    /// The free images in the order of their release. The fences of the first have had the longest
    /// time to signal.
    [[nodiscard]] ImageList free() const;
    /// The images that the window system owns, in the order in which they were presented.
    [[nodiscard]] ImageList presented() const;

    /// @param image  must be free
    void mark_acquired(ImageIndex image) { owner(image) = Owner::acquired; }
    /// The application presented an image.
    /// @return false, and nothing changes, if the image was not acquired
    bool mark_presented(ImageIndex image);
    /// The window system released a presented image. Ignored for any other image: a compositor may
    /// release a buffer that it does not own.
    void mark_released(ImageIndex image);
    /// The acquire or present of this image failed, or the application has released it without a
    /// present. The image is free, and first in the order.
    void undo(ImageIndex image);

    [[nodiscard]] size_t size() const { return owners_.size(); }
    [[nodiscard]] bool is_acquired(ImageIndex image) const;

private:
    enum class Owner : uint8_t { free, acquired, presented };
    [[nodiscard]] ImageList list(Owner owner) const;
    void move_to_end(ImageIndex image);
    Owner& owner(ImageIndex image) { return owners_[static_cast<size_t>(image)]; }
    [[nodiscard]] Owner owner(ImageIndex image) const {
        return owners_[static_cast<size_t>(image)];
    }

    std::vector<Owner> owners_; ///< one per image
    /// All images. The one that was presented or released last is at the end; undo() puts one at
    /// the beginning.
    std::vector<ImageIndex> order_;
};

} // namespace fencebridge::core
