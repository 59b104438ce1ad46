// SPDX-License-Identifier: MIT
// What the test layer masks: the names in FENCEBRIDGE_TEST_MASK, and the extensions and structures
// that each of them hides.
#pragma once

#include <optional>
#include <set>
#include <string_view>

#include <vulkan/vulkan.h>

namespace fencebridge::mask {

/// The DRM render node of the mask `render-node`.
constexpr const char* render_node_path = "/dev/dri/renderD128";

/// docs/lab.md, "Drivers that lack something", says what each of them does.
struct Masks {
    bool modifiers{false};
    bool dma_buf{false};
    bool dma_buf_export{false};
    bool dma_buf_import{false};
    bool memory_fd{false};
    bool external_memory_host{false};
    bool sync_fd{false};
    bool wsi{false};
    bool format_linear_color{false};
    bool drm_nodes{false};
    bool queue_family_foreign{false};
    bool render_node{false}; ///< hides nothing: the driver seems to be that of `render_node_path`

    /// Reads a list such as "modifiers,wsi". None if a name is unknown, which is printed.
    [[nodiscard]] static std::optional<Masks> parse(std::string_view list);

    /// Whether a device extension is masked.
    [[nodiscard]] bool hides(std::string_view device_extension) const;
    /// The output structures that a driver without the masked extensions does not write.
    [[nodiscard]] std::set<VkStructureType> structures() const;
    /// Whether the chain of a VkDeviceCreateInfo enables a feature of a masked extension.
    [[nodiscard]] bool hides_feature_in(const void* chain) const;

    /// The handle types of memory that the driver seems not to know.
    [[nodiscard]] VkExternalMemoryHandleTypeFlags handle_types() const;
    /// Those that it seems not to export or not to import.
    [[nodiscard]] VkExternalMemoryHandleTypeFlags not_exported() const;
    [[nodiscard]] VkExternalMemoryHandleTypeFlags not_imported() const;
};

} // namespace fencebridge::mask
