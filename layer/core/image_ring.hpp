// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace fencebridge::core {

/// Which of a swapchain's images an operation means: pImageIndex of Vulkan.
enum class ImageIndex : uint32_t {};

/// Who has each image of a swapchain:
///
///     free --acquire()--> acquired --present()--> presented --release()--> free
///                            |                        |
///                            +------- give_back() ----+-----------------> free
///
/// Free images are given out in the order in which they came back, so that the one whose fences
/// have had the longest time to signal comes first.
class ImageRing {
public:
    explicit ImageRing(size_t images);

    /// The free image that has been free longest, now acquired; nothing when none is free.
    [[nodiscard]] std::optional<ImageIndex> acquire();
    /// The window system gets an acquired image. False, and no change, if it was not acquired.
    [[nodiscard]] bool present(ImageIndex image);
    /// The window system lets a presented image go. Ignored for any other: a compositor may
    /// release what it never got.
    void release(ImageIndex image);
    /// Undoes acquire() or present() for an operation that failed; the image is next in turn.
    void give_back(ImageIndex image);

    [[nodiscard]] size_t size() const { return images_.size(); }
    [[nodiscard]] bool is_acquired(ImageIndex image) const;

private:
    enum class Owner { free, acquired, presented };
    struct Image {
        Owner owner = Owner::free;
        int64_t free_since = 0; ///< position in the order of release; lower is earlier
    };
    Image& at(ImageIndex image) { return images_[static_cast<size_t>(image)]; }
    const Image& at(ImageIndex image) const { return images_[static_cast<size_t>(image)]; }

    std::vector<Image> images_;
    int64_t releases_ = 0;
};

} // namespace fencebridge::core
