// SPDX-License-Identifier: MIT
#include "entry/extensions.hpp"

#include <algorithm>
#include <span>

namespace fencebridge::entry {

namespace {

/// The structure of that type if it belongs to a hidden extension, or null.
const AnswerStructure* find_hidden_structure(VkStructureType type) {
    const auto [extension, structure] = find_structure(type);
    return extension != nullptr && extension->status == Status::hidden ? structure : nullptr;
}

bool is_same(const VkExtensionProperties& one, const VkExtensionProperties& other) {
    return std::string_view(one.extensionName) == other.extensionName &&
           one.specVersion == other.specVersion;
}

} // namespace

const Extension* find_extension(std::string_view name) {
    const auto found = std::ranges::find(extensions(), name, &Extension::name);
    return found == extensions().end() ? nullptr : &*found;
}

const Extension* find_provided(std::string_view name, Level level) {
    const Extension* const found = find_extension(name);
    const bool provided =
        found != nullptr && found->status == Status::provided && found->level == level;
    return provided ? found : nullptr;
}

FoundStructure find_structure(VkStructureType type) {
    for (const Extension& extension : extensions()) {
        const auto found = std::ranges::find(extension.structures, static_cast<uint32_t>(type),
                                             &AnswerStructure::type);
        if (found != extension.structures.end())
            return {&extension, &*found};
    }
    return {nullptr, nullptr};
}

EnabledExtensions::EnabledExtensions(Level level, const char* const* names, uint32_t count) {
    for (const char* name : std::span(names, count)) {
        if (const Extension* const provided = find_provided(name, level))
            all_.push_back(provided);
    }
}

FoundCommand find_command(std::string_view name) {
    for (const Extension& extension : extensions()) {
        const auto found = std::ranges::find(extension.commands, name, &Command::name);
        if (found != extension.commands.end())
            return {&extension, &*found};
    }
    return {nullptr, nullptr};
}

std::vector<VkExtensionProperties> provided_device_extensions() {
    std::vector<VkExtensionProperties> provided;
    for (const Extension& extension : extensions()) {
        if (extension.status != Status::provided || extension.level != Level::device)
            continue;
        VkExtensionProperties properties = {.specVersion = extension.spec_version};
        extension.name.copy(properties.extensionName, sizeof properties.extensionName - 1);
        provided.push_back(properties);
    }
    return provided;
}

void remove_appended_extensions(std::vector<VkExtensionProperties>& listed) {
    const auto ours = provided_device_extensions();
    const auto is_listed = [&](const VkExtensionProperties& own) {
        return std::ranges::any_of(listed, [&](const auto& each) {
            return std::string_view(each.extensionName) == own.extensionName;
        });
    };
    // The loader appends what the driver lacks, so that nothing is missing afterwards.
    if (!std::ranges::all_of(ours, is_listed))
        return;
    auto left = std::span(ours);
    while (!listed.empty()) {
        const auto found = std::find_if(left.rbegin(), left.rend(), [&](const auto& own) {
            return is_same(own, listed.back());
        });
        if (found == left.rend())
            return;
        left = left.first(static_cast<size_t>(left.rend() - found) - 1);
        listed.pop_back();
    }
}

void clear_hidden_answers(void* chain) {
    for (auto* node = static_cast<VkBaseOutStructure*>(chain); node != nullptr;
         node = node->pNext) {
        if (const AnswerStructure* structure = find_hidden_structure(node->sType))
            std::fill_n(reinterpret_cast<uint32_t*>(node + 1), structure->words, 0u);
    }
}

std::string_view find_hidden_feature(const void* chain) {
    for (const auto* node = static_cast<const VkBaseInStructure*>(chain); node != nullptr;
         node = node->pNext) {
        const AnswerStructure* const structure = find_hidden_structure(node->sType);
        if (structure == nullptr)
            continue;
        const std::span words(reinterpret_cast<const uint32_t*>(node + 1), structure->words);
        if (std::ranges::any_of(words, [](uint32_t word) { return word != 0; }))
            return structure->name;
    }
    return {};
}

} // namespace fencebridge::entry
