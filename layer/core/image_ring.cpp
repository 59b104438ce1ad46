// SPDX-License-Identifier: MIT
#include "core/image_ring.hpp"

namespace fencebridge::core {

ImageRing::ImageRing(size_t images) : images_(images) {
    for (Image& image : images_)
        image.since = changes_++;
}

ImageList ImageRing::list(Owner owner) const {
    ImageList list;
    for (size_t i = 0; i < images_.size(); ++i) {
        if (images_[i].owner == owner)
            list.insert(ImageIndex{static_cast<uint32_t>(i)},
                        [&](ImageIndex a, ImageIndex b) { return at(a).since < at(b).since; });
    }
    return list;
}

ImageList ImageRing::free() const { return list(Owner::free); }

ImageList ImageRing::presented() const { return list(Owner::presented); }

bool ImageRing::mark_presented(ImageIndex image) {
    if (!is_acquired(image))
        return false;
    at(image) = {Owner::presented, changes_++};
    return true;
}

void ImageRing::mark_released(ImageIndex image) {
    if (at(image).owner == Owner::presented)
        at(image) = {Owner::free, changes_++};
}

void ImageRing::undo(ImageIndex image) {
    // The lowest position so far: the image comes before all other free images.
    at(image) = {Owner::free, -changes_++};
}

bool ImageRing::is_acquired(ImageIndex image) const {
    return static_cast<size_t>(image) < images_.size() && at(image).owner == Owner::acquired;
}

} // namespace fencebridge::core
