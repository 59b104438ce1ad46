// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>
#include <expected>
#include <span>
#include <vector>
#include <vulkan/vulkan.h>

namespace fencebridge::vk {

/// Answers an application's two-call enumeration (the specification's "Array Results"). With a null
/// array, writes the count. Else copies as many elements as fit, writes their number, and returns
/// VK_INCOMPLETE if some did not fit.
///
/// @param copy  called as copy(to, from) for each element; must keep the application's sType and
///              pNext
template <class From, class To, class Copy>
VkResult write_array(std::span<const From> all, uint32_t* count, To* array, Copy&& copy) {
    if (array == nullptr) {
        *count = static_cast<uint32_t>(all.size());
        return VK_SUCCESS;
    }
    const size_t fitting = std::min<size_t>(*count, all.size());
    for (size_t i = 0; i < fitting; ++i)
        copy(array[i], all[i]);
    *count = static_cast<uint32_t>(fitting);
    return fitting < all.size() ? VK_INCOMPLETE : VK_SUCCESS;
}

template <class T>
VkResult write_array(std::span<const T> all, uint32_t* count, T* array) {
    return write_array(all, count, array, [](T& to, const T& from) { to = from; });
}

/// Enumerates a list of the driver: makes the two calls `call(uint32_t*, T*)`, and repeats them if
/// the list has grown in between.
template <class T, class Call>
std::expected<std::vector<T>, VkResult> enumerate(Call&& call) {
    for (;;) {
        uint32_t count = 0;
        if (const VkResult result = call(&count, static_cast<T*>(nullptr)); result < 0)
            return std::unexpected(result);
        std::vector<T> all(count);
        const VkResult result = call(&count, all.data());
        if (result < 0)
            return std::unexpected(result);
        all.resize(std::min<size_t>(count, all.size()));
        if (result != VK_INCOMPLETE)
            return all;
    }
}

} // namespace fencebridge::vk
