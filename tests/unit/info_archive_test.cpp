// SPDX-License-Identifier: MIT
// The facts of a probe survive the pipe between two processes; damaged bytes are noticed.
#include "info/archive.hpp"

#include <gtest/gtest.h>

#include "info/json.hpp"
#include "info_machine.hpp"

namespace fencebridge::info {
namespace {

std::string json_of(const Facts& facts) {
    Json json;
    json.write(facts);
    return json.text();
}

TEST(InfoArchive, AllFactsComeBack) {
    const auto copy = from_bytes<Facts>(to_bytes(machine()));
    ASSERT_TRUE(copy);
    EXPECT_EQ(json_of(*copy), json_of(machine()));
}

TEST(InfoArchive, NoPartOfTheBytesIsTakenForTheWhole) {
    const std::string bytes = to_bytes(machine());
    for (size_t size = 0; size < bytes.size(); ++size)
        EXPECT_FALSE(from_bytes<Facts>(std::string_view(bytes).substr(0, size))) << size;
    EXPECT_FALSE(from_bytes<Facts>(bytes + "x"));
}

TEST(InfoArchive, ALengthBeyondTheEndIsNotBelieved) {
    const std::string length(sizeof(size_t), '\xff');
    EXPECT_FALSE(from_bytes<std::string>(length));
    EXPECT_FALSE(from_bytes<std::vector<std::string>>(length));
}

} // namespace
} // namespace fencebridge::info
