// SPDX-License-Identifier: MIT
#include "decode.hpp"

#include <algorithm>
#include <cstring>
#include <string_view>

namespace fencebridge::trace {

namespace {

/// One field of a message.
struct Field {
    uint32_t number;
    uint64_t value;                   ///< of a varint, or of eight fixed bytes
    std::span<const std::byte> bytes; ///< of a length-delimited field
};

/// Reads the fields of a protobuf message in their order.
class Message {
public:
    explicit Message(std::span<const std::byte> bytes) : rest_(bytes) {}

    /// @return nothing at the end of the message, and at a byte that is no field of it
    std::optional<Field> next() {
        const auto tag = varint();
        if (!tag || *tag >> 3 == 0 || *tag >> 3 > UINT32_MAX)
            return std::nullopt;
        Field field = {.number = static_cast<uint32_t>(*tag >> 3), .value = 0, .bytes = {}};
        switch (*tag & 7) {
        case 0:
            return with_value(field, varint());
        case 1:
            return with_value(field, fixed(8));
        case 2: {
            const auto size = varint();
            if (!size || *size > rest_.size())
                return std::nullopt;
            field.bytes = rest_.first(static_cast<size_t>(*size));
            rest_ = rest_.subspan(static_cast<size_t>(*size));
            return field;
        }
        case 5:
            return with_value(field, fixed(4));
        default:
            return std::nullopt;
        }
    }

private:
    static std::optional<Field> with_value(Field field, std::optional<uint64_t> value) {
        if (!value)
            return std::nullopt;
        field.value = *value;
        return field;
    }
    std::optional<uint64_t> varint() {
        uint64_t value = 0;
        for (size_t i = 0; i < std::min<size_t>(rest_.size(), 10); ++i) {
            const auto byte = std::to_integer<uint64_t>(rest_[i]);
            if (i < 9 || byte <= 1)
                value |= (byte & 0x7f) << (7 * i);
            if ((byte & 0x80) == 0) {
                rest_ = rest_.subspan(i + 1);
                return value;
            }
        }
        return std::nullopt;
    }
    std::optional<uint64_t> fixed(size_t size) {
        if (rest_.size() < size)
            return std::nullopt;
        uint64_t value = 0;
        for (size_t i = 0; i < size; ++i)
            value |= std::to_integer<uint64_t>(rest_[i]) << (8 * i);
        rest_ = rest_.subspan(size);
        return value;
    }

