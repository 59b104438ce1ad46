// SPDX-License-Identifier: MIT
// SIGTERM and SIGINT as something that poll() can wait for.
#pragma once

namespace fencebridge::still {

// The first SIGTERM or SIGINT makes fd() readable. The second one ends the process as usual, for a
// user who does not want to wait for a call that hangs. One object per process.
class StopSignal {
public:
    StopSignal();
    ~StopSignal();
    StopSignal(const StopSignal&) = delete;
    StopSignal& operator=(const StopSignal&) = delete;

    int fd() const;
};

} // namespace fencebridge::still
