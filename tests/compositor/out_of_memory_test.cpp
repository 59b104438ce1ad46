// SPDX-License-Identifier: MIT
// Invariant 7: every allocation that the layer makes in the calls below fails once, one after the
// other. The call returns VK_ERROR_OUT_OF_HOST_MEMORY or succeeds without what it could not
// allocate, and the same call succeeds once memory is back.
#include "fixture.hpp"

#include <cstring>
#include <dlfcn.h>

namespace {

// How many more allocations of the layer succeed on this thread before one fails; negative: none
// fails.
thread_local long until_failure = -1;
thread_local bool failed = false;

bool is_the_layers(const void* caller) {
    Dl_info info;
    return dladdr(caller, &info) != 0 && info.dli_fname != nullptr &&
           std::strstr(info.dli_fname, "libVkLayer_FENCEBRIDGE") != nullptr;
}

} // namespace

// The layer finds this malloc() before the C library's. The layer's operator new is in its own
// library, so the caller's address shows that an allocation is the layer's.
extern "C" {
void* __libc_malloc(size_t size) noexcept;
void* malloc(size_t size) noexcept {
    if (until_failure >= 0 && is_the_layers(__builtin_return_address(0)) && until_failure-- == 0) {
        failed = true;
        return nullptr;
    }
    return __libc_malloc(size);
}
}

