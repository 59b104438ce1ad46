// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "info/facts.hpp"

namespace fencebridge::info {

/// Something that keeps the layer from its best on this machine, and what a user can do about it.
struct Advice {
    std::string problem;
    std::string remedy;

    template <class Archive, class Self>
    static void fields(Archive& archive, Self& self) {
        archive("problem", self.problem);
        archive("remedy", self.remedy);
    }
    bool operator==(const Advice&) const = default;
};

/// What to install, load or set to get better. Most important first; empty if there is nothing.
[[nodiscard]] std::vector<Advice> advise(const Facts& facts);

/// The answer for scripts. The values are exit statuses: tools/info/fencebridge-info.1 documents
/// them, and they stay.
enum class Verdict : int {
    carried = 0, ///< on a device, the layer would take over, with a transport that carries fences
    not_carried = 1, ///< on no device: the layer would wait on the CPU, or pass through
    unknown = 2,     ///< it could not be found out
};
[[nodiscard]] const char* name_of(Verdict verdict);

/// @return of all devices, the best that the layer would do on the compositor. Drivers that render
/// on
///         the CPU count only if there are no others.
[[nodiscard]] Verdict judge(const Facts& facts);

} // namespace fencebridge::info
