// SPDX-License-Identifier: MIT
// The layer's messages through the real loader: in the log, and for messengers of the application's
// (VK_EXT_debug_utils).
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

#include "fixture.hpp"
#include "headless.hpp"
#include "layer.hpp"
#include "swapchain.hpp"

namespace fencebridge::test {
namespace {

constexpr VkDebugUtilsMessageSeverityFlagsEXT every_severity =
    VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT |
    VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT | VK_DEBUG_UTILS_MESSAGE_SEVERITY_INFO_BIT_EXT |
    VK_DEBUG_UTILS_MESSAGE_SEVERITY_VERBOSE_BIT_EXT;
constexpr VkDebugUtilsMessageTypeFlagsEXT every_type =
    VK_DEBUG_UTILS_MESSAGE_TYPE_GENERAL_BIT_EXT | VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT |
    VK_DEBUG_UTILS_MESSAGE_TYPE_PERFORMANCE_BIT_EXT;

struct Heard {
    VkDebugUtilsMessageSeverityFlagBitsEXT severity;
    VkDebugUtilsMessageTypeFlagsEXT type;
    std::string text;
    VkObjectType object_type; ///< VK_OBJECT_TYPE_UNKNOWN: the message names no object
    uint64_t object;
};

/// What a messenger is told by the layer. The loader's own messages are left out.
class Listener {
public:
    [[nodiscard]] VkDebugUtilsMessengerCreateInfoEXT
    info(VkDebugUtilsMessageSeverityFlagsEXT severities = every_severity,
         VkDebugUtilsMessageTypeFlagsEXT types = every_type) {
        return {.sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT,
                .pNext = nullptr,
                .flags = 0,
                .messageSeverity = severities,
                .messageType = types,
                .pfnUserCallback = &Listener::call,
                .pUserData = this};
    }
    /// The messages with these words.
    [[nodiscard]] std::vector<Heard> with(const std::string& words) const {
        std::vector<Heard> found;
        for (const Heard& each : heard) {
            if (each.text.find(words) != std::string::npos)
                found.push_back(each);
        }
        return found;
    }

    std::vector<Heard> heard;
    std::function<void()> during = [] {}; ///< called in the callback

private:
    static VkBool32 VKAPI_CALL call(VkDebugUtilsMessageSeverityFlagBitsEXT severity,
                                    VkDebugUtilsMessageTypeFlagsEXT type,
                                    const VkDebugUtilsMessengerCallbackDataEXT* data, void* user) {
        if (data->pMessageIdName == nullptr || std::string{data->pMessageIdName} != "fencebridge")
            return VK_FALSE;
        auto* const self = static_cast<Listener*>(user);
        Heard heard{severity, type, data->pMessage, VK_OBJECT_TYPE_UNKNOWN, 0};
        if (data->objectCount > 0) {
            heard.object_type = data->pObjects[0].objectType;
            heard.object = data->pObjects[0].objectHandle;
        }
        self->heard.push_back(std::move(heard));
        self->during();
        return VK_TRUE; // is ignored
    }
};

class Messenger {
public:
    Messenger(VkInstance instance, Listener& listener,
              VkDebugUtilsMessageSeverityFlagsEXT severities = every_severity,
              VkDebugUtilsMessageTypeFlagsEXT types = every_type) :
        instance_{instance} {
        const auto create = reinterpret_cast<PFN_vkCreateDebugUtilsMessengerEXT>(
            vkGetInstanceProcAddr(instance, "vkCreateDebugUtilsMessengerEXT"));
        const VkDebugUtilsMessengerCreateInfoEXT info = listener.info(severities, types);
        EXPECT_EQ(create(instance, &info, nullptr, &handle_), VK_SUCCESS);
    }
    ~Messenger() { destroy(); }
    Messenger(const Messenger&) = delete;
    Messenger& operator=(const Messenger&) = delete;

    void destroy() {
        const auto destroy = reinterpret_cast<PFN_vkDestroyDebugUtilsMessengerEXT>(
            vkGetInstanceProcAddr(instance_, "vkDestroyDebugUtilsMessengerEXT"));
        destroy(instance_, std::exchange(handle_, VK_NULL_HANDLE), nullptr);
    }

private:
    VkInstance instance_;
    VkDebugUtilsMessengerEXT handle_{VK_NULL_HANDLE};
};

/// The log has errors only: that does not matter to messengers. Devices pass through, since the
/// driver lacks an extension.
class MessagesTest : public DriverTest {
protected:
    void SetUp() override {
        DriverTest::SetUp();
        fake_driver().hide_device_extension(0, "VK_KHR_external_memory_fd");
    }
    /// What a device that passes through is worth a message for.
    static constexpr const char* passes_through = "using the driver's own swapchains: driver lacks";

