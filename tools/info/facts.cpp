// SPDX-License-Identifier: MIT
#include "info/facts.hpp"

namespace fencebridge::info {

const char* name_of(State state) {
    switch (state) {
    case State::yes:
        return "yes";
    case State::no:
        return "no";
    case State::absent:
        return "absent";
    case State::denied:
        return "denied";
    case State::unknown:
        break;
    }
    return "unknown";
}

const char* name_of(End end) {
    switch (end) {
    case End::complete:
        return "complete";
    case End::failed:
        return "failed";
    case End::crashed:
        return "crashed";
    case End::timed_out:
        return "timed-out";
    case End::not_started:
        break;
    }
    return "not-started";
}

const char* name_of(Outcome outcome) {
    switch (outcome) {
    case Outcome::carried:
        return "carried";
    case Outcome::waiting:
        return "waiting";
    case Outcome::passes_through:
        return "passes-through";
    case Outcome::refused:
        return "refused";
    case Outcome::unknown:
        break;
    }
    return "unknown";
}

} // namespace fencebridge::info
