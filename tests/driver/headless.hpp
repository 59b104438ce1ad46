// SPDX-License-Identifier: MIT
// What the tests of headless surfaces have in common.
#pragma once

#include <vulkan/vulkan.h>

#include <gtest/gtest.h>

namespace fencebridge::test {

inline constexpr const char* headless_extension = "VK_EXT_headless_surface";

/// A VkSurfaceKHR without a window.
class HeadlessSurface {
public:
    explicit HeadlessSurface(VkInstance instance) : instance_{instance} {
        const auto create = reinterpret_cast<PFN_vkCreateHeadlessSurfaceEXT>(
            vkGetInstanceProcAddr(instance, "vkCreateHeadlessSurfaceEXT"));
        const VkHeadlessSurfaceCreateInfoEXT info{
            .sType = VK_STRUCTURE_TYPE_HEADLESS_SURFACE_CREATE_INFO_EXT,
            .pNext = nullptr,
            .flags = 0};
        EXPECT_EQ(create(instance, &info, nullptr, &handle_), VK_SUCCESS);
    }
    ~HeadlessSurface() { vkDestroySurfaceKHR(instance_, handle_, nullptr); }
    HeadlessSurface(const HeadlessSurface&) = delete;
    HeadlessSurface& operator=(const HeadlessSurface&) = delete;

    [[nodiscard]] operator VkSurfaceKHR() const { return handle_; }

private:
    VkInstance instance_;
    VkSurfaceKHR handle_{VK_NULL_HANDLE};
};

} // namespace fencebridge::test
