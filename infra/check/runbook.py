"""docs/RUNBOOK.md: its sections, and its commands."""

import re

import terraform

FILE = terraform.ROOT / "docs/RUNBOOK.md"


def text() -> str:
    return FILE.read_text()


def sections() -> dict[str, str]:
    """Text of each section of the second level. After them, under a heading of the first, stands what several of them do."""
    parts = re.split(r"^(#{1,2}) +(.+?) *$", text(), flags=re.M)[1:]
    return {title: text for level, title, text in zip(parts[::3], parts[1::3], parts[2::3]) if level == "##"}


def commands() -> list[str]:
    """Each block of shell."""
    return re.findall(r"^ *```sh\n(.*?)^ *```$", text(), re.M | re.S)


def block_with(words: str) -> str:
    (found,) = [block for block in commands() if words in block]
    return found


def function(name: str) -> str:
    """A function of the shell that the commands define."""
    return re.search(rf"^{name}\(\) \{{.*?^\}}$", block_with(f"{name}() {{"), re.M | re.S)[0]
