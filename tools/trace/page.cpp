// SPDX-License-Identifier: MIT
#include "page.hpp"

#include <algorithm>
#include <map>
#include <string_view>

#include "page_text.hpp"
#include "report.hpp"

namespace fencebridge::trace {

namespace {

/// A string of JSON that may stand in an HTML script: no `<` of it ends the script.
std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\')
            out.append(1, '\\').append(1, c);
        else if (c == '\n')
            out.append("\\n");
        else if (c == '<')
            out.append("\\u003c");
        else
            out.append(1, c);
    }
    return out.append(1, '"');
}

std::string_view kind_name(TrackKind kind) {
    switch (kind) {
    case TrackKind::gpu:
        return "gpu";
    case TrackKind::compositor:
        return "holds";
    case TrackKind::reads:
        return "reads";
    case TrackKind::display:
        return "display";
    default:
        return "thread";
    }
}

/// What the page says of a record beside its times.
std::string detail(const Record& record) {
    std::string text = record.driver;
    if (!record.timeline.empty())
        text.append(" ").append(record.timeline);
    if (!record.reason.empty())
        text.insert(0, record.reason + (text.empty() ? "" : ": "));
    return text;
}

/// An array: kind, owner, name, begin and end (nanoseconds since the start; end < 0: a moment),
/// swapchain, frame, image, detail, previous frame, whether a fence has not signalled by the end.
std::string json_of(const Record& record, int64_t start) {
    return "[" + quoted(kind_name(record.kind)) + "," + std::to_string(record.owner) + "," +
           quoted(record.name) + "," + std::to_string(record.begin - start) + "," +
           std::to_string(record.end ? *record.end - start : -1) + "," +
           std::to_string(record.swapchain) + "," + std::to_string(record.frame) + "," +
           std::to_string(record.image.value_or(0)) + "," + quoted(detail(record)) + "," +
           std::to_string(record.previous) + (record.pending ? ",true]" : ",false]");
}

std::string json_of(const Trace& trace, const Frames& frames) {
    const int64_t start = trace.records.empty() ? 0 : trace.records.front().begin;
    std::string json = "{\"process\":" + quoted(trace.process) +
                       ",\"pid\":" + std::to_string(trace.pid) +
                       ",\"report\":" + quoted(report(trace, frames, 0)) + ",\"threads\":{";
    const char* comma = "";
    for (const auto& [tid, name] : trace.threads) {
        json.append(comma).append(quoted(std::to_string(tid))).append(":").append(quoted(name));
        comma = ",";
    }
    json.append("},\"records\":[");
    comma = "\n";
    for (const Record& record : trace.records) {
        json.append(comma).append(json_of(record, start));
        comma = ",\n";
    }
    return json.append("]}");
}

} // namespace

std::string page(const Trace& trace, const Frames& frames) {
    constexpr std::string_view mark = "/*TRACE*/null";
    std::string text(page_text);
    return text.replace(text.find(mark), mark.size(), json_of(trace, frames));
}

} // namespace fencebridge::trace
