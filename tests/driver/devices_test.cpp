// SPDX-License-Identifier: MIT
// Several instances, physical devices and devices at once.
#include <malloc.h>

#include <algorithm>
#include <numeric>
#include <thread>

#include "fixture.hpp"
#include "layer.hpp"

namespace fencebridge::test {
namespace {

class DevicesTest : public DriverTest {
protected:
    static void use(const Device& device) {
        const VkFenceCreateInfo info{.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO,
                                     .pNext = nullptr,
                                     .flags = VK_FENCE_CREATE_SIGNALED_BIT};
        VkFence fence = VK_NULL_HANDLE;
        ASSERT_EQ(vkCreateFence(device, &info, nullptr, &fence), VK_SUCCESS);
        EXPECT_EQ(vkGetFenceStatus(device, fence), VK_SUCCESS);
        vkDestroyFence(device, fence, nullptr);
        EXPECT_EQ(vkQueueWaitIdle(device.queue(1)), VK_SUCCESS);
        EXPECT_TRUE(is_taken_over(device));
    }

    /// In bytes. mallinfo2() counts each thread's cache of free memory as in use; meson.build
    /// switches that cache off.
    static size_t memory_in_use() {
        const auto usage = mallinfo2();
        return usage.uordblks + usage.hblkhd;
    }

