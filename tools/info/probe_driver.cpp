// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>

#include "image/allocator.hpp"
#include "info/drm_names.hpp"
#include "info/fence_trial.hpp"
#include "info/handle_types.hpp"
#include "info/probes.hpp"
#include "info/vulkan.hpp"
#include "vk/device.hpp"
#include "vk/format.hpp"
#include "vk/image_layout.hpp"
#include "vk/physical_device.hpp"

namespace fencebridge::info {

namespace {

using Progress = ProbeProgress<DriverFacts>;

/// The smallest image that a program would draw to.
vk::ImageParameters small_image(VkFormat format) {
    return {.format = format,
            .extent = {64, 64},
            .usage = VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT | VK_IMAGE_USAGE_TRANSFER_DST_BIT,
            .flags = 0,
            .view_formats = {},
            .queue_families = {}};
}

const char* name_of_type(VkPhysicalDeviceType type) {
    switch (type) {
    case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU:
        return "integrated";
    case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU:
        return "discrete";
    case VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU:
        return "virtual";
    case VK_PHYSICAL_DEVICE_TYPE_CPU:
        return "cpu";
    default:
        return "other";
    }
}

void add_properties(DriverFacts& facts, const vk::PhysicalDevice& device) {
    VkPhysicalDeviceDriverProperties driver = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES};
    VkPhysicalDeviceProperties2 properties = {.sType =
                                                  VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2};
    if (device.api_version >= VK_API_VERSION_1_2 ||
        device.has_extension(VK_KHR_DRIVER_PROPERTIES_EXTENSION_NAME))
        properties.pNext = &driver;
    if (device.next->GetPhysicalDeviceProperties2 != nullptr)
        device.next->GetPhysicalDeviceProperties2(device.handle, &properties);
    else
        device.next->GetPhysicalDeviceProperties(device.handle, &properties.properties);
    facts.type = name_of_type(properties.properties.deviceType);
    facts.api_version = version_name(properties.properties.apiVersion);
    facts.driver_id = static_cast<uint32_t>(driver.driverID);
    facts.driver_name = driver.driverName;
    facts.driver_info = driver.driverInfo;
    std::array<char, 12> version;
    std::snprintf(version.data(), version.size(), "0x%x", properties.properties.driverVersion);
    facts.driver_version = version.data();
    if (device.drm_nodes.primary)
        facts.primary_node = node_name(*device.drm_nodes.primary);
    if (device.drm_nodes.render)
        facts.render_node = node_name(*device.drm_nodes.render);
}

/// The modifiers in which the driver exports or imports images of a format.
FormatFacts format_facts(const vk::PhysicalDevice& device, const vk::Format& format) {
    FormatFacts facts = {.format = format.name, .modifiers = {}};
    for (const auto& use : {vk::exported_dma_buf, vk::imported_dma_buf}) {
        const auto layouts = vk::find_layouts(device, small_image(format.format), use);
        if (!layouts)
            continue;
        for (const vk::ImageLayout& layout : *layouts) {
            const std::string name = modifier_name(layout.modifier);
            if (!contains(facts.modifiers, name))
                facts.modifiers.push_back(name);
        }
    }
    return facts;
}

void add_formats(DriverFacts& facts, const vk::PhysicalDevice& device) {
    for (const vk::Format& format : vk::formats()) {
        if (vk::knows_format(device, format) && vk::is_color_renderable(device, format.format))
            facts.formats.push_back(format_facts(device, format));
    }
}

const char* in_words(core::OwnFences fences) {
    switch (fences) {
    case core::OwnFences::carried:
        return "treat fences as well as the layer's, on every kernel";
    case core::OwnFences::waited_for:
        return "wait for the rendering in each present";
    case core::OwnFences::lost:
        return "lose fences";
    case core::OwnFences::by_ioctls:
        break;
    }
    return "carry fences only if the kernel has the dma-buf ioctls";
}

/// What the layer knows of the driver, and Vulkan has no query for.
void add_traits(DriverFacts& facts, const vk::DriverFacts& known) {
    const std::pair<vk::ImplicitFences, const char*> buffers[] = {
        {known.implicit_fences_on_exports, "that the driver allocates"},
        {known.implicit_fences_on_imports, "that the driver imports"}};
    for (const auto& [fences, which] : buffers) {
        if (fences == vk::ImplicitFences::ignored)
            facts.traits.push_back(std::string("compositors on this GPU ignore fences attached to "
                                               "buffers ") +
                                   which);
    }
    if (!known.imports_gbm)
        facts.traits.emplace_back("it cannot import buffers of libgbm's");
    facts.traits.push_back(
        std::string("its own swapchains ") + in_words(known.own_swapchains.otherwise) +
        (known.own_swapchains.use_timelines ? ", and use the compositor's timelines" : ""));
}

void add_allocators(DriverFacts& facts, const vk::PhysicalDevice& device) {
    for (const auto* allocator : image::allocators(device, {}, std::nullopt))
        facts.allocators.push_back(
            {.name = allocator->name(), .obstacle = allocator->obstacle(device).value_or("")});
}

/// Owns a VkDevice with the extensions that the layer enables.
class TrialDevice {
public:
    explicit TrialDevice(const Instance& instance) : instance_(instance) {}
    ~TrialDevice() {
        if (handle_ != VK_NULL_HANDLE)
            instance_.function<PFN_vkDestroyDevice>("vkDestroyDevice")(handle_, nullptr);
    }
    TrialDevice(const TrialDevice&) = delete;
    TrialDevice& operator=(const TrialDevice&) = delete;

