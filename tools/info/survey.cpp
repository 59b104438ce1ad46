// SPDX-License-Identifier: MIT
#include "info/survey.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <sstream>
#include <string>
#include <string_view>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include "info/child.hpp"
#include "info/layer_log.hpp"
#include "info/probes.hpp"
#include "info/vulkan.hpp"

namespace fencebridge::info {

namespace {

using Strings = std::vector<std::string>;

/// Variables that say which drivers and layers there are, or what the layer does. Those that begin
/// with one of these names are shown.
constexpr std::array<std::string_view, 6> shown_variables = {
    "FENCEBRIDGE_", "ENABLE_FENCEBRIDGE", "DISABLE_FENCEBRIDGE", "VK_", "MESA_VK_", "WAYLAND_"};

Strings shown_environment() {
    Strings shown;
    for (char** variable = environ; *variable != nullptr; ++variable) {
        const std::string_view text = *variable;
        if (std::ranges::any_of(shown_variables,
                                [&](std::string_view name) { return text.starts_with(name); }))
            shown.emplace_back(text);
    }
    std::ranges::sort(shown);
    return shown;
}

/// Runs a probe.
/// @tparam T  its facts, with a member `probe`
template <class T>
std::pair<T, Strings> probe(const std::string& name, const std::string& argument,
                            Strings environment, std::chrono::milliseconds limit) {
    const ProbeOutcome outcome = run_probe({.arguments = {"--probe", name, argument},
                                            .environment = std::move(environment),
                                            .limit = limit});
    T facts = read_facts<T>(outcome);
    facts.probe = outcome.end;
    return {std::move(facts), outcome.lines};
}

/// The same for a probe whose output is kept as it is.
template <class T>
T plain_probe(const std::string& name, const std::string& argument, Strings environment,
              std::chrono::milliseconds limit) {
    auto [facts, lines] = probe<T>(name, argument, std::move(environment), limit);
    facts.probe.output = std::move(lines);
    return std::move(facts);
}

/// The value of VK_INSTANCE_LAYERS without the layer. Others may change what the driver seems to
/// be.
std::string other_layers() {
    const char* const variable = std::getenv("VK_INSTANCE_LAYERS");
    std::string others;
    std::istringstream list(variable != nullptr ? variable : "");
    for (std::string name; std::getline(list, name, ':');) {
        if (name != layer_name)
            others += (others.empty() ? "" : ":") + name;
    }
    return others;
}

/// The layer logs to standard error, and writes no trace.
Strings without_files(Strings environment) {
    environment.emplace_back("FENCEBRIDGE_LOG_FILE=");
    environment.emplace_back("FENCEBRIDGE_TRACE_FILE=");
    return environment;
}

/// Variables by which applications load the layer, without it: this is about the drivers. A layer
/// that is always on is loaded all the same: it makes no swapchains, and leaves no file.
Strings without_layer(Strings environment) {
    environment.emplace_back("ENABLE_FENCEBRIDGE");
    environment.emplace_back("VK_LOADER_LAYERS_ENABLE");
    environment.push_back("VK_INSTANCE_LAYERS=" + other_layers());
    environment.emplace_back("FENCEBRIDGE_TAKEOVER=off");
    environment.emplace_back("FENCEBRIDGE_LOG_LEVEL=error");
    return without_files(std::move(environment));
}

/// Lets the loader load one driver alone. The older variable is for loaders before 1.3.207.
Strings only(const std::string& manifest) {
    return {"VK_DRIVER_FILES=" + manifest, "VK_ICD_FILENAMES=" + manifest, "VK_ADD_DRIVER_FILES"};
}

/// The layer reports its choices by lines of this level, to standard error. It leaves no file.
Strings with_log(Strings environment) {
    const char* const level = std::getenv("FENCEBRIDGE_LOG_LEVEL");
    if (level == nullptr || std::string_view(level) != "debug")
        environment.emplace_back("FENCEBRIDGE_LOG_LEVEL=info");
    return without_files(std::move(environment));
}

/// The driver of one device, and what the layer makes of it.
DeviceFacts survey_device(const std::string& name, const std::string& manifest, uint32_t index,
                          bool has_layer, bool headless, std::chrono::milliseconds limit) {
    DeviceFacts device = {.name = name, .manifest = manifest, .driver = {}, .choice = {}};
    const Strings environment = manifest.empty() ? Strings() : only(manifest);
    const std::string argument = std::to_string(index);
    device.driver = plain_probe<DriverFacts>("driver", argument, without_layer(environment), limit);
    device.choice.surface = headless ? "headless" : "wayland";
    if (!has_layer)
        return device;
    auto [choice, lines] = probe<ChoiceFacts>(headless ? "choice-headless" : "choice-wayland",
                                              argument, with_log(environment), limit);
    device.choice = std::move(choice);
    read_layer_log(lines, device.choice);
    return device;
}

/// Loads one driver after the other, to find those that hang or crash.
/// @param use  called with each device of the others: its manifest, and its index there
template <class Use>
std::vector<BrokenDriverFacts> find_broken_drivers(const Strings& manifests,
                                                   std::chrono::milliseconds limit, Use&& use) {
    std::vector<BrokenDriverFacts> broken;
    for (const std::string& manifest : manifests) {
        const auto loader =
            plain_probe<LoaderFacts>("loader", "", without_layer(only(manifest)), limit);
        if (loader.probe.end != End::complete)
            broken.push_back({.manifest = manifest, .probe = loader.probe});
        for (size_t i = 0; i < loader.devices.size(); ++i)
            use(loader.devices[i], manifest, static_cast<uint32_t>(i));
    }
    return broken;
}

} // namespace

Facts survey(std::chrono::milliseconds limit) {
    Facts facts = {.version = FENCEBRIDGE_INFO_VERSION,
                   .environment = shown_environment(),
                   .kernel = plain_probe<KernelFacts>("kernel", "", {}, limit),
                   .display = plain_probe<DisplayFacts>("display", "", {}, limit),
                   .loader = plain_probe<LoaderFacts>("loader", "", without_layer({}), limit),
                   .broken_drivers = {},
                   .devices = {}};
    const bool headless = !facts.display.connection.is(State::yes);
    const bool has_layer = facts.loader.layer.is(State::yes);
    const auto add = [&](const std::string& name, const std::string& manifest, uint32_t index) {
        facts.devices.push_back(survey_device(name, manifest, index, has_layer, headless, limit));
    };
    if (facts.loader.probe.end == End::complete) {
        for (size_t i = 0; i < facts.loader.devices.size(); ++i)
            add(facts.loader.devices[i], "", static_cast<uint32_t>(i));
    } else {
        // One driver among them hangs or crashes in the loader, so that no application gets any.
        facts.broken_drivers = find_broken_drivers(facts.loader.drivers, limit, add);
    }
    return facts;
}

namespace {

template <class T, class Probe>
void run(Probe&& probe) {
    ProbeProgress<T> progress;
    probe(progress);
    progress.finish();
}

/// A probe leaves neither a core file nor, if its parent is killed, itself behind.
void prepare_to_crash() {
    constexpr rlimit none = {.rlim_cur = 0, .rlim_max = 0};
    ::setrlimit(RLIMIT_CORE, &none);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
}

} // namespace

bool run_as_probe(const std::string& name, const std::string& argument) {
    prepare_to_crash();
    const auto index = static_cast<uint32_t>(std::strtoul(argument.c_str(), nullptr, 10));
    if (name == "kernel")
        run<KernelFacts>(probe_kernel);
    else if (name == "display")
        run<DisplayFacts>(probe_display);
    else if (name == "loader")
        run<LoaderFacts>(probe_loader);
    else if (name == "driver")
        run<DriverFacts>([&](auto& progress) { probe_driver(progress, index); });
    else if (name == "choice-wayland")
        run<ChoiceFacts>([&](auto& progress) { probe_choice(progress, index, false); });
    else if (name == "choice-headless")
        run<ChoiceFacts>([&](auto& progress) { probe_choice(progress, index, true); });
    else
        return false;
    return true;
}

} // namespace fencebridge::info
