# SPDX-License-Identifier: MIT
complete -c fencebridge-info -f
complete -c fencebridge-info -l json -d 'Write JSON, for programs'
complete -c fencebridge-info -l timeout -x -d 'Seconds that each answer may take'
complete -c fencebridge-info -l help -d 'Print a summary of the options'
complete -c fencebridge-info -l version -d 'Print the version'
