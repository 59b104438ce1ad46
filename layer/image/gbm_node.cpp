// SPDX-License-Identifier: MIT
#include "image/gbm_node.hpp"

#include <algorithm>
#include <cerrno>
#include <dlfcn.h>
#include <drm_fourcc.h>
#include <map>
#include <sys/auxv.h>
#include <sys/stat.h>

#include "ioctl/drm_nodes.hpp"

// Mesa's gbm.h. libgbm is loaded when it is first needed: a build needs neither the library nor its
// header.
struct gbm_bo;
struct gbm_device;

namespace fencebridge::image {

namespace {

/// The functions of libgbm that are used, with their names and types from gbm.h.
struct GbmLibrary {
    gbm_device* (*create_device)(int fd);
    void (*device_destroy)(gbm_device*);
    gbm_bo* (*bo_create)(gbm_device*, uint32_t width, uint32_t height, uint32_t format,
                         uint32_t flags);
    gbm_bo* (*bo_create_with_modifiers)(gbm_device*, uint32_t width, uint32_t height,
                                        uint32_t format, const uint64_t* modifiers, unsigned count);
    void (*bo_destroy)(gbm_bo*);
    int (*bo_get_fd)(gbm_bo*);
    int (*bo_get_plane_count)(gbm_bo*);
    uint32_t (*bo_get_stride_for_plane)(gbm_bo*, int plane);
    uint32_t (*bo_get_offset)(gbm_bo*, int plane);
    uint64_t (*bo_get_modifier)(gbm_bo*);
    // Null in older versions:
    gbm_bo* (*bo_create_with_modifiers2)(gbm_device*, uint32_t width, uint32_t height,
                                         uint32_t format, const uint64_t* modifiers, unsigned count,
                                         uint32_t flags); // Mesa 21.3
    int (*bo_get_fd_for_plane)(gbm_bo*, int plane);       // Mesa 21.1
};

constexpr const char* library_name = "libgbm.so.1";
constexpr uint32_t use_rendering = 1u << 2; // GBM_BO_USE_RENDERING
constexpr uint32_t use_linear = 1u << 4;    // GBM_BO_USE_LINEAR

/// @return the name of a function that the library lacks; null if there is none
const char* resolve(void* handle, GbmLibrary& library) {
    const char* missing = nullptr;
    const auto find = [&](auto& function, const char* name, bool optional = false) {
        function =
            reinterpret_cast<std::remove_reference_t<decltype(function)>>(::dlsym(handle, name));
        if (function == nullptr && !optional)
            missing = name;
    };
    constexpr bool optional = true;
    find(library.create_device, "gbm_create_device");
    find(library.device_destroy, "gbm_device_destroy");
    find(library.bo_create, "gbm_bo_create");
    find(library.bo_create_with_modifiers, "gbm_bo_create_with_modifiers");
    find(library.bo_destroy, "gbm_bo_destroy");
    find(library.bo_get_fd, "gbm_bo_get_fd");
    find(library.bo_get_plane_count, "gbm_bo_get_plane_count");
    find(library.bo_get_stride_for_plane, "gbm_bo_get_stride_for_plane");
    find(library.bo_get_offset, "gbm_bo_get_offset");
    find(library.bo_get_modifier, "gbm_bo_get_modifier");
    find(library.bo_create_with_modifiers2, "gbm_bo_create_with_modifiers2", optional);
    find(library.bo_get_fd_for_plane, "gbm_bo_get_fd_for_plane", optional);
    return missing;
}

/// The library is loaded once, and never unloaded: it loads drivers that may have started threads.
/// A failure may be transient, so the next call tries again.
std::expected<const GbmLibrary*, std::string> load() {
    // Never destroyed: an application may use Vulkan from a static destructor of its own.
    static auto* const loaded = new Locked<std::optional<GbmLibrary>>;
    const auto known = [](const auto& library) { return library ? &*library : nullptr; };
    if (const GbmLibrary* library = loaded->with(known))
        return library;
    // libgbm and the drivers that it loads are configured by the environment, which the user of a
    // setuid process must not choose.
    if (::getauxval(AT_SECURE) != 0)
        return std::unexpected(std::string(library_name) + " is not loaded into a setuid process");
    void* const handle = ::dlopen(library_name, RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) {
        const char* const error = ::dlerror();
        return std::unexpected(error != nullptr ? error : library_name);
    }
    GbmLibrary functions = {};
    if (const char* missing = resolve(handle, functions)) {
        ::dlclose(handle);
        return std::unexpected(std::string(library_name) + " lacks " + missing);
    }
    return loaded->with([&](auto& library) {
        if (!library)
            library = functions;
        return &*library;
    });
}

/// The error of a function of libgbm's. They set errno, but need not.
ioctl::Errno last_error() { return ioctl::Errno{errno != 0 ? errno : ENOTSUP}; }

/// Owns a gbm_bo.
class Bo {
public:
    Bo(const GbmLibrary& library, gbm_bo* bo) : library_(library), bo_(bo) {}
    ~Bo() {
        if (bo_ != nullptr)
            library_.bo_destroy(bo_);
    }
    Bo(const Bo&) = delete;
    Bo& operator=(const Bo&) = delete;

