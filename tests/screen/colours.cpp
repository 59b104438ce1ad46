// SPDX-License-Identifier: MIT
#include <set>

#include "scenarios.hpp"

namespace fencebridge::screen {

// Each format, and each colour space, is shown.
void colours(Application& application, Problems& problems) {
    const auto set_metadata = application.find<PFN_vkSetHdrMetadataEXT>("vkSetHdrMetadataEXT");
    std::set<VkColorSpaceKHR> spaces;
    for (const VkSurfaceFormatKHR& format : application.formats()) {
        const bool new_space = spaces.insert(format.colorSpace).second;
        if (format.colorSpace != VK_COLOR_SPACE_SRGB_NONLINEAR_KHR && !new_space)
            continue;
        const std::string name = "format " + std::to_string(format.format) + ", colour space " +
                                 std::to_string(format.colorSpace);
        Chain chain(application, {.format = format});
        if (format.colorSpace == VK_COLOR_SPACE_HDR10_ST2084_EXT) {
            VkHdrMetadataEXT metadata{};
            metadata.sType = VK_STRUCTURE_TYPE_HDR_METADATA_EXT;
            metadata.displayPrimaryRed = {0.68f, 0.32f};
            metadata.displayPrimaryGreen = {0.265f, 0.69f};
            metadata.displayPrimaryBlue = {0.15f, 0.06f};
            metadata.whitePoint = {0.3127f, 0.329f};
            metadata.maxLuminance = 1000;
            metadata.minLuminance = 0.001f;
            metadata.maxContentLightLevel = 1000;
            metadata.maxFrameAverageLightLevel = 400;
            VkSwapchainKHR swapchain = chain.handle();
            set_metadata(application.device(), 1, &swapchain, &metadata);
        }
        for (int frame = 0; frame < 3; ++frame)
            expect(problems, application.judge().wait_for(chain.frame()).shown,
                   name + ": a frame was not shown");
    }
}

} // namespace fencebridge::screen
