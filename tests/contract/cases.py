"""What the recorder asks of every wheel: configurations, results, call sequences.

Only the standard library is used here, because the file runs in the upstream wheels'
environments too. A case is a name, a configuration and the calls made with it; each
call is (tool, request, result) or (tool, request, result, trace id).
"""

from __future__ import annotations

import types
from collections import UserDict, defaultdict
from dataclasses import dataclass, field
from typing import Any

NOTHING = "<absent>"
"""Stands for a key that is not there."""


@dataclass
class Case:
    """One plugin object and what happens to it."""

    name: str
    config: Any
    calls: list[tuple] = field(default_factory=list)
    ceiling: int | None = None
    mode: str = "sequential"


class Indexable:
    """An integer that is no int, like numpy.int64."""

    def __init__(self, value: int) -> None:
        self.value = value

    def __index__(self) -> int:
        return self.value

    def __repr__(self) -> str:
        return f"Indexable({self.value})"


class GetOnly(dict):
    """A dict whose C-level storage is empty, like cpex's before 0.1.3."""

    def __init__(self, content: dict) -> None:
        super().__init__()
        self.content = content

    def __getitem__(self, key: Any) -> Any:
        return self.content[key]

    def __contains__(self, key: Any) -> bool:
        return key in self.content

    def get(self, key: Any, default: Any = None) -> Any:
        return self.content.get(key, default)

    def __repr__(self) -> str:
        return f"GetOnly({self.content})"


PLAIN = {"jitter": False}
FAILED = {"isError": True, "content": [], "structuredContent": None}
FINE = {"isError": False, "content": [], "structuredContent": None}


def result(is_error: Any = NOTHING, structured: Any = NOTHING, content: Any = NOTHING) -> dict:
    """A tool's result with the keys that are given."""
    keys = {"isError": is_error, "structuredContent": structured, "content": content}
    return {key: value for key, value in keys.items() if value is not NOTHING}


def text(payload: Any, kind: Any = "text") -> dict:
    """A result whose only content is one text."""
    return result(False, None, [{"type": kind, "text": payload}])


def shown(value: Any) -> str:
    """A short stable name for a value."""
    if value is NOTHING:
        return "absent"
    words = repr(value)
    return words if len(words) <= 70 else f"{words[:50]}...({len(words)})"


def judging() -> list[Case]:
    """Every combination of isError and structured content that tells something."""
    is_errors = [NOTHING, None, False, True, 0, 1, "true", [True]]
    structured = [
        NOTHING, None, {}, {"other": 1}, [], "text", 7,
        {"isError": True}, {"isError": False}, {"isError": 1}, {"isError": None},
        {"status_code": 503}, {"status_code": 404}, {"status_code": 200}, {"status_code": 0},
        {"status_code": None}, {"status_code": "503"}, {"status_code": 503.0},
        {"status_code": True},
        {"status_code": -503}, {"status_code": [503]}, {"STATUS_CODE": 503, "iserror": True},
        {"isError": True, "status_code": 503}, {"isError": True, "status_code": 404},
        {"isError": True, "status_code": "404"}, {"isError": False, "status_code": 503},
    ]  # fmt: skip
    cases = [
        Case(f"judge isError={shown(e)} structured={shown(s)}", PLAIN, [("t", "r", result(e, s))])
        for e in is_errors
        for s in structured
    ]
    odd = {
        "status 2**31": result(True, {"status_code": 2**31}),
        "status 2**32+500": result(True, {"status_code": 2**32 + 500}),
        "status 2**64+500": result(False, {"status_code": 2**64 + 500}),
        "status Indexable(503)": result(False, {"status_code": Indexable(503)}),
        "result None": None,
        "result a list": [True],
        "result a str": "isError",
        "result a number": 5,
        "result UserDict": UserDict(FAILED),
        "result MappingProxyType": types.MappingProxyType(FAILED),
        "result defaultdict": defaultdict(dict, FAILED),
        "result defaultdict without keys": defaultdict(dict),
        "result GetOnly": GetOnly(FAILED),
        "structured UserDict": result(False, UserDict({"status_code": 503})),
        "structured MappingProxyType": result(False, types.MappingProxyType({"status_code": 503})),
        "structured defaultdict": result(False, defaultdict(dict, {"status_code": 503})),
    }
    cases += [Case(f"judge {name}", PLAIN, [("t", "r", r)]) for name, r in odd.items()]
    for statuses in ([], [404], [1], [503, 503], [599, 100]):
        config = {**PLAIN, "retry_on_status": statuses}
        calls = [
            ("t", f"r{i}", result(e, {"status_code": status}))
            for i, (e, status) in enumerate(
                (e, s) for e in (True, False) for s in (404, 503, 599, 100, True)
            )
        ]
        cases.append(Case(f"judge with retry_on_status={statuses}", config, calls))
    return cases