namespace fencebridge::test {
namespace {

// Calls `call()` once for each allocation that the layer makes in it, with that allocation
// failing, and afterwards `again()`, with memory back.
template <class Call, class Again>
void fail_each_allocation(Call&& call, Again&& again) {
    constexpr long many = 1000;
    long number = 0;
    for (; number < many; ++number) {
        SCOPED_TRACE("allocation " + std::to_string(number));
        failed = false;
        until_failure = number;
        const VkResult result = call();
        until_failure = -1;
        if (!failed)
            break;
        EXPECT_TRUE(result == VK_ERROR_OUT_OF_HOST_MEMORY || result == VK_SUCCESS) << result;
        again();
        if (testing::Test::HasFailure())
            return;
    }
    EXPECT_GT(number, 0) << "the layer allocates nothing, or by other means";
    EXPECT_LT(number, many);
}

class OutOfMemory : public CompositorTest {
protected:
    Compositor& start() {
        Script script;
        script.globals.syncobj = 1; // for FENCEBRIDGE_SYNC=explicit
        script.globals.color = 1;
        return CompositorTest::start(script);
    }
};

TEST_F(OutOfMemory, AtAnyAllocationOfVkCreateInstance) {
    const InstanceOptions options;
    const VkApplicationInfo application{.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
                                        .pNext = nullptr,
                                        .pApplicationName = nullptr,
                                        .applicationVersion = 0,
                                        .pEngineName = nullptr,
                                        .engineVersion = 0,
                                        .apiVersion = options.api_version};
    VkInstanceCreateInfo info{};
    info.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO;
    info.pApplicationInfo = &application;
    info.enabledExtensionCount = uint32_t(options.extensions.size());
    info.ppEnabledExtensionNames = options.extensions.data();
    const auto create = [&] {
        VkInstance instance = VK_NULL_HANDLE;
        const VkResult result = vkCreateInstance(&info, nullptr, &instance);
        until_failure = -1;
        if (result == VK_SUCCESS)
            vkDestroyInstance(instance, nullptr);
        return result;
    };
    EXPECT_EQ(create(), VK_SUCCESS);
    fail_each_allocation(create, [&] { EXPECT_EQ(create(), VK_SUCCESS); });
}

// A surface for which memory was short may be left to the driver. The log then says why.
TEST_F(OutOfMemory, AtAnyAllocationOfVkCreateWaylandSurface) {
    App app(start());
    const auto window = app.new_surface();
    const auto instance = make_instance();
    VkWaylandSurfaceCreateInfoKHR info{};
    info.sType = VK_STRUCTURE_TYPE_WAYLAND_SURFACE_CREATE_INFO_KHR;
    info.display = app.display();
    info.surface = window;
    const auto create = [&] {
        VkSurfaceKHR surface = VK_NULL_HANDLE;
        const VkResult result = vkCreateWaylandSurfaceKHR(instance, &info, nullptr, &surface);
        until_failure = -1;
        if (result == VK_SUCCESS)
            vkDestroySurfaceKHR(instance, surface, nullptr);
        return result;
    };
    ErrorLog log;
    fail_each_allocation(create, [&] { EXPECT_EQ(create(), VK_SUCCESS); });
    EXPECT_GE(log.lines_with({"driver's own swapchains for a surface: out of memory"}).size(), 1u);
    EXPECT_EQ(log.lines_with({"driver's own swapchains for a surface"}).size(),
              log.lines_with({"driver's own swapchains for a surface: out of memory"}).size())
        << log.text();
}

TEST_F(OutOfMemory, AtAnyAllocationOfVkCreateSwapchain) {
    Client client(start());
    EXPECT_EQ(client.swapchain().result, VK_SUCCESS);
    fail_each_allocation([&] { return client.swapchain().result; },
                         [&] { EXPECT_EQ(client.swapchain().result, VK_SUCCESS); });
}

TEST_F(OutOfMemory, AtAnyAllocationOfAFrame) {
    Client client(start());
    const Swapchain swapchain = client.swapchain();
    EXPECT_EQ(client.frame(swapchain), VK_SUCCESS);
    const auto acquire_and_present = [&] {
        const Acquired acquired = client.acquire(swapchain);
        if (acquired.result != VK_SUCCESS)
            return acquired.result;
        VkResult result = client.present(swapchain, acquired.index);
        until_failure = -1;
        // The image is still acquired: it is presented after all.
        if (result != VK_SUCCESS) {
            EXPECT_EQ(client.present(swapchain, acquired.index), VK_SUCCESS);
        }
        return result;
    };
    fail_each_allocation(acquire_and_present, [&] {
        EXPECT_EQ(acquire_and_present(), VK_SUCCESS);
        vkDeviceWaitIdle(client.device);
    });
}

#ifdef FAKE_COMPOSITOR_HAS_COLOR
// The metadata stay as they were, and can be set once memory is back.
TEST_F(OutOfMemory, AtAnyAllocationOfVkSetHdrMetadata) {
    InstanceOptions options;
    options.extensions.push_back(VK_EXT_SWAPCHAIN_COLOR_SPACE_EXTENSION_NAME);
    Client client(start().connect(), options,
                  {VK_KHR_SWAPCHAIN_EXTENSION_NAME, VK_EXT_HDR_METADATA_EXTENSION_NAME});
    const auto set_metadata = reinterpret_cast<PFN_vkSetHdrMetadataEXT>(
        vkGetDeviceProcAddr(client.device, "vkSetHdrMetadataEXT"));
    const Swapchain swapchain = client.swapchain({.space = VK_COLOR_SPACE_HDR10_ST2084_EXT});
    ASSERT_EQ(swapchain.result, VK_SUCCESS);
    VkHdrMetadataEXT metadata{VK_STRUCTURE_TYPE_HDR_METADATA_EXT};
    metadata.maxContentLightLevel = 100;
    const auto set = [&] {
        const VkSwapchainKHR handle = swapchain;
        set_metadata(client.device, 1, &handle, &metadata);
        return VK_SUCCESS;
    };
    fail_each_allocation(
        [&] {
            ++metadata.maxContentLightLevel;
            return set();
        },
        [&] {
            set();
            EXPECT_EQ(client.frame(swapchain), VK_SUCCESS);
            vkDeviceWaitIdle(client.device);
            const auto description = compositor_->last_commit().image_description;
            ASSERT_TRUE(description);
            EXPECT_EQ(description->max_cll, uint32_t(metadata.maxContentLightLevel));
        });
}
#endif

} // namespace
} // namespace fencebridge::test
