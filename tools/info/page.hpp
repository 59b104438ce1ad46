// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace fencebridge::info {

enum class Colour { plain, good, warning, bad };

/// Text for people, in lines of at most 80 columns: titles, and rows of a label and a text. Control
/// characters, which a driver's name could contain, are replaced.
class Page {
public:
    static constexpr size_t width = 80;
    /// The column of a row's text.
    static constexpr size_t text_column = 22;

    /// @param coloured  with escape sequences of ECMA-48
    explicit Page(bool coloured) : coloured_(coloured) {}

    /// A title, after an empty line unless it is the first.
    void title(std::string_view text);
    /// A label, and a text that continues below itself.
    /// @param label  alone in its line if it reaches the text's column
    void row(std::string_view label, std::string_view text, Colour colour = Colour::plain);
    /// A text that begins with a mark, for lists.
    void item(std::string_view mark, std::string_view text, Colour colour = Colour::plain);

    [[nodiscard]] const std::string& text() const { return text_; }

private:
    /// Writes the text from a column on, with its lines indented to it.
    void wrap(std::string_view text, size_t column, Colour colour);
    void write(std::string_view text, Colour colour);

    const bool coloured_;
    std::string text_;
};

} // namespace fencebridge::info
