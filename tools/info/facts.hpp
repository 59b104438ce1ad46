// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <vector>

// What fencebridge-info finds out. The probes fill it in, the reports show it. A probe's part also
// travels through a pipe (archive.hpp).
//
// Each struct has a function fields(), which names its members. The names are the keys of --json:
// tools/info/fencebridge-info.1 documents them, and they stay.

namespace fencebridge::info {

/// Whether something can be used.
enum class State : uint8_t {
    unknown, ///< not tried
    yes,
    no,     ///< it is there, and does not do what it should
    absent, ///< it is not there
    denied, ///< it is there, and this user may not open it
};
[[nodiscard]] const char* name_of(State state);

/// The answer to one question about the machine.
struct Check {
    State state = State::unknown;
    std::string detail = {}; ///< why, or how it was found out; may be empty

    [[nodiscard]] bool is(State wanted) const { return state == wanted; }
    template <class Archive, class Self>
    static void fields(Archive& archive, Self& self) {
        archive("state", self.state);
        archive("detail", self.detail);
    }
};

/// How a probe ended. Each probe is a process of its own.
enum class End : uint8_t {
    not_started, ///< there was nothing to probe, or no process could be made
    complete,
    failed,    ///< a call failed, see ProbeEnd::step
    crashed,   ///< a signal ended the process
    timed_out, ///< the process was killed
};
[[nodiscard]] const char* name_of(End end);

struct ProbeEnd {
    End end = End::not_started;
    std::string step = {}; ///< what the probe was doing at last: a function of Vulkan, a path, ...
    std::string detail = {};              ///< the error, the name of the signal, or the time limit
    std::vector<std::string> output = {}; ///< lines that others wrote to standard error

    template <class Archive, class Self>
    static void fields(Archive& archive, Self& self) {
        archive("end", self.end);
        archive("step", self.step);
        archive("detail", self.detail);
        archive("output", self.output);
    }
};

/// A DRM node in /dev/dri.
struct DrmNodeFacts {
    std::string path;
    std::string driver; ///< of the kernel; empty if sysfs names none
    Check access;
    Check timelines; ///< of render nodes: everything that the transport `explicit` does with one

    template <class Archive, class Self>
    static void fields(Archive& archive, Self& self) {
        archive("path", self.path);
        archive("driver", self.driver);
        archive("access", self.access);
        archive("timelines", self.timelines);
    }
};

/// A source of dma-bufs that needs no driver of a GPU.
struct MemorySourceFacts {
    std::string path;
    Check access; ///< yes: a dma-buf could be made

    template <class Archive, class Self>
    static void fields(Archive& archive, Self& self) {
        archive("path", self.path);
        archive("access", self.access);
    }
};

/// The two operations by which fences of a dma-buf become a sync_file and back.
struct FenceOperations {
    Check export_sync_file;
    Check import_sync_file;

    [[nodiscard]] bool work() const {
        return export_sync_file.is(State::yes) && import_sync_file.is(State::yes);
    }
    template <class Archive, class Self>
    static void fields(Archive& archive, Self& self) {
        archive("export_sync_file", self.export_sync_file);
        archive("import_sync_file", self.import_sync_file);
    }
};

struct ModuleFacts {
    Check device;               ///< /dev/fencebridge
    uint32_t version = 0;       ///< of the interface; 0 if it did not answer
    bool loaded = false;        ///< the kernel lists the module
    bool installed = false;     ///< it is among the modules of the running kernel
    FenceOperations operations; ///< tried by the module

    template <class Archive, class Self>
    static void fields(Archive& archive, Self& self) {
        archive("device", self.device);
        archive("version", self.version);
        archive("loaded", self.loaded);
        archive("installed", self.installed);
        archive("operations", self.operations);
    }
};

struct KernelFacts {
    ProbeEnd probe;
    std::string release;      ///< uname -r
    std::string architecture; ///< uname -m
    std::string buffer;       ///< where the dma-buf of the trials came from; empty: there was none
    FenceOperations operations; ///< the kernel's own ioctls
    ModuleFacts module;
    std::vector<MemorySourceFacts> memory_sources;
    std::vector<DrmNodeFacts> drm_nodes;

