"""JSON as a script has it: `data.key`, and null where there is nothing."""

from collections.abc import Mapping
from typing import Any, NoReturn


class JsonObject(dict[str, Any]):
    """A JSON object as in JavaScript: `o.key` is `o["key"]`, and None for a key that is not there.

    What a dict has itself, such as `items`, is a key as `o["items"]` only. `"key" in o` tells a
    key that is null from one that is not there.
    """

    __slots__ = ()

    def __missing__(self, key: str) -> None:
        return None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            # Python itself asks, as for how to copy it.
            raise AttributeError(name)
        return self[name]

    def __setattr__(self, name: str, value: object) -> None:
        if hasattr(type(self), name):
            raise AttributeError(f'{name} is a method here; write o["{name}"] for the key')
        self[name] = value

    def __delattr__(self, name: str) -> None:
        self.pop(name, None)


def _refuse(*_: object, **__: object) -> NoReturn:
    raise TypeError("what a script is given can be read, but not changed")


# Any method's type, which overriding it with one function needs.
_refusing: Any = _refuse


class GivenData(JsonObject):
    """What a script is given; a copy of it may be changed (spec gamesparks, row 44)."""

    __slots__ = ()

    __setitem__ = __delitem__ = __setattr__ = __delattr__ = __ior__ = _refusing
    clear = pop = popitem = setdefault = update = _refusing

    def __reduce__(self) -> tuple[type[JsonObject], tuple[dict[str, Any]]]:
        """How it is copied."""
        return JsonObject, (dict(self),)


def scripted(value: Any, form: type[JsonObject] = JsonObject) -> Any:
    """A copy of a JSON value whose objects are of this form."""
    if isinstance(value, Mapping):
        return form({key: scripted(item, form) for key, item in value.items()})
    if isinstance(value, list | tuple):
        return [scripted(item, form) for item in value]
    return value
