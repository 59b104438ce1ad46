// SPDX-License-Identifier: MIT
#include "info/advice.hpp"
#include "info/json.hpp"
#include "info/report.hpp"

namespace fencebridge::info {

namespace {

struct Report {
    const Facts& facts;

    template <class Archive, class Self>
    static void fields(Archive& archive, Self& self) {
        archive("verdict", judge(self.facts));
        archive("advice", advise(self.facts));
        Facts::fields(archive, self.facts);
    }
};

} // namespace

std::string report_json(const Facts& facts) {
    Json json;
    json.write(Report{facts});
    return json.text() + '\n';
}

} // namespace fencebridge::info
