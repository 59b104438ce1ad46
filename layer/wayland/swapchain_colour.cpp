// SPDX-License-Identifier: MIT
#include "wayland/swapchain_colour.hpp"

#include <new>
#include <utility>

#include "util/log.hpp"

namespace fencebridge::wayland {

bool SwapchainColour::request(wl_event_queue* queue) {
    return !encoding_ || first_.request(connection_.colours(), *encoding_, {}, queue);
}

void SwapchainColour::set_metadata(const VkHdrMetadataEXT& metadata) {
    if (!encoding_ || !encoding_->takes_hdr_metadata())
        return;
    const auto converted = core::convert_metadata(metadata, *encoding_, capabilities_);
    const bool asks = metadata_.with([&](Metadata& known) {
        // Applications set the same metadata again and again.
        if (known.last == converted)
            return false;
        known.last = converted;
        has_change_ = true;
        // If no present has used the last request yet, update() sends the next one: an application
        // that sets metadata faster than the compositor reads would fill the socket.
        return known.next == nullptr;
    });
    if (!asks)
        return;
    auto request = request_with(converted);
    // Of requests of several threads, the replaced one is destroyed after the lock is released.
    metadata_.with([&](Metadata& known) { known.next.swap(request); });
}

/// @return null if memory ran out
std::unique_ptr<SwapchainColour::Request>
SwapchainColour::request_with(const core::HdrMetadata& metadata) {
    std::unique_ptr<Request> request(new (std::nothrow) Request(connection_.display(), metadata));
    if (!request || !request->queue ||
        !request->description.request(connection_.colours(), *encoding_, metadata,
                                      request->queue.get()))
        return nullptr;
    // If the connection is lost, the next present reports it.
    static_cast<void>(request->queue.flush());
    return request;
}

VkResult SwapchainColour::update() {
    if (!has_change_)
        return VK_SUCCESS;
    auto [request, wanted] = metadata_.with([&](Metadata& known) {
        has_change_ = false;
        return std::pair(std::move(known.next), known.last);
    });
    if (!request || request->metadata != wanted)
        request = request_with(wanted);
    if (!request) {
        log::error("vkSetHdrMetadataEXT: out of memory; the next present tries again");
        metadata_.with([&](Metadata&) { has_change_ = true; });
        return VK_SUCCESS;
    }
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
