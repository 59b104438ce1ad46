// SPDX-License-Identifier: MIT
#include "core/image_ring.hpp"

namespace fencebridge::core {

ImageRing::ImageRing(size_t images) : images_(images) {
    for (Image& image : images_)
        image.since = changes_++;
}

ImageList ImageRing::list(Owner owner) const {
    ImageList list;
    // Few images: each turn finds the next in order.
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

bool ImageRing::present(ImageIndex image) {
    if (!is_acquired(image))
        return false;
    at(image) = {Owner::presented, changes_++};
    return true;
}

void ImageRing::release(ImageIndex image) {
    if (at(image).owner == Owner::presented)
        at(image) = {Owner::free, changes_++};
}

void ImageRing::give_back(ImageIndex image) {
    // Before all others: the application would have had this one next.
    at(image) = {Owner::free, -changes_++};
}

bool ImageRing::is_acquired(ImageIndex image) const {
    return static_cast<size_t>(image) < images_.size() && at(image).owner == Owner::acquired;
}

} // namespace fencebridge::core