    VkResult create(const vk::PhysicalDevice& physical) {
        constexpr float priority = 1.0f;
        const VkDeviceQueueCreateInfo queue = {
            .sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
            .queueFamilyIndex = 0,
            .queueCount = 1,
            .pQueuePriorities = &priority,
        };
        const auto extensions = vk::used_device_extensions(physical);
        const VkDeviceCreateInfo info = {
            .sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
            .queueCreateInfoCount = 1,
            .pQueueCreateInfos = &queue,
            .enabledExtensionCount = static_cast<uint32_t>(extensions.size()),
            .ppEnabledExtensionNames = extensions.data(),
        };
        return instance_.function<PFN_vkCreateDevice>("vkCreateDevice")(physical.handle, &info,
                                                                        nullptr, &handle_);
    }
    [[nodiscard]] vk::Device describe(const vk::PhysicalDevice& physical) const {
        return vk::describe_device(
            physical, handle_, instance_.function<PFN_vkGetDeviceProcAddr>("vkGetDeviceProcAddr"));
    }

private:
    const Instance& instance_;
    VkDevice handle_ = VK_NULL_HANDLE;
};

/// Tries the kernel's ioctls on an image's dma-buf that the driver has exported.
void try_exported_image(Progress& progress, const Instance& instance,
                        const vk::PhysicalDevice& physical) {
    const auto allocators = image::allocators(physical, {}, core::ImageSource::driver_export);
    const auto parameters = small_image(VK_FORMAT_B8G8R8A8_UNORM);
    const auto layouts = allocators.front()->layouts(physical, parameters);
    if (!layouts || layouts->empty())
        return;
    progress.begin("vkCreateDevice");
    TrialDevice trial(instance);
    if (const VkResult result = trial.create(physical); result != VK_SUCCESS)
        return progress.fail(name_of(result));
    progress.begin("making an image that is exported as a dma-buf");
    const vk::Device device = trial.describe(physical);
    const auto image = allocators.front()->allocate(device, parameters, *layouts);
    if (!image)
        return progress.fail(name_of(image.error()));
    if (image->dma_buf)
        progress.facts.operations = try_kernel_ioctls(image->dma_buf);
    progress.begin("vkDestroyDevice");
}

void describe(Progress& progress, const Instance& instance, const vk::PhysicalDevice& device) {
    add_properties(progress.facts, device);
    progress.facts.lacks = device.lacks;
    if (!device.can_be_taken_over())
        return;
    add_traits(progress.facts, device.facts);
    progress.begin("queries of handle types");
    progress.facts.handles = find_handles(device);
    progress.begin("queries of formats and modifiers");
    add_formats(progress.facts, device);
    progress.begin("the layer's image allocators");
    add_allocators(progress.facts, device);
    try_exported_image(progress, instance, device);
}

/// The instance extensions that the layer adds, as far as they are there.
std::vector<const char*> used_extensions(const VulkanLibrary& library) {
    const auto known = library.extensions(nullptr);
    std::vector<const char*> used;
    std::ranges::copy_if(vk::required_instance_extensions(), std::back_inserter(used),
                         [&](const char* name) { return contains(known, name); });
    return used;
}

} // namespace

void probe_driver(Progress& progress, uint32_t index) {
    const auto library = VulkanLibrary::open();
    if (!library)
        return progress.fail(library.error());
    progress.begin("vkCreateInstance");
    const auto instance = Instance::create(*library, {}, used_extensions(*library));
    if (!instance)
        return progress.fail(name_of(instance.error()));
    progress.begin("vkEnumeratePhysicalDevices");
    const auto devices = instance->physical_devices();
    if (!devices || index >= devices->size())
        return progress.fail(devices ? "there are fewer devices now" : name_of(devices.error()));
    progress.begin("queries of the physical device");
    const vk::InstanceDispatch dispatch(instance->handle(), library->get_proc(),
                                        library->requested_version());
    const auto device = vk::describe_physical_device((*devices)[index], dispatch,
                                                     library->requested_version(), false);
    describe(progress, *instance, device);
    progress.begin("vkDestroyInstance");
}

} // namespace fencebridge::info
