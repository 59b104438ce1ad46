// SPDX-License-Identifier: MIT
#include "wayland/swapchain_colour.hpp"

#include "util/log.hpp"

namespace fencebridge::wayland {

bool SwapchainColour::request(wl_event_queue* queue) {
    return !encoding_ || first_.request(connection_.colours(), *encoding_, {}, queue);
}

void SwapchainColour::set_metadata(const VkHdrMetadataEXT& metadata) {
    if (!encoding_ || !encoding_->takes_hdr_metadata())
        return;
    const auto converted = core::convert_metadata(metadata, *encoding_, capabilities_);
    // Applications set the same metadata again and again.
    if (metadata_.with([&](const Metadata& known) { return known.last == converted; }))
        return;
    auto request = std::make_unique<Request>(connection_.display());
    if (!request->queue || !request->description.request(connection_.colours(), *encoding_,
                                                         converted, request->queue.get())) {
        log::error("vkSetHdrMetadataEXT: out of memory; the metadata stays as it was");
        return;
    }
    // If the connection is lost, the next present reports it.
    static_cast<void>(request->queue.flush());
    // A request that no present has used yet is destroyed after the lock is released.
    metadata_.with([&](Metadata& known) {
        known.last = converted;
        known.next.swap(request);
        has_next_ = true;
    });
}

VkResult SwapchainColour::update() {
    if (!has_next_)
        return VK_SUCCESS;
    auto request = metadata_.with([&](Metadata& known) {
        has_next_ = false;
        return std::move(known.next);
    });
    const VkResult result =
        request->queue.wait_until([&] { return request->description.is_answered(); });
    if (result == VK_SUCCESS && !request->description.is_refused())
        changed_ = std::move(request);
    return result;
}

const ImageDescription* SwapchainColour::description() const {
    if (!encoding_)
        return nullptr;
    return changed_ ? &changed_->description : &first_;
}

} // namespace fencebridge::wayland
