// SPDX-License-Identifier: MIT
// The two calls that make a Vulkan enumeration.
#pragma once

#include <cstdint>
#include <vector>

#include "failure.hpp"

namespace fencebridge::still {

// call(count, array) is the enumeration: first with a null array for the count, then with room for
// that many. What it lists may grow between the two; then it says VK_INCOMPLETE and is asked again.
template <typename T, typename Call>
std::vector<T> enumerate(const char* name, Call call) {
    std::vector<T> all;
    VkResult result;
    do {
        uint32_t count = 0;
        check(call(&count, nullptr), name);
        all.resize(count);
        result = call(&count, all.data());
        check(result, name);
        all.resize(count);
    } while (result == VK_INCOMPLETE);
    return all;
}

} // namespace fencebridge::still
