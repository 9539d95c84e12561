"""The kinds of value a setting can have, each read from the text an ini file holds."""

import re
from collections.abc import Iterable, Mapping
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, InstanceOf

from tornado_cc.core.secret import Secret


class Settings(BaseModel):
    """The settings of one section: a plugin's author subclasses this.

    Every field needs a type and a default or none, and a description: `Field(description=...)`.
    A `Path` that is relative starts at the conf file's folder.
    """

    # Without hide_input_in_errors pydantic quotes the value, which may be a secret.
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def _names(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return tuple(part for part in re.split(r"[,\s]+", value) if part)


Names = Annotated[tuple[str, ...], BeforeValidator(_names)]
"""Names, separated by commas or white space."""


def _secret(value: Any) -> Any:
    return Secret(value) if isinstance(value, str) else value


SecretText = Annotated[InstanceOf[Secret], BeforeValidator(_secret)]
"""A secret: never printed, and in production neither empty nor an example."""

Seconds = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]
"""A duration in seconds."""

_SIZE = re.compile(r"(\d+)\s*(B|KiB|MiB|GiB)?", re.IGNORECASE)
_UNITS = {"": 1, "b": 1, "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30}


def _size(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    match = _SIZE.fullmatch(value.strip())
    if match is None:
        raise ValueError("is not a size; write a number with B, KiB, MiB or GiB, as in 10 MiB")
    return int(match[1]) * _UNITS[(match[2] or "").lower()]


Size = Annotated[int, BeforeValidator(_size), Field(gt=0)]
"""A size in bytes."""


def _mount(value: Any) -> Any:
    if not isinstance(value, str) or not value.startswith("/"):
        raise ValueError("is not a path; it starts with a slash, as in /webhooks")
    if re.search(r"//|/\.{1,2}(/|$)|[?#%]|[^!-~]", value):
        raise ValueError(
            "holds `//`, `/.`, one of ?#%, white space or a letter that is not ASCII,"
            " so no request could match it"
        )
    return value.rstrip("/") or "/"


Mount = Annotated[str, BeforeValidator(_mount)]
"""The path below which a dialect answers."""


_BIND = re.compile(r"(\[(?P<v6>[^\]]+)\]|(?P<host>[^:]+)):(?P<port>[0-9]{1,5})")
# A longer label, or an empty one, makes the resolver raise what nobody expects.
_HOST = re.compile(r"[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*")


def _address(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    match = _BIND.fullmatch(value.strip())
    host = _host(match["v6"], match["host"]) if match else None
    if match is None or host is None or int(match["port"]) > 65535:
        raise ValueError("is not host:port; write for example 127.0.0.1:8080 or [::1]:8080")
    return host, int(match["port"])


def _host(v6: str | None, name: str) -> str | None:
    if v6 is None:
        return name if _HOST.fullmatch(name) else None
    try:
        return str(IPv6Address(v6))
    except ValueError:
        return None


Address = Annotated[tuple[str, int], BeforeValidator(_address)]
"""An address to listen on, `host:port`; port 0 takes any free one."""


def _address_or_off(value: Any) -> Any:
    if isinstance(value, str) and value.strip().lower() == "off":
        return None
    try:
        return _address(value)
    except ValueError:
        raise ValueError(
            "is neither host:port nor off; write for example 127.0.0.1:8081, [::1]:8081 or off"
        ) from None


AddressOrOff = Annotated[tuple[str, int] | None, BeforeValidator(_address_or_off)]
"""An address to listen on, or None, written `off`, for none."""


def _networks(value: Any) -> Any:
    return tuple(_network(part) for part in _names(value)) if isinstance(value, str) else value


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text)
    except ValueError:
        pass
    try:
        meant = ip_network(text, strict=False)
    except ValueError:
        raise ValueError(
            f"names {text}, which is no address or network; write for example 127.0.0.1, 10.0.0.0/8"
            " or fd00::/8"
        ) from None
    address = text.partition("/")[0]
    raise ValueError(f"names {text}, which is {meant} as a network and {address} as an address")


Networks = Annotated[tuple[IPv4Network | IPv6Network, ...], BeforeValidator(_networks)]
"""IP addresses and networks, separated by commas or white space."""


def _durations(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    pairs = [part.partition("=") for part in _names(re.sub(r"\s*=\s*", "=", value))]
    if any(not (name and seconds) for name, _, seconds in pairs):
        raise ValueError("is not a list of name=seconds, as in after_save=60, cloud_function=5")
    if len({name for name, _, _ in pairs}) < len(pairs):
        raise ValueError("says one name twice")
    return {name: seconds for name, _, seconds in pairs}


Durations = Annotated[dict[str, Seconds], BeforeValidator(_durations)]
"""Seconds by name, as in `after_save=60, cloud_function=5`."""


_DELAY = re.compile(r"(\d+)\s*([smhd])")
_IN_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def _delays(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    found = [_DELAY.fullmatch(part.strip()) for part in value.split(",") if part.strip()]
    if not all(found):
        raise ValueError("is not a list of durations in s, m, h or d, as in 5s, 5m, 2h")
    return tuple(int(one[1]) * _IN_SECONDS[one[2]] for one in found if one)


Delays = Annotated[
    tuple[Annotated[float, Field(gt=0, le=7 * 86_400)], ...],
    BeforeValidator(_delays),
    Field(max_length=50),
]
"""Durations one after another, `5s, 5m, 2h`, in seconds."""


def secrets_in(value: object) -> Iterable[Secret]:
    """Every secret in settings, however deep, for the redactor."""
    if isinstance(value, Secret):
        yield value
    elif isinstance(value, BaseModel):
        yield from secrets_in(dict(value))
    elif isinstance(value, Mapping):
        yield from secrets_in(tuple(value.values()))
    elif isinstance(value, list | tuple | set | frozenset):
        for one in value:
            yield from secrets_in(one)
