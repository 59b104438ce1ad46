# SPDX-License-Identifier: MIT
complete -c fencebridge-trace -l html -r -d 'Write a page with the timeline of the frames'
complete -c fencebridge-trace -l follow -d 'Print a line about a trace that is being written'
complete -c fencebridge-trace -l json -d 'Print JSON'
complete -c fencebridge-trace -l help -d 'Print a help text'
complete -c fencebridge-trace -l version -d 'Print the version'
