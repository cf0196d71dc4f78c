# Bash completion for ctrace.  Verbs and options come from `ctrace help` and `ctrace VERB --help`, so they are never stale.

_ctrace_verbs() { "$1" help 2>/dev/null | sed -n 's/^  *\([a-z][a-z]*\)  .*/\1/p'; }
_ctrace_options() {
    "$1" "$2" --help 2>/dev/null | sed '/^Examples/,$d' | grep -oE -- '(^|[ ,[|])--?[a-z][a-z-]*' | tr -d ' ,[|'
}
# Options that take a value, as " -o --output ... ".
_ctrace_takers() {
    printf ' %s ' "$("$1" "$2" --help 2>/dev/null | sed -nE 's/^ +((-[a-z]), )?(--[a-z-]+) [A-Z].*/\2 \3/p' | tr -s '\n ' ' ')"
}
_ctrace_categories() { "$1" record --help 2>/dev/null | sed -n '/^Categories/,/^$/s/^  \([a-z]*\) .*/\1/p'; }

# The index of the program to record: after `--`, or the first word that is no option or its value; empty when there is none.
_ctrace_command_at() {
    local i takers
    takers=$(_ctrace_takers "$1" record)
    for ((i = 2; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
            --) printf '%d' $((i + 1)); return ;;
            -*) [[ $takers != *" ${COMP_WORDS[i]} "* ]] || ((i++)) ;;
            *) printf '%d' "$i"; return ;;
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
        at=$(_ctrace_command_at "$program")
        if [ -n "$at" ]; then
            if [ "$COMP_CWORD" -le "$at" ]; then
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
        -t) mapfile -t COMPREPLY < <(compgen -W 'chrome text trace ctf cpu heap allocs block mutex threadcreate' -- "$current"); return ;;
        -o | --output) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
        --only | --without)
            mapfile -t COMPREPLY < <(compgen -W "$(_ctrace_categories "$program")" -- "${current##*,}")
            [[ $current != *,* ]] || COMPREPLY=("${COMPREPLY[@]/#/${current%,*},}")
            return
            ;;
    esac
    if [[ $current == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_ctrace_options "$program" "$verb")" -- "$current")
        return
    fi
    mapfile -t COMPREPLY < <(compgen -f -- "$current")
    compopt -o filenames 2>/dev/null
}

complete -o bashdefault -F _ctrace ctrace
