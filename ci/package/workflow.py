"""Runs the steps of a composite action as GitHub does, without GitHub.

In: action.yml, inputs, what `github` and `runner` hold. Out: the outputs of its steps, its summary, how it ended.
Steps that use other actions are not run. Expressions are names, texts, `==`, `!=`, `&&`, `||` and always().
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
ACTION = ROOT / "ci/action/action.yml"


@dataclass
class Job:
    """One use of the action in a job: a folder for its files, the event, the environment of its shells."""

    folder: Path
    variables: Mapping[str, str]
    github: Mapping[str, str] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)
    log: str = ""

    @property
    def summary(self) -> str:
        path = self.folder / "summary.md"
        return path.read_text(encoding="utf-8") if path.is_file() else ""

    def run(self, repository: Path, **inputs: str) -> int:
        """Runs the steps in a repository. Returns the exit status of the first one that fails, or 0."""
        action = yaml.safe_load(ACTION.read_text(encoding="utf-8"))
        names = {name.replace("-", "_") for name in action["inputs"]}
        assert set(inputs) <= names, f"no such input: {set(inputs) - names}"
        values = {
            f"inputs.{name}": inputs.get(name.replace("-", "_"), str(given.get("default", "")))
            for name, given in action["inputs"].items()
        }
        context = {**values, **{f"github.{name}": value for name, value in self.github.items()}}
        self.folder.mkdir(parents=True, exist_ok=True)
        failed = 0
        for number, step in enumerate(action["runs"]["steps"]):
            condition = str(step.get("if", "true"))
            if (failed and "always()" not in condition) or not self.value(condition, context) or "uses" in step:
                continue
            failed = self.step(number, step, repository, context) or failed
        return failed

    def step(self, number: int, step: Mapping[str, Any], repository: Path, context: Mapping[str, str]) -> int:
        script, output = self.folder / f"step-{number}.sh", self.folder / f"output-{number}"
        script.write_text(step["run"], encoding="utf-8")
        output.write_text("", encoding="utf-8")
        own = {name: self.text(str(value), context) for name, value in step.get("env", {}).items()}
        github = {"GITHUB_OUTPUT": str(output), "GITHUB_STEP_SUMMARY": str(self.folder / "summary.md"), "RUNNER_TEMP": str(self.folder)}
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)], cwd=repository, text=True, check=False,
            env={**self.variables, **github, **own}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            timeout=300,
        )  # fmt: skip
        self.log += f"## {step.get('name', number)}\n{done.stdout}"
        for line in output.read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition("=")
            self.outputs[f"steps.{step['id']}.outputs.{name}"] = value
        return done.returncode

    def text(self, text: str, context: Mapping[str, str]) -> str:
        """Returns a text with its expressions in `${{ }}` evaluated."""
        return re.sub(r"\$\{\{(.*?)\}\}", lambda found: str(self.value(found[1], context) or ""), text)

    def value(self, expression: str, context: Mapping[str, str]) -> Any:
        known = {**context, **self.outputs}
        words = re.findall(r"'[^']*'|[\w.-]+(?:\(\))?|==|!=|&&|\|\||\s+", expression)
        assert "".join(words) == expression, f"an expression that is not understood here: {expression}"
        python = []
        for word in words:
            if word.startswith("'") or word in ("==", "!=") or word.isspace():
                python.append(word)
            else:
                plain = {"&&": "and", "||": "or", "always()": "True", "true": "True"}
                python.append(plain.get(word) or repr(known.get(word, "")))
        return eval(" ".join(python).strip(), {"__builtins__": {}})
