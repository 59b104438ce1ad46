#compdef fencebridge-trace
# SPDX-License-Identifier: MIT
_arguments \
    '--html=[write a page with the timeline of the frames]:page:_files' \
    '--follow[print a line about a trace that is being written]' \
    '--json[print JSON]' \
    '--help[print a help text]' \
    '--version[print the version]' \
    ':trace:_files'
