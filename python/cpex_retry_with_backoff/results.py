"""Builds what the hooks return. No two results share anything that can be changed."""

from collections.abc import Callable
from typing import Any, TypeVar

from cpex.framework import ResourcePostFetchResult, ToolPostInvokeResult
from pydantic import BaseModel

POLICY_FIELDS = ("max_retries", "backoff_base_ms", "max_backoff_ms", "retry_on_status")
"""What the metadata tells of a policy: the reference's keys, in its order."""


Model = TypeVar("Model", bound=BaseModel)


class PolicyEcho:
    """The metadata about one policy, a fresh copy for each result. Immutable."""

    __slots__ = ("_base_ms", "_max_ms", "_retries", "_statuses")

    def __init__(self, policy: dict[str, Any]) -> None:
        """policy is what Engine.policy answers."""
        self._retries, self._base_ms, self._max_ms, statuses = (policy[f] for f in POLICY_FIELDS)
        self._statuses = tuple(statuses)

    def metadata(self) -> dict[str, Any]:
        """{"retry_policy": {...}}."""
        return {
            "retry_policy": {
                "max_retries": self._retries,
                "backoff_base_ms": self._base_ms,
                "max_backoff_ms": self._max_ms,
                "retry_on_status": list(self._statuses),
            }
        }


def trace_metadata(failures: int, delay_ms: int) -> dict[str, int]:
    """What the gateway's observability takes from a result, under retry_with_backoff."""
    return {"retry_count": failures, "retry_delay_ms": delay_ms}


def result_maker(model: type[Model], **fields: Any) -> Callable[..., Model]:
    """A function (metadata, retry_delay_ms=0) that makes results of one pydantic model.

    fields are those, beside metadata, that every result sets. A result is a copy of one
    that the constructor made: the same fields, the same set of fields, lists of its own.
    That takes half the constructor's time; nothing is validated, which nothing of ours
    needs. Where a pydantic or a cpex keeps its instances in another way, as the first
    result shows, the constructor is used. The function is safe for concurrent use.
    """
    constructed = model(metadata={}, **fields)
    template = dict(constructed.__dict__)
    fields_set = set(constructed.__pydantic_fields_set__)
    lists = tuple(name for name, value in template.items() if value == [])

    def make(metadata: dict[str, Any], retry_delay_ms: int = 0) -> Model:
        values = template.copy()
        for name in lists:
            values[name] = []
        values["metadata"] = metadata
        values["retry_delay_ms"] = retry_delay_ms
        result: Model = _new(model)
        _set_dict(result, values)
        _set_fields_set(result, fields_set.copy())
        _set_extra(result, None)
        _set_private(result, None)
        return result

    def construct(metadata: dict[str, Any], retry_delay_ms: int = 0) -> Model:
        return model(metadata=metadata, **dict.fromkeys(fields, retry_delay_ms))

    return make if _is_copy(make, constructed) else construct


def _is_copy(make: Callable[..., BaseModel], constructed: BaseModel) -> bool:
    """Whether make's results are what the constructor makes, and share nothing mutable."""
    plain = (bool, int, str, type(None))
    try:
        copy = make({})
        return bool(
            all(
                isinstance(value, plain) or value == [] or name == "metadata"
                for name, value in constructed.__dict__.items()
            )
            and copy == constructed
            and copy.model_fields_set == constructed.model_fields_set
            and copy.__pydantic_extra__ == constructed.__pydantic_extra__
            and copy.__pydantic_private__ == constructed.__pydantic_private__
        )
    except Exception:
        return False


_new = object.__new__
_set_dict = BaseModel.__dict__["__dict__"].__set__
_set_fields_set = BaseModel.__dict__["__pydantic_fields_set__"].__set__
_set_extra = BaseModel.__dict__["__pydantic_extra__"].__set__
_set_private = BaseModel.__dict__["__pydantic_private__"].__set__

tool_result = result_maker(ToolPostInvokeResult, retry_delay_ms=0)
"""The answer of tool_post_invoke: tool_result(metadata, retry_delay_ms)."""

resource_result = result_maker(ResourcePostFetchResult)
"""The answer of resource_post_fetch: resource_result(metadata)."""
