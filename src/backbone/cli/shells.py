"""How shells ask for completions, and the scripts that make them ask."""

import os
from typing import ClassVar

from click.shell_completion import (
    BashComplete,
    CompletionItem,
    add_completion_class,
    get_completion_class,
    shell_complete,
    split_arg_string,
)

from backbone.cli.app import app
from backbone.cli.settings import Settings

SHELLS = ("bash", "zsh", "fish")


def complete(instruction: str, variable: str) -> int:
    """Do what a completion script asks for, such as `bash_complete`, and return the exit code."""
    add_completion_class(_Bash)
    return shell_complete(app, {"obj": Settings()}, "backbone", variable, instruction)


def script(shell: str, variable: str) -> str:
    """The script that makes a shell complete our command."""
    add_completion_class(_Bash)
    kind = get_completion_class(shell)
    return kind(app, {}, "backbone", variable).source() if kind else ""


class _Bash(BashComplete):
    """Bash, whose own words end at `:` and `=`: we take the line apart ourselves, and give back what follows them."""

    source_template: ClassVar[str] = """\
%(complete_func)s() {
    local IFS=$'\\n' type value
    COMPREPLY=()
    while IFS=',' read -r type value; do
        case $type in
            dir) compopt -o dirnames 2>/dev/null ;;
            file) compopt -o default 2>/dev/null ;;
            plain)
                COMPREPLY+=("$value")
                [[ $value == *[:=.] ]] && compopt -o nospace 2>/dev/null ;;
        esac
    done < <(env COMP_LINE="${COMP_LINE:0:COMP_POINT}" COMP_BREAKS="$COMP_WORDBREAKS" \\
        %(complete_var)s=bash_complete "$1" 2>/dev/null)
    return 0
}

complete -o nosort -F %(complete_func)s %(prog_name)s
"""
    _given = 0

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words before the one to complete, and that one as far as it is typed."""
        line = os.environ.get("COMP_LINE", "")
        words = split_arg_string(line)
        quoted = any(line.count(mark) % 2 for mark in "'\"")
        incomplete = words.pop() if words and (quoted or not line[-1:].isspace()) else ""
        value = incomplete.partition("=")[2] if incomplete.startswith("--") else incomplete
        breaks = [] if quoted else [c for c in os.environ.get("COMP_BREAKS", ":=") if not c.isspace()]
        self._given = max((value.rfind(c) + 1 for c in breaks), default=0)
        return words[1:], incomplete

    def format_completion(self, item: "CompletionItem[str]") -> str:
        """One completion, without what bash takes for words of their own."""
        return f"{item.type},{item.value[self._given :]}"
