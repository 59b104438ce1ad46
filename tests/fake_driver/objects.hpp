// SPDX-License-Identifier: MIT
// The objects behind the handles. A dispatchable handle points to an object that begins with the
// loader's data. Any other handle is a number. It is not used again, so that a stale handle is
// noticed; VkPrivateDataSlot is an exception, see Pool::add_again().
#pragma once

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <vulkan/vk_icd.h>
#include <vulkan/vulkan.h>

#include "payload.hpp"
#include "settings.hpp"
#include "state.hpp"

namespace fencebridge::fake_driver {

struct Instance;
struct Device;

/// A dispatchable object. is_live() finds it until its destruction.
template <class Self>
struct Dispatchable {
    VK_LOADER_DATA loader{};

    Dispatchable() {
        live().change([this](auto& all) { all.insert(this); });
    }
    ~Dispatchable() {
        live().change([this](auto& all) { all.erase(this); });
    }
    Dispatchable(const Dispatchable&) = delete;
    Dispatchable& operator=(const Dispatchable&) = delete;

    [[nodiscard]] static bool is_live(const void* handle) {
        bool found = false;
        live().change([&](const auto& all) { found = all.contains(handle); });
        return found;
    }

private:
    struct Live {
        std::mutex mutex;
        std::set<const void*> objects;

        template <class Use>
        void change(Use&& use) {
            const std::lock_guard lock{mutex};
            use(objects);
        }
    };
    static Live& live() {
        static Live all;
        return all;
    }
};

struct PhysicalDevice : Dispatchable<PhysicalDevice> {
    Instance* instance{nullptr};
    uint32_t index{0};
};

struct Instance : Dispatchable<Instance> {
    uint32_t api_version{VK_API_VERSION_1_0};
    std::set<std::string, std::less<>> extensions;
    std::vector<std::unique_ptr<PhysicalDevice>> physical_devices;
};

struct Queue : Dispatchable<Queue> {
    Device* device{nullptr};
    VkDeviceQueueCreateFlags flags{0};
    uint32_t family{0};
    uint32_t index{0};
    Payload submitted; // all batches so far; guarded by payload_mutex()
};

struct Device : Dispatchable<Device> {
    const PhysicalDevice* physical_device{nullptr};
    uint32_t api_version{VK_API_VERSION_1_0};
    std::set<std::string, std::less<>> extensions;
    std::vector<std::unique_ptr<Queue>> queues;

    [[nodiscard]] bool has(std::string_view extension) const {
        return extensions.contains(extension);
    }
};

/// The batches that use an object. Guarded by payload_mutex().
struct Use {
    Payload last;
};

struct CommandBuffer : Dispatchable<CommandBuffer> {
    enum class State { initial, recording, executable, invalid };

    Device* device{nullptr};
    VkCommandPool pool{VK_NULL_HANDLE};
    uint32_t family{0};    // of its pool
    bool may_reset{false}; // VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT
    State state{State::initial};
    VkCommandBufferUsageFlags usage{0};
    std::vector<std::function<void()>> commands;
    std::vector<std::shared_ptr<Use>> uses; // of what the commands use
    std::shared_ptr<Use> use{std::make_shared<Use>()};
};

/// A mapping of a file, which ends with this object.
struct Mapping {
    void* data{nullptr};
    size_t size{0};

