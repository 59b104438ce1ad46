// SPDX-License-Identifier: MIT
#include "core/modifier_choice.hpp"

#include <algorithm>
#include <drm_fourcc.h>

namespace fencebridge::core {

namespace {

bool is_foreign(const Tranche& tranche, const DrmNodes& nodes) {
    if (!tranche.target_device || (!nodes.primary && !nodes.render))
        return false;
    return tranche.target_device != nodes.primary && tranche.target_device != nodes.render;
}

std::vector<uint64_t> usable(const Tranche& tranche, uint32_t fourcc,
                             std::span<const uint64_t> driver, const DrmNodes& nodes) {
    const bool linear_only = is_foreign(tranche, nodes);
    std::vector<uint64_t> modifiers;
    for (const FormatModifier& offered : tranche.formats) {
        if (offered.fourcc != fourcc || offered.modifier == DRM_FORMAT_MOD_INVALID ||
            (linear_only && offered.modifier != DRM_FORMAT_MOD_LINEAR))
            continue;
        // VkImageDrmFormatModifierListCreateInfoEXT must not name one twice.
        if (std::ranges::find(driver, offered.modifier) != driver.end() &&
            std::ranges::find(modifiers, offered.modifier) == modifiers.end())
            modifiers.push_back(offered.modifier);
    }
    return modifiers;
}

} // namespace

bool is_foreign(const DmabufFeedback& feedback, const DrmNodes& nodes) {
    if (!nodes.primary && !nodes.render)
        return false;
    std::vector<dev_t> told;
    if (feedback.main_device)
        told.push_back(*feedback.main_device);
    for (const Tranche& tranche : feedback.tranches) {
        if (tranche.target_device)
            told.push_back(*tranche.target_device);
    }
    return !told.empty() && std::ranges::none_of(told, [&](dev_t device) {
        return nodes.primary == device || nodes.render == device;
    });
}

std::vector<std::vector<uint64_t>> choose_modifiers(const DmabufFeedback& feedback, uint32_t fourcc,
                                                    std::span<const uint64_t> driver,
                                                    const DrmNodes& nodes) {
    std::vector<std::vector<uint64_t>> lists;
    for (const Tranche& tranche : feedback.tranches) {
        auto modifiers = usable(tranche, fourcc, driver, nodes);
        if (!modifiers.empty())
            lists.push_back(std::move(modifiers));
    }
    return lists;
}

} // namespace fencebridge::core
