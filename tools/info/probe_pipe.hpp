// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "info/archive.hpp"
#include "info/facts.hpp"

namespace fencebridge::info {

/// What a probe sends to the process that has started it, again and again. If the probe hangs or
/// crashes, the last record says in which call, and has what was found out before.
struct ProbeRecord {
    ProbeEnd at;       ///< End::not_started: the step has begun
    std::string facts; ///< to_bytes() of the probe's facts

    template <class Archive, class Self>
    static void fields(Archive& archive, Self& self) {
        archive("at", self.at);
        archive("facts", self.facts);
    }
};

/// The file descriptor of a probe to which the records go.
inline constexpr int probe_pipe = 3;

/// The probe's side of the pipe.
/// @tparam T  the probe's facts
template <class T>
class ProbeProgress {
public:
    /// The probe is about to do something that may not end.
    /// @param what  a function of Vulkan, a path, a Wayland request
    void begin(std::string what) {
        step_ = std::move(what);
        send({.step = step_});
    }
    /// The step has failed, and the probe ends. A later call of finish() changes nothing.
    void fail(std::string detail) {
        ended_ = true;
        send({.end = End::failed, .step = step_, .detail = std::move(detail)});
    }
    void finish() {
        if (!ended_)
            send({.end = End::complete});
    }

    T facts; ///< filled in by the probe

private:
    void send(ProbeEnd at);

    std::string step_;
    bool ended_ = false;
};

/// Writes a record, after its size. A failure is ignored: the reader is gone.
void send_record(const ProbeRecord& record);

/// Removes the first record from the bytes that have come through the pipe.
/// @return nothing if it is not complete yet
[[nodiscard]] std::optional<ProbeRecord> take_record(std::string& bytes);

template <class T>
void ProbeProgress<T>::send(ProbeEnd at) {
    send_record({.at = std::move(at), .facts = to_bytes(facts)});
}

} // namespace fencebridge::info
