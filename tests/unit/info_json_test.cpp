// SPDX-License-Identifier: MIT
#include "info/json.hpp"

#include <gtest/gtest.h>

#include "info/facts.hpp"

namespace fencebridge::info {
namespace {

TEST(InfoJson, QuotesBackslashesAndControlCharactersAreEscaped) {
    EXPECT_EQ(json_string("a\"b\\c\n\x1b"), R"("a\"b\\c\u000a\u001b")");
}

TEST(InfoJson, Utf8IsKept) { EXPECT_EQ(json_string("é€😀"), "\"é€😀\""); }

TEST(InfoJson, OtherBytesAreReplaced) {
    EXPECT_EQ(json_string("a\xff"), R"("a\ufffd")");
    EXPECT_EQ(json_string("\xc3"), R"("\ufffd")");                     // cut off
    EXPECT_EQ(json_string("\xc0\x80"), R"("\ufffd\ufffd")");           // overlong
    EXPECT_EQ(json_string("\xed\xa0\x80"), R"("\ufffd\ufffd\ufffd")"); // a surrogate
}

TEST(InfoJson, StructsListsAndEnumsHaveTheirNames) {
    const DrmNodeFacts node = {"/dev/dri/card0", "", {State::denied, "no"}, {}};
    Json json;
    json.write(std::vector{node});
    EXPECT_EQ(json.text(), R"([
  {
    "path": "/dev/dri/card0",
    "driver": "",
    "access": {
      "state": "denied",
      "detail": "no"
    },
    "timelines": {
      "state": "unknown",
      "detail": ""
    }
  }
])");
}

TEST(InfoJson, EmptyListsAndNumbers) {
    Json json;
    json.write(FormatFacts{"XR24", {}});
    EXPECT_EQ(json.text(), "{\n  \"format\": \"XR24\",\n  \"modifiers\": []\n}");
    Json tranche;
    tranche.write(TrancheFacts{"", 7});
    EXPECT_EQ(tranche.text(), "{\n  \"device\": \"\",\n  \"formats\": 7\n}");
}

} // namespace
} // namespace fencebridge::info
