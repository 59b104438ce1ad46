// SPDX-License-Identifier: MIT
#include "info/json.hpp"

#include <array>
#include <cstdint>
#include <cstdio>

namespace fencebridge::info {

namespace {

/// The length of the UTF-8 sequence at the start of the text (RFC 3629); 0 if there is none.
size_t utf8_length(std::string_view text) {
    const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
    const auto continues = [&](size_t count) {
        if (text.size() < count)
            return false;
        for (size_t i = 1; i < count; ++i) {
            if ((byte(i) & 0xc0) != 0x80)
                return false;
        }
        return true;
    };
    const unsigned char first = byte(0);
    if (first < 0x80)
        return 1;
    if (first >= 0xc2 && first < 0xe0)
        return continues(2) ? 2 : 0;
    if (first >= 0xe0 && first < 0xf0 && continues(3)) {
        const bool overlong = first == 0xe0 && byte(1) < 0xa0;
        const bool surrogate = first == 0xed && byte(1) >= 0xa0;
        return overlong || surrogate ? 0 : 3;
    }
    if (first >= 0xf0 && first < 0xf5 && continues(4)) {
        const bool overlong = first == 0xf0 && byte(1) < 0x90;
        const bool too_large = first == 0xf4 && byte(1) >= 0x90;
        return overlong || too_large ? 0 : 4;
    }
    return 0;
}

} // namespace

std::string json_string(std::string_view text) {
    std::string quoted = "\"";
    while (!text.empty()) {
        const size_t length = utf8_length(text);
        const char first = text.front();
        if (length == 0) {
            quoted += "\\ufffd";
        } else if (first == '"' || first == '\\') {
            quoted.append(1, '\\').append(1, first);
        } else if (static_cast<unsigned char>(first) < 0x20) {
            std::array<char, 8> escaped;
            std::snprintf(escaped.data(), escaped.size(), "\\u%04x",
                          static_cast<unsigned>(static_cast<unsigned char>(first)));
            quoted += escaped.data();
        } else {
            quoted += text.substr(0, length);
        }
        text.remove_prefix(length == 0 ? 1 : length);
    }
    return quoted + '"';
}

void Json::open(char bracket) {
    text_ += bracket;
    ++depth_;
    first_ = true;
}

void Json::close(char bracket) {
    --depth_;
    if (!first_)
        text_.append(1, '\n').append(2 * depth_, ' ');
    text_ += bracket;
    first_ = false;
}

void Json::separate() {
    text_ += first_ ? "\n" : ",\n";
    text_.append(2 * depth_, ' ');
    first_ = false;
}

} // namespace fencebridge::info
