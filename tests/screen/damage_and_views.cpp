// SPDX-License-Identifier: MIT
#include <array>

#include "scenarios.hpp"

namespace fencebridge::screen {

// VK_KHR_incremental_present and VK_KHR_swapchain_mutable_format.
void damage_and_views(Application& application, Problems& problems) {
    const std::array views = {VK_FORMAT_B8G8R8A8_UNORM, VK_FORMAT_B8G8R8A8_SRGB};
    VkImageFormatListCreateInfo list{};
    list.sType = VK_STRUCTURE_TYPE_IMAGE_FORMAT_LIST_CREATE_INFO;
    list.viewFormatCount = uint32_t(views.size());
    list.pViewFormats = views.data();
    Chain chain(application, {.flags = VK_SWAPCHAIN_CREATE_MUTABLE_FORMAT_BIT_KHR, .next = &list});
    const VkRectLayerKHR part{.offset = {10, 20}, .extent = {30, 40}, .layer = 0};
    const VkPresentRegionKHR region{.rectangleCount = 1, .pRectangles = &part};
    VkPresentRegionsKHR regions{};
    regions.sType = VK_STRUCTURE_TYPE_PRESENT_REGIONS_KHR;
    regions.swapchainCount = 1;
    regions.pRegions = &region;
    for (int frame = 0; frame < 10; ++frame)
        expect(problems, application.judge().wait_for(chain.frame(&regions)).shown,
               "a frame with a damaged part was not shown");
}

} // namespace fencebridge::screen
