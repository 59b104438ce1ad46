// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <variant>
#include <vulkan/vulkan.h>

#include "kernel/ioctl.hpp"

namespace fencebridge::sync {

/// Why a transport was not opened: what it lacks, in words; or VK_ERROR_OUT_OF_HOST_MEMORY when
/// that cannot be told for want of memory or descriptors.
using Obstacle = std::variant<std::string, VkResult>;

/// What a failed call says about a transport that is being tried out.
[[nodiscard]] Obstacle obstacle(const char* call, kernel::Errno error);

} // namespace fencebridge::sync
