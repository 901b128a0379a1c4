"""Finds places in C files where one fault can be put, and makes the faults.

In: a C file. Out: faults, each a kind, a place, and the text that replaces the text there. A fault never changes the file in the tree.
Source: the operators are the usual ones of mutation testing (Offutt and Untch, "Mutation 2000"), with those for error codes and traps.

A fault's key is `FILE|FUNCTION|KIND|TEXT|N`: it stays the same when lines above it come and go. N counts equal ones in a function.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import tree_sitter
import tree_sitter_c

PARSER = tree_sitter.Parser(tree_sitter.Language(tree_sitter_c.language()))
# Names of one enumeration: one is a wrong code for another.
CODES = re.compile(r"TS_(SYS_E|HTTP_(?!(MAX|CHUNKED|LINE|MOST|KNOWN|WAIT|CODE)_|(ROUNDS|CURL|SERVER|PENDING|RESPONDED|FAILED|PROCEED|STOP|KEEP_WAITING|WATCHED)\b)|SYS_LOOKUP_)[A-Z][A-Z0-9_]*")
FLAG = re.compile(r"[A-Z][A-Z0-9]*_[A-Z0-9_]+")
NUMBER = re.compile(r"(0x[0-9a-fA-F]+|\d+)([uUlL]*)")
UNITS = {10, 60, 100, 1000, 1000000, 1000000000, 1024, 4096, 65536}
TRAP = re.compile(r"trap|ts_fail|TS_TRAP")
# What no test of behaviour sees: failed allocations (the tests that inject them do), memory that is not given back, files of a child process.
NO_MEMORY = re.compile(r"nomem|ENOMEM|NOMEM|[Nn]o memory")
GIVEN_BACK = re.compile(r"(free|freeaddrinfo|close|forget|ts_wasi_http_release|\w+_free|curl_\w+cleanup)\(")
# Functions that fail only when memory is out.
ALLOCATES = re.compile(r"ts_wasi_(ok_val|ok_vals)\(")
UNSEEN_FLAG = re.compile(r"(O|SOCK|MSG|EFD|TFD)_(CLOEXEC|NOSIGNAL)")
RELATIONS = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "=="}


@dataclass(frozen=True)
class Fault:
    file: str
    function: str
    kind: str
    line: int  # from 1
    start: int  # bytes of the file
    end: int
    new: str
    old: str
    n: int

    @property
    def key(self) -> str:
        return f"{self.file}|{self.function}|{self.kind}|{' '.join(self.old.split())[:100]}|{self.n}"

    def apply(self, source: bytes) -> bytes:
        return source[: self.start] + self.new.encode() + source[self.end :]


def reasons(path: Path) -> dict[str, str]:
    """The lines of a file of exceptions: a name or key, a tab, and why. Lines that begin with # are comments."""
    lines = path.read_text("utf-8").splitlines()
    return dict(line.split("\t", 1) for line in lines if line and not line.startswith("#"))  # type: ignore[misc]


def text(node: tree_sitter.Node) -> str:
    return node.text.decode() if node.text else ""


def name_of(function: tree_sitter.Node) -> str:
    node = function.child_by_field_name("declarator")
    while node and node.type != "identifier":
        node = node.child_by_field_name("declarator")
    return text(node) if node else "?"


def returned_type(function: tree_sitter.Node) -> str:
    kind = function.child_by_field_name("type")
    return text(kind) if kind else ""


def within_assert(node: tree_sitter.Node) -> bool:
    while node.parent:
        node = node.parent
        if node.type == "call_expression" and text(node).startswith(("TS_ASSERT", "assert", "_Static_assert")):
            return True
    return False


def constant_faults(node: tree_sitter.Node) -> Iterator[tuple[str, tree_sitter.Node, str]]:
    m = NUMBER.fullmatch(text(node))
    if not m or not node.parent or node.parent.type in ("array_declarator", "subscript_expression", "bitfield_clause"):
        return
    octal = m[1][0] == "0" and m[1].isdigit()
    value, end = int(m[1], 8 if octal else 0), m[2]
    if value in UNITS:
        yield "wrong-unit", node, f"{value * 10}{end}"
    elif node.parent.type == "binary_expression" and re.search(r"[-+]", text(node.parent.child_by_field_name("operator"))):
        yield "off-by-one", node, f"{value + 1}{end}"
    else:
        yield "wrong-constant", node, f"{value + 1}{end}"


