// SPDX-License-Identifier: MIT
// The functions of the control interface, which control.h documents.
#include "control_table.hpp"

#include <algorithm>

#include "objects.hpp"
#include "sync_state.hpp"

namespace fencebridge::fake_driver {
namespace {

void reset() {
    hold_rendering(false);
    with_state([](State& state) { state = State{}; });
}

template <class Change>
void for_devices(uint32_t device, Change&& change) {
    with_state([&](State& state) {
        for (uint32_t i = 0; i < FAKE_DRIVER_MAX_DEVICES; ++i)
            if (device == i || device == FAKE_DRIVER_ALL_DEVICES)
                change(state.settings.devices.at(i));
    });
}

template <class Change>
void change_settings(Change&& change) {
    with_state([&](State& state) { change(state.settings); });
}

void set_instance_version(uint32_t version) {
    change_settings([&](Settings& settings) { settings.instance_version = version; });
}

void set_device_version(uint32_t device, uint32_t version) {
    for_devices(device, [&](DeviceSettings& settings) { settings.api_version = version; });
}

void set_physical_device_count(uint32_t count) {
    change_settings([&](Settings& settings) {
        settings.device_count = std::clamp<uint32_t>(count, 1, FAKE_DRIVER_MAX_DEVICES);
    });
}

void hide_instance_extension(const char* name) {
    change_settings([&](Settings& s) { std::erase(s.instance_extensions, name); });
}

void hide_device_extension(uint32_t device, const char* name) {
    for_devices(device, [&](DeviceSettings& s) { std::erase(s.extensions, name); });
}

void add_to(std::vector<std::string>& list, const char* name) {
    if (std::ranges::find(list, name) == list.end())
        list.emplace_back(name);
}

void add_instance_extension(const char* name) {
    change_settings([&](Settings& settings) { add_to(settings.instance_extensions, name); });
}

void add_device_extension(uint32_t device, const char* name) {
    for_devices(device, [&](DeviceSettings& settings) { add_to(settings.extensions, name); });
}

void set_native_wsi(VkBool32 on) {
    change_settings([&](Settings& settings) { settings.native_wsi = on != VK_FALSE; });
}

void set_memory(FakeDriverMemory memory) {
    change_settings([&](Settings& settings) { settings.memory = memory; });
}

void set_sync(FakeDriverSync sync) {
    change_settings([&](Settings& settings) { settings.sync = sync; });
}

void set_sync_fd_features(uint32_t device, VkExternalSemaphoreFeatureFlags semaphore,
                          VkExternalFenceFeatureFlags fence) {
    for_devices(device, [&](DeviceSettings& settings) {
        settings.semaphore_features = semaphore;
        settings.fence_features = fence;
    });
}

void set_exports_imported_semaphores(uint32_t device, VkBool32 on) {
    for_devices(device,
                [&](DeviceSettings& settings) { settings.exports_imported_semaphores = on; });
}

void set_opaque_fds(uint32_t device, VkBool32 on) {
    for_devices(device, [&](DeviceSettings& settings) { settings.opaque_fds = on != VK_FALSE; });
}

void set_queue_count(uint32_t device, uint32_t count) {
    for_devices(device, [&](DeviceSettings& settings) { settings.queue_count = count; });
}

void set_queue_families(uint32_t device, uint32_t count, const VkQueueFlags* flags) {
    for_devices(device, [&](DeviceSettings& settings) {
        settings.queue_families.assign(flags, flags + count);
    });
}

void set_device_type(uint32_t device, VkPhysicalDeviceType type) {
    for_devices(device, [&](DeviceSettings& settings) { settings.type = type; });
}

void set_format(uint32_t device, VkFormat format, uint32_t count,
                const FakeDriverModifier* modifiers) {
    for_devices(device, [&](DeviceSettings& settings) {
        if (count == 0)
            settings.formats.erase(format);
        else
            settings.formats[format].assign(modifiers, modifiers + count);
    });
}

void set_dedicated(uint32_t device, VkBool32 prefers, VkBool32 requires_it) {
    for_devices(device, [&](DeviceSettings& settings) {
        settings.prefers_dedicated = prefers != VK_FALSE;
        settings.requires_dedicated = requires_it != VK_FALSE;
    });
}

void set_dma_buf_features(uint32_t device, VkExternalMemoryFeatureFlags features) {
    for_devices(device, [&](DeviceSettings& settings) { settings.dma_buf_features = features; });
}

void set_shares_buffers(uint32_t device, VkBool32 on) {
    for_devices(device,
                [&](DeviceSettings& settings) { settings.shares_buffers = on != VK_FALSE; });
}

void set_linear_layout(uint32_t device, uint32_t pitch_alignment, VkDeviceSize padding) {
    for_devices(device, [&](DeviceSettings& settings) {
        settings.linear_layout = {.pitch_alignment = pitch_alignment, .padding = padding};
    });
}

void set_linear_features(uint32_t device, VkFormatFeatureFlags features) {
    for_devices(device, [&](DeviceSettings& settings) { settings.linear_features = features; });
}

void set_swapchain_features(uint32_t device, VkBool32 on) {
    for_devices(device, [&](DeviceSettings& settings) { settings.swapchain_features = on; });
}

void set_host_pointer_alignment(uint32_t device, VkDeviceSize bytes) {
    for_devices(device, [&](DeviceSettings& settings) { settings.host_pointer_alignment = bytes; });
}

void set_import_padding(uint32_t device, VkDeviceSize bytes) {
    for_devices(device, [&](DeviceSettings& settings) { settings.import_padding = bytes; });
}

void set_driver_id(uint32_t device, VkDriverId id) {
    for_devices(device, [&](DeviceSettings& settings) {
        add_to(settings.extensions, VK_KHR_DRIVER_PROPERTIES_EXTENSION_NAME);
        settings.driver_id = id;
    });
}

void set_driver_version(uint32_t device, uint32_t version) {
    for_devices(device, [&](DeviceSettings& settings) { settings.driver_version = version; });
}

void set_presents(uint32_t device, uint32_t queue_family, VkBool32 on) {
    for_devices(device, [&](DeviceSettings& settings) {
        settings.families_without_present.erase(queue_family);
        if (on == VK_FALSE)
            settings.families_without_present.insert(queue_family);
    });
}

void set_drm_nodes(uint32_t device, uint64_t primary, uint64_t render) {
    for_devices(device, [&](DeviceSettings& settings) {
        add_to(settings.extensions, VK_EXT_PHYSICAL_DEVICE_DRM_EXTENSION_NAME);
        settings.primary_node = primary;
        settings.render_node = render;
    });
}

void set_export_signalled_as_minus_one(VkBool32 on) {
    change_settings(
        [&](Settings& settings) { settings.export_signalled_as_minus_one = on != VK_FALSE; });
}

std::optional<CreateFailure> create_failure(const char* name, VkResult result) {
    if (name == nullptr)
        return std::nullopt;
    return CreateFailure{.extension = name, .result = result};
}

void fail_instance_with_extension(const char* name, VkResult result) {
    change_settings([&](Settings& s) { s.instance_failure = create_failure(name, result); });
}

void fail_device_with_extension(const char* name, VkResult result) {
    change_settings([&](Settings& s) { s.device_failure = create_failure(name, result); });
}

void fail_call(const char* function, uint32_t nth, VkResult result) {
    with_state([&](State& state) {
        state.failures.push_back({.function = function, .remaining = nth, .result = result});
    });
}

void fail_any_call(uint32_t nth, VkResult result) {
    with_state([&](State& state) {
        state.failures.push_back({.function = {}, .remaining = nth, .result = result});
    });
}

void set_keep_log(VkBool32 on) {
    change_settings([&](Settings& settings) { settings.keep_log = on != VK_FALSE; });
}

void set_executes_commands(VkBool32 on) {
    change_settings([&](Settings& settings) { settings.executes_commands = on != VK_FALSE; });
}

void clear_failures() {
    with_state([](State& state) { state.failures.clear(); });
}

uint32_t injected_failures() {
    return with_state([](State& state) { return state.injected; });
}

const char* last_injected() {
    return with_state([](State& state) { return state.last_injected; });
}

uint64_t call_count(const char* function) {
    return with_state([&](State& state) -> uint64_t {
        const auto entry = state.counts.find(std::string_view{function});
        return entry != state.counts.end() ? entry->second : 0;
    });
}

uint64_t log_size() {
    return with_state([](State& state) -> uint64_t { return state.log.size(); });
}

const char* log_entry(uint64_t index) {
    return with_state([&](State& state) {
        return index < state.log.size() ? state.log[static_cast<size_t>(index)] : nullptr;
    });
}

uint64_t live_objects(FakeDriverObject type) {
    Objects& all = objects();
    switch (type) {
    case FAKE_DRIVER_INSTANCE:
        return all.instances;
    case FAKE_DRIVER_DEVICE:
        return all.devices;
    case FAKE_DRIVER_MEMORY:
        return all.memories.size();
    case FAKE_DRIVER_IMAGE:
        return all.images.size();
    case FAKE_DRIVER_IMAGE_VIEW:
        return all.image_views.size();
    case FAKE_DRIVER_BUFFER:
        return all.buffers.size();
    case FAKE_DRIVER_SEMAPHORE:
        return all.semaphores.size();
    case FAKE_DRIVER_FENCE:
        return all.fences.size();
    case FAKE_DRIVER_COMMAND_POOL:
        return all.command_pools.size();
    case FAKE_DRIVER_COMMAND_BUFFER:
        return all.command_buffers;
    case FAKE_DRIVER_SURFACE:
        return all.surfaces.size();
    case FAKE_DRIVER_SWAPCHAIN:
        return all.swapchains.size();
    case FAKE_DRIVER_OBJECT_COUNT:
        break;
    }
    return 0;
}

uint64_t exported_memory_fds() {
    return with_state([](State& state) { return state.exported_memory_fds; });
}

uint64_t imported_sync_fds() {
    return with_state([](State& state) { return state.imported_sync_fds; });
}

uint64_t exported_sync_fds() {
    return with_state([](State& state) { return state.exported_sync_fds; });
}

uint64_t foreign_buffers() { return objects().foreign_buffers; }

uint64_t host_releases() { return objects().host_releases; }

uint64_t held_fds() { return Fd::held; }

uint32_t instance_creates() {
    return with_state(
        [](State& state) { return static_cast<uint32_t>(state.instance_creates.size()); });
}

const FakeDriverCreate* instance_create(uint32_t index) {
    return with_state([&](State& state) {
        return index < state.instance_creates.size() ? &state.instance_creates[index].view
                                                     : nullptr;
    });
}

uint32_t device_creates() {
    return with_state(
        [](State& state) { return static_cast<uint32_t>(state.device_creates.size()); });
}

const FakeDriverCreate* device_create(uint32_t index) {
    return with_state([&](State& state) {
        return index < state.device_creates.size() ? &state.device_creates[index].view : nullptr;
    });
}

uint32_t presents() {
    return with_state([](State& state) { return static_cast<uint32_t>(state.presents.size()); });
}

const FakeDriverPresent* present(uint32_t index) {
    return with_state([&](State& state) {
        return index < state.presents.size() ? &state.presents[index].view : nullptr;
    });
}

uint32_t misuse_count() {
    return with_state([](State& state) { return static_cast<uint32_t>(state.misuses.size()); });
}

const char* misuse_text(uint32_t index) {
    return with_state([&](State& state) {
        return index < state.misuses.size() ? state.misuses[index].c_str() : nullptr;
    });
}

void hold(VkBool32 on) { hold_rendering(on != VK_FALSE); }

VkBool32 release_oldest() { return release_one() ? VK_TRUE : VK_FALSE; }

VkBool32 release_last() { return release_newest() ? VK_TRUE : VK_FALSE; }

} // namespace

const FakeDriverControl& control_table() {
    static constexpr FakeDriverControl table{
        .version = FAKE_DRIVER_CONTROL_VERSION,
        .reset = reset,
        .set_instance_version = set_instance_version,
        .set_device_version = set_device_version,
        .set_physical_device_count = set_physical_device_count,
        .hide_instance_extension = hide_instance_extension,
        .hide_device_extension = hide_device_extension,
        .add_instance_extension = add_instance_extension,
        .add_device_extension = add_device_extension,
        .set_native_wsi = set_native_wsi,
        .set_memory = set_memory,
        .set_sync = set_sync,
        .set_sync_fd_features = set_sync_fd_features,
        .set_opaque_fds = set_opaque_fds,
        .set_exports_imported_semaphores = set_exports_imported_semaphores,
        .set_queue_count = set_queue_count,
        .set_queue_families = set_queue_families,
        .set_device_type = set_device_type,
        .set_format = set_format,
        .set_dedicated = set_dedicated,
        .set_dma_buf_features = set_dma_buf_features,
        .set_shares_buffers = set_shares_buffers,
        .set_linear_layout = set_linear_layout,
        .set_linear_features = set_linear_features,
        .set_import_padding = set_import_padding,
        .set_swapchain_features = set_swapchain_features,
        .set_host_pointer_alignment = set_host_pointer_alignment,
        .set_driver_id = set_driver_id,
        .set_driver_version = set_driver_version,
        .set_presents = set_presents,
        .set_drm_nodes = set_drm_nodes,
        .set_export_signalled_as_minus_one = set_export_signalled_as_minus_one,
        .fail_instance_with_extension = fail_instance_with_extension,
        .fail_device_with_extension = fail_device_with_extension,
        .set_executes_commands = set_executes_commands,
        .set_keep_log = set_keep_log,
        .fail_call = fail_call,
        .fail_any_call = fail_any_call,
        .clear_failures = clear_failures,
        .injected_failures = injected_failures,
        .last_injected = last_injected,
        .call_count = call_count,
        .log_size = log_size,
        .log_entry = log_entry,
        .live_objects = live_objects,
        .exported_memory_fds = exported_memory_fds,
        .exported_sync_fds = exported_sync_fds,
        .imported_sync_fds = imported_sync_fds,
        .foreign_buffers = foreign_buffers,
        .host_releases = host_releases,
        .held_fds = held_fds,
        .instance_creates = instance_creates,
        .instance_create = instance_create,
        .device_creates = device_creates,
        .device_create = device_create,
        .presents = presents,
        .present = present,
        .misuses = misuse_count,
        .misuse = misuse_text,
        .hold_rendering = hold,
        .release_one = release_oldest,
        .release_newest = release_last,
        .held_batches = held_batches,
    };
    return table;
}

} // namespace fencebridge::fake_driver
