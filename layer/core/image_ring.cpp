// SPDX-License-Identifier: MIT
#include "core/image_ring.hpp"

namespace fencebridge::core {

ImageRing::ImageRing(size_t images) : images_(images) {
    for (Image& image : images_)
        image.free_since = releases_++;
}

ImageList ImageRing::free() const {
    ImageList list;
    // Few images: each turn finds the next in order.
    for (int64_t after = INT64_MIN;;) {
        const Image* next = nullptr;
        for (const Image& image : images_) {
            if (image.owner == Owner::free && image.free_since > after &&
                (next == nullptr || image.free_since < next->free_since))
                next = &image;
        }
        if (next == nullptr)
            return list;
        list.push_back(ImageIndex{static_cast<uint32_t>(next - images_.data())});
        after = next->free_since;
    }
}

ImageList ImageRing::presented() const {
    ImageList list;
    for (const Image& image : images_) {
        if (image.owner == Owner::presented)
            list.push_back(ImageIndex{static_cast<uint32_t>(&image - images_.data())});
    }
    return list;
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
