// SPDX-License-Identifier: MIT
#include "info/page.hpp"

#include <algorithm>

namespace fencebridge::info {

namespace {

bool continues_character(char byte) { return (static_cast<unsigned char>(byte) & 0xc0) == 0x80; }

/// The number of characters of UTF-8. All are taken for one column wide.
size_t columns(std::string_view text) {
    return text.size() - static_cast<size_t>(std::ranges::count_if(text, continues_character));
}

std::string printable(std::string_view text) {
    std::string safe(text);
    std::ranges::replace_if(
        safe, [](char byte) { return static_cast<unsigned char>(byte) < ' ' || byte == '\x7f'; },
        '?');
    return safe;
}

/// The column of a word that is too long for a row's text, such as a path.
constexpr size_t long_word_column = 4;

/// Removes the first word from the text. A word that fits into no line is cut.
std::string_view take_word(std::string_view& text) {
    size_t size = std::min(text.find(' '), text.size());
    constexpr size_t room = Page::width - long_word_column;
    if (columns(text.substr(0, size)) > room) {
        size = 0;
        for (size_t used = 0; used < room; ++used) {
            do
                ++size;
            while (size < text.size() && continues_character(text[size]));
        }
    }
    const auto word = text.substr(0, size);
    text.remove_prefix(size);
    return word;
}

const char* sequence(Colour colour) {
    switch (colour) {
    case Colour::good:
        return "\x1b[32m";
    case Colour::warning:
        return "\x1b[33m";
    case Colour::bad:
        return "\x1b[31m";
    case Colour::plain:
        break;
    }
    return "";
}

constexpr const char* bold = "\x1b[1m";
constexpr const char* normal = "\x1b[0m";

} // namespace

void Page::title(std::string_view text) {
    if (!text_.empty())
        text_ += '\n';
    if (coloured_)
        text_ += bold;
    wrap(text, 0, Colour::plain);
    if (coloured_)
        text_.insert(text_.size() - 1, normal);
}

void Page::row(std::string_view label, std::string_view text, Colour colour) {
    text_.append("  ").append(label);
    size_t used = 2 + columns(label);
    if (used >= text_column) {
        text_ += '\n';
        used = 0;
    }
    text_.append(text_column - used, ' ');
    wrap(text, text_column, colour);
}

void Page::item(std::string_view mark, std::string_view text, Colour colour) {
    text_.append("  ").append(mark).append(" ");
    wrap(text, 3 + columns(mark), colour);
}

void Page::wrap(std::string_view text, size_t column, Colour colour) {
    const std::string safe = printable(text);
    std::string_view left = safe;
    std::string line;
    // Where the line begins. A long word has a line of its own, further to the left.
    size_t start = column;
    const auto end_line = [&](size_t next) {
        write(line, colour);
        text_.erase(text_.find_last_not_of(' ') + 1);
        if (!text_.ends_with('\n')) // a long word follows a row without a label
            text_ += '\n';
        text_.append(next, ' ');
        line.clear();
        start = next;
    };
    while (!left.empty()) {
        if (left.front() == ' ') {
            left.remove_prefix(1);
            continue;
        }
        const auto word = take_word(left);
        const size_t size = columns(word);
        const size_t used = start + (line.empty() ? 0 : columns(line) + 1);
        if (used + size > width)
            end_line(column + size > width ? std::min(column, long_word_column) : column);
        else if (start != column && !line.empty())
            end_line(column);
        line.append(line.empty() ? "" : " ").append(word);
    }
    write(line, colour);
    // A row without a text ends after its label.
    text_.erase(text_.find_last_not_of(' ') + 1);
    text_ += '\n';
}

void Page::write(std::string_view text, Colour colour) {
    const bool coloured = coloured_ && colour != Colour::plain && !text.empty();
    text_.append(coloured ? sequence(colour) : "").append(text).append(coloured ? normal : "");
}

} // namespace fencebridge::info
