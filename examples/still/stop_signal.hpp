// SPDX-License-Identifier: MIT
// SIGTERM and SIGINT as something that poll() can wait for.
#pragma once

namespace fencebridge::still {

// The first SIGTERM and the first SIGINT make fd() readable. A second signal of the same kind ends
// the process as usual, for a user who does not want to wait for a call that hangs. One object per
// process.
class StopSignal {
public:
    StopSignal();
    ~StopSignal();
    StopSignal(const StopSignal&) = delete;
    StopSignal& operator=(const StopSignal&) = delete;

    int fd() const;
};

} // namespace fencebridge::still