    Mapping() = default;
    Mapping(Mapping&& other) noexcept :
        data{std::exchange(other.data, nullptr)}, size{other.size} {}
    Mapping& operator=(Mapping&&) = delete;
    ~Mapping();
};

struct Memory {
    Device* device{nullptr};
    VkDeviceSize size{0};
    uint32_t type{0};
    bool exportable{false};
    Fd fd; // invalid unless the memory is imported, is exportable, or was mapped
    std::byte* host_pointer{nullptr}; // imported; the application's
    Mapping mapping;                  // of the file
    bool mapped{false};               // by the application
    VkExternalMemoryHandleTypeFlags imported_as{0};
    std::shared_ptr<Use> use{std::make_shared<Use>()};
    VkImage dedicated_image{VK_NULL_HANDLE};
    VkBuffer dedicated_buffer{VK_NULL_HANDLE};
    VkDeviceSize imported_size{0}; // of the dma-buf; 0 if the memory was not imported
};

/// Identifies a file, whatever descriptor refers to it; {} for none.
struct FileId {
    uint64_t device{0};
    uint64_t inode{0};
    bool operator==(const FileId&) const = default;
};

struct Plane {
    VkDeviceSize offset{0};
    VkDeviceSize pitch{0};
    VkDeviceSize size{0};
};

struct Image {
    Device* device{nullptr};
    VkImageTiling tiling{VK_IMAGE_TILING_OPTIMAL};
    uint64_t modifier{0}; // for VK_IMAGE_TILING_DRM_FORMAT_MODIFIER_EXT
    std::vector<Plane> planes;
    VkDeviceSize padding{0}; // of its memory
    VkExternalMemoryHandleTypeFlags handle_types{0};
    VkFormat format{VK_FORMAT_UNDEFINED};
    VkDeviceSize bytes_per_pixel{0};
    VkExtent3D extent{};
    VkImageUsageFlags usage{0};
    VkImageLayout layout{VK_IMAGE_LAYOUT_UNDEFINED}; // changed by the execution of commands
    std::weak_ptr<Memory> memory{};
    VkDeviceSize memory_offset{0};
    std::shared_ptr<Use> use{std::make_shared<Use>()};
    bool bound{false};
    bool aliases{false}; // VK_IMAGE_CREATE_ALIAS_BIT
    FileId backing{};    // the file of the memory that it is bound to, if any

    /// What vkGetImageMemoryRequirements says.
    [[nodiscard]] VkDeviceSize size() const {
        return planes.back().offset + planes.back().size + padding;
    }
};

struct Buffer {
    Device* device{nullptr};
    VkDeviceSize size{0};
    VkExternalMemoryHandleTypeFlags handle_types{0};
    bool bound{false};
    // Owned by VK_QUEUE_FAMILY_FOREIGN_EXT. Used by std::atomic_ref: executed commands change it.
    bool foreign{false};
    std::weak_ptr<Memory> memory{};
    VkDeviceSize memory_offset{0};
    std::shared_ptr<Use> use{std::make_shared<Use>()};
};

struct ImageView {
    Device* device{nullptr};
    VkImage image{VK_NULL_HANDLE};
};

/// A binary semaphore or a fence. Its current payload is the temporary one if there is one. Without
/// any payload it is unsignalled, and no batch is going to signal it.
struct SyncObject {
    Device* device{nullptr};
    bool exportable{false}; // as SYNC_FD, by its create info
    std::optional<Payload> permanent;
    std::optional<Payload> temporary;
    Payload last_use; // the last batch that refers to it

    [[nodiscard]] std::optional<Payload>& current() { return temporary ? temporary : permanent; }
};
struct Semaphore : SyncObject {};
struct Fence : SyncObject {};

struct CommandPool {
    Device* device{nullptr};
    VkCommandPoolCreateFlags flags{0};
    uint32_t family{0};
    std::map<VkCommandBuffer, std::unique_ptr<CommandBuffer>> buffers;
};

struct Surface {
    Instance* instance{nullptr};
};

struct Swapchain {
    Device* device{nullptr};
    std::vector<VkImage> images;
    uint32_t next{0};
};

/// VK_EXT_private_data: the data of each object by its type and handle.
struct PrivateDataSlot {
    Device* device{nullptr};
    std::map<std::pair<VkObjectType, uint64_t>, uint64_t> data{};
};

/// The live objects of one non-dispatchable type.
template <class Handle, class Object>
class Pool {
public:
    explicit Pool(const char* name) : name_{name} {}

    Handle add(Object object) {
        const std::lock_guard lock{mutex_};
        static std::atomic<uint64_t> next_number{0x1000};
        const uint64_t number = ++next_number;
        objects_.emplace(number, std::make_shared<Object>(std::move(object)));
        return to_handle(number);
    }

    /// Adds an object with the handle of a destroyed one, as real drivers do.
    void add_again(Handle handle, Object object) {
        const std::lock_guard lock{mutex_};
        objects_.emplace(to_number(handle), std::make_shared<Object>(std::move(object)));
    }