    [[nodiscard]] gbm_bo* get() const { return bo_; }

private:
    const GbmLibrary& library_;
    gbm_bo* const bo_;
};

/// @param is_linear  receives whether the buffer was created as LINEAR, without modifiers
gbm_bo* create_bo(const GbmLibrary& library, gbm_device* device, uint32_t width, uint32_t height,
                  uint32_t fourcc, std::span<const uint64_t> modifiers, bool& is_linear) {
    const auto count = static_cast<unsigned>(modifiers.size());
    errno = 0;
    gbm_bo* const made =
        library.bo_create_with_modifiers2 != nullptr
            ? library.bo_create_with_modifiers2(device, width, height, fourcc, modifiers.data(),
                                                count, use_rendering)
            : library.bo_create_with_modifiers(device, width, height, fourcc, modifiers.data(),
                                               count);
    // A driver without modifiers returns ENOSYS, also for DRM_FORMAT_MOD_LINEAR.
    const bool has_linear = std::ranges::find(modifiers, DRM_FORMAT_MOD_LINEAR) != modifiers.end();
    if (made != nullptr || errno != ENOSYS || !has_linear)
        return made;
    errno = 0;
    is_linear = true;
    return library.bo_create(device, width, height, fourcc, use_rendering | use_linear);
}

bool is_same_file(const Fd& one, const Fd& other) {
    struct stat a;
    struct stat b;
    return ::fstat(one.get(), &a) == 0 && ::fstat(other.get(), &b) == 0 && a.st_dev == b.st_dev &&
           a.st_ino == b.st_ino;
}

/// Exports the dma-buf in which all planes are.
std::expected<Fd, ioctl::Errno> export_planes(const GbmLibrary& library, gbm_bo* bo, int planes) {
    Fd first;
    for (int plane = 0; plane < planes; ++plane) {
        errno = 0;
        Fd dma_buf(library.bo_get_fd_for_plane != nullptr ? library.bo_get_fd_for_plane(bo, plane)
                                                          : library.bo_get_fd(bo));
        if (!dma_buf)
            return std::unexpected(last_error());
        // Each dma-buf has an inode of its own since Linux 5.3.
        if (first && !is_same_file(first, dma_buf))
            return std::unexpected(ioctl::Errno{ENOTSUP});
        if (!first)
            first = std::move(dma_buf);
    }
    return first;
}

} // namespace

/// A gbm_device. Used by one thread at a time.
class GbmNode::Device {
public:
    /// @param number  of a DRM render node
    static std::expected<std::unique_ptr<Device>, GbmError> open(dev_t number) {
        const auto library = load();
        if (!library)
            return std::unexpected(GbmError{"dlopen", ioctl::Errno{ENOTSUP}});
        auto node = ioctl::open_render_node(number);
        if (!node)
            return std::unexpected(GbmError{"open", node.error()});
        errno = 0;
        gbm_device* const device = (*library)->create_device(node->get());
        if (device == nullptr)
            return std::unexpected(GbmError{"gbm_create_device", last_error()});
        return std::unique_ptr<Device>(new Device(**library, std::move(*node), device));
    }
    ~Device() { library_.device_destroy(device_); }
    Device(const Device&) = delete;
    Device& operator=(const Device&) = delete;

