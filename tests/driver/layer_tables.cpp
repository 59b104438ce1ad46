// SPDX-License-Identifier: MIT
// Prints the layer's table of extensions as JSON, for vk_xml.py.
#include <cstdio>

#include "entry/extensions.hpp"

namespace fencebridge::entry {
namespace {

const char* text(Level level) { return level == Level::instance ? "instance" : "device"; }

const char* text(Dispatch dispatch) {
    return dispatch == Dispatch::instance ? "instance" : "device";
}

const char* text(Status status) {
    switch (status) {
    case Status::provided:
        return "provided";
    case Status::intercepted:
        return "intercepted";
    case Status::hidden:
        break;
    }
    return "hidden";
}

/// Prints a list with a separator between the elements.
template <class List, class Print>
void print_list(const char* key, const List& list, Print&& print) {
    std::printf(", \"%s\": [", key);
    const char* separator = "";
    for (const auto& element : list) {
        std::printf("%s", separator);
        print(element);
        separator = ", ";
    }
    std::printf("]");
}

void print(const Extension& extension) {
    std::printf("{\"name\": \"%s\", \"level\": \"%s\", \"status\": \"%s\", \"version\": %u",
                extension.name.data(), text(extension.level), text(extension.status),
                extension.spec_version);
    print_list("commands", extension.commands, [](const Command& command) {
        std::printf("{\"name\": \"%s\", \"intercepted\": %s, \"dispatch\": \"%s\"}",
                    command.name.data(), command.function != nullptr ? "true" : "false",
                    text(command.dispatch));
    });
    print_list("structures", extension.structures, [](const AnswerStructure& structure) {
        std::printf("{\"name\": \"%s\", \"type\": %u, \"words\": %u}", structure.name.data(),
                    structure.type, structure.words);
    });
    std::printf("}");
}

} // namespace
} // namespace fencebridge::entry

int main() {
    using namespace fencebridge::entry;
    const char* separator = "[";
    for (const Extension& extension : extensions()) {
        std::printf("%s", separator);
        print(extension);
        separator = ",\n ";
    }
    std::printf("]\n");
    return 0;
}
