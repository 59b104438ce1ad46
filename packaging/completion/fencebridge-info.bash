# SPDX-License-Identifier: MIT
complete -W '--json --timeout --help --version' fencebridge-info
