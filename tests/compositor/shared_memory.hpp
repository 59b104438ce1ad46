// SPDX-License-Identifier: MIT
// Drivers that show images in shared memory (wl_shm), and the threads that show them.
#pragma once

#include "fixture.hpp"

#include "fake_driver/control.hpp"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

namespace fencebridge::test {

// How long a test waits for a commit that must not arrive.
inline constexpr std::chrono::milliseconds short_while{100};

// The layer's threads.
inline std::vector<std::filesystem::path> layer_threads() {
    std::vector<std::filesystem::path> found;
    for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
        std::ifstream file(task.path() / "comm");
        std::string name;
        std::getline(file, name);
        if (name == "fencebridge")
            found.push_back(task.path());
    }
    return found;
}

// Finishes the first batch that is held, which is the application's, and the next one, with which
// the layer makes the image visible to the CPU.
inline bool finish_rendering() {
    while (fake_driver().held_batches() < 2) // another thread may be about to submit the layer's
        std::this_thread::yield();
    return fake_driver().release_one() && fake_driver().release_one();
}

// A driver whose memory reaches the compositor by VK_EXT_external_memory_host alone.
class SharedMemoryTest : public CompositorTest {
protected:
    void SetUp() override {
        CompositorTest::SetUp();
        may_use_shm_ = true;
        fake_driver().hide_device_extension(0, "VK_EXT_external_memory_dma_buf");
        fake_driver().add_device_extension(0, "VK_EXT_external_memory_host");
    }
    // As NVIDIA's driver without nvidia-drm.
    static void hide_sync_fd() {
        fake_driver().set_sync_fd_features(0, 0, 0);
        fake_driver().set_opaque_fds(0, VK_TRUE);
        fake_driver().set_queue_count(0, 3); // one is the layer's
    }

    // Acquires an image, renders, and presents it. Returns the index.
    uint32_t show(Client& client, const Swapchain& swapchain, VkSemaphore rendered,
                  const void* next = nullptr) {
        const uint32_t index = client.acquire_and_render(swapchain, rendered);
        EXPECT_EQ(present(client.device.queue, swapchain, index, {rendered}, next), VK_SUCCESS);
        return index;
    }
};

} // namespace fencebridge::test
