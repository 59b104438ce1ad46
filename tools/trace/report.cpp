// SPDX-License-Identifier: MIT
#include "report.hpp"

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdio>
#include <optional>
#include <utility>
#include <vector>

namespace fencebridge::trace {

namespace {

constexpr size_t columns = 80;

[[gnu::format(printf, 1, 2)]] std::string formatted(const char* format, ...) {
    std::array<char, 256> line;
    va_list arguments;
    va_start(arguments, format);
    std::vsnprintf(line.data(), line.size(), format, arguments);
    va_end(arguments);
    return line.data();
}

/// Adds a line, cut off at the last column.
void add_line(std::string& text, const std::string& line) {
    text.append(line, 0, columns).append("\n");
}

double milliseconds(Nanoseconds time) { return static_cast<double>(time) / 1e6; }

std::string number(std::optional<Nanoseconds> time) {
    return time ? formatted("%.2f", milliseconds(*time)) : "-";
}

/// The part of a text that fits into a column.
std::string fitted(const std::string& text, size_t width) {
    return text.size() <= width ? text : text.substr(0, width - 1) + "~";
}

template <class Latency>
std::vector<Nanoseconds> all_of(const Frames& frames, Latency&& latency) {
    std::vector<Nanoseconds> values;
    for (const Frame& frame : frames.all) {
        if (const std::optional<Nanoseconds> value = latency(frame))
            values.push_back(*value);
    }
    return values;
}

void add_statistics(std::string& text, const std::string& name,
                    const std::vector<Nanoseconds>& values) {
    if (values.empty()) {
        add_line(text, formatted("  %-35s no data", name.c_str()));
        return;
    }
    add_line(text,
             formatted("  %-35s %8.2f %8.2f %8.2f %8.2f %6zu", fitted(name, 35).c_str(),
                       milliseconds(percentile(values, 0.5)), milliseconds(percentile(values, 0.9)),
                       milliseconds(percentile(values, 0.99)),
                       milliseconds(*std::ranges::max_element(values)), values.size()));
}

void add_heading(std::string& text, const char* title) {
    add_line(text, "");
    add_line(text,
             formatted("%-37s %8s %8s %8s %8s %6s", title, "p50", "p90", "p99", "max", "count"));
}

void add_latencies(std::string& text, const Frames& frames) {
    add_heading(text, "Latency in ms");
    add_statistics(text, "rendered to on screen",
                   all_of(frames, [](const Frame& each) { return each.rendered_to_shown(); }));
    add_statistics(text, "released to reusable",
                   all_of(frames, [](const Frame& each) { return each.released_to_reusable(); }));
    add_statistics(text, "acquire to payload signalled",
                   all_of(frames, [](const Frame& each) { return each.acquire_to_payload(); }));
    const auto call = [](std::optional<Nanoseconds> began, std::optional<Nanoseconds> ended) {
        return began && ended ? std::optional(*ended - *began) : std::nullopt;
    };
    add_statistics(text, "in vkAcquireNextImageKHR", all_of(frames, [&](const Frame& each) {
                       return call(each.acquire_began, each.acquired);
                   }));
    add_statistics(text, "in vkQueuePresentKHR", all_of(frames, [&](const Frame& each) {
                       return call(each.present_began, each.presented);
                   }));
}

void add_waits(std::string& text, const Frames& frames) {
    add_heading(text, "Who waited for whom, in ms");
    if (frames.waits.empty())
        add_line(text, "  nobody");
    for (const auto& [who, waits] : frames.waits)
        add_statistics(text, who, waits.lengths);
}

void add_missed(std::string& text, const Frames& frames) {
    std::array<uint64_t, 3> by = {};
    uint64_t all = 0;
    for (const Missed& missed : frames.missed) {
        by[static_cast<size_t>(missed.culprit)] += missed.refreshes;
        all += missed.refreshes;
    }
    add_line(text, "");
    if (frames.refreshes == 0) {
        add_line(text, "Missed refreshes: not known, no window system has reported any");
        return;
    }
    add_line(text, formatted("Missed refreshes: %llu of %llu", static_cast<unsigned long long>(all),
                             static_cast<unsigned long long>(frames.refreshes)));
    const std::array rows = {std::pair("presented too late, by the application", by[0]),
                             std::pair("rendered too late, by the GPU", by[1]),
                             std::pair("ready in time, shown late by the compositor", by[2])};
    for (const auto& [what, count] : rows) {
        if (count != 0)
            add_line(text, formatted("  %8llu %s", static_cast<unsigned long long>(count), what));
    }
}

void add_frames(std::string& text, const Frames& frames, size_t listed) {
    const size_t count = std::min(listed, frames.all.size());
    if (count == 0)
        return;
    add_line(text, "");
    add_line(text, formatted("The last %zu frames, in ms", count));
    add_line(text, formatted("  %9s %3s %8s %8s %8s %8s %8s  %s", "frame", "img", "acquire",
                             "payload", "present", "to shown", "reusable", "longest wait for"));
    for (size_t i = frames.all.size() - count; i < frames.all.size(); ++i) {
        const Frame& each = frames.all[i];
        const auto call = [](std::optional<Nanoseconds> began, std::optional<Nanoseconds> ended) {
            return began && ended ? std::optional(*ended - *began) : std::nullopt;
        };
        const std::string name =
            formatted("%llu:%llu", static_cast<unsigned long long>(each.swapchain),
                      static_cast<unsigned long long>(each.number));
        const std::string image = each.image ? std::to_string(*each.image) : "-";
        add_line(text, formatted("  %9s %3s %8s %8s %8s %8s %8s  %s", name.c_str(), image.c_str(),
                                 number(call(each.acquire_began, each.acquired)).c_str(),
                                 number(each.acquire_to_payload()).c_str(),
                                 number(call(each.present_began, each.presented)).c_str(),
                                 number(each.rendered_to_shown()).c_str(),
                                 number(each.released_to_reusable()).c_str(),
                                 fitted(each.longest_wait, 18).c_str()));
    }
}

/// The rate of the presents in a second; 0 if it is not known.
double rate(const std::vector<Nanoseconds>& presents) {
    if (presents.size() < 2 || presents.back() == presents.front())
        return 0;
    return static_cast<double>(presents.size() - 1) * 1e9 /
           static_cast<double>(presents.back() - presents.front());
}

std::vector<Nanoseconds> presents_of(const Frames& frames) {
    auto presents = all_of(frames, [](const Frame& each) { return each.present_began; });
    std::ranges::sort(presents);
    return presents;
}

} // namespace

std::string report(const Trace& trace, const Frames& frames, size_t listed) {
    std::string text;
    const std::vector<Nanoseconds> presents = presents_of(frames);
    const double seconds =
        presents.empty() ? 0 : static_cast<double>(presents.back() - presents.front()) / 1e9;
    add_line(text, formatted("%s, process %u: %zu frames in %.1f s, %.1f a second",
                             fitted(trace.process, 30).c_str(), trace.pid, presents.size(), seconds,
                             rate(presents)));
    if (trace.lost != 0)
        add_line(text, formatted("%llu older events were overwritten",
                                 static_cast<unsigned long long>(trace.lost)));
    add_latencies(text, frames);
    add_waits(text, frames);
    add_missed(text, frames);
    add_frames(text, frames, listed);
    return text;
}

std::string summary(const Frames& frames, int64_t from, int64_t to) {
    const auto is_in = [&](std::optional<Nanoseconds> time) {
        return time && *time >= from && *time < to;
    };
    size_t presents = 0;
    std::vector<Nanoseconds> latencies;
    uint64_t missed = 0;
    for (const Frame& frame : frames.all) {
        presents += is_in(frame.present_began) ? 1 : 0;
        if (const auto latency = frame.rendered_to_shown(); latency && is_in(frame.shown))
            latencies.push_back(*latency);
    }
    for (const Missed& each : frames.missed) {
        const auto late = std::ranges::find_if(frames.all, [&](const Frame& frame) {
            return frame.swapchain == each.swapchain && frame.number == each.frame;
        });
        missed += late != frames.all.end() && is_in(late->shown) ? each.refreshes : 0;
    }
    const double seconds = static_cast<double>(to - from) / 1e9;
    std::string line = formatted("%6.1f frames a second", static_cast<double>(presents) / seconds);
    if (latencies.empty())
        return line;
    return line + formatted(", rendered to on screen %.2f ms (p99 %.2f ms), %llu missed",
                            milliseconds(percentile(latencies, 0.5)),
                            milliseconds(percentile(latencies, 0.99)),
                            static_cast<unsigned long long>(missed));
}

} // namespace fencebridge::trace
