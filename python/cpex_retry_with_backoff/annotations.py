"""What a tool declares about itself, as far as the gateway passes it on."""

from typing import Any, Final

from .facts import read_key

# enum retry_fact in retry.h: (declared true, declared false)
BITS: Final = {
    "readOnlyHint": (256, 512),
    "idempotentHint": (1024, 2048),
    "destructiveHint": (4096, 0),
}


def read_annotations(context: Any) -> int | None:
    """The annotations that hold a boolean, as facts; None if the gateway passed none on.

    They stand in global_context.metadata["tool"].annotations, which the gateway sets
    only if some plugin has a tool_pre_invoke hook. Never raises.
    """
    try:
        tool = context.global_context.metadata.get("tool")
        if tool is None:
            return None
        annotations = _part(tool, "annotations")
        facts = 0
        for name, (declared, denied) in BITS.items() if annotations is not None else ():
            value = _part(annotations, name)
            if isinstance(value, bool):
                facts |= declared if value else denied
        return facts
    except Exception:
        return None


def _part(thing: Any, name: str) -> Any:
    value = getattr(thing, name, None)
    if value is None or callable(value):
        try:
            value = read_key(thing, name)
        except Exception:
            value = None
    return value
