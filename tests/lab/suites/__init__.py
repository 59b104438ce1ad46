# SPDX-License-Identifier: MIT
"""What `lab test` runs: table.py lists the suites, runner.py runs them."""
