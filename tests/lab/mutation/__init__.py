# SPDX-License-Identifier: MIT
"""Changes of C and C++ sources that are described by function and intent, without line numbers.

A mutation test changes a source on purpose and expects a test to fail. docs/lab.md describes the
lists of such changes. From the bottom up:

    tokens         text to tokens: comments and white space are dropped
    definitions    where each function and each constant is defined
    statements     where each statement of a function body begins and ends
    patterns       the places in a range of tokens that match a pattern
    change         one change, and a source with that change applied
    listing        lists of mutations, read from TOML files
    filters        whether a test of some name exists, judged by the test sources

None of this is a full parser. It relies on what the sources of this project have in common: they
compile, and they are formatted by clang-format or in the style of the Linux kernel.
"""