TEXTS: dict[str, Any] = {
    "isError true": '{"isError": true}',
    "isError false": '{"isError": false}',
    "isError 1": '{"isError": 1}',
    "isError str": '{"isError": "true"}',
    "status listed": '{"status_code": 503}',
    "status not listed": '{"status_code": 404}',
    "isError true and status not listed": '{"isError": true, "status_code": 404}',
    "isError false and status listed": '{"isError": false, "status_code": 503}',
    "status str": '{"status_code": "503"}',
    "status float": '{"status_code": 503.0}',
    "status exponent": '{"status_code": 503e0}',
    "status true": '{"status_code": true}',
    "status null": '{"status_code": null}',
    "status negative": '{"status_code": -503}',
    "status 2**32+500": '{"status_code": 4294967796}',
    "other case": '{"iserror": true, "STATUS_CODE": 503}',
    "duplicate, last true": '{"isError": false, "isError": true}',
    "duplicate, last false": '{"isError": true, "isError": false}',
    "escaped key": '{"\\u0069sError": true}',
    "nested only": '{"error": {"isError": true, "status_code": 503}}',
    "list": '[{"isError": true}]',
    "string": '"isError"',
    "number": "503",
    "null": "null",
    "empty": "",
    "prose": "isError: the status_code is 503",
    "spaces around": ' \n\t{"status_code": 503}\r\n ',
    "trailing text": '{"isError": true} and more',
    "cut short": '{"isError": true',
    "trailing comma": '{"isError": true,}',
    "single quotes": "{'isError': true}",
    "NaN": '{"isError": true, "x": NaN}',
    "Infinity": '{"isError": true, "x": -Infinity}',
    "1e999": '{"isError": true, "x": 1e999}',
    "400 digits": '{"isError": true, "x": ' + "7" * 400 + "}",
    "lone surrogate escape": '{"isError": true, "x": "\\ud800"}',
    "lone surrogate": '{"isError": true, "x": "\ud800"}',
    "depth 120": '{"isError": true, "x": ' + "[" * 120 + "]" * 120 + "}",
    "depth 900": '{"isError": true, "x": ' + "[" * 900 + "]" * 900 + "}",
    "depth 100000": '{"isError": true, "x": ' + "[" * 100_000 + "]" * 100_000 + "}",
    "5000 digits": '{"isError": true, "x": ' + "7" * 5000 + "}",
    "control character": '{"isError": true, "x": "a\nb"}',
    "long": '{"x": "' + "y" * 100_000 + '", "isError": true}',
    "bytes": b'{"isError": true}',
    "bytearray": bytearray(b'{"isError": true}'),
    "None": None,
    "an int": 5,
    "a dict": {"isError": True},
}


def texts() -> list[Case]:
    """Text payloads with check_text_content."""
    on = {**PLAIN, "check_text_content": True}
    cases = [Case(f"text {name}", on, [("t", "r", text(p))]) for name, p in TEXTS.items()]
    bad = '{"isError": true}'
    contents = {
        "absent": NOTHING,
        "None": None,
        "an int": 5,
        "a str": bad,
        "a dict": {"type": "text", "text": bad},
        "empty": [],
        "a tuple": ({"type": "text", "text": bad},),
        "second of two": [{"type": "text", "text": "fine"}, {"type": "text", "text": bad}],
        "after an image": [{"type": "image", "data": ""}, {"type": "text", "text": bad}],
        "type image": [{"type": "image", "text": bad}],
        "no type": [{"text": bad}],
        "no text": [{"type": "text"}],
        "items of other sorts": [None, 5, "text", [bad]],
        "a UserDict": [UserDict({"type": "text", "text": bad})],
        "an object": [types.SimpleNamespace(type="text", text=bad)],
    }
    cases += [
        Case(f"text content {name}", on, [("t", "r", result(False, None, content))])
        for name, content in contents.items()
    ]
    listed, item = '{"status_code": 503}', {"type": "text", "text": '{"status_code": 503}'}
    others = {
        "structured absent": result(False, NOTHING, [item]),
        "structured empty": result(False, {}, [item]),
        "structured status 404": result(False, {"status_code": 404}, [item]),
        "isError and status 404": result(True, {"status_code": 404}, [item]),
        "isError absent": result(NOTHING, None, [item]),
        "beside isError": result(True, None, [{"type": "text", "text": '{"status_code": 404}'}]),
    }
    cases += [Case(f"text with {name}", on, [("t", "r", r)]) for name, r in others.items()]
    cases.append(Case("text switched off", PLAIN, [("t", "r", text(listed))]))
    cases.append(
        Case(
            "text switched on for one tool",
            {**PLAIN, "tool_overrides": {"on": {"check_text_content": True}}},
            [("on", "r", text(listed)), ("off", "r", text(listed))],
        )
    )
    cases.append(
        Case(
            "text switched off for one tool",
            {**on, "tool_overrides": {"off": {"check_text_content": False}}},
            [("on", "r", text(listed)), ("off", "r", text(listed))],
        )
    )
    return cases


