"""Commands in a text of shell, wherever they stand: in functions, loops, pipes and substitutions."""

from collections.abc import Iterator

import tree_sitter
import tree_sitter_bash

PARSER = tree_sitter.Parser(tree_sitter.Language(tree_sitter_bash.language()))


def commands(text: str, program: str) -> Iterator[list[str]]:
    """The words of each command of a program; what is put in for a variable or a substitution stays as it is written."""
    tree = PARSER.parse(text.encode())
    assert not tree.root_node.has_error, f"no shell: {text}"
    nodes = [tree.root_node]
    while nodes:
        node = nodes.pop()
        nodes += reversed(node.children)
        if node.type == "command":
            words = [_word(child) for child in node.children if child.type not in ("variable_assignment", "file_redirect")]
            if words[0] == program:
                yield words


def _word(node: tree_sitter.Node) -> str:
    text = node.text.decode()
    if node.type == "raw_string" or node.type == "string":
        return text[1:-1]
    return "".join(map(_word, node.children)) if node.type == "concatenation" else text
