// SPDX-License-Identifier: MIT
#include "sync/sync_file_bridge.hpp"

#include "sync/cpu_bridge.hpp"
#include "util/log.hpp"

namespace fencebridge::sync {

namespace {

/// @return what present() does for a dma-buf that needs no fence any more
std::expected<std::optional<core::CommitPoints>, VkResult> wait_on_the_cpu(const Fd& rendering) {
    if (const VkResult result = wait_for(rendering); result != VK_SUCCESS)
        return std::unexpected(result);
    return std::nullopt;
}

} // namespace

std::expected<void, Obstacle> SyncFileBridge::try_out() const {
    const Fd& dma_buf = images_.front().dma_buf;
    const auto exported = export_sync_file(dma_buf);
    if (!exported)
        return std::unexpected(obstacle(names_.export_sync_file, exported.error()));
    if (const auto imported = import_sync_file(dma_buf, *exported); !imported)
        return std::unexpected(obstacle(names_.import_sync_file, imported.error()));
    return {};
}

std::expected<Snapshot, VkResult> SyncFileBridge::export_of(core::ImageIndex image) const {
    auto exported = export_sync_file(images_[static_cast<size_t>(image)].dma_buf);
    if (!exported) {
        log::error("%s: %s", names_.export_sync_file, kernel::text(exported.error()).c_str());
        return std::unexpected(VK_ERROR_OUT_OF_HOST_MEMORY);
    }
    return Snapshot{image, std::move(*exported)};
}

std::expected<std::optional<core::CommitPoints>, VkResult>
SyncFileBridge::present(core::ImageIndex image, const Fd& rendering) {
    if (!rendering)
        return std::nullopt;
    // Invariant: the window system never reads before the rendering is done, and these would not
    // wait for the fence.
    if (importers_ == vk::Importers::ignore_fences)
        return wait_on_the_cpu(rendering);
    const auto imported = import_sync_file(images_[static_cast<size_t>(image)].dma_buf, rendering);
    if (imported)
        return std::nullopt;
    // The rendering is on its way and cannot be taken back; only its fence could be lost.
    log::error("%s: %s; waiting for this frame on the CPU", names_.import_sync_file,
               kernel::text(imported.error()).c_str());
    return wait_on_the_cpu(rendering);
}

} // namespace fencebridge::sync
