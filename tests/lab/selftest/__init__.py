# SPDX-License-Identifier: MIT
"""Tests of the lab's parts that need no guest; the suite `lab` runs them."""
