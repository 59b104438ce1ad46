// SPDX-License-Identifier: MIT
#include "ioctl/drm_nodes.hpp"

#include <algorithm>
#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <filesystem>
#include <memory>
#include <string_view>
#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace fencebridge::ioctl {

namespace {

namespace fs = std::filesystem;

/// The sysfs path of the device that a DRM node belongs to; empty if there is none.
fs::path device_of(dev_t node) {
    std::error_code error;
    return fs::canonical("/sys/dev/char/" + std::to_string(::major(node)) + ":" +
                             std::to_string(::minor(node)) + "/device",
                         error);
}

struct CloseFolder {
    void operator()(DIR* folder) const { ::closedir(folder); }
};

} // namespace

std::expected<std::vector<DrmNode>, Errno> drm_nodes(NodeKind kind,
                                                     std::optional<dev_t> preferred) {
    // Not by std::filesystem: if memory cannot be allocated, libstdc++'s directory iterator ends
    // the process, since it builds paths in a function that is noexcept.
    const std::string_view prefix = kind == NodeKind::render ? "renderD" : "card";
    std::vector<DrmNode> nodes;
    const std::unique_ptr<DIR, CloseFolder> folder(::opendir("/dev/dri"));
    if (!folder && !means_unsupported(Errno{errno}))
        return std::unexpected(Errno{errno});
    while (const dirent* entry = folder ? ::readdir(folder.get()) : nullptr) {
        const std::string_view name = entry->d_name;
        const std::string path = "/dev/dri/" + std::string(name);
        struct stat status;
        if (name.starts_with(prefix) && ::stat(path.c_str(), &status) == 0)
            nodes.push_back({path, status.st_rdev, status.st_rdev == preferred});
    }
    // `preferred` may be a node of the other kind. Finding its device in sysfs takes a dozen system
    // calls, so this is done only if no node matched.
    if (preferred && std::ranges::none_of(nodes, &DrmNode::preferred)) {
        const fs::path wanted = device_of(*preferred);
        for (DrmNode& node : nodes)
            node.preferred = !wanted.empty() && device_of(node.number) == wanted;
    }
    std::ranges::sort(nodes, [](const DrmNode& a, const DrmNode& b) {
        return a.preferred != b.preferred ? a.preferred : a.path < b.path;
    });
    return nodes;
}

std::expected<Fd, Errno> open_render_node(dev_t number) {
    // The names follow the minor numbers (drm_sysfs_minor_alloc() in Linux,
    // drivers/gpu/drm/drm_sysfs.c).
    const std::string path = "/dev/dri/renderD" + std::to_string(::minor(number));
    Fd node(::open(path.c_str(), O_RDWR | O_CLOEXEC));
    struct stat status;
    if (!node || ::fstat(node.get(), &status) != 0)
        return std::unexpected(Errno{errno});
    if (status.st_rdev != number)
        return std::unexpected(Errno{ENODEV});
    return node;
}

} // namespace fencebridge::ioctl
