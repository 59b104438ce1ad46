// SPDX-License-Identifier: MIT
#include "wayland/dmabuf_formats.hpp"

#include <algorithm>
#include <drm_fourcc.h>

namespace fencebridge::wayland {

namespace {

bool is_node_of(const core::DrmNodes& nodes, dev_t device) {
    return nodes.primary == device || nodes.render == device;
}

bool is_for_another_device(const Tranche& tranche, const core::DrmNodes& nodes) {
    const bool both_known = tranche.target_device && (nodes.primary || nodes.render);
    return both_known && !is_node_of(nodes, *tranche.target_device);
}

std::vector<uint64_t> accepted_modifiers(const Tranche& tranche, uint32_t fourcc,
                                         const core::DrmNodes& nodes) {
    const bool linear_only = is_for_another_device(tranche, nodes);
    std::vector<uint64_t> modifiers;
    for (const FormatModifier& offered : tranche.formats) {
        if (offered.fourcc != fourcc || (linear_only && offered.modifier != DRM_FORMAT_MOD_LINEAR))
            continue;
        // VkImageDrmFormatModifierListCreateInfoEXT must not name one twice.
        if (std::ranges::find(modifiers, offered.modifier) == modifiers.end())
            modifiers.push_back(offered.modifier);
    }
    return modifiers;
}

} // namespace

bool is_foreign(const DmabufFormats& formats, const core::DrmNodes& nodes) {
    if (!nodes.primary && !nodes.render)
        return false;
    std::vector<dev_t> named;
    if (formats.main_device)
        named.push_back(*formats.main_device);
    for (const Tranche& tranche : formats.tranches) {
        if (tranche.target_device)
            named.push_back(*tranche.target_device);
    }
    return !named.empty() &&
           std::ranges::none_of(named, [&](dev_t device) { return is_node_of(nodes, device); });
}

std::vector<core::LayoutRank> rank_layouts(const DmabufFormats& formats, uint32_t fourcc,
                                           const core::DrmNodes& nodes) {
    std::vector<core::LayoutRank> ranks;
    for (const Tranche& tranche : formats.tranches) {
        auto modifiers = accepted_modifiers(tranche, fourcc, nodes);
        if (!modifiers.empty())
            ranks.push_back({core::Placement::dma_buf, std::move(modifiers)});
    }
    return ranks;
}

} // namespace fencebridge::wayland
