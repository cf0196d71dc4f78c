# Bash completion for ctrace.  Verbs and options come from `ctrace help` and `ctrace VERB --help`, so they are never stale.

_ctrace_verbs() { "$1" help 2>/dev/null | sed -n 's/^  *\([a-z][a-z]*\)  .*/\1/p'; }
_ctrace_options() { "$1" "$2" --help 2>/dev/null | grep -oE -- '(^|[ ,[|])--?[a-z][a-z-]*=?' | tr -d ' ,[|'; }

# The index of the first word that is not ctrace's: after `--`, or record's first plain word; empty when there is none.
_ctrace_command_at() {
    local i
    for ((i = 2; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
            --) printf '%d' $((i + 1)); return ;;
            -o | -b | -s) ((i++)) ;;
        esac
    done
}

_ctrace() {
    local program=$1 current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} verb=${COMP_WORDS[1]} at
    COMPREPLY=()

    if [ "$COMP_CWORD" -eq 1 ]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_ctrace_verbs "$program") --help --version" -- "$current")
        return
    fi
    if [ "$verb" = record ]; then
        at=$(_ctrace_command_at)
        if [ -n "$at" ]; then
            if [ "$COMP_CWORD" -eq "$at" ]; then
                mapfile -t COMPREPLY < <(compgen -c -- "$current")
            elif declare -F _command_offset >/dev/null; then
                _command_offset "$at"
            else
                mapfile -t COMPREPLY < <(compgen -f -- "$current")
            fi
            return
        fi
    fi
    case "$previous" in
        -t) mapfile -t COMPREPLY < <(compgen -W 'chrome text trace' -- "$current"); return ;;
        -o) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    esac
    if [[ $current == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_ctrace_options "$program" "$verb")" -- "$current")
        [[ ${COMPREPLY[0]-} == *= ]] && compopt -o nospace
        return
    fi
    mapfile -t COMPREPLY < <(compgen -f -- "$current")
    compopt -o filenames 2>/dev/null
}

complete -o bashdefault -F _ctrace ctrace
