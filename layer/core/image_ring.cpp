// SPDX-License-Identifier: MIT
#include "core/image_ring.hpp"

#include <algorithm>

namespace fencebridge::core {

ImageRing::ImageRing(size_t images) : owners_(images, Owner::free) {
    order_.reserve(images);
    for (uint32_t i = 0; i < images; ++i)
        order_.push_back(ImageIndex{i});
}

ImageList ImageRing::list(Owner of) const {
    ImageList list;
    for (const ImageIndex image : order_) {
        if (owner(image) == of)
            list.push_back(image);
    }
    return list;
}

ImageList ImageRing::free() const { return list(Owner::free); }

ImageList ImageRing::presented() const { return list(Owner::presented); }

void ImageRing::move_to_end(ImageIndex image) {
    const auto at = std::ranges::find(order_, image);
    std::rotate(at, at + 1, order_.end());
}

bool ImageRing::mark_presented(ImageIndex image) {
    if (!is_acquired(image))
        return false;
    owner(image) = Owner::presented;
    move_to_end(image);
    return true;
}

void ImageRing::mark_released(ImageIndex image) {
    if (owner(image) != Owner::presented)
        return;
    owner(image) = Owner::free;
    move_to_end(image);
}

void ImageRing::undo(ImageIndex image) {
    owner(image) = Owner::free;
    const auto at = std::ranges::find(order_, image);
    std::rotate(order_.begin(), at, at + 1);
}

bool ImageRing::is_acquired(ImageIndex image) const {
    return static_cast<size_t>(image) < owners_.size() && owner(image) == Owner::acquired;
}

} // namespace fencebridge::core