def counting() -> list[Case]:
    """Sequences of calls."""
    six = [("t", "r", FAILED)] * 6
    cases = [
        Case(f"count max_retries={n}", {**PLAIN, "max_retries": n}, six) for n in (0, 1, 2, 3, 5)
    ]
    cases += [
        Case(
            f"count delays base={base} max={limit}",
            {**PLAIN, "max_retries": 12, "backoff_base_ms": base, "max_backoff_ms": limit},
            [("t", "r", FAILED)] * 13,
        )
        for base, limit in ((200, 5000), (1, 1), (1, 10**6), (100, 100), (7, 10**9))
    ]
    fail, fine, gone = FAILED, FINE, result(True, {"status_code": 404})
    for name, steps in {
        "success ends it": [fail, fine, fail],
        "an unlisted status ends it": [fail, gone, fail],
        "statuses and errors count together": [fail, result(False, {"status_code": 503}), fail],
        "two successes": [fine, fine],
    }.items():
        cases.append(Case(f"count {name}", PLAIN, [("t", "r", step) for step in steps]))
    cases.append(
        Case(
            "count tools and requests apart",
            PLAIN,
            [(t, r, FAILED) for _ in range(3) for t in ("a", "b") for r in ("1", "2")],
        )
    )
    cases.append(
        Case("count keys with colons", PLAIN, [("a:b", "c", FAILED), ("a", "b:c", FAILED)])
    )
    cases.append(
        Case(
            "count odd names",
            PLAIN,
            [
                (t, r, FAILED)
                for t, r in (("", "r"), ("t", ""), ("ä\0", "r"), ("t" * 5000, "r" * 5000))
            ],
        )
    )
    return cases


def metadata() -> list[Case]:
    """What the hooks report."""
    overrides = {"tool_overrides": {"o": {"max_retries": 4, "retry_on_status": [418, 429]}}}
    calls = [("o", "r", FAILED), ("p", "r", FAILED), ("o", "r", FINE)]
    traced = [
        ("t", "r", FAILED, "trace"), ("t", "r", FAILED, "trace"), ("t", "r", FAILED, "trace"),
        ("t", "r", FAILED, "trace"), ("t", "r", FINE, "trace"), ("t", "r", FAILED, ""),
        ("t", "r", FAILED, None), ("t", "r", result(True, {"status_code": 404}), "trace"),
    ]  # fmt: skip
    return [
        Case("metadata defaults", {"jitter": False}, calls),
        Case("metadata of overrides", {**PLAIN, **overrides}, calls),
        Case("metadata with a trace", PLAIN, traced),
        Case("metadata statuses as written", {**PLAIN, "retry_on_status": [503, 429, 503]}, calls),
    ]


def configurations() -> list[Case]:
    """What is accepted and what is refused, with two calls to see what is in force."""
    values: dict[str, list[Any]] = {
        "max_retries": [0, 10, 11, 1000, 1001, 2**31, 2**64, -1, "3", "x", "", 2.0, 2.5,
                        float("nan"), float("inf"), None, True, [3], {}],
        "backoff_base_ms": [0, 1, 6000, 2**31 - 1, 2**31, 2**64, -1, "50", 1.5, None, True],
        "max_backoff_ms": [0, 1, 100, 2**31 - 1, 2**31, 2**64, -1, "50", 1.5, None],
        "retry_on_status": [[], [500], ["500"], (500,), {500}, [2**31], [-1], [500.5], [None],
                            [True], "500", 500, None, ["x"], [599, 999]],
        "jitter": [False, 0, "no", "off", "false", "maybe", 2, None, [], 0.0],
        "check_text_content": [True, 1, "yes", "maybe", None],
        "tool_overrides": [None, {}, [], "x", {"t": {}}, {"t": None}, {"t": []}, {5: {}}],
        "unknown_key": [1],
        "max_retrys": [5],
    }  # fmt: skip
    calls = [("t", "r", FAILED), ("t", "r", result(False, {"status_code": 500}))]
    cases = []
    for key, candidates in values.items():
        for value in candidates:
            base = {} if key == "jitter" else PLAIN
            cases.append(Case(f"config {key}={shown(value)}", {**base, key: value}, calls))
            if key in ("tool_overrides", "unknown_key"):
                continue
            config = {**PLAIN, "tool_overrides": {"t": {key: value}}}
            cases.append(Case(f"override {key}={shown(value)}", config, calls))
    cases.append(Case("config None", None, [("t", "r", FINE)]))
    cases.append(Case("config a list", [], []))
    cases.append(
        Case(
            "config base above max",
            {**PLAIN, "backoff_base_ms": 900, "max_backoff_ms": 100},
            calls,
        )
    )
    return cases


