// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "util/trace_format.hpp"

namespace fencebridge::trace {

/// Encodes protobuf into a buffer of the size of a slot's payload. What does not fit is left out as
/// a whole field, and has_overflowed() says so.
class Encoder {
public:
    /// @param reserve  bytes at the end of the buffer that stay free
    void set_reserve(size_t reserve) { limit_ = bytes_.size() - reserve; }
    [[nodiscard]] std::span<const uint8_t> bytes() const { return std::span(bytes_).first(size_); }
    [[nodiscard]] bool has_overflowed() const { return overflowed_; }

    void number(uint32_t field, uint64_t value);
    void fixed64(uint32_t field, uint64_t value);
    void text(uint32_t field, std::string_view value);
    /// The fields that `add` adds are a message in this field. The message is left out as a whole
    /// if it does not fit, but has_overflowed() stays false.
    template <class Add>
    void optional_message(uint32_t field, Add&& add) {
        const size_t start = size_;
        message(field, add);
        if (overflowed_) {
            size_ = start;
            overflowed_ = false;
        }
    }
    template <class Add>
    void message(uint32_t field, Add&& add) {
        const size_t start = open(field);
        add();
        close(start);
    }

private:
    void byte(uint8_t value);
    void varint(uint64_t value);
    void tag(uint32_t field, uint32_t wire_type) { varint((uint64_t{field} << 3) | wire_type); }
    size_t open(uint32_t field);
    void close(size_t start);

    std::array<uint8_t, payload_size> bytes_;
    size_t size_ = 0;
    size_t limit_ = payload_size;
    bool overflowed_ = false;
};

/// An annotation of an event: a number, or a text if that is not empty.
struct Argument {
    std::string_view name;
    uint64_t number = 0;
    std::string_view text = {};
};

/// What one slot records: something with a begin and an end, or a moment. Times are nanoseconds of
/// CLOCK_MONOTONIC.
struct Event {
    std::string_view name;
    uint64_t track;
    int64_t begin;
    std::optional<int64_t> end = std::nullopt; ///< nothing: a moment
    uint64_t frame = 0; ///< Perfetto draws events of equal numbers alike; 0: none
    /// Arrows of Perfetto lead from each event with a flow to the next one in time. 0: none.
    std::array<uint64_t, 2> flows = {};
    uint64_t ends_flow = 0;
    /// Those that do not fit are left out.
    std::span<const Argument> arguments = {};
};

/// @param pid  also the packets' trusted_packet_sequence_id, which Perfetto demands
void encode(Encoder& encoder, const Event& event, uint32_t pid);

/// A track's description.
void encode_track(Encoder& encoder, uint64_t track, uint64_t parent, std::string_view name,
                  uint32_t pid);

} // namespace fencebridge::trace
