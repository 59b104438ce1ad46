// SPDX-License-Identifier: MIT
#include "sync/implicit_bridge.hpp"

#include "util/log.hpp"

namespace fencebridge::sync {

namespace {

/// Waits for the fence instead of attaching it. The commit needs no points.
std::expected<std::optional<core::CommitPoints>, VkResult>
wait_instead(const Rendering& rendering) {
    if (const VkResult result = rendering.wait(); result != VK_SUCCESS)
        return std::unexpected(result);
    return std::nullopt;
}

} // namespace

std::expected<void, OpenError> ImplicitBridge::try_out() const {
    const Fd& dma_buf = images_.front().dma_buf;
    const auto exported = export_sync_file(dma_buf);
    if (!exported)
        return std::unexpected(open_error(names_.export_sync_file, exported.error()));
    if (const auto imported = import_sync_file(dma_buf, *exported); !imported)
        return std::unexpected(open_error(names_.import_sync_file, imported.error()));
    return {};
}

std::expected<Snapshot, VkResult> ImplicitBridge::export_fences(core::ImageIndex image) const {
    auto exported = export_sync_file(images_[static_cast<size_t>(image)].dma_buf);
    if (!exported) {
        log::error("%s: %s; the image cannot be acquired now", names_.export_sync_file,
                   ioctl::text(exported.error()).c_str());
        return std::unexpected(VK_ERROR_OUT_OF_HOST_MEMORY);
    }
    return Snapshot{image, std::move(*exported)};
}

std::expected<std::optional<core::CommitPoints>, VkResult>
ImplicitBridge::attach_rendering(core::ImageIndex image, const Rendering& rendering) {
    if (!rendering.may_run())
        return std::nullopt;
    // Invariant 3: the window system must not read before the rendering has ended. If attached
    // fences are ignored, the layer has to wait.
    if (implicit_fences_ == vk::ImplicitFences::ignored)
        return wait_instead(rendering);
    const auto imported =
        import_sync_file(images_[static_cast<size_t>(image)].dma_buf, rendering.sync_file());
    if (imported)
        return std::nullopt;
    // The rendering is submitted and cannot be taken back. Without the wait its fence would be
    // lost.
    log::slow(log::Level::error, "%s: %s; waiting on the CPU for this frame's rendering",
              names_.import_sync_file, ioctl::text(imported.error()).c_str());
    return wait_instead(rendering);
}

} // namespace fencebridge::sync
