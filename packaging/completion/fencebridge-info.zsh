#compdef fencebridge-info
# SPDX-License-Identifier: MIT
_arguments \
    '--json[write JSON, for programs]' \
    '--timeout[how long each answer may take]:seconds' \
    '--help[print a summary of the options]' \
    '--version[print the version]'
