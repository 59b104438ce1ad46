// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

// The facts of a probe as bytes, for the pipe between two processes of the same program: the
// members in their order, without names. Numbers are those of this machine.

namespace fencebridge::info {

template <class T, class Archive>
concept HasFields = requires(Archive& archive, T& value) {
    T::fields(archive, value);
};

class Writer {
public:
    template <class T>
    void operator()(const char*, const T& value) {
        write(value);
    }
    /// @return the bytes written so far
    [[nodiscard]] std::string take() { return std::move(bytes_); }

private:
    template <class T>
    requires std::integral<T> || std::is_enum_v<T>
    void write(const T& value) {
        bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
    }
    void write(const std::string& text) {
        write(text.size());
        bytes_ += text;
    }
    template <class T>
    void write(const std::vector<T>& list) {
        write(list.size());
        for (const T& element : list)
            write(element);
    }
    template <HasFields<Writer> T>
    void write(const T& value) {
        T::fields(*this, value);
    }

    std::string bytes_;
};

/// Reads what a Writer has written. After damaged bytes, complete() is false.
class Reader {
public:
    explicit Reader(std::string_view bytes) : bytes_(bytes) {}
    template <class T>
    void operator()(const char*, T& value) {
        read(value);
    }
    /// Whether all bytes, and no more, have been read.
    [[nodiscard]] bool complete() const { return !short_ && bytes_.empty(); }

private:
    [[nodiscard]] std::string_view take(size_t size) {
        short_ = short_ || size > bytes_.size();
        const auto taken = short_ ? std::string_view() : bytes_.substr(0, size);
        bytes_.remove_prefix(taken.size());
        return taken;
    }
    template <class T>
    requires std::integral<T> || std::is_enum_v<T>
    void read(T& value) {
        if (const auto taken = take(sizeof value); !short_)
            std::memcpy(&value, taken.data(), sizeof value);
    }
    void read(std::string& text) {
        size_t size = 0;
        read(size);
        text = take(size);
    }
    template <class T>
    void read(std::vector<T>& list) {
        size_t size = 0;
        read(size);
        list.clear();
        while (!short_ && list.size() < size)
            read(list.emplace_back());
    }
    template <HasFields<Reader> T>
    void read(T& value) {
        T::fields(*this, value);
    }

    std::string_view bytes_;
    bool short_ = false; ///< bytes were missing
};

template <class T>
[[nodiscard]] std::string to_bytes(const T& value) {
    Writer writer;
    writer("", value);
    return writer.take();
}

/// @return nothing if the bytes are not those of a T
template <class T>
[[nodiscard]] std::optional<T> from_bytes(std::string_view bytes) {
    std::optional<T> value(std::in_place);
    Reader reader(bytes);
    reader("", *value);
    return reader.complete() ? std::move(value) : std::nullopt;
}

} // namespace fencebridge::info
