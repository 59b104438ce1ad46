// SPDX-License-Identifier: MIT
// Prints the layer's tables of commands and extensions as JSON, for registry.py. The names of all
// commands come on standard input, one a line: which of them the layer intercepts is asked of the
// same functions as the loader's questions are.
#include <cstdio>
#include <iostream>
#include <string>
#include <vector>

#include "entry/extensions.hpp"
#include "entry/intercepts.hpp"

namespace fencebridge::entry {
namespace {

template <class Predicate>
void print_commands(const char* key, const std::vector<std::string>& commands,
                    Predicate&& matches) {
    std::printf("  \"%s\": [", key);
    const char* separator = "";
    for (const std::string& command : commands) {
        if (!matches(command))
            continue;
        std::printf("%s\"%s\"", separator, command.c_str());
        separator = ", ";
    }
    std::printf("],\n");
}

void print_hidden(const HiddenExtension& extension) {
    std::printf("    \"%s\": {\"commands\": [", extension.name.data());
    const char* separator = "";
    for (const std::string_view command : extension.commands) {
        if (command.empty())
            continue;
        std::printf("%s\"%s\"", separator, command.data());
        separator = ", ";
    }
    std::printf("], \"structures\": [");
    separator = "";
    for (const AnswerStructure& structure : extension.structures) {
        if (structure.type == 0)
            continue;
        std::printf("%s{\"name\": \"%s\", \"type\": %u, \"words\": %u}", separator,
                    structure.name.data(), structure.type, structure.words);
        separator = ", ";
    }
    std::printf("], \"present_modes\": [");
    separator = "";
    for (const uint32_t mode : extension.present_modes) {
        if (mode == 0)
            continue;
        std::printf("%s%u", separator, mode);
        separator = ", ";
    }
    std::printf("]}");
}

void print_tables(const std::vector<std::string>& commands) {
    std::printf("{\n");
    print_commands("intercepted", commands, [](const std::string& name) {
        return find_instance_intercept(name) != nullptr || find_device_intercept(name) != nullptr;
    });
    print_commands("provided_commands", commands,
                   [](const std::string& name) { return is_provided_command(name); });
    std::printf("  \"provided\": {");
    for (const VkExtensionProperties& extension : provided_device_extensions)
        std::printf("%s\"%s\": %u", &extension == provided_device_extensions.data() ? "" : ", ",
                    extension.extensionName, extension.specVersion);
    std::printf("},\n  \"hidden\": {\n");
    for (const HiddenExtension& extension : hidden_extensions()) {
        print_hidden(extension);
        std::printf(&extension == &hidden_extensions().back() ? "\n" : ",\n");
    }
    std::printf("  }\n}\n");
}

} // namespace
} // namespace fencebridge::entry

int main() {
    std::vector<std::string> commands;
    for (std::string line; std::getline(std::cin, line);)
        commands.push_back(line);
    fencebridge::entry::print_tables(commands);
    return 0;
}
