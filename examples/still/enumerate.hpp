// SPDX-License-Identifier: MIT
// The two calls that make a Vulkan enumeration.
#pragma once

#include <cstdint>
#include <vector>

#include "failure.hpp"

namespace fencebridge::still {

// call(count, array) is the enumeration. It is called with a null array for the count, then with an
// array of that size. If the list grows in between, the result is VK_INCOMPLETE, and both calls are
// repeated.
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