def binary_faults(node: tree_sitter.Node) -> Iterator[tuple[str, tree_sitter.Node, str]]:
    operator = node.child_by_field_name("operator")
    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    if not operator or not left or not right:
        return
    op = text(operator)
    if op in RELATIONS:
        yield ("off-by-one" if len(RELATIONS[op]) != len(op) else "wrong-relation"), operator, RELATIONS[op]
    elif op in ("&&", "||"):
        yield "missing-check", node, text(left)
        yield "missing-check", node, text(right)
    elif op in ("+", "-"):
        yield "wrong-sign", operator, "-" if op == "+" else "+"
    elif op == "|" and FLAG.fullmatch(text(right)) and not UNSEEN_FLAG.fullmatch(text(right)):
        yield "dropped-flag", node, text(left)
    elif op == "&" and FLAG.fullmatch(text(right)):
        yield "dropped-flag", node, "0"


def statement_faults(node: tree_sitter.Node) -> Iterator[tuple[str, tree_sitter.Node, str]]:
    if node.type == "if_statement":
        condition, body = node.child_by_field_name("condition"), node.child_by_field_name("consequence")
        if body and NO_MEMORY.search(text(body)):
            return
        if condition and body and "return" in text(body) and not node.child_by_field_name("alternative"):
            yield "missing-trap" if TRAP.search(text(body)) else "missing-check", condition, f"(0 && {text(condition)})"
        elif condition:
            yield "wrong-condition", condition, f"(!{text(condition)})"
    elif node.type == "expression_statement" and node.named_child_count:
        inner = node.named_children[0]
        if inner.type in ("assignment_expression", "update_expression") and re.match(r"[^=]*(->|\.)", text(inner)):
            yield "stale-state", node, ";"
        elif inner.type == "call_expression":
            m = re.fullmatch(r"TS_TRY\((.*)\);", text(node), re.DOTALL)
            if not text(node).startswith(("TS_ASSERT", "TS_TRY")) and not GIVEN_BACK.match(text(node)):
                yield "dropped-call", node, ";"
            elif m and "(" in m[1] and not ALLOCATES.match(m[1]):
                yield "missing-check", node, f"(void)({m[1]});"


def call_faults(node: tree_sitter.Node) -> Iterator[tuple[str, tree_sitter.Node, str]]:
    arguments = node.child_by_field_name("arguments")
    if not arguments:
        return
    of = [a for a in arguments.named_children if a.type != "comment"]
    for a, b in itertools.pairwise(of):
        simple = ("identifier", "field_expression", "number_literal", "subscript_expression")
        if a.type in simple and b.type in simple and text(a) != text(b):
            whole = text(arguments)
            i, j = a.start_byte - arguments.start_byte, b.start_byte - arguments.start_byte
            raw = whole.encode()
            new = raw[:i] + b.text + raw[i + len(a.text) : j] + a.text + raw[j + len(b.text) :]  # type: ignore[operator, arg-type]
            yield "swapped-arguments", arguments, new.decode()


def faults_at(node: tree_sitter.Node, codes: list[str]) -> Iterator[tuple[str, tree_sitter.Node, str]]:
    if node.type == "number_literal":
        yield from constant_faults(node)
    elif node.type in ("true", "false"):
        yield "wrong-constant", node, "false" if node.type == "true" else "true"
    elif node.type == "binary_expression":
        yield from binary_faults(node)
    elif node.type in ("if_statement", "expression_statement"):
        yield from statement_faults(node)
    elif node.type == "call_expression":
        yield from call_faults(node)
    elif node.type == "identifier" and text(node) in codes:
        group = [c for c in codes if CODES.match(c)[1] == CODES.match(text(node))[1]]  # type: ignore[index]
        if len(group) > 1:
            yield "wrong-code", node, group[(group.index(text(node)) + 1) % len(group)]
    elif node.type == "compound_statement" and node.parent and node.parent.type == "function_definition":
        inside = [c for c in node.named_children if c.type not in ("comment", "declaration")]
        if len(inside) > 2 and returned_type(node.parent) in ("ts_status", "bool", "void"):
            what = {"ts_status": "return TS_OK;", "bool": "return true;", "void": "return;"}[returned_type(node.parent)]
            at = inside[len(inside) // 2]
            yield "early-return", at, f"if (1) {what} {text(at)}"


def faults(file: str, source: bytes) -> list[Fault]:
    """Every fault that this file offers, in the order of the text."""
    tree = PARSER.parse(source)
    codes = sorted({m.group() for m in CODES.finditer(source.decode())})
    found: list[Fault] = []
    count: Counter[tuple[str, str, str]] = Counter()

    def walk(node: tree_sitter.Node, function: str) -> None:
        if node.type in ("enumerator", "case_statement") and node.type == "enumerator":
            return
        if node.type == "function_definition":
            function = name_of(node)
        if function and not node.has_error:
            for kind, at, new in faults_at(node, codes):
                old = text(at)
                if new == old or within_assert(at):
                    continue
                key = (function, kind, old)
                count[key] += 1
                found.append(Fault(file, function, kind, at.start_point[0] + 1, at.start_byte, at.end_byte, new, old, count[key]))
        for child in node.children:
            walk(child, function)

    walk(tree.root_node, "")
    return found