    std::span<const std::byte> rest_;
};

/// A text as a person may see it: names come from drivers and applications.
std::string text_of(std::span<const std::byte> bytes) {
    std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    std::ranges::replace_if(
        text, [](unsigned char c) { return c < 0x20 || c >= 0x7f; }, '?');
    return text;
}

void read_annotation(std::span<const std::byte> bytes, Record& record) {
    std::string name;
    std::string text;
    uint64_t number = 0;
    Message message(bytes);
    while (const auto field = message.next()) {
        if (field->number == field::annotation_name)
            name = text_of(field->bytes);
        else if (field->number == field::number)
            number = field->value;
        else if (field->number == field::text)
            text = text_of(field->bytes);
    }
    if (name == key::swapchain)
        record.swapchain = number;
    else if (name == key::frame)
        record.frame = number;
    else if (name == key::previous)
        record.previous = number;
    else if (name == key::image)
        record.image = static_cast<uint32_t>(number);
    else if (name == key::refresh)
        record.refresh = number <= 1'000'000'000 ? static_cast<int64_t>(number) : 0;
    else if (name == key::pending)
        record.pending = true;
    else if (name == key::reason)
        record.reason = text;
    else if (name == key::driver)
        record.driver = text;
    else if (name == key::timeline)
        record.timeline = text;
}

// The limits keep sums and differences within their type, whatever a file contains.
constexpr int64_t latest_time = INT64_MAX / 4;
constexpr int64_t longest_event = int64_t{1} << 45; ///< ten hours

/// The time of a packet. Times that no clock reaches become 0.
int64_t time_of(uint64_t nanoseconds) {
    return nanoseconds <= uint64_t{latest_time} ? static_cast<int64_t>(nanoseconds) : 0;
}

void read_event(std::span<const std::byte> bytes, int64_t time, std::optional<Record>& record) {
    Record read;
    EventType type = {};
    Message message(bytes);
    while (const auto field = message.next()) {
        if (field->number == field::type) {
            type = static_cast<EventType>(field->value);
        } else if (field->number == field::track) {
            read.kind = kind_of(field->value);
            read.owner = owner_of(field->value);
            read.track = image_of(field->value);
        } else if (field->number == field::event_name) {
            read.name = text_of(field->bytes);
        } else if (field->number == field::annotation) {
            read_annotation(field->bytes, read);
        }
    }
    if (type == EventType::slice_end && record) {
        record->end = std::clamp(time, record->begin, record->begin + longest_event);
    } else if (type == EventType::slice_begin || type == EventType::instant) {
        read.begin = time;
        if (read.kind != TrackKind::thread && read.kind != TrackKind::process)
            read.swapchain = read.owner;
        record = std::move(read);
    }
}

void read_track(std::span<const std::byte> bytes, Trace& trace) {
    Message message(bytes);
    while (const auto field = message.next()) {
        Message inner(field->bytes);
        uint64_t tid = 0;
        std::string name;
        if (field->number == field::process) {
            while (const auto each = inner.next()) {
                if (each->number == field::pid)
                    trace.pid = static_cast<uint32_t>(each->value);
                else if (each->number == field::process_name)
                    trace.process = text_of(each->bytes);
            }
        } else if (field->number == field::thread) {
            while (const auto each = inner.next()) {
                if (each->number == field::tid)
                    tid = each->value;
                else if (each->number == field::thread_name)
                    name = text_of(each->bytes);
            }
            trace.threads[static_cast<uint32_t>(tid)] = name;
        }
    }
}

void read_packet(std::span<const std::byte> bytes, Trace& trace, std::optional<Record>& record) {
    int64_t time = 0;
    Message message(bytes);
    while (const auto field = message.next()) {
        if (field->number == field::timestamp)
            time = time_of(field->value);
        else if (field->number == field::track_event)
            read_event(field->bytes, time, record);
        else if (field->number == field::track_descriptor)
            read_track(field->bytes, trace);
    }
}

/// @param slot  of slot_size bytes
/// @return whether the slot has packets
bool read_slot(std::span<const std::byte> slot, Trace& trace, uint64_t& last) {
    Message all(slot);
    const auto header = all.next();
    if (!header || header->number != field::packet)
        return false;
    Message padding(header->bytes);
    const auto pad = padding.next();
    if (!pad || pad->number != static_cast<uint32_t>(Padding::of_slot) ||
        header->bytes.size() > slot_size - 4)
        return false;
    uint64_t number = 0;
    for (size_t i = 0; i < std::min<size_t>(8, pad->bytes.size()); ++i)
        number |= std::to_integer<uint64_t>(pad->bytes[i]) << (8 * i);
    std::optional<Record> record;
    while (const auto packet = all.next()) {
        if (packet->number == field::packet)
            read_packet(packet->bytes, trace, record);
    }
    last = std::max(last, number);
    if (record) {
        record->number = number;
        trace.records.push_back(std::move(*record));
    }
    return true;
}

} // namespace

std::expected<Trace, std::string> decode(std::span<const std::byte> file) {
    Trace trace;
    uint64_t last = 0;
    if (file.size() < slot_size || !read_slot(file.first(slot_size), trace, last))
        return std::unexpected("not a trace of fencebridge's (setting trace_file)");
    uint64_t slots = 0;
    for (size_t at = slot_size; at + slot_size <= file.size(); at += slot_size) {
        uint64_t number = 0;
        if (read_slot(file.subspan(at, slot_size), trace, number) && number != 0)
            ++slots;
        last = std::max(last, number);
    }
    trace.lost = last > slots ? last - slots : 0;
    std::ranges::sort(trace.records, {},
                      [](const Record& record) { return std::pair(record.begin, record.number); });
    return trace;
}

} // namespace fencebridge::trace
