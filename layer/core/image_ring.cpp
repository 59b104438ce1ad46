// SPDX-License-Identifier: MIT
#include "core/image_ring.hpp"

namespace fencebridge::core {

ImageRing::ImageRing(size_t images) : images_(images) {
    for (Image& image : images_)
        image.since = changes_++;
}

ImageList ImageRing::list(Owner owner) const {
    ImageList list;
    // A selection sort: each turn of the loop finds the next image in order. Images are few.
    for (int64_t after = INT64_MIN;;) {
        const Image* next = nullptr;
        for (const Image& image : images_) {
            if (image.owner == owner && image.since > after &&
                (next == nullptr || image.since < next->since))
                next = &image;
        }
        if (next == nullptr)
            return list;
        list.push_back(ImageIndex{static_cast<uint32_t>(next - images_.data())});
        after = next->since;
    }
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
