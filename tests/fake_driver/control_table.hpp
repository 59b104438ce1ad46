// SPDX-License-Identifier: MIT
#pragma once

#include "control.h"

namespace fencebridge::fake_driver {

/// The functions that control.h documents.
[[nodiscard]] const FakeDriverControl& control_table();

} // namespace fencebridge::fake_driver
