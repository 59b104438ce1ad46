# SPDX-License-Identifier: MIT
complete -c fencebridge-info -f
complete -c fencebridge-info -l json -d 'Print JSON'
complete -c fencebridge-info -l timeout -x -d 'Seconds to wait for each driver'
complete -c fencebridge-info -l help -d 'Print a help text'
complete -c fencebridge-info -l version -d 'Print the version'
