# SPDX-License-Identifier: MIT
complete -c fencebridge-trace -l frames -x -d 'How many of the last frames to list'
complete -c fencebridge-trace -l html -r -d 'Write a page with the time line of all frames'
complete -c fencebridge-trace -l follow -d 'Print one line a second'
complete -c fencebridge-trace -l help -d 'Print a summary of the options'
complete -c fencebridge-trace -l version -d 'Print the version'
