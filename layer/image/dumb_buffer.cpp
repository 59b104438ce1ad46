// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cerrno>
#include <optional>
#include <unistd.h>

#include "image/dma_buf_import.hpp"
#include "ioctl/drm_nodes.hpp"
#include "ioctl/shared_memory.hpp"

namespace fencebridge::image {

bool DumbBuffer::is_available() const {
    const auto nodes = ioctl::drm_nodes(ioctl::NodeKind::primary, std::nullopt);
    return nodes && std::ranges::any_of(*nodes, [](const ioctl::DrmNode& node) {
               return ::access(node.path.c_str(), R_OK | W_OK) == 0;
           });
}

std::expected<Fd, ioctl::Errno> DumbBuffer::create(const vk::Device& device, size_t size) const {
    const auto nodes = ioctl::drm_nodes(ioctl::NodeKind::primary, device.drm_nodes.primary);
    if (!nodes)
        return std::unexpected(nodes.error());
    std::expected<Fd, ioctl::Errno> last = std::unexpected(ioctl::Errno{ENOENT});
    for (const ioctl::DrmNode& node : *nodes) {
        last = ioctl::allocate_dumb_buffer(node.path, size);
        if (last)
            break;
    }
    return last;
}

} // namespace fencebridge::image