def ceilings() -> list[Case]:
    """cpex's settings know max_tool_retries (no released cpex does, but hosts patch it)."""
    five = [("t", "r", FAILED)] * 6
    deep = {**PLAIN, "tool_overrides": {"t": {"max_retries": 5}}}
    return [
        Case("ceiling above", {**PLAIN, "max_retries": 2}, five, ceiling=9),
        Case("ceiling below the base", {**PLAIN, "max_retries": 5}, five, ceiling=1),
        Case("ceiling below the default", PLAIN, five, ceiling=1),
        Case("ceiling 0", PLAIN, five, ceiling=0),
        Case("ceiling below an override", deep, five, ceiling=3),
        Case("ceiling absent, override above the base", deep, five),
    ]


def all_cases() -> list[Case]:
    """Every case; names are unique."""
    groups = (judging, texts, counting, metadata, configurations, ceilings)
    cases = [case for group in groups for case in group()]
    assert len({case.name for case in cases}) == len(cases)
    return cases


NATIVE_CALLS: list[tuple[str, tuple, list[tuple]]] = [
    ("plain", (2, 200, 5000, False, [429, 500]), [
        ("ping",), ("state_count",), ("get_failures", "t", "r"), ("record_failure", "t", "r"),
        ("record_failure", "t", "r"), ("get_failures", "t", "r"), ("state_count",),
        ("record_success", "t", "r"), ("state_count",), ("record_failure", "t", "r"),
        ("delete_state", "t", "r"), ("delete_state", "t", "r"), ("get_failures", "t", "r"),
        ("compute_delay", 0), ("compute_delay", 1), ("compute_delay", 4), ("compute_delay", 5),
        ("compute_delay", 63), ("compute_delay", 64), ("compute_delay", 2**32 - 1),
        ("check_failure", True, None), ("check_failure", False, None),
        ("check_failure", True, 500), ("check_failure", True, 404), ("check_failure", False, 500),
        ("check_failure", False, 404),
        ("check_and_update", "t", "r", True, None), ("check_and_update", "t", "r", False, 500),
        ("check_and_update", "t", "r", True, None), ("state_count",),
        ("check_and_update", "t", "r", True, None), ("check_and_update", "t", "r", False, None),
        ("check_and_update", "t", "r", True, 404), ("state_count",),
    ]),
    ("no retries", (0, 200, 5000, False, []), [
        ("check_and_update", "t", "r", True, None), ("check_and_update", "t", "r", True, 500),
        ("state_count",),
    ]),
    ("base above max", (3, 5000, 100, False, [1]), [("compute_delay", 0), ("compute_delay", 9)]),
    ("big numbers", (1000, 2**40, 2**50, False, [1]), [("check_failure", False, 1)]),
    ("negative retries", (-1, 200, 5000, False, [1]), []),
    ("statuses a str", (1, 200, 5000, False, "500"), []),
    ("jitter an int", (1, 200, 5000, 1, [500]), []),
    ("wrong arguments", (1, 200, 5000, False, (500,)), [
        ("compute_delay", -1), ("compute_delay", 2**32), ("check_failure", 1, None),
        ("get_failures", 1, "r"), ("check_failure", True, True), ("check_failure", True, "500"),
    ]),
]  # fmt: skip
"""RetryStateManager: (name, constructor arguments, method calls)."""


POLICIES: list[tuple[Any, str, Any]] = [
    ({}, "t", 10),
    ({"max_retries": 5}, "t", 3),
    ({"max_retries": 5, "jitter": False}, "t", 0),
    ({"tool_overrides": {"t": {"max_retries": 7, "retry_on_status": [418]}}}, "t", 10),
    ({"tool_overrides": {"t": {"max_retries": 1}}}, "u", 10),
    ({"check_text_content": True}, "t", 10),
    ({"tool_overrides": {"t": {"check_text_content": True}}}, "t", 10),
    ({"tool_overrides": {"t": {"check_text_content": True}}}, "u", 10),
    ({"check_text_content": True, "tool_overrides": {"t": {"check_text_content": False}}}, "t", 9),
]
"""to_rust_native_policy: (configuration, tool, ceiling)."""
