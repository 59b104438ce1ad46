// SPDX-License-Identifier: MIT
#include "wayland/protocol_set.hpp"

#include <gtest/gtest.h>

namespace fencebridge::wayland {
namespace {

TEST(ProtocolSet, HasWhatWasAdded) {
    ProtocolSet set;
    EXPECT_FALSE(set.has(Protocol::fifo));
    set.add(Protocol::syncobj);
    EXPECT_TRUE(set.has(Protocol::syncobj));
    EXPECT_FALSE(set.has(Protocol::fifo));
    set.add(Protocol::fifo);
    set.add(Protocol::tearing_control);
    set.add(Protocol::color_management);
    set.add(Protocol::color_representation);
    set.add(Protocol::commit_timing);
    EXPECT_EQ(set, ProtocolSet::all());
}

TEST(ExistsError, IsFoundByTheManagersInterfaceAndCode) {
    for (const ProtocolRow& row : protocol_rows)
        EXPECT_EQ(find_exists_error(row.manager, row.exists_error), &row) << row.name;
    EXPECT_EQ(find_exists_error("wp_linux_drm_syncobj_manager_v1", 1), nullptr);
    EXPECT_EQ(find_exists_error("wp_color_manager_v1", 0), nullptr);
    EXPECT_EQ(find_exists_error("wp_fifo_v1", 0), nullptr);
    EXPECT_EQ(find_exists_error("unknown object", 0), nullptr);
}

} // namespace
} // namespace fencebridge::wayland
