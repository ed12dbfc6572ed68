"""Completions for bash, zsh and fish."""

from options import choices, options_of, switch_forms, wants_file, words_of


def quoted(text):
    return "'" + text.replace("'", "'\\''") + "'"


def first_sentence(text):
    return text.split(".")[0].split(";")[0]


# ---- bash -------------------------------------------------------------------

BASH = '''# Completion of asyncbatch for bash; generated, do not edit.
_asyncbatch()
{
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
    local command=${COMP_WORDS[1]}

    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        COMPREPLY=($(compgen -W "@COMMANDS@ help --version --help" -- "$cur"))
        return
    fi
    case $command:$prev in
@VALUES@
    esac
    case $command in
@OPTIONS@
    esac
}
complete -F _asyncbatch asyncbatch
'''


def forms_of(known, command):
    out = []
    for option, prefix in options_of(known, command):
        out += switch_forms(option, prefix)
    return out


def bash_value(command, option, prefix):
    name = command["name"] + ":" + switch_forms(option, prefix)[0]
    if option["short"]:
        name += f" | {command['name']}:-{option['short']}"
    name = name.replace(" | ", "|")
    if choices(option):
        reply = f'COMPREPLY=($(compgen -W "{" ".join(choices(option))}" -- "$cur"))'
    elif wants_file(option):
        reply = 'COMPREPLY=($(compgen -f -- "$cur"))'
    else:
        reply = ":"
    return f"    {name}) {reply}; return ;;"


def bash(known):
    values = []
    options = []
    for command in known["commands"]:
        values += [bash_value(command, option, prefix)
                   for option, prefix in options_of(known, command)
                   if option["argument"]]
        words = " ".join(words_of(command) + forms_of(known, command))
        options.append(f"    {command['name']}) COMPREPLY=($(compgen -W "
                       f'"{words}" -- "$cur")) ;;')
    names = " ".join(c["name"] for c in known["commands"])
    options.append(f'    help) COMPREPLY=($(compgen -W "{names}" -- "$cur")) ;;')
    return (BASH.replace("@COMMANDS@", names)
            .replace("@VALUES@", "\n".join(values))
            .replace("@OPTIONS@", "\n".join(options)))


# ---- zsh --------------------------------------------------------------------

ZSH = '''#compdef asyncbatch
# Completion of asyncbatch for zsh; generated, do not edit.
_asyncbatch()
{
    local -a commands
    commands=(
@COMMANDS@
    )
    if (( CURRENT == 2 )); then
        _describe command commands
        return
    fi
    local command=$words[2]
    shift words
    (( CURRENT-- ))
    case $command in
@CASES@
    esac
}
_asyncbatch "$@"
'''


def zsh_text(text):
    for mark in "\\[]:":
        text = text.replace(mark, "\\" + mark)
    return text


def zsh_action(option):
    if choices(option):
        return ":value:(" + " ".join(choices(option)) + ")"
    if wants_file(option):
        return ":file:_files"
    return ":" + zsh_text(option["argument"].lower()) + ": "


def zsh_specs(known, command):
    for option, prefix in options_of(known, command):
        text = "[" + zsh_text(first_sentence(option["help"])) + "]"
        action = zsh_action(option) if option["argument"] else ""
        for form in switch_forms(option, prefix):
            mark = "=" if action else ""
            yield quoted(form + mark + text + action)
        if option["short"]:
            yield quoted("-" + option["short"] + text + action)


def zsh(known):
    cases = []
    for command in known["commands"]:
        specs = list(zsh_specs(known, command))
        if words_of(command):
            specs.append(quoted("1:word:(" + " ".join(words_of(command)) + ")"))
        specs.append(quoted("*:file:_files"))
        cases.append(f"    {command['name']}) _arguments \\\n        " +
                     " \\\n        ".join(specs) + " ;;")
    names = " ".join(c["name"] for c in known["commands"])
    cases.append(f"    help) _arguments '1:command:({names})' ;;")
    described = [f"        {quoted(c['name'] + ':' + zsh_text(c['summary']))}"
                 for c in known["commands"]]
    return (ZSH.replace("@COMMANDS@", "\n".join(described))
            .replace("@CASES@", "\n".join(cases)))


# ---- fish -------------------------------------------------------------------

def fish_option(command, option, prefix):
    lines = []
    for form in switch_forms(option, prefix):
        line = (f"complete -c asyncbatch -n "
                f"'__fish_seen_subcommand_from {command['name']}' "
                f"-l {form[2:]} -d {quoted(first_sentence(option['help']))}")
        if option["short"] and form == switch_forms(option, prefix)[0]:
            line += f" -s {option['short']}"
        if choices(option):
            line += f" -x -a {quoted(' '.join(choices(option)))}"
        elif wants_file(option):
            line += " -r -F"
        elif option["argument"]:
            line += " -x"
        lines.append(line)
    return lines


def fish(known):
    out = ["# Completion of asyncbatch for fish; generated, do not edit.",
           "complete -c asyncbatch -f"]
    for command in known["commands"]:
        out.append(f"complete -c asyncbatch -n __fish_use_subcommand "
                   f"-a {command['name']} -d {quoted(command['summary'])}")
    names = " ".join(c["name"] for c in known["commands"])
    out.append("complete -c asyncbatch -n __fish_use_subcommand -a help "
               "-d 'Show the help of a command'")
    out.append("complete -c asyncbatch -n '__fish_seen_subcommand_from help' "
               f"-a '{names}'")
    for command in known["commands"]:
        if words_of(command):
            out.append("complete -c asyncbatch -n '__fish_seen_subcommand_from "
                       f"{command['name']}' -a '{' '.join(words_of(command))}'")
        for option, prefix in options_of(known, command):
            out += fish_option(command, option, prefix)
    return "\n".join(out) + "\n"
