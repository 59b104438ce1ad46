// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

// The form of a trace file, which the layer writes and fencebridge-trace reads. docs/tracing.md
// describes it. The file is a trace of Perfetto (protos/perfetto/trace/trace.proto): nothing but
// TracePackets, one after the other.

namespace fencebridge::trace {

// --- the file: slots of one size, each filled by packets ---

constexpr size_t slot_size = 256;
/// The first slots are never overwritten: they describe the process and its threads.
constexpr size_t head_slots = 64;
/// All slots. With some 12 events in a frame, they hold the last 90 s at 60 frames a second.
constexpr size_t slot_count = 65536;
constexpr size_t file_size = slot_size * slot_count;

/// Each slot begins with a packet of nothing but padding:
///
///     bytes 0 to 2    tag of Trace.packet, the packet's length (two bytes)
///     bytes 3 to 7    tag of the padding field, the field's length (three bytes)
///     bytes 8 to 15   the event's number, little endian
///
/// The padding ends where the event's packets begin. These fill the end of the slot. While a slot
/// is written, and if it is empty, the padding is as long as the slot. One store of the first eight
/// bytes makes the event visible.
constexpr size_t slot_header = 16;
constexpr size_t payload_size = slot_size - slot_header;

/// The first eight bytes of a slot, as they are in memory.
using SlotWord = uint64_t;

/// Fields of TracePacket that are reserved since their removal, so that readers skip them.
enum class Padding : uint32_t { of_slot = 55, of_slot_being_written = 80 };

constexpr SlotWord slot_word(Padding field, size_t payload) {
    const auto packet = static_cast<uint32_t>(slot_size - 3 - payload);
    const auto padding = static_cast<uint32_t>(slot_size - 8 - payload);
    const uint32_t tag = (static_cast<uint32_t>(field) << 3) | 2;
    const auto byte = [](uint32_t value, bool more) {
        return static_cast<uint8_t>((value & 0x7f) | (more ? 0x80 : 0));
    };
    return std::bit_cast<SlotWord>(std::array<uint8_t, 8>{
        0x0a, byte(packet, true), byte(packet >> 7, false), byte(tag, true), byte(tag >> 7, false),
        byte(padding, true), byte(padding >> 7, true), byte(padding >> 14, false)});
}
constexpr SlotWord empty_slot = slot_word(Padding::of_slot, 0);
constexpr SlotWord slot_being_written = slot_word(Padding::of_slot_being_written, 0);

// --- fields of Perfetto's messages ---

namespace field {
// Trace
constexpr uint32_t packet = 1;
// TracePacket
constexpr uint32_t clock_snapshot = 6, timestamp = 8, sequence = 10, track_event = 11,
                   timestamp_clock = 58, track_descriptor = 60;
// TrackEvent
constexpr uint32_t annotation = 4, type = 9, track = 11, event_name = 23, flow = 47, flow_end = 48,
                   correlation = 52;
// DebugAnnotation
constexpr uint32_t number = 3, text = 6, annotation_name = 10;
// TrackDescriptor
constexpr uint32_t uuid = 1, track_name = 2, process = 3, thread = 4, parent = 5;
// ProcessDescriptor and ThreadDescriptor
constexpr uint32_t pid = 1, tid = 2, thread_name = 5, process_name = 6;
// ClockSnapshot and its Clock
constexpr uint32_t clock = 1, primary_clock = 2, clock_id = 1, clock_time = 2;
} // namespace field

/// TrackEvent.Type
enum class EventType : uint32_t { slice_begin = 1, slice_end = 2, instant = 3 };

/// BuiltinClock
constexpr uint32_t realtime_clock = 1, monotonic_clock = 3, boottime_clock = 6;

// --- tracks and events ---

enum class TrackKind : uint8_t {
    process = 1,
    thread = 2,
    gpu = 3,        ///< renderings, from the present to the signal of the fence
    compositor = 4, ///< images, from the commit to the release
    reads = 5,      ///< images that were released, until their last fence has signalled
    display = 6,    ///< when images were shown
};

/// TrackDescriptor.uuid. Unique also in a file that is made of several processes' traces.
/// @param swapchain  a number; of a thread: its id
/// @param image      tracks of one kind and swapchain differ by it: their events may overlap
constexpr uint64_t track_id(uint32_t pid, TrackKind kind, uint32_t swapchain, uint32_t image = 0) {
    return (uint64_t{pid} << 40) | (uint64_t{static_cast<uint8_t>(kind)} << 36) |
           ((uint64_t{swapchain} << 6 | (image & 0x3f)) & 0xfffffffff);
}
constexpr uint32_t pid_of(uint64_t track) { return static_cast<uint32_t>(track >> 40); }
constexpr TrackKind kind_of(uint64_t track) { return static_cast<TrackKind>((track >> 36) & 0xf); }
/// The number of the swapchain, or the id of the thread.
constexpr uint32_t owner_of(uint64_t track) {
    return static_cast<uint32_t>((track & 0xfffffffff) >> 6);
}
constexpr uint32_t image_of(uint64_t track) { return static_cast<uint32_t>(track & 0x3f); }

/// Names of the events of a thread's track.
namespace event {
constexpr std::string_view acquire = "acquire", import_fences = "import", present = "present",
                           export_fences = "export", attach = "attach", commit = "commit",
                           wait = "wait", release = "release";
} // namespace event

/// Names of annotations.
namespace key {
constexpr std::string_view swapchain = "swapchain", image = "image", frame = "frame",
                           previous = "previous", driver = "driver", timeline = "timeline",
                           reason = "for", refresh = "refresh_ns", pending = "pending";
} // namespace key

} // namespace fencebridge::trace