    static void create_and_destroy(int rounds) {
        for (int i = 0; i < rounds; ++i) {
            const Instance instance;
            const Device device{instance.physical_device()};
            use(device);
        }
    }
};

TEST_F(DevicesTest, TwoInstancesWithTwoDevicesEachMayBeDestroyedInAnyOrder) {
    // Devices 0 and 1 belong to instance 0, devices 2 and 3 to instance 1. An instance is destroyed
    // after the last of its devices.
    std::array<size_t, 4> order{};
    std::iota(order.begin(), order.end(), 0);
    do {
        std::array<std::unique_ptr<Instance>, 2> instances;
        std::array<std::unique_ptr<Device>, 4> devices;
        for (size_t i = 0; i < devices.size(); ++i) {
            auto& instance = instances.at(i / 2);
            if (instance == nullptr)
                instance = std::make_unique<Instance>();
            ASSERT_EQ(instance->result(), VK_SUCCESS);
            devices.at(i) = std::make_unique<Device>(instance->physical_device());
            ASSERT_EQ(devices.at(i)->result(), VK_SUCCESS);
        }
        for (const size_t dying : order) {
            devices.at(dying).reset();
            const size_t sibling = dying ^ 1;
            if (devices.at(sibling) == nullptr)
                instances.at(dying / 2).reset();
            for (const auto& left : devices)
                if (left != nullptr)
                    use(*left);
        }
        EXPECT_EQ(fake_driver().live_objects(FAKE_DRIVER_INSTANCE), 0U);
    } while (std::ranges::next_permutation(order).found);
}

TEST_F(DevicesTest, AFailedVkCreateDeviceLeaksNothing) {
    const Instance instance;
    for (const VkResult result :
         {VK_ERROR_OUT_OF_HOST_MEMORY, VK_ERROR_INITIALIZATION_FAILED, VK_ERROR_DEVICE_LOST}) {
        fake_driver().fail_call("vkCreateDevice", 1, result);
        EXPECT_EQ(Device(instance.physical_device()).result(), result);
        EXPECT_EQ(fake_driver().live_objects(FAKE_DRIVER_DEVICE), 0U);
    }
    const Device device{instance.physical_device()};
    ASSERT_EQ(device.result(), VK_SUCCESS);
    use(device);
}

TEST_F(DevicesTest, ThreadsCreateAndDestroyTheirOwnInstancesAndDevices) {
    constexpr int rounds = 25;
    const auto work = [] {
        for (int i = 0; i < rounds; ++i) {
            const Instance instance;
            ASSERT_EQ(instance.result(), VK_SUCCESS);
            const Device first{instance.physical_device()};
            const Device other{instance.physical_device()};
            use(first);
            use(other);
        }
    };
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back(work);
    for (std::thread& thread : threads)
        thread.join();
    EXPECT_EQ(fake_driver().instance_creates(), 4U * rounds);
    EXPECT_EQ(fake_driver().device_creates(), 8U * rounds);
}

TEST_F(DevicesTest, CreatingAndDestroyingManyInstancesLeaksNoMemory) {
    // The loader may load and unload the layer with every instance. A leak adds to the memory in
    // use in every batch, what loader and malloc() keep for themselves only in some of them.
    constexpr int rounds = 100;
    const auto batch = [] {
        const size_t before = memory_in_use();
        create_and_destroy(rounds);
        fake_driver().reset(); // frees the log of those calls
        const size_t after = memory_in_use();
        return after - std::min(before, after);
    };
    batch();
    const size_t smallest_growth = std::min({batch(), batch(), batch()});
    // A leak of glibc's smallest allocation, 32 bytes, in every round adds twice this.
    EXPECT_LT(smallest_growth, size_t{rounds} * 16);
}

TEST_F(DevicesTest, OfTwoPhysicalDevicesOnlyTheOneThatLacksAnExtensionPassesThrough) {
    fake_driver().set_physical_device_count(2);
    fake_driver().hide_device_extension(0, "VK_KHR_external_memory_fd");
    fake_driver().add_device_extension(FAKE_DRIVER_ALL_DEVICES, "VK_NV_low_latency2");
    const Instance instance;
    const Device passes_through{instance.physical_device(0)};
    const Device taken_over{instance.physical_device(1)};
    ASSERT_EQ(passes_through.result(), VK_SUCCESS);
    ASSERT_EQ(taken_over.result(), VK_SUCCESS);
    EXPECT_FALSE(is_taken_over(passes_through));
    EXPECT_TRUE(is_taken_over(taken_over));
    EXPECT_EQ(fake_driver().device_create(0)->physical_device, 0U);
    EXPECT_EQ(extensions_of(*fake_driver().device_create(0)),
              std::vector<std::string>{"VK_KHR_swapchain"});
    EXPECT_GT(fake_driver().device_create(1)->extension_count, 1U);
    const Names unchanged = as_set(device_extensions(instance.physical_device(0)));
    const Names without_hidden = as_set(device_extensions(instance.physical_device(1)));
    EXPECT_TRUE(unchanged.contains("VK_NV_low_latency2"));
    EXPECT_FALSE(without_hidden.contains("VK_NV_low_latency2"));
}

TEST_F(DevicesTest, ADeviceGroupOfOnePhysicalDeviceIsTakenOver) {
    const Instance instance;
    const VkPhysicalDevice physical_device = instance.physical_device();
    const VkDeviceGroupDeviceCreateInfo group{.sType =
                                                  VK_STRUCTURE_TYPE_DEVICE_GROUP_DEVICE_CREATE_INFO,
                                              .pNext = nullptr,
                                              .physicalDeviceCount = 1,
                                              .pPhysicalDevices = &physical_device};
    const Device device{physical_device, {.next = &group}};
    ASSERT_EQ(device.result(), VK_SUCCESS);
    use(device);
}

TEST_F(DevicesTest, TheApplicationsQueuesOfEveryKindCountAgainstTheFamilysQueues) {
    // If the driver cannot import into VkFences, the layer signals them by submissions to a queue
    // of its own.
    fake_driver().set_sync_fd_features(0,
                                       VK_EXTERNAL_SEMAPHORE_FEATURE_EXPORTABLE_BIT |
                                           VK_EXTERNAL_SEMAPHORE_FEATURE_IMPORTABLE_BIT,
                                       VK_EXTERNAL_FENCE_FEATURE_EXPORTABLE_BIT);
    const float priority = 1.0F;
    const auto one_queue = [&](VkDeviceQueueCreateFlags flags) {
        return VkDeviceQueueCreateInfo{.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
                                       .pNext = nullptr,
                                       .flags = flags,
                                       .queueFamilyIndex = 0,
                                       .queueCount = 1,
                                       .pQueuePriorities = &priority};
    };
    const std::vector both_kinds{one_queue(VK_DEVICE_QUEUE_CREATE_PROTECTED_BIT), one_queue(0)};
    const EnvironmentVariable level{"FENCEBRIDGE_LOG_LEVEL", "debug"};
    for (const auto& [queues, own] : {std::pair{2U, "own_queue=no"}, {3U, "own_queue=yes"}}) {
        fake_driver().set_queue_count(0, queues);
        const StderrCapture log;
        const Instance instance;
        const Device device{instance.physical_device(), {.queues = both_kinds}};
        ASSERT_EQ(device.result(), VK_SUCCESS);
        EXPECT_TRUE(is_taken_over(device));
        EXPECT_EQ(log.lines_with(own).size(), 1U) << own;
    }
}

} // namespace
} // namespace fencebridge::test