    /// Finds an object. If the handle is not live, reports a misuse and returns null.
    [[nodiscard]] std::shared_ptr<Object> find(Handle handle) {
        auto object = find_if_any(handle);
        if (object == nullptr)
            misuse(std::string{"not a live "} + name_);
        return object;
    }

    [[nodiscard]] std::shared_ptr<Object> find_if_any(Handle handle) {
        const std::lock_guard lock{mutex_};
        const auto entry = objects_.find(to_number(handle));
        return entry != objects_.end() ? entry->second : nullptr;
    }

    /// Removes an object and returns it; null for VK_NULL_HANDLE. If the handle is not live,
    /// reports a misuse and returns null.
    std::shared_ptr<Object> remove(Handle handle) {
        if (to_number(handle) == 0)
            return nullptr;
        auto object = find(handle);
        const std::lock_guard lock{mutex_};
        objects_.erase(to_number(handle));
        return object;
    }

    /// Calls `use` for every live object, under the pool's lock.
    template <class Use>
    void for_each(Use&& use) {
        const std::lock_guard lock{mutex_};
        for (const auto& entry : objects_)
            use(*entry.second);
    }

    [[nodiscard]] uint64_t size() {
        const std::lock_guard lock{mutex_};
        return objects_.size();
    }

    /// Removes the objects for which the predicate holds, and returns their number.
    template <class Predicate>
    size_t remove_if(Predicate&& dying) {
        const std::lock_guard lock{mutex_};
        return std::erase_if(objects_, [&](const auto& entry) { return dying(*entry.second); });
    }

    [[nodiscard]] const char* name() const { return name_; }

private:
    // A handle is a pointer on 64-bit machines and a number on others.
    static Handle to_handle(uint64_t number) {
        if constexpr (std::is_pointer_v<Handle>)
            return reinterpret_cast<Handle>(static_cast<uintptr_t>(number));
        else
            return number;
    }
    static uint64_t to_number(Handle handle) {
        if constexpr (std::is_pointer_v<Handle>)
            return reinterpret_cast<uintptr_t>(handle);
        else
            return handle;
    }

    const char* const name_;
    std::mutex mutex_;
    std::map<uint64_t, std::shared_ptr<Object>> objects_;
};

struct Objects {
    std::atomic<uint64_t> instances{0};
    std::atomic<uint64_t> devices{0};
    std::atomic<uint64_t> command_buffers{0};
    std::atomic<uint64_t> foreign_buffers{0}; // see FakeDriverControl
    std::atomic<uint64_t> host_releases{0};   // see FakeDriverControl
    Pool<VkDeviceMemory, Memory> memories{"VkDeviceMemory"};
    Pool<VkImage, Image> images{"VkImage"};
    Pool<VkImage, Image> native_images{"VkImage of a swapchain"};
    Pool<VkImageView, ImageView> image_views{"VkImageView"};
    Pool<VkBuffer, Buffer> buffers{"VkBuffer"};
    Pool<VkSemaphore, Semaphore> semaphores{"VkSemaphore"};
    Pool<VkFence, Fence> fences{"VkFence"};
    Pool<VkCommandPool, CommandPool> command_pools{"VkCommandPool"};
    Pool<VkSurfaceKHR, Surface> surfaces{"VkSurfaceKHR"};
    Pool<VkSwapchainKHR, Swapchain> swapchains{"VkSwapchainKHR"};
    Pool<VkPrivateDataSlot, PrivateDataSlot> private_data_slots{"VkPrivateDataSlot"};
};

[[nodiscard]] Objects& objects();

/// Finds an image of the application or of a native swapchain.
[[nodiscard]] std::shared_ptr<Image> find_image(VkImage handle);

template <class Object, class Handle>
[[nodiscard]] Object* from_handle(Handle handle) {
    return reinterpret_cast<Object*>(handle);
}
template <class Handle, class Object>
[[nodiscard]] Handle to_handle(Object* object) {
    return reinterpret_cast<Handle>(object);
}

/// Whether the chain of a VkDeviceCreateInfo enables a feature that the device lacks, as Mesa
/// checks it: also without the extension of the feature.
[[nodiscard]] bool wants_absent_feature(const void* chain, const DeviceSettings& settings);

} // namespace fencebridge::fake_driver