    const InstanceRequest request_{
        .extensions = {"VK_KHR_surface", "VK_KHR_wayland_surface", "VK_EXT_debug_utils"}};
    const EnvironmentVariable level_{"FENCEBRIDGE_LOG_LEVEL", "error"};
};

TEST_F(MessagesTest, ThoseOfVkCreateInstanceGoToItsMessengers) {
    const EnvironmentVariable wrong{"FENCEBRIDGE_SYNC", "fast"};
    Listener listener;
    const VkDebugUtilsMessengerCreateInfoEXT info = listener.info();
    InstanceRequest request = request_;
    request.next = &info;
    const StderrCapture log;
    const Instance instance{request};
    ASSERT_EQ(instance.result(), VK_SUCCESS);
    ASSERT_EQ(listener.heard.size(), 1U);
    const Heard& heard = listener.heard.front();
    EXPECT_EQ(heard.text, "ignoring sync=fast (environment variable FENCEBRIDGE_SYNC): allowed: "
                          "auto, explicit, kernel, module, cpu");
    EXPECT_EQ(heard.severity, VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT);
    EXPECT_EQ(heard.type, static_cast<VkDebugUtilsMessageTypeFlagsEXT>(
                              VK_DEBUG_UTILS_MESSAGE_TYPE_GENERAL_BIT_EXT));
    EXPECT_EQ(heard.object_type, VK_OBJECT_TYPE_UNKNOWN);
    EXPECT_EQ(log.lines_with("ignoring").size(), 0U) << "the level of the log is error";

    const Device device{instance.physical_device()};
    ASSERT_EQ(device.result(), VK_SUCCESS);
    EXPECT_EQ(listener.heard.size(), 1U) << "the messenger is for vkCreateInstance alone";
}

TEST_F(MessagesTest, AMessengerReceivesThoseOfItsInstance) {
    const Instance instance{request_};
    const Instance other{request_};
    Listener listener;
    Listener others;
    const Messenger messenger{instance, listener};
    const Messenger others_messenger{other, others};
    const Device device{instance.physical_device()};
    ASSERT_EQ(device.result(), VK_SUCCESS);
    const auto heard = listener.with(passes_through);
    ASSERT_EQ(heard.size(), 1U);
    EXPECT_TRUE(heard.front().text.starts_with("device \"Fake GPU 0\"")) << heard.front().text;
    EXPECT_EQ(heard.front().object_type, VK_OBJECT_TYPE_INSTANCE);
    EXPECT_EQ(heard.front().object, reinterpret_cast<uintptr_t>(VkInstance{instance}));
    EXPECT_EQ(others.heard.size(), 0U);
}

TEST_F(MessagesTest, AMessengerReceivesWhatItsMasksAllow) {
    const Instance instance{request_};
    Listener all;
    Listener errors;
    Listener validation;
    const Messenger hears_all{instance, all};
    const Messenger hears_errors{instance, errors, VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT};
    const Messenger hears_validation{instance, validation, every_severity,
                                     VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT};
    const Device device{instance.physical_device()};
    EXPECT_EQ(all.with(passes_through).size(), 1U);
    EXPECT_EQ(errors.heard.size(), 0U);
    EXPECT_EQ(validation.heard.size(), 0U);
}

TEST_F(MessagesTest, ADestroyedMessengerReceivesNothing) {
    const Instance instance{request_};
    Listener listener;
    Messenger messenger{instance, listener};
    messenger.destroy();
    const Device device{instance.physical_device()};
    ASSERT_EQ(device.result(), VK_SUCCESS);
    EXPECT_EQ(listener.heard.size(), 0U);
}

// Applications create many instances and devices, some only to look.
TEST_F(MessagesTest, AProblemIsAWarningOnlyOnce) {
    const EnvironmentVariable level{"FENCEBRIDGE_LOG_LEVEL", "warning"};
    const EnvironmentVariable wrong{"FENCEBRIDGE_IMAGE", "none"};
    const StderrCapture log;
    for (int time = 0; time < 3; ++time) {
        const Instance instance{request_};
        const Device device{instance.physical_device()};
        const Device another{instance.physical_device()};
        ASSERT_EQ(another.result(), VK_SUCCESS);
    }
    EXPECT_EQ(log.lines_with("ignoring image=none").size(), 1U);
    EXPECT_LE(log.lines_with(passes_through).size(), 1U) << "none, if an earlier test has had it";
}

TEST_F(MessagesTest, ALogFileHasTheLines) {
    std::string folder = std::filesystem::temp_directory_path() / "fencebridge-XXXXXX";
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    const std::string path = folder + "/log";
    const EnvironmentVariable file{"FENCEBRIDGE_LOG_FILE", path};
    const EnvironmentVariable level{"FENCEBRIDGE_LOG_LEVEL", "info"};
    // In a child, since the file stays open.
    const pid_t child = fork();
    if (child == 0) {
        {
            const Instance instance{request_};
            const Device device{instance.physical_device()};
        }
        _exit(EXIT_SUCCESS);
    }
    int status = -1;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    std::stringstream text;
    text << std::ifstream{path}.rdbuf();
    EXPECT_NE(text.str().find(passes_through), std::string::npos) << text.str();
    std::filesystem::remove_all(folder);
}

/// An application that presents without a window.
struct HeadlessApplication {
    /// Presents image 0 without a semaphore.
    [[nodiscard]] VkResult present(VkSwapchainKHR swapchain) const {
        const uint32_t index = 0;
        const VkPresentInfoKHR info{.sType = VK_STRUCTURE_TYPE_PRESENT_INFO_KHR,
                                    .pNext = nullptr,
                                    .waitSemaphoreCount = 0,
                                    .pWaitSemaphores = nullptr,
                                    .swapchainCount = 1,
                                    .pSwapchains = &swapchain,
                                    .pImageIndices = &index,
                                    .pResults = nullptr};
        return vkQueuePresentKHR(device.queue(), &info);
    }

