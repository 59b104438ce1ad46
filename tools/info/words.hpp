// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "info/facts.hpp"
#include "info/page.hpp"

// Facts in words, for the report for people.

namespace fencebridge::info {

/// "yes", "denied: /dev/udmabuf: Permission denied", ...
[[nodiscard]] std::string in_words(const Check& check);
[[nodiscard]] Colour colour_of(const Check& check);

/// How a probe ended, if it did not end well: "crashed in vkCreateInstance: SIGSEGV"; else empty.
[[nodiscard]] std::string in_words(const ProbeEnd& probe);

/// What was found out about the export and the import of a dma-buf's fences.
/// @param buffer  where the dma-buf came from
[[nodiscard]] std::string in_words(const FenceOperations& operations, const std::string& buffer);
[[nodiscard]] Colour colour_of(const FenceOperations& operations);

[[nodiscard]] std::string join(const std::vector<std::string>& list, std::string_view separator);

/// A modifier for people: LINEAR, INVALID, or its number.
[[nodiscard]] std::string short_modifier(const std::string& modifier);

/// Formats that have the same modifiers in one line: "LINEAR: AR24 XR24". Lists of more than two
/// modifiers are counted.
[[nodiscard]] std::vector<std::string> by_modifiers(const std::vector<FormatFacts>& formats);

} // namespace fencebridge::info
