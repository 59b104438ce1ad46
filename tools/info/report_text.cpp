// SPDX-License-Identifier: MIT
#include <algorithm>
#include <string>
#include <string_view>

#include "info/advice.hpp"
#include "info/page.hpp"
#include "info/report.hpp"
#include "info/words.hpp"

namespace fencebridge::info {

namespace {

/// A row about a probe that did not end well.
void show_end(Page& page, std::string_view label, const ProbeEnd& probe) {
    const std::string words = in_words(probe);
    if (words.empty())
        return;
    page.row(label, words, Colour::bad);
    for (const std::string& line : probe.output)
        page.row("", line);
}

void show_module(Page& page, const ModuleFacts& module) {
    std::string words = in_words(module.device);
    if (module.device.is(State::yes))
        words = "version " + std::to_string(module.version) + ", " +
                in_words(module.operations, "the same source");
    else if (module.device.is(State::absent))
        words = module.installed ? "installed, but not loaded" : "not installed";
    page.row("module fencebridge", words, colour_of(module.device));
}

void show_node(Page& page, const DrmNodeFacts& node) {
    std::string words = node.driver;
    const auto add = [&](const std::string& more) { words += (words.empty() ? "" : "; ") + more; };
    if (!node.access.is(State::yes))
        add(in_words(node.access));
    if (node.timelines.is(State::yes))
        add("timeline syncobjs work");
    else if (!node.timelines.is(State::unknown))
        add("no timeline syncobjs: " + node.timelines.detail);
    page.row(node.path, words.empty() ? "may be opened" : words, colour_of(node.access));
}

void show_kernel(Page& page, const KernelFacts& kernel) {
    page.title("Kernel");
    show_end(page, "probe", kernel.probe);
    page.row("release", kernel.release + " (" + kernel.architecture + ")");
    page.row("fence ioctls", in_words(kernel.operations, kernel.buffer),
             colour_of(kernel.operations));
    show_module(page, kernel.module);
    for (const MemorySourceFacts& source : kernel.memory_sources)
        page.row(source.path, source.access.is(State::absent) ? "absent" : in_words(source.access),
                 colour_of(source.access));
    for (const DrmNodeFacts& node : kernel.drm_nodes)
        show_node(page, node);
    if (kernel.drm_nodes.empty())
        page.row("/dev/dri", "no DRM nodes");
}

void show_global(Page& page, const GlobalFacts& global) {
    const std::string name =
        global.interface + (global.version > 0 ? " " + std::to_string(global.version) : "");
    if (global.version > 0 && global.built_in)
        page.item("+", name + ": " + global.use, Colour::good);
    else
        page.item("-",
                  name +
                      (global.version > 0 ? " (left out of this build): no " : " (missing): no ") +
                      global.use,
                  Colour::warning);
}

void show_display(Page& page, const DisplayFacts& display) {
    page.title("Compositor");
    page.row("socket", display.socket.empty() ? "XDG_RUNTIME_DIR is not set" : display.socket);
    show_end(page, "probe", display.probe);
    if (!display.connection.is(State::yes)) {
        page.row("connection", in_words(display.connection), Colour::warning);
        return;
    }
    for (const GlobalFacts& global : display.globals)
        show_global(page, global);
    if (!display.main_device.empty())
        page.row("main device", display.main_device);
    for (size_t i = 0; i < display.tranches.size(); ++i) {
        const TrancheFacts& tranche = display.tranches[i];
        page.row("dma-buf tranche " + std::to_string(i + 1),
                 std::to_string(tranche.formats) + " pairs of format and modifier" +
                     (tranche.device.empty() ? "" : ", for " + tranche.device));
    }
    std::string_view label = "dma-buf formats";
    for (const std::string& line : by_modifiers(display.dmabuf_formats)) {
        page.row(label, line);
        label = "";
    }
    if (display.dmabuf_formats.empty())
        page.row(label, "none", Colour::warning);
    page.row("wl_shm formats",
             display.shm_formats.empty() ? "none" : join(display.shm_formats, " "));
}

void show_places(Page& page, const std::vector<std::string>& places) {
    page.row("looked in", places.empty() ? "no folder" : places.front());
    for (size_t i = 1; i < places.size(); ++i)
        page.row("", places[i]);
}

void show_list(Page& page, std::string_view label, const std::vector<std::string>& list) {
    for (const std::string& element : list) {
        page.row(label, element);
        label = "";
    }
}

void show_loader(Page& page, const Facts& facts) {
    const LoaderFacts& loader = facts.loader;
    page.title("Vulkan");
    show_end(page, "probe", loader.probe);
    page.row("loader", loader.library.is(State::yes) ? loader.version : in_words(loader.library),
             loader.library.is(State::yes) ? Colour::plain : Colour::warning);
    page.row("layer",
             loader.layer.is(State::yes) ? "found, for " + loader.layer.detail
                                         : in_words(loader.layer),
             loader.layer.is(State::yes) ? Colour::good : Colour::warning);
    show_list(page, "manifest", loader.layer_manifests);
    if (loader.layer_manifests.empty())
        show_places(page, loader.layer_folders);
    show_list(page, "drivers", loader.drivers);
    if (loader.drivers.empty()) {
        page.row("drivers", "none", Colour::warning);
        show_places(page, loader.driver_folders);
    }
    for (const BrokenDriverFacts& driver : facts.broken_drivers) {
        page.row("broken driver", driver.manifest, Colour::bad);
        show_end(page, "", driver.probe);
    }
}

std::string handles_of(const DriverFacts& driver, std::string_view object) {
    std::vector<std::string> parts;
    for (const HandleFacts& handle : driver.handles) {
        if (handle.object != object || (!handle.exports && !handle.imports))
            continue;
        const char* both = handle.exports && handle.imports ? " and " : "";
        parts.push_back(handle.type + " (" + (handle.exports ? "export" : "") + both +
                        (handle.imports ? "import" : "") + ")");
    }
    return parts.empty() ? "none" : join(parts, ", ");
}

void show_driver(Page& page, const DriverFacts& driver) {
    show_end(page, "driver", driver.probe);
    if (driver.api_version.empty())
        return;
    page.row("driver", (driver.driver_name.empty() ? "unnamed" : driver.driver_name) +
                           (driver.driver_info.empty() ? "" : ", " + driver.driver_info) +
                           " (driverID " + std::to_string(driver.driver_id) + ", version " +
                           driver.driver_version + ")");
    page.row("device", driver.type + ", Vulkan " + driver.api_version);
    if (!driver.lacks.empty()) {
        page.row("lacks", join(driver.lacks, ", "), Colour::warning);
        return;
    }
    page.row("render node", driver.render_node.empty() ? "none named" : driver.render_node);
    page.row("memory", handles_of(driver, "memory"));
    page.row("semaphores", handles_of(driver, "semaphore"));
    page.row("fences", handles_of(driver, "fence"));
    show_list(page, "dma-buf formats", by_modifiers(driver.formats));
    if (!driver.operations.export_sync_file.is(State::unknown))
        page.row("fence ioctls", in_words(driver.operations, "the driver"),
                 colour_of(driver.operations));
    show_list(page, "known traits", driver.traits);
    std::string_view label = "allocators";
    for (const AllocatorFacts& allocator : driver.allocators) {
        page.row(label, allocator.name +
                            (allocator.obstacle.empty() ? "" : ": no, " + allocator.obstacle));
        label = "";
    }
}

/// What the layer would do, in one line.
void show_outcome(Page& page, const ChoiceFacts& choice) {
    switch (choice.outcome) {
    case Outcome::carried:
        page.row("the layer", "carries fences by the transport " + choice.transport, Colour::good);
        break;
    case Outcome::waiting:
        page.row("the layer", "waits on the CPU, with the transport " + choice.transport,
                 Colour::warning);
        break;
    case Outcome::passes_through:
        page.row("the layer", "passes through: the driver makes the swapchains", Colour::warning);
        break;
    case Outcome::refused:
        page.row("the layer", "no swapchains on this device", Colour::bad);
        break;
    case Outcome::unknown:
        page.row("the layer",
                 choice.probe.end == End::not_started ? "was not tried: the loader does not list it"
                                                      : "could not be tried to the end",
                 Colour::warning);
        break;
    }
}

void show_choice(Page& page, const ChoiceFacts& choice) {
    if (choice.surface == "headless")
        page.row("surface", "headless, without a window: there is no compositor");
    show_outcome(page, choice);
    show_end(page, "", choice.probe);
    if (!choice.reason.empty())
        page.row("because", choice.reason);
    if (!choice.transport.empty())
        page.row("images", choice.images + " of " + choice.format + ", modifier " +
                               short_modifier(choice.modifier) + ", by the allocator " +
                               choice.allocator);
    for (const std::string& line : choice.log) {
        if (line.starts_with("warning: ") || line.starts_with("error: "))
            page.row("message", line, Colour::warning);
    }
}

void show_devices(Page& page, const Facts& facts) {
    for (size_t i = 0; i < facts.devices.size(); ++i) {
        const DeviceFacts& device = facts.devices[i];
        page.title("Device " + std::to_string(i) + ": " + device.name);
        if (!device.manifest.empty())
            page.row("driver alone", device.manifest);
        show_choice(page, device.choice);
        show_driver(page, device.driver);
    }
    if (facts.devices.empty()) {
        page.title("Devices");
        page.row("none", "");
    }
}

void show_verdict(Page& page, Verdict verdict) {
    switch (verdict) {
    case Verdict::carried:
        page.item("=", "The layer would take over, and carry fences.", Colour::good);
        break;
    case Verdict::not_carried:
        page.item("=", "The layer would not carry fences on any device, or on CPU drivers only.",
                  Colour::warning);
        break;
    case Verdict::unknown:
        page.item("=", "What the layer would do on a compositor could not be found out.",
                  Colour::warning);
        break;
    }
}

} // namespace

std::string report_text(const Facts& facts, bool coloured) {
    Page page(coloured);
    page.title("fencebridge-info " + facts.version);
    show_verdict(page, judge(facts));
    show_kernel(page, facts.kernel);
    show_display(page, facts.display);
    show_loader(page, facts);
    show_devices(page, facts);
    if (!facts.environment.empty()) {
        page.title("Environment");
        for (const std::string& variable : facts.environment)
            page.item("", variable);
    }
    page.title("What to do");
    const auto advice = advise(facts);
    for (const Advice& one : advice) {
        page.item("*", one.problem, Colour::warning);
        page.item(" ", one.remedy);
    }
    if (advice.empty())
        page.item("", "Nothing: nothing better is known for this machine.");
    return page.text();
}

} // namespace fencebridge::info