    const Instance instance{
        {.extensions = {"VK_KHR_surface", headless_extension, "VK_EXT_debug_utils"}}};
    const Device device{instance.physical_device()};
    const HeadlessSurface surface{instance};
};

class MessagesOfFramesTest : public DriverTest {};

TEST_F(MessagesOfFramesTest, TheyNameTheDevice) {
    const HeadlessApplication application;
    Listener listener;
    const Messenger messenger{application.instance, listener};
    const Swapchain swapchain{application.device, application.surface};
    ASSERT_EQ(swapchain.result(), VK_SUCCESS);
    const auto heard = listener.with("swapchain 64x48 VK_FORMAT_B8G8R8A8_UNORM");
    ASSERT_EQ(heard.size(), 1U);
    EXPECT_EQ(heard.front().severity, VK_DEBUG_UTILS_MESSAGE_SEVERITY_INFO_BIT_EXT);
    EXPECT_EQ(heard.front().object_type, VK_OBJECT_TYPE_DEVICE);
    EXPECT_EQ(heard.front().object, reinterpret_cast<uintptr_t>(VkDevice{application.device}));
}

// Not valid, but no reason to hang.
TEST_F(MessagesOfFramesTest, ACallbackMayCallTheLayer) {
    const HeadlessApplication application;
    Listener listener;
    Messenger messenger{application.instance, listener};
    const Swapchain swapchain{application.device, application.surface};
    ASSERT_EQ(swapchain.result(), VK_SUCCESS);
    listener.heard.clear();
    uint32_t images = 0;
    listener.during = [&] {
        EXPECT_EQ(vkGetSwapchainImagesKHR(application.device, swapchain, &images, nullptr),
                  VK_SUCCESS);
        messenger.destroy();
        const HeadlessSurface surface{application.instance};
        const Swapchain another{application.device, surface};
        EXPECT_EQ(another.result(), VK_SUCCESS);
    };
    EXPECT_LT(application.present(swapchain), VK_SUCCESS) << "no image is acquired";
    EXPECT_EQ(listener.heard.size(), 1U);
    EXPECT_EQ(images, swapchain.image_count());
}

TEST_F(MessagesOfFramesTest, AWaitOnTheCpuIsAboutPerformance) {
    const HeadlessApplication application;
    Listener listener;
    const Messenger messenger{application.instance, listener, every_severity,
                              VK_DEBUG_UTILS_MESSAGE_TYPE_PERFORMANCE_BIT_EXT};
    const Swapchain swapchain{application.device, application.surface};
    ASSERT_EQ(swapchain.result(), VK_SUCCESS);
    EXPECT_EQ(listener.heard.size(), 0U);
    Frame frame{application.device};
    ASSERT_EQ(frame.acquire(swapchain), VK_SUCCESS);
    ASSERT_EQ(frame.index(), 0U);
    ASSERT_EQ(frame.submit(), VK_SUCCESS);
    fake_driver().fail_call("vkGetSemaphoreFdKHR", 1, VK_ERROR_TOO_MANY_OBJECTS);
    EXPECT_EQ(application.present(swapchain), VK_SUCCESS);
    EXPECT_EQ(frame.finish(), VK_SUCCESS);
    ASSERT_EQ(listener.heard.size(), 1U);
    EXPECT_NE(listener.heard.front().text.find("waiting on the CPU"), std::string::npos)
        << listener.heard.front().text;
}

} // namespace
} // namespace fencebridge::test
