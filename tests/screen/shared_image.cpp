// SPDX-License-Identifier: MIT
#include <algorithm>

#include "scenarios.hpp"
#include "still/failure.hpp"

namespace fencebridge::screen {

void shared_image(Application& application, Problems& problems) {
    const auto modes = application.modes();
    if (std::ranges::find(modes, VK_PRESENT_MODE_SHARED_DEMAND_REFRESH_KHR) == modes.end()) {
        problems.push_back("the surface lacks VK_PRESENT_MODE_SHARED_DEMAND_REFRESH_KHR");
        return;
    }
    VkSharedPresentSurfaceCapabilitiesKHR shared{};
    shared.sType = VK_STRUCTURE_TYPE_SHARED_PRESENT_SURFACE_CAPABILITIES_KHR;
    application.capabilities(&shared);
    expect(problems, shared.sharedPresentSupportedUsageFlags & VK_IMAGE_USAGE_TRANSFER_DST_BIT,
           "a shared image cannot be cleared");
    const auto status = application.find<PFN_vkGetSwapchainStatusKHR>("vkGetSwapchainStatusKHR");
    Chain chain(application, {.mode = VK_PRESENT_MODE_SHARED_DEMAND_REFRESH_KHR});
    expect(problems, chain.images() == 1, "the swapchain has more than one image");
    const uint32_t image = chain.acquire();
    chain.draw(image);
    size_t commit = chain.present(image);
    for (int frame = 0; frame < 20; ++frame) {
        expect(problems, application.judge().wait_for(commit).shown, "a present was not shown");
        chain.draw(image, false);
        commit = chain.present(image);
        expect(problems, status(application.device(), chain.handle()) == VK_SUCCESS,
               "vkGetSwapchainStatusKHR failed");
    }
    expect(problems, application.judge().wait_for(commit).shown, "the last present was not shown");
}

} // namespace fencebridge::screen
