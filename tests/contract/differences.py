"""Where ours is meant to answer differently from 0.3.1, and why.

Everything that is not listed here must be answered as 0.3.1 answers it. Expected
answers are the delays of a case's calls, or REFUSED. Metadata with a trace is the one
thing that 0.3.1 does not have; there the reference is 0.3.11.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

REFUSED = "refused"


@dataclass(frozen=True)
class Difference:
    """One intended difference: its name, its reason, the answers to the cases it covers."""

    name: str
    reason: str
    expected: dict[str, Any]
    other_metadata: tuple[str, ...] = ()
    """Cases that are decided alike but report another policy."""


DIFFERENCES = [
    Difference(
        "huge-status",
        "0.3.1 raises OverflowError out of the hook, 0.3.11 ignores it; to us it is an integer "
        "that no list holds, so an error with it is not retried.",
        {
            "judge status 2**31": [0],
            "judge status 2**32+500": [0],
            "judge status 2**64+500": [0],
        },
    ),
    Difference(
        "index-status",
        "0.3.1 only knows int; numpy integers and the like are read, as by 0.3.11.",
        {"judge status Indexable(503)": [200]},
    ),
    Difference(
        "any-mapping",
        "0.3.1 only knows dict; every mapping is read, as by 0.3.11.",
        {
            "judge result UserDict": [200],
            "judge result MappingProxyType": [200],
            "judge structured UserDict": [200],
            "judge structured MappingProxyType": [200],
            "text content a UserDict": [200],
        },
    ),
    Difference(
        "no-exception-from-a-payload",
        "0.3.1 raises out of the hook; content that is no list holds no text, and a text is "
        "judged by its top-level keys whatever else is in it.",
        {
            "text depth 100000": [200],
            "text 5000 digits": [200],
            "text content None": [0],
            "text content an int": [0],
        },
    ),
    Difference(
        "keys-taken-apart",
        'Both generations join tool and request with ":" and mix ("a:b", "c") with ("a", "b:c").',
        {"count keys with colons": [200, 200]},
    ),
    Difference(
        "bounds",
        "0.3.1 accepts numbers without bound; ours are named in the error.",
        {
            "config max_retries=1001": REFUSED,
            "override max_retries=1001": REFUSED,
            "config max_retries=2147483648": REFUSED,
            "override max_retries=2147483648": REFUSED,
            "override max_retries=18446744073709551616": REFUSED,
            "config backoff_base_ms=2147483648": REFUSED,
            "override backoff_base_ms=2147483648": REFUSED,
            "config max_backoff_ms=2147483648": REFUSED,
            "override max_backoff_ms=2147483648": REFUSED,
            "config retry_on_status=[-1]": REFUSED,
            "override retry_on_status=[-1]": REFUSED,
        },
    ),
    Difference(
        "booleans-are-no-numbers",
        "0.3.1 reads true as 1 where a number belongs; in YAML that is a slip, so it is refused.",
        {
            "config max_retries=True": REFUSED,
            "override max_retries=True": REFUSED,
            "config backoff_base_ms=True": REFUSED,
            "override backoff_base_ms=True": REFUSED,
            "config retry_on_status=[True]": REFUSED,
            "override retry_on_status=[True]": REFUSED,
        },
    ),
    Difference(
        "overrides-are-coerced",
        "0.3.1 coerces the base configuration and not the overrides; YAML with quotes or ${ENV} "
        "must work in both.",
        {
            "override max_retries='3'": [200, 400],
            "override max_retries=2.0": [200, 400],
            "override backoff_base_ms='50'": [50, 100],
            "override max_backoff_ms='50'": [50, 50],
            "override retry_on_status=['500']": [200, 400],
            "override retry_on_status={500}": [200, 400],
            "override jitter=0": [200, 400],
            "override jitter='no'": [200, 400],
            "override jitter='off'": [200, 400],
            "override jitter='false'": [200, 400],
            "override jitter=0.0": [200, 400],
        },
    ),
    Difference(
        "overrides-are-checked-at-construction",
        "0.3.1 accepts these and then raises out of the hook at every call of that tool.",
        {
            "override max_retries=2.5": REFUSED,
            "override backoff_base_ms=0": REFUSED,
            "override max_backoff_ms=0": REFUSED,
            "override check_text_content='maybe'": REFUSED,
            "override check_text_content=None": REFUSED,
        },
    ),
    Difference(
        "null-overrides",
        "A YAML whose last override was removed still has the line `tool_overrides:`.",
        {"config tool_overrides=None": [200, 400]},
    ),
    Difference(
        "config-is-a-mapping",
        "Both generations take an empty list for no configuration.",
        {"config a list": REFUSED},
    ),
    Difference(
        "overrides-above-the-base",
        "0.3.1 takes the plugin's own max_retries for the gateway's ceiling and silently cuts "
        "overrides to it; 0.3.11 does not.",
        {"ceiling absent, override above the base": [200, 400, 800, 1600, 3200, 0]},
        (
            "metadata of overrides",
            "override max_retries=10",
            "override max_retries=11",
            "override max_retries=1000",
        ),
    ),
]

SUCCESS_REMOVES_THE_STATE = (
    "Upstream's RetryStateManager.record_success keeps an entry with no failures until it "
    "expires; ours removes it, so state_count() is lower by one."
)
