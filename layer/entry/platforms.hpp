// SPDX-License-Identifier: MIT
#pragma once

#include <tuple>
#include <type_traits>

#include "entry/extensions.hpp"
#include "entry/platform_surface.hpp"
#include "headless/platform.hpp"
#include "wayland/platform.hpp"

// The window systems. To add one, write a folder with a Window and a Platform, and add the Platform
// to this list (docs/finding-your-way.md has the rest: build files, manifest, tests).

namespace fencebridge::entry {

using Platforms = std::tuple<wayland::Platform, headless::Platform>;

/// Calls `use(std::type_identity<Platform>())` for each platform.
template <class Use>
void for_each_platform(Use&& use) {
    [&]<class... Platform>(std::type_identity<std::tuple<Platform...>>) {
        (use(std::type_identity<Platform>()), ...);
    }(std::type_identity<Platforms>());
}

/// The platform's instance extension, with its commands.
template <class Platform>
Extension platform_extension() {
    Extension extension = {.name = Platform::extension,
                           .level = Level::instance,
                           .status = Platform::provided_version == 0 ? Status::intercepted
                                                                     : Status::provided,
                           .spec_version = Platform::provided_version};
    extension.commands.push_back(
        instance_command(Platform::create_command, &PlatformSurface<Platform>::Create));
    if constexpr (requires { Platform::support_command; })
        extension.commands.push_back(
            instance_command(Platform::support_command,
                             PlatformSupport<Platform, typename Platform::SupportFunction>::get()));
    return extension;
}

} // namespace fencebridge::entry
