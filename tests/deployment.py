"""What the files of a deployment say: Dockerfile, compose.yaml, Procfile, render.yaml."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any, NamedTuple

import yaml

ROOT = Path(__file__).parent.parent
DEFAULT = re.compile(r"\$\{\w+:-([^}]*)\}")  # of ${NAME:-default}


class Step(NamedTuple):
    """An instruction of the Dockerfile and what follows it."""

    word: str
    text: str


class Command(NamedTuple):
    """A process that a file says how to start, with nothing set in the environment."""

    where: str
    words: list[str]


def dockerfile() -> list[Step]:
    """Its instructions, each on one line and without comments."""
    lines = [line for line in (ROOT / "Dockerfile").read_text("utf-8").splitlines() if not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    parts = (line.strip().partition(" ") for line in joined.splitlines() if line.strip())
    return [Step(word, text.strip()) for word, _, text in parts]


def last_stage() -> list[Step]:
    steps = dockerfile()
    return steps[max(number for number, step in enumerate(steps) if step.word == "FROM") :]


def one(word: str) -> str:
    """What the only such instruction of the last stage says."""
    (text,) = [step.text for step in last_stage() if step.word == word]
    return text


def image_command() -> list[str]:
    words: list[str] = json.loads(one("CMD"))
    return words


def image_check() -> list[str]:
    words: list[str] = json.loads(one("HEALTHCHECK").partition("CMD ")[2])
    return words


def image_environment() -> dict[str, str]:
    """ENV of the last stage, with the PATH of the base image."""
    base = "/usr/local/bin:/usr/bin:/bin"
    words = shlex.split(" ".join(step.text for step in last_stage() if step.word == "ENV"))
    return {name: value.replace("${PATH}", base) for name, _, value in (word.partition("=") for word in words)}


def compose() -> dict[str, Any]:
    """compose.yaml as it is when nothing is set."""
    text = DEFAULT.sub(r"\1", (ROOT / "compose.yaml").read_text("utf-8")).replace("$$", "$")
    found: dict[str, Any] = yaml.safe_load(text)
    return found


def ours() -> dict[str, dict[str, Any]]:
    """The services of Compose that run our image."""
    return {name: each for name, each in compose()["services"].items() if each["image"] == "webapi"}


def render() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "render.yaml").read_text("utf-8"))
    return found


def procfile() -> dict[str, list[str]]:
    lines = DEFAULT.sub(r"\1", (ROOT / "Procfile").read_text("utf-8")).splitlines()
    return {name: shlex.split(command) for name, _, command in (line.partition(": ") for line in lines)}


def commands() -> list[Command]:
    """Every process of ours that any of the files starts."""
    found = [Command("Dockerfile", image_command())]
    found += [Command(f"Procfile {name}", words) for name, words in procfile().items()]
    found += [
        Command(f"compose.yaml {name}", shlex.split(each["command"]))
        for name, each in ours().items()
        if "command" in each
    ]
    for service in render()["services"]:
        keys = sorted({"dockerCommand", "preDeployCommand"} & service.keys())
        found += [Command(f"render.yaml {service['name']} {key}", shlex.split(service[key])) for key in keys]
    return found


def queues_of(words: list[str]) -> set[str]:
    """The queues that a worker's command takes; none for another command."""
    return set(words[words.index("-Q") + 1].split(",")) if "-Q" in words else set()


def seconds(text: str) -> float:
    """`75s` of Compose."""
    return float(text.removesuffix("s"))
