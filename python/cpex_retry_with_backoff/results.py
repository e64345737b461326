"""Builds what the hooks return. No two results share anything that can be changed."""

import copy
from collections.abc import Callable
from typing import Any, TypeVar

from cpex.framework import ResourcePostFetchResult, ToolPostInvokeResult
from pydantic import BaseModel

from .library import hot
from .native import REASONS

POLICY_FIELDS = ("max_retries", "backoff_base_ms", "max_backoff_ms", "retry_on_status")
"""What the metadata tells of a policy: the reference's keys, in its order."""

_BUDGET = REASONS.index("budget")

Model = TypeVar("Model", bound=BaseModel)
Maker = Callable[[dict[str, Any], int], Model]


def policy_metadata(policy: dict[str, Any]) -> dict[str, Any]:
    """The metadata about a policy, which is what Engine.policy answers."""
    return {"retry_policy": {field: policy[field] for field in POLICY_FIELDS}}


def trace_metadata(answer: int) -> dict[str, Any]:
    """What the gateway's observability takes from a result; answer is Engine.decide's."""
    values = {"retry_count": answer >> 8 & 0xFFFFF, "retry_delay_ms": answer >> 28}
    if answer & 0xFF == _BUDGET:
        values["throttled"] = 1
    return {"retry_with_backoff": values}


def result_maker(model: type[Model], **fields: Any) -> Maker[Model]:
    """A function (metadata, retry_delay_ms) that makes results of one pydantic model.

    fields are those, beside metadata, that every result sets. A result is a copy of one
    that the constructor made, in shim/results.c: the same fields, the same set of fields,
    dicts and lists of its own, metadata's among them. That takes a fifth of the
    constructor's time; nothing is validated, which nothing of ours needs. Where a
    pydantic or a cpex keeps its instances in another way, as the first result shows, the
    constructor is used. The function is safe for concurrent use.
    """

    def construct(metadata: dict[str, Any], retry_delay_ms: int) -> Model:
        return model(metadata=copy.deepcopy(metadata), **dict.fromkeys(fields, retry_delay_ms))

    constructed = model(metadata={}, **fields)
    values, slots = constructed.__dict__, BaseModel.__dict__
    try:
        make: Maker[Model] = hot.maker(
            model,
            values | {"metadata": None},
            tuple(name for name, value in values.items() if value == []),
            constructed.__pydantic_fields_set__,
            slots["__pydantic_fields_set__"],
            (slots["__pydantic_extra__"], slots["__pydantic_private__"]),
        )
    except (KeyError, TypeError):
        return construct
    return make if _is_copy(make, constructed) else construct


def _is_copy(make: Maker[Any], constructed: BaseModel) -> bool:
    """Whether make's results are what the constructor makes, and share nothing mutable."""
    plain = (bool, int, str, type(None))
    try:
        copied = make({}, 0)
        return bool(
            all(
                isinstance(value, plain) or value == [] or name == "metadata"
                for name, value in constructed.__dict__.items()
            )
            and copied == constructed
            and copied.model_fields_set == constructed.model_fields_set
            and copied.__pydantic_extra__ == constructed.__pydantic_extra__
            and copied.__pydantic_private__ == constructed.__pydantic_private__
        )
    except Exception:
        return False


tool_result = result_maker(ToolPostInvokeResult, retry_delay_ms=0)
"""The answer of tool_post_invoke: tool_result(metadata, retry_delay_ms)."""

resource_result = result_maker(ResourcePostFetchResult)
"""The answer of resource_post_fetch: resource_result(metadata, 0)."""
