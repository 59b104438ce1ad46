// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/surface_limits.hpp"

namespace fencebridge::core {

/// Which of a swapchain's images an operation means: pImageIndex of Vulkan.
enum class ImageIndex : uint32_t {};

/// Some of a swapchain's images in some order. Allocates nothing: one is made for every frame.
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

/// Who has each image of a swapchain:
///
///     free --take()--> acquired --present()--> presented --release()--> free
///                         |                        |
///                         +------- give_back() ----+-----------------> free
class ImageRing {
public:
    explicit ImageRing(size_t images);

    /// The free images, in the order in which they came back: the one whose fences have had the
    /// longest time to signal is first.
    [[nodiscard]] ImageList free() const;
    /// Those that the window system has, in the order in which it got them.
    [[nodiscard]] ImageList presented() const;

    /// The application gets a free image.
    void take(ImageIndex image) { at(image).owner = Owner::acquired; }
    /// The window system gets an acquired image. False, and no change, if it was not acquired.
    bool present(ImageIndex image);
    /// The window system lets a presented image go. Ignored for any other: a compositor may
    /// release what it never got.
    void release(ImageIndex image);
    /// Undoes take() or present() for an operation that failed; the image is next in turn.
    void give_back(ImageIndex image);

    [[nodiscard]] size_t size() const { return images_.size(); }
    [[nodiscard]] bool is_acquired(ImageIndex image) const;

private:
    enum class Owner { free, acquired, presented };
    struct Image {
        Owner owner = Owner::free;
        int64_t since = 0; ///< position in the order of all changes; lower is earlier
    };
    [[nodiscard]] ImageList list(Owner owner) const;
    Image& at(ImageIndex image) { return images_[static_cast<size_t>(image)]; }
    const Image& at(ImageIndex image) const { return images_[static_cast<size_t>(image)]; }

    std::vector<Image> images_;
    int64_t changes_ = 0;
};

} // namespace fencebridge::core
