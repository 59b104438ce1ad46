# SPDX-License-Identifier: MIT
_fencebridge_trace() { # the command, the word to complete
    case $2 in
        -*) mapfile -t COMPREPLY < <(compgen -W '--frames --html --follow --help --version' -- "$2") ;;
    esac
}
# Without a match, readline completes file names.
complete -o default -F _fencebridge_trace fencebridge-trace
