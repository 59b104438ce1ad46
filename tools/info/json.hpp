// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace fencebridge::info {

/// Text as a string of JSON, with its quotes. Bytes that are not UTF-8 become U+FFFD, so that the
/// result is valid whatever a driver's name contains.
[[nodiscard]] std::string json_string(std::string_view text);

/// Writes values as JSON, with two spaces for each level. A struct becomes an object by its
/// function fields(), an enum a string by name_of().
class Json {
public:
    /// A member of the object that is being written.
    template <class T>
    void operator()(const char* key, const T& value) {
        separate();
        text_ += json_string(key) + ": ";
        write(value);
    }
    template <class T>
    void write(const T& value) {
        if constexpr (std::same_as<T, std::string>) {
            text_ += json_string(value);
        } else if constexpr (std::same_as<T, bool>) {
            text_ += value ? "true" : "false";
        } else if constexpr (std::is_enum_v<T>) {
            text_ += json_string(name_of(value));
        } else if constexpr (std::integral<T>) {
            text_ += std::to_string(value);
        } else {
            write_group(value);
        }
    }
    [[nodiscard]] const std::string& text() const { return text_; }

private:
    template <class T>
    void write_group(const std::vector<T>& list) {
        open('[');
        for (const T& element : list) {
            separate();
            write(element);
        }
        close(']');
    }
    template <class T>
    void write_group(const T& object) {
        open('{');
        T::fields(*this, object);
        close('}');
    }
    void open(char bracket);
    void close(char bracket);
    /// Begins the line of the next element.
    void separate();

    std::string text_;
    size_t depth_ = 0;
    bool first_ = true; ///< no element of the innermost group is written yet
};

} // namespace fencebridge::info