    template <class Archive, class Self>
    static void fields(Archive& archive, Self& self) {
        archive("probe", self.probe);
        archive("release", self.release);
        archive("architecture", self.architecture);
        archive("buffer", self.buffer);
        archive("operations", self.operations);
        archive("module", self.module);
        archive("memory_sources", self.memory_sources);
        archive("drm_nodes", self.drm_nodes);
    }
};

/// A global of the compositor that the layer uses.
struct GlobalFacts {
    std::string interface;
    uint32_t version = 0; ///< 0: the compositor has none
    bool built_in = true; ///< this build of the layer knows the protocol
    std::string use;      ///< what the layer does with it

    template <class Archive, class Self>
    static void fields(Archive& archive, Self& self) {
        archive("interface", self.interface);
        archive("version", self.version);
        archive("built_in", self.built_in);
        archive("use", self.use);
    }
};

/// One tranche of the compositor's dma-buf feedback.
struct TrancheFacts {
    std::string device;   ///< the path of a DRM node, or MAJOR:MINOR; empty if there is none
    uint32_t formats = 0; ///< pairs of format and modifier

    template <class Archive, class Self>
    static void fields(Archive& archive, Self& self) {
        archive("device", self.device);
        archive("formats", self.formats);
    }
};

/// A DRM format, and the modifiers in which somebody has it.
struct FormatFacts {
    std::string format;                 ///< a fourcc, or the name of a VkFormat
    std::vector<std::string> modifiers; ///< 0x followed by 16 digits

    template <class Archive, class Self>
    static void fields(Archive& archive, Self& self) {
        archive("format", self.format);
        archive("modifiers", self.modifiers);
    }
};

struct DisplayFacts {
    ProbeEnd probe;
    std::string socket; ///< where the compositor was looked for
    Check connection;
    std::vector<GlobalFacts> globals;
    std::string main_device; ///< as TrancheFacts::device
    std::vector<TrancheFacts> tranches;
    std::vector<FormatFacts> dmabuf_formats;
    std::vector<std::string> shm_formats;

    template <class Archive, class Self>
    static void fields(Archive& archive, Self& self) {
        archive("probe", self.probe);
        archive("socket", self.socket);
        archive("connection", self.connection);
        archive("globals", self.globals);
        archive("main_device", self.main_device);
        archive("tranches", self.tranches);
        archive("dmabuf_formats", self.dmabuf_formats);
        archive("shm_formats", self.shm_formats);
    }
};

/// The Vulkan loader, and what it finds.
struct LoaderFacts {
    ProbeEnd probe;
    Check library;                            ///< libvulkan.so.1
    std::string version;                      ///< of Vulkan
    Check layer;                              ///< whether the loader lists the layer
    std::vector<std::string> layer_manifests; ///< files of the layer's name
    std::vector<std::string> layer_folders;   ///< where these were looked for
    std::vector<std::string> drivers;         ///< manifests
    std::vector<std::string> driver_folders;  ///< where these were looked for
    std::vector<std::string> devices;         ///< names, in the order of the instance

    template <class Archive, class Self>
    static void fields(Archive& archive, Self& self) {
        archive("probe", self.probe);
        archive("library", self.library);
        archive("version", self.version);
        archive("layer", self.layer);
        archive("layer_manifests", self.layer_manifests);
        archive("layer_folders", self.layer_folders);
        archive("drivers", self.drivers);
        archive("driver_folders", self.driver_folders);
        archive("devices", self.devices);
    }
};

/// Whether a driver exports and imports a kind of handle.
struct HandleFacts {
    std::string object; ///< memory, semaphore, fence
    std::string type;   ///< dma-buf, opaque-fd, sync-fd, host-pointer
    bool exports = false;
    bool imports = false;

    template <class Archive, class Self>
    static void fields(Archive& archive, Self& self) {
        archive("object", self.object);
        archive("type", self.type);
        archive("exports", self.exports);
        archive("imports", self.imports);
    }
};

/// An image allocator of the layer's.
struct AllocatorFacts {
    std::string name;
    std::string obstacle; ///< why it makes no images on this device; empty: it may