    /// GbmNode::create_buffer().
    [[nodiscard]] std::expected<GbmBuffer, GbmError>
    create_buffer(uint32_t width, uint32_t height, uint32_t fourcc,
                  std::span<const uint64_t> modifiers);

private:
    Device(const GbmLibrary& library, Fd node, gbm_device* device) :
        library_(library), node_(std::move(node)), device_(device) {}

    const GbmLibrary& library_;
    const Fd node_; ///< outlives `device_`
    gbm_device* const device_;
};

std::expected<GbmBuffer, GbmError>
GbmNode::Device::create_buffer(uint32_t width, uint32_t height, uint32_t fourcc,
                               std::span<const uint64_t> modifiers) {
    bool is_linear = false;
    const Bo bo(library_,
                create_bo(library_, device_, width, height, fourcc, modifiers, is_linear));
    if (bo.get() == nullptr)
        return std::unexpected(GbmError{"gbm_bo_create_with_modifiers", last_error()});
    const int planes = library_.bo_get_plane_count(bo.get());
    // An older libgbm cannot say whether the planes are in one dma-buf.
    if (planes < 1 || planes > 4 || (planes > 1 && library_.bo_get_fd_for_plane == nullptr))
        return std::unexpected(GbmError{"gbm_bo_get_plane_count", ioctl::Errno{ENOTSUP}});
    auto dma_buf = export_planes(library_, bo.get(), planes);
    if (!dma_buf)
        return std::unexpected(GbmError{"gbm_bo_get_fd", dma_buf.error()});
    const uint64_t modifier =
        is_linear ? DRM_FORMAT_MOD_LINEAR : library_.bo_get_modifier(bo.get());
    if (modifier == DRM_FORMAT_MOD_INVALID)
        return std::unexpected(GbmError{"gbm_bo_get_modifier", ioctl::Errno{ENOTSUP}});
    GbmBuffer buffer = {.dma_buf = std::move(*dma_buf), .modifier = modifier, .planes = {}};
    for (int plane = 0; plane < planes; ++plane)
        buffer.planes.push_back({.offset = library_.bo_get_offset(bo.get(), plane),
                                 .pitch = library_.bo_get_stride_for_plane(bo.get(), plane)});
    return buffer;
}

std::optional<std::string> GbmNode::obstacle() {
    const auto library = load();
    return library ? std::nullopt : std::optional(library.error());
}

std::shared_ptr<GbmNode> GbmNode::get(dev_t number) {
    using Nodes = std::map<dev_t, std::weak_ptr<GbmNode>>;
    static auto* const nodes = new Locked<Nodes>;
    return nodes->with([&](Nodes& all) {
        std::weak_ptr<GbmNode>& known = all[number];
        auto node = known.lock();
        if (!node)
            known = node = std::make_shared<GbmNode>(number);
        return node;
    });
}

GbmNode::GbmNode(dev_t number) : number_(number) {}

GbmNode::~GbmNode() = default;

std::expected<GbmBuffer, GbmError> GbmNode::create_buffer(uint32_t width, uint32_t height,
                                                          uint32_t fourcc,
                                                          std::span<const uint64_t> modifiers) {
    auto device = idle_.with([](auto& idle) { return std::move(idle); });
    if (!device) {
        auto opened = Device::open(number_);
        if (!opened)
            return std::unexpected(opened.error());
        device = std::move(*opened);
    }
    auto buffer = device->create_buffer(width, height, fourcc, modifiers);
    // If another thread has opened one as well, only one stays open.
    idle_.with([&](auto& idle) { std::swap(idle, device); });
    return buffer;
}

} // namespace fencebridge::image
