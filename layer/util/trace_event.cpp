// SPDX-License-Identifier: MIT
#include "util/trace_event.hpp"

#include <algorithm>

namespace fencebridge::trace {

namespace {

constexpr uint32_t wire_varint = 0, wire_fixed64 = 1, wire_length = 2;

/// The packet of an end has at most: 4 bytes of packet, 11 of time, 6 of clock and sequence's tag,
/// 5 of sequence, 4 of event, 2 of type, 11 of track.
constexpr size_t end_packet = 44;

void encode_packet(Encoder& encoder, int64_t time, uint32_t pid, auto&& add) {
    encoder.message(field::packet, [&] {
        encoder.number(field::timestamp, static_cast<uint64_t>(std::max<int64_t>(time, 0)));
        encoder.number(field::timestamp_clock, monotonic_clock);
        encoder.number(field::sequence, pid);
        add();
    });
}

void encode_type(Encoder& encoder, EventType type, uint64_t track) {
    encoder.number(field::type, static_cast<uint32_t>(type));
    encoder.number(field::track, track);
}

void encode_argument(Encoder& encoder, const Argument& argument) {
    encoder.optional_message(field::annotation, [&] {
        encoder.text(field::annotation_name, argument.name);
        if (argument.text.empty())
            encoder.number(field::number, argument.number);
        else
            encoder.text(field::text, argument.text);
    });
}

} // namespace

void Encoder::byte(uint8_t value) {
    if (size_ < limit_)
        bytes_[size_++] = value;
    else
        overflowed_ = true;
}

void Encoder::varint(uint64_t value) {
    for (; value >= 0x80; value >>= 7)
        byte(static_cast<uint8_t>(value | 0x80));
    byte(static_cast<uint8_t>(value));
}

void Encoder::number(uint32_t field, uint64_t value) {
    tag(field, wire_varint);
    varint(value);
}

void Encoder::fixed64(uint32_t field, uint64_t value) {
    tag(field, wire_fixed64);
    for (int shift = 0; shift < 64; shift += 8)
        byte(static_cast<uint8_t>(value >> shift));
}

void Encoder::text(uint32_t field, std::string_view value) {
    tag(field, wire_length);
    varint(value.size());
    for (const char c : value)
        byte(static_cast<uint8_t>(c));
}

/// The length of a message is known only at its end, so two bytes are kept for it.
size_t Encoder::open(uint32_t field) {
    tag(field, wire_length);
    byte(0x80);
    byte(0);
    return size_;
}

void Encoder::close(size_t start) {
    if (overflowed_)
        return;
    const size_t length = size_ - start;
    bytes_[start - 2] = static_cast<uint8_t>(length | 0x80);
    bytes_[start - 1] = static_cast<uint8_t>(length >> 7);
}

void encode(Encoder& encoder, const Event& event, uint32_t pid) {
    if (event.end)
        encoder.set_reserve(end_packet);
    encode_packet(encoder, event.begin, pid, [&] {
        encoder.message(field::track_event, [&] {
            encode_type(encoder, event.end ? EventType::slice_begin : EventType::instant,
                        event.track);
            encoder.text(field::event_name, event.name);
            for (const uint64_t flow : event.flows) {
                if (flow != 0)
                    encoder.fixed64(field::flow, flow);
            }
            if (event.ends_flow != 0)
                encoder.fixed64(field::flow_end, event.ends_flow);
            if (event.frame != 0)
                encoder.number(field::correlation, event.frame);
            for (const Argument& argument : event.arguments)
                encode_argument(encoder, argument);
        });
    });
    encoder.set_reserve(0);
    if (event.end)
        encode_packet(encoder, *event.end, pid, [&] {
            encoder.message(field::track_event,
                            [&] { encode_type(encoder, EventType::slice_end, event.track); });
        });
}

void encode_track(Encoder& encoder, uint64_t track, uint64_t parent, std::string_view name,
                  uint32_t pid) {
    encoder.message(field::packet, [&] {
        encoder.number(field::sequence, pid);
        encoder.message(field::track_descriptor, [&] {
            encoder.number(field::uuid, track);
            encoder.number(field::parent, parent);
            encoder.text(field::track_name, name);
        });
    });
}

} // namespace fencebridge::trace
