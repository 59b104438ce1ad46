# SPDX-License-Identifier: MIT
"""Writes a text file as a string of C++: embed.py TEXT HEADER"""

import sys
from pathlib import Path

DELIMITER = "page"
LONGEST = 8192  # compilers limit the length of one literal


def main() -> None:
    text = Path(sys.argv[1]).read_text(encoding="utf-8")
    assert f"){DELIMITER}\"" not in text
    parts = [text[at:at + LONGEST] for at in range(0, len(text), LONGEST)]
    literals = "\n".join(f'R"{DELIMITER}({part}){DELIMITER}"' for part in parts)
    Path(sys.argv[2]).write_text(
        "// Generated from tools/trace/page.html.\n#pragma once\n#include <string_view>\n"
        f"inline constexpr std::string_view page_text =\n{literals};\n", encoding="utf-8")


main()
