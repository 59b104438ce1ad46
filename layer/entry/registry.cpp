// SPDX-License-Identifier: MIT
#include "entry/registry.hpp"

#include <mutex>
#include <shared_mutex>

namespace fencebridge::entry {

namespace {

/// Objects by dispatch key. Looked up on every call, changed seldom.
template <class Value>
class Table {
public:
    [[nodiscard]] Value find(const void* handle) const {
        const std::shared_lock lock(mutex_);
        const auto found = all_.find(dispatch_key(handle));
        return found == all_.end() ? Value{} : found->second;
    }
    using Entry = typename std::map<void*, Value>::node_type;

    /// An entry without a key, to be added later.
    [[nodiscard]] static Entry allocate(Value value) {
        std::map<void*, Value> one;
        one.emplace(nullptr, std::move(value));
        return one.extract(one.begin());
    }
    void add(const void* handle, Entry entry) noexcept {
        const std::unique_lock lock(mutex_);
        entry.key() = dispatch_key(handle);
        all_.erase(entry.key());
        all_.insert(std::move(entry));
    }
    Value remove(const void* handle) {
        const std::unique_lock lock(mutex_);
        auto node = all_.extract(dispatch_key(handle));
        return node ? std::move(node.mapped()) : Value{};
    }

private:
    mutable std::shared_mutex mutex_;
    std::map<void*, Value> all_;
};

// Never destroyed: an application may use Vulkan from a static destructor of its own.
template <class Value>
Table<Value>& table() {
    static auto* const the = new Table<Value>;
    return *the;
}

auto& instances() { return table<std::shared_ptr<Instance>>(); }
auto& devices() { return table<std::shared_ptr<Device>>(); }

} // namespace

template <>
Called<Instance>::Called(std::shared_ptr<Instance> object) : object_(std::move(object)) {
    if (object_ && object_->messengers.want_anything())
        messages_.emplace(object_->messengers, VK_OBJECT_TYPE_INSTANCE, object_->handle);
}
template <>
Called<Device>::Called(std::shared_ptr<Device> object) : object_(std::move(object)) {
    if (object_ && object_->instance->messengers.want_anything())
        messages_.emplace(object_->instance->messengers, VK_OBJECT_TYPE_DEVICE, object_->vk.handle);
}

Called<Instance> find_instance(const void* handle) {
    return Called(handle == nullptr ? nullptr : instances().find(handle));
}
InstanceEntry allocate_entry(std::shared_ptr<Instance> instance) {
    return instances().allocate(std::move(instance)); // the first call allocates the table, too
}
void add_instance(InstanceEntry entry) noexcept {
    const VkInstance handle = entry.mapped()->handle;
    instances().add(handle, std::move(entry));
}
std::shared_ptr<Instance> remove_instance(VkInstance instance) {
    return instances().remove(instance);
}

Called<Device> find_device(const void* handle) { return Called(devices().find(handle)); }
void add_device(std::shared_ptr<Device> device) {
    const VkDevice handle = device->vk.handle;
    devices().add(handle, devices().allocate(std::move(device)));
}
std::shared_ptr<Device> remove_device(VkDevice device) { return devices().remove(device); }

std::shared_ptr<const vk::PhysicalDevice> Instance::physical(VkPhysicalDevice device) {
    auto known = physical_devices.with([&](const auto& all) {
        const auto found = all.find(device);
        return found == all.end() ? nullptr : found->second;
    });
    if (known)
        return known;
    // If two threads query at the same time, the first result is kept.
    auto described = std::make_shared<vk::PhysicalDevice>(
        vk::describe_physical_device(device, next, api_version, has_unread_images));
    remove_appended_extensions(described->extensions);
    if (!described->extensions_known)
        return described; // not kept: the failure may be transient
    return physical_devices.with(
        [&](auto& all) { return all.try_emplace(device, std::move(described)).first->second; });
}

bool Instance::offers(const Extension& extension, VkPhysicalDevice device) {
    if (!hides_extensions(device))
        return false;
    const auto driver = physical(device);
    if (extension.works_on != nullptr && !extension.works_on(*driver))
        return false;
    return is_layers_alone(extension, device) || find_name(*driver, extension) != nullptr;
}

bool Instance::is_layers_alone(const Extension& extension, VkPhysicalDevice device) {
    return extension.reach != Reach::layers_surfaces ||
           (!other_window_system && !may_yield_on(device));
}

void Instance::add_surface(VkSurfaceKHR surface, std::shared_ptr<Window> window,
                           core::Yield yield) {
    auto record = std::make_shared<SurfaceRecord>();
    record->window = std::move(window);
    record->yield = yield;
    surfaces.with([&](auto& all) { all.insert_or_assign(surface, std::move(record)); });
}

std::shared_ptr<SurfaceRecord> Instance::find_surface(VkSurfaceKHR surface) {
    return surfaces.with([&](const auto& all) {
        const auto found = all.find(surface);
        return found == all.end() ? nullptr : found->second;
    });
}

const char* find_name(const vk::PhysicalDevice& driver, const Extension& extension) {
    if (driver.has_extension(extension.name.data()))
        return extension.name.data();
    const bool has_other =
        extension.other_name != nullptr && driver.has_extension(extension.other_name);
    return has_other ? extension.other_name : nullptr;
}

namespace {

/// The extension VK_EXT_swapchain_maintenance1, whose KHR version is another name for it.
const Extension& swapchain_maintenance1() {
    static const Extension& found = *find_extension(VK_EXT_SWAPCHAIN_MAINTENANCE_1_EXTENSION_NAME);
    return found;
}

} // namespace

Device::Device(std::shared_ptr<Instance> parent, const vk::PhysicalDevice& driver, vk::Device below,
               bool is_taken_over, bool hides, EnabledExtensions with) :
    instance(std::move(parent)),
    vk(std::move(below)), taken_over(is_taken_over), hides_extensions(hides),
    enabled(std::move(with)), has_maintenance1(enabled.has(swapchain_maintenance1().name) ||
                                               enabled.has(swapchain_maintenance1().other_name)),
    driver_has_maintenance1(has_maintenance1 &&
                            find_name(driver, swapchain_maintenance1()) != nullptr),
    signaller(vk), wait_semaphores(vk) {}

std::shared_ptr<SwapchainRecord> Device::find_record(VkSwapchainKHR swapchain) {
    return swapchains.with([&](const auto& all) {
        const auto found = all.find(swapchain);
        return found == all.end() ? nullptr : found->second;
    });
}

std::shared_ptr<Swapchain> Device::find_swapchain(VkSwapchainKHR swapchain) {
    const auto record = find_record(swapchain);
    // The returned pointer shares the ownership of the record.
    return record ? std::shared_ptr<Swapchain>(record, record->swapchain.get()) : nullptr;
}

} // namespace fencebridge::entry
