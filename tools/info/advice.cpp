// SPDX-License-Identifier: MIT
#include "info/advice.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>

namespace fencebridge::info {

namespace {

using Advices = std::vector<Advice>;

std::string file_name(const std::string& path) { return std::filesystem::path(path).filename(); }

/// "crashed (SIGSEGV) in vkCreateInstance".
std::string in_words(const ProbeEnd& probe) {
    const std::string where = probe.step.empty() ? "" : " in " + probe.step;
    switch (probe.end) {
    case End::crashed:
        return "crashes" + where + " (" + probe.detail + ")";
    case End::timed_out:
        return "hangs" + where + " (" + probe.detail + ")";
    default:
        return "fails" + where + " (" + probe.detail + ")";
    }
}

bool is_carried(const DeviceFacts& device) { return device.choice.outcome == Outcome::carried; }
bool is_cpu(const DeviceFacts& device) { return device.driver.type == "cpu"; }

bool needs_fences_of_dma_bufs(const Facts& facts) {
    const auto uses_timelines = [](const DeviceFacts& device) {
        return device.choice.transport == "explicit";
    };
    return std::ranges::none_of(facts.devices, uses_timelines);
}

/// Of the kernel, tried on the kernel's own buffer or on a driver's.
bool has_ioctls(const Facts& facts) {
    return facts.kernel.operations.work() ||
           std::ranges::any_of(facts.devices, [](const DeviceFacts& device) {
               return device.driver.operations.work();
           });
}
bool lacks_ioctls(const Facts& facts) {
    const auto failed = [](const FenceOperations& operations) {
        return operations.export_sync_file.is(State::no) ||
               operations.import_sync_file.is(State::no);
    };
    return failed(facts.kernel.operations) ||
           std::ranges::any_of(facts.devices, [&](const DeviceFacts& device) {
               return failed(device.driver.operations);
           });
}

void advise_on_vulkan(const Facts& facts, Advices& all) {
    const LoaderFacts& loader = facts.loader;
    if (loader.library.is(State::absent))
        all.push_back({"There is no Vulkan loader: " + loader.library.detail + ".",
                       "Install it: the package libvulkan1 on Debian and Ubuntu, vulkan-loader on "
                       "Fedora, vulkan-icd-loader on Arch Linux."});
    if (!loader.library.is(State::yes))
        return;
    if (loader.layer.is(State::absent) && loader.layer_manifests.empty())
        all.push_back({"The layer is not installed: no folder that the loader searches has "
                       "VkLayer_FENCEBRIDGE_wsi.json.",
                       "Install it by `meson install -C build`, or try it without installing, in "
                       "the shell of `meson devenv -C build`."});
    else if (loader.layer.is(State::absent))
        all.push_back({"The loader does not list the layer, although " +
                           loader.layer_manifests.front() + " is there.",
                       "Set VK_LOADER_DEBUG=error,warn,layer and run a Vulkan program: the loader "
                       "says why it ignores the file."});
    for (const BrokenDriverFacts& driver : facts.broken_drivers)
        all.push_back({"The driver of " + driver.manifest + " " + in_words(driver.probe) +
                           ". While it is installed, no Vulkan program can be sure to start.",
                       "Update or remove this driver, or set VK_LOADER_DRIVERS_DISABLE=" +
                           file_name(driver.manifest) + "."});
    if (loader.drivers.empty())
        all.push_back({"No Vulkan driver is installed: the loader's folders have no manifest.",
                       "Install a driver: the package mesa-vulkan-drivers on Debian, Ubuntu and "
                       "Fedora, or that of the GPU's vendor."});
    else if (facts.devices.empty() && facts.broken_drivers.empty())
        all.push_back({"Vulkan drivers are installed, but none has found a device.",
                       "Check that the GPU's kernel driver is loaded, and that you may open the "
                       "render nodes in /dev/dri."});
}

void advise_on_display(const Facts& facts, Advices& all) {
    const DisplayFacts& display = facts.display;
    const std::string where =
        display.socket.empty() ? "(XDG_RUNTIME_DIR is not set)" : display.socket;
    if (display.probe.end == End::timed_out)
        all.push_back({"The compositor " + where + " does not answer.",
                       "Check whether it hangs, or set WAYLAND_DISPLAY to another one."});
    else if (!display.connection.is(State::yes))
        all.push_back({"There is no Wayland compositor: " + where + ".",
                       "Run this in a Wayland session. Elsewhere, set XDG_RUNTIME_DIR and "
                       "WAYLAND_DISPLAY to those of the session."});
    std::string left_out;
    for (const GlobalFacts& global : display.globals) {
        if (global.version > 0 && !global.built_in)
            left_out += (left_out.empty() ? "" : ", ") + global.interface;
    }
    if (!left_out.empty())
        all.push_back({"The compositor has protocols that this build of the layer leaves out: " +
                           left_out + ".",
                       "Build the layer with newer wayland-protocols."});
}

void advise_on_module(const ModuleFacts& module, Advices& all) {
    const std::string problem = "The kernel lacks the dma-buf ioctls for fences (Linux 6.0), and "
                                "the module fencebridge, which stands in for them, ";
    if (module.device.is(State::denied))
        all.push_back({problem + "may not be opened by you: " + module.device.detail + ".",
                       "Install kmod/70-fencebridge.rules in /etc/udev/rules.d, add yourself to "
                       "the group render, and log in again."});
    else if (module.device.is(State::no))
        all.push_back({problem + "does not work: " + module.device.detail + ".",
                       "Build and load the module of the layer's version (kmod/README.md)."});
    else if (module.installed && !module.loaded)
        all.push_back({problem + "is not loaded.", "Load it: `sudo modprobe fencebridge`."});
    else
        all.push_back({problem + "is not there.",
                       "Build, install and load it: kmod/README.md says how, with or without "
                       "DKMS."});
}

void advise_on_kernel(const Facts& facts, Advices& all) {
    const KernelFacts& kernel = facts.kernel;
    for (const DrmNodeFacts& node : kernel.drm_nodes) {
        if (node.path.starts_with("/dev/dri/render") && node.access.is(State::denied))
            all.push_back({"You may not open " + node.path + ".",
                           "Add yourself to the group of that file, mostly `render`: `sudo usermod "
                           "-aG render $USER`. Then log in again."});
    }
    if (has_ioctls(facts) || !needs_fences_of_dma_bufs(facts))
        return;
    if (lacks_ioctls(facts)) {
        if (!kernel.module.operations.work())
            advise_on_module(kernel.module, all);
        return;
    }
    all.push_back({"Whether the kernel has the dma-buf ioctls could not be tried: nothing made a "
                   "dma-buf.",
                   "Give yourself access to /dev/udmabuf (`sudo modprobe udmabuf` if the file is "
                   "missing), or to a heap in /dev/dma_heap."});
}

/// Settings of the layer's that replace its own choice.
void advise_on_settings(const Facts& facts, Advices& all) {
    constexpr std::array<std::string_view, 5> names = {
        "FENCEBRIDGE_SYNC=", "FENCEBRIDGE_IMAGE=", "FENCEBRIDGE_TAKEOVER=", "FENCEBRIDGE_AVOID=",
        "DISABLE_FENCEBRIDGE="};
    for (const std::string& variable : facts.environment) {
        const auto sets = [&](std::string_view name) {
            return variable.starts_with(name) && variable.size() > name.size();
        };
        if (std::ranges::any_of(names, sets) && !variable.ends_with("=auto"))
            all.push_back({variable + " is set: the layer does not choose by itself.",
                           "Unset it to see what the layer chooses."});
    }
}

/// Why the layer waits on the CPU on a device, if a user can do something about it.
void advise_on_waiting(const DeviceFacts& device, Advices& all) {
    const ChoiceFacts& choice = device.choice;
    const auto says = [&](std::string_view text) {
        return choice.reason.find(text) != std::string::npos;
    };
    if (says("SYNC_FD"))
        all.push_back({"The driver of " + device.name +
                           " does not exchange sync_files with others (SYNC_FD).",
                       "Only another version of the driver changes that."});
    else if (says("the memory of the images carries no fences"))
        all.push_back({"Images of " + device.name + " travel in memory that carries no fences (" +
                           choice.allocator + ").",
                       "Dma-bufs carry fences: they need VK_EXT_external_memory_dma_buf of the "
                       "driver, and zwp_linux_dmabuf_v1 of the compositor."});
    else if (choice.transport == "kernel" || choice.transport == "module")
        all.push_back({"The compositor's driver ignores fences that are attached to buffers of " +
                           device.name + ", so each present waits for the rendering.",
                       "Use a compositor with linux-drm-syncobj-v1, or install libgbm (the package "
                       "libgbm1 on Debian)."});
}

void advise_on_device(const DeviceFacts& device, Advices& all) {
    const auto broken = [](const ProbeEnd& probe) {
        return probe.end == End::crashed || probe.end == End::timed_out;
    };
    if (broken(device.driver.probe))
        all.push_back({"The driver of " + device.name + " " + in_words(device.driver.probe) +
                           ", without the layer.",
                       "Update the driver, or report this to those who make it."});
    else if (broken(device.choice.probe))
        all.push_back({"With the layer, " + device.name + " " + in_words(device.choice.probe) + ".",
                       "Report this to fencebridge, with the output of FENCEBRIDGE_LOG_LEVEL=debug "
                       "fencebridge-info --json."});
    if (!device.driver.lacks.empty()) {
        std::string lacks;
        for (const std::string& lack : device.driver.lacks)
            lacks += (lacks.empty() ? "" : ", ") + lack;
        all.push_back(
            {"The driver of " + device.name + " lacks what the layer needs: " + lacks + ".",
             "Only another version of the driver changes that."});
    }
    if (device.choice.outcome == Outcome::passes_through && device.choice.reason.empty())
        all.push_back({"The layer leaves " + device.name + " to the driver, and gives no reason.",
                       "Look for takeover=off (FENCEBRIDGE_TAKEOVER, vk_layer_settings.txt), "
                       "DISABLE_FENCEBRIDGE and VK_LOADER_LAYERS_DISABLE."});
    if (device.choice.outcome == Outcome::waiting && device.choice.surface == "wayland")
        advise_on_waiting(device, all);
}

} // namespace

std::vector<Advice> advise(const Facts& facts) {
    Advices all;
    advise_on_vulkan(facts, all);
    advise_on_display(facts, all);
    for (const DeviceFacts& device : facts.devices)
        advise_on_device(device, all);
    if (facts.devices.empty() || !std::ranges::all_of(facts.devices, is_carried))
        advise_on_kernel(facts, all);
    advise_on_settings(facts, all);
    return all;
}

const char* name_of(Verdict verdict) {
    switch (verdict) {
    case Verdict::carried:
        return "carried";
    case Verdict::not_carried:
        return "not-carried";
    case Verdict::unknown:
        break;
    }
    return "unknown";
}

Verdict judge(const Facts& facts) {
    // Applications choose a GPU if there is one.
    const bool only_cpus = std::ranges::all_of(facts.devices, is_cpu);
    Verdict best = Verdict::unknown;
    for (const DeviceFacts& device : facts.devices) {
        if (is_cpu(device) && !only_cpus)
            continue;
        if (device.choice.surface != "wayland" || device.choice.outcome == Outcome::unknown)
            continue;
        if (is_carried(device))
            return Verdict::carried;
        best = Verdict::not_carried;
    }
    return best;
}

} // namespace fencebridge::info
