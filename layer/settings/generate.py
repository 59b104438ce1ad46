#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Everything that lists the layer's settings, from the table in settings.json.

The table has the format of `features.settings` in a layer manifest, which Vulkan Configurator shows
(LunarG/VulkanTools, vkconfig_core/layers/layers_schema.json).

usage: generate.py rows|manifest settings.json
       generate.py docs

rows      prints the rows for the array in table.cpp
manifest  prints the member "features" of the layer manifest
docs      writes the generated parts of docs/settings.md and README.md
"""

import json
import re
import sys
import textwrap
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]
TABLE = SOURCE / "layer/settings/settings.json"

# The types of the schema that the table uses, and Type of table.hpp.
TYPES = {"ENUM": "choice", "FLAGS": "list", "FLOAT": "number", "INT": "whole_number",
         "SAVE_FILE": "path", "SAVE_FOLDER": "path"}


def read_table(path=TABLE):
    return json.loads(path.read_text())["settings"]


def variable(setting):
    """The setting's variable in the environment."""
    return "FENCEBRIDGE_" + setting["key"].upper()


def default(setting):
    """The default as it is written in a file or a variable."""
    value = setting["default"]
    return ",".join(value) if isinstance(value, list) else str(value)


def rows(settings):
    """Initialisers of Row."""
    for setting in settings:
        names = ", ".join(flag["key"] for flag in setting.get("flags", []))
        limits = setting.get("range", {"min": 0, "max": 0})
        yield (f'{{"{setting["key"]}", Type::{TYPES[setting["type"]]}, "{names}", '
               f'{limits["min"]}, {limits["max"]}, "{default(setting)}"}},')


def manifest(settings):
    """The settings with the variable of each, as a member of a JSON object."""
    with_variables = [setting | {"env": variable(setting)} for setting in settings]
    text = json.dumps({"settings": with_variables}, indent=4)
    return ',\n        "features": ' + text.replace("\n", "\n        ")


def _as_code(text):
    """Marks the names of Vulkan and Wayland in a description."""
    return re.sub(r"\b(vk[A-Z]\w+|VK_\w+|wl_\w+|[a-z][a-z-]*-v1|headless_capture)\b", r"`\1`", text)


def _values(setting):
    """The values of a setting for a table of Markdown."""
    if setting["type"] == "SAVE_FOLDER":
        return "a folder"
    if setting["type"] == "SAVE_FILE":
        return "a file"
    if "range" in setting:
        limits = setting["range"]
        kind = "" if setting["type"] == "INT" else ", with or without a fraction"
        unit = f' {setting["unit"]}' if "unit" in setting else ""
        return f'{limits["min"]} to {limits["max"]}{unit}{kind} (default: {default(setting)})'
    names = [f"`{flag['key']}`" + (" (default)" if flag["key"] == setting["default"] else "")
             for flag in setting["flags"]]
    kind = "a list with commas: " if setting["type"] == "FLAGS" else ""
    return kind + ", ".join(names)


def _readme_table(settings):
    lines = ["| variable | sets | values |", "|---|---|---|"]
    lines += [f"| `{variable(setting)}` | {setting['label']} | {_values(setting)} |"
              for setting in settings]
    return "\n".join(lines)


def _sections(settings):
    """One section for each setting, with a table of its values."""
    for setting in settings:
        yield f"### `{setting['key']}`"
        yield textwrap.fill(_as_code(setting["description"]), 100, break_on_hyphens=False,
                            break_long_words=False)
        if "flags" not in setting:
            yield f"Values: {_values(setting)}."
            continue
        kind = "A list with commas" if setting["type"] == "FLAGS" else "One of"
        lines = [f"| {kind} | |", "|---|---|"]
        for flag in setting["flags"]:
            mark = " (default)" if flag["key"] == setting["default"] else ""
            lines.append(f"| `{flag['key']}`{mark} | {_as_code(flag['description'])} |")
        yield "\n".join(lines)


def documents():
    """Generates the documents' parts that are between two comments.

    Yields the path of each document, and its text with that part.
    """
    settings = read_table()
    for name, part in [("README.md", _readme_table(settings)),
                       ("docs/settings.md", "\n\n".join(_sections(settings)))]:
        path = SOURCE / name
        before, rest = path.read_text().split("<!-- settings: ", 1)
        comment, rest = rest.split("\n", 1)
        _, after = rest.split("<!-- end of settings -->", 1)
        yield path, (f"{before}<!-- settings: {comment}\n\n{part}\n\n"
                     f"<!-- end of settings -->{after}")


def main(arguments):
    match arguments:
        case ["rows", table]:
            print("\n".join(rows(read_table(Path(table)))))
        case ["manifest", table]:
            print(manifest(read_table(Path(table))))
        case ["docs"]:
            for path, text in documents():
                path.write_text(text)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