    template <class Archive, class Self>
    static void fields(Archive& archive, Self& self) {
        archive("name", self.name);
        archive("obstacle", self.obstacle);
    }
};

/// What the driver says of a physical device, without the layer.
struct DriverFacts {
    ProbeEnd probe;
    std::string type; ///< discrete, integrated, virtual, cpu or other
    std::string api_version;
    uint32_t driver_id = 0; ///< VkDriverId; 0: unknown
    std::string driver_name;
    std::string driver_info;
    std::string driver_version; ///< VkPhysicalDeviceProperties::driverVersion, 0x and hexadecimal
    std::string primary_node;   ///< the path of a DRM node, or MAJOR:MINOR; empty: none named
    std::string render_node;
    std::vector<std::string> lacks; ///< what the layer needs; empty: it can take the device over
    std::vector<HandleFacts> handles;
    std::vector<FormatFacts> formats;       ///< VkFormats of swapchains that can be rendered to
    std::vector<std::string> traits;        ///< what the layer knows of the driver
    std::vector<AllocatorFacts> allocators; ///< in the order in which they are tried
    FenceOperations operations;             ///< the kernel's, on a dma-buf that the driver exports

    template <class Archive, class Self>
    static void fields(Archive& archive, Self& self) {
        archive("probe", self.probe);
        archive("type", self.type);
        archive("api_version", self.api_version);
        archive("driver_id", self.driver_id);
        archive("driver_name", self.driver_name);
        archive("driver_info", self.driver_info);
        archive("driver_version", self.driver_version);
        archive("primary_node", self.primary_node);
        archive("render_node", self.render_node);
        archive("lacks", self.lacks);
        archive("handles", self.handles);
        archive("formats", self.formats);
        archive("traits", self.traits);
        archive("allocators", self.allocators);
        archive("operations", self.operations);
    }
};

/// Who makes the swapchains of a device, and how. The layer itself has said so, in its log.
enum class Outcome : uint8_t {
    unknown,        ///< it could not be tried
    carried,        ///< the layer; the transport carries fences
    waiting,        ///< the layer; the transport is cpu
    passes_through, ///< the driver
    refused,        ///< nobody: vkCreateSwapchainKHR failed
};
[[nodiscard]] const char* name_of(Outcome outcome);

struct ChoiceFacts {
    ProbeEnd probe;
    std::string surface; ///< wayland or headless
    Outcome outcome = Outcome::unknown;
    std::string transport;
    std::string allocator;
    std::string format;
    std::string modifier;
    std::string present_mode;
    std::string images;
    std::string reason;
    std::vector<std::string> log; ///< lines of the layer's, without the prefix `fencebridge: `

    template <class Archive, class Self>
    static void fields(Archive& archive, Self& self) {
        archive("probe", self.probe);
        archive("surface", self.surface);
        archive("outcome", self.outcome);
        archive("transport", self.transport);
        archive("allocator", self.allocator);
        archive("format", self.format);
        archive("modifier", self.modifier);
        archive("present_mode", self.present_mode);
        archive("images", self.images);
        archive("reason", self.reason);
        archive("log", self.log);
    }
};

struct DeviceFacts {
    std::string name;
    std::string manifest; ///< of the driver; empty: all drivers were loaded
    DriverFacts driver;
    ChoiceFacts choice;

    template <class Archive, class Self>
    static void fields(Archive& archive, Self& self) {
        archive("name", self.name);
        archive("manifest", self.manifest);
        archive("driver", self.driver);
        archive("choice", self.choice);
    }
};

/// A driver that cannot be loaded together with the others: alone, it hangs, crashes or fails.
struct BrokenDriverFacts {
    std::string manifest;
    ProbeEnd probe;

    template <class Archive, class Self>
    static void fields(Archive& archive, Self& self) {
        archive("manifest", self.manifest);
        archive("probe", self.probe);
    }
};

struct Facts {
    std::string version;                  ///< of fencebridge-info
    std::vector<std::string> environment; ///< variables that change what the layer does: NAME=VALUE
    KernelFacts kernel;
    DisplayFacts display;
    LoaderFacts loader;
    std::vector<BrokenDriverFacts> broken_drivers;
    std::vector<DeviceFacts> devices;

    template <class Archive, class Self>
    static void fields(Archive& archive, Self& self) {
        archive("version", self.version);
        archive("environment", self.environment);
        archive("kernel", self.kernel);
        archive("display", self.display);
        archive("loader", self.loader);
        archive("broken_drivers", self.broken_drivers);
        archive("devices", self.devices);
    }
};

} // namespace fencebridge::info
