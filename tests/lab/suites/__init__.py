# SPDX-License-Identifier: MIT
"""The suites of `lab test`: table.py lists them, runner.py runs them."""
