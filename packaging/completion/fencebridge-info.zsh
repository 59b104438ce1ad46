#compdef fencebridge-info
# SPDX-License-Identifier: MIT
_arguments \
    '--json[print JSON]' \
    '--timeout=[seconds to wait for each driver]:seconds' \
    '--help[print a help text]' \
    '--version[print the version]'
