#compdef fencebridge-trace
# SPDX-License-Identifier: MIT
_arguments \
    '--frames[how many of the last frames to list]:number' \
    '--html[write a page with the time line of all frames]:page:_files' \
    '--follow[print one line a second]' \
    '--help[print a summary of the options]' \
    '--version[print the version]' \
    ':trace:_files'
