// SPDX-License-Identifier: MIT
#include "core/image_ring.hpp"

namespace fencebridge::core {

ImageRing::ImageRing(size_t images) : images_(images) {
    for (Image& image : images_)
        image.free_since = releases_++;
}

std::optional<ImageIndex> ImageRing::acquire() {
    std::optional<ImageIndex> oldest;
    for (size_t i = 0; i < images_.size(); ++i) {
        if (images_[i].owner != Owner::free)
            continue;
        const ImageIndex index{static_cast<uint32_t>(i)};
        if (!oldest || images_[i].free_since < at(*oldest).free_since)
            oldest = index;
    }
    if (oldest)
        at(*oldest).owner = Owner::acquired;
    return oldest;
}

bool ImageRing::present(ImageIndex image) {
    if (!is_acquired(image))
        return false;
    at(image).owner = Owner::presented;
    return true;
}

void ImageRing::release(ImageIndex image) {
    if (at(image).owner == Owner::presented)
        at(image) = {Owner::free, releases_++};
}

void ImageRing::give_back(ImageIndex image) {
    // Before all others: the application would have had this one next.
    at(image) = {Owner::free, -releases_++};
}

bool ImageRing::is_acquired(ImageIndex image) const {
    return static_cast<size_t>(image) < images_.size() && at(image).owner == Owner::acquired;
}

} // namespace fencebridge::core
