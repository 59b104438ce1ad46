// SPDX-License-Identifier: MIT
#include "core/image_source.hpp"

#include <gtest/gtest.h>
#include <set>

namespace fencebridge::core {
namespace {

TEST(ImageSource, EachHasOneNameOfItsOwn) {
    std::set<std::string_view> names;
    std::set<ImageSource> sources;
    for (const ImageSourceName& one : image_sources) {
        EXPECT_EQ(name(one.source), one.name);
        EXPECT_TRUE(names.insert(one.name).second) << one.name;
        EXPECT_TRUE(sources.insert(one.source).second) << one.name;
    }
    EXPECT_EQ(sources.size(), static_cast<size_t>(ImageSource::unshared) + 1);
}

} // namespace
} // namespace fencebridge::core
