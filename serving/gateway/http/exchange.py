"""One request and its result: the client address (also behind proxies) and the values that metrics and audit log record."""

import re
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Protocol

from starlette.types import Scope

from robo_poet.outcomes.record import AssignedArm
from serving.telemetry.pseudonym import reader_of

Networks = Sequence[IPv4Network | IPv6Network]


def networks(texts: Sequence[str]) -> Networks:
    """Parse addresses and networks in text form, such as `10.0.0.0/8` and `192.0.2.7`."""
    return tuple(ip_network(text) for text in texts)


def client_address(peer: str, forwarded: Sequence[str], trusted: Networks) -> str:
    """Return the client address: the nearest hop that is not a trusted proxy.

    Entries of X-Forwarded-For beyond that hop can be forged and are ignored.

    Args:
        peer: address of the TCP connection.
        forwarded: values of X-Forwarded-For, in header order. An entry may have a port, which is dropped.
        trusted: networks of trusted proxies. If empty, the peer is the client.
    """
    if not trusted:
        return peer
    address = peer
    for hop in [*reversed([_without_port(hop.strip()) for value in forwarded for hop in value.split(",")])]:
        if not in_networks(address, trusted) or not _is_address(hop):
            break
        address = hop
    return address


_WITH_PORT = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::\d{1,5})?|([0-9.]+):\d{1,5}")


def _without_port(hop: str) -> str:
    """Return the address of a hop. Some proxies append the port: `203.0.113.7:51234`, `[2001:db8::5]:443`."""
    match = _WITH_PORT.fullmatch(hop.strip('"'))
    return (match[1] or match[2]) if match else hop


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def in_networks(text: str, trusted: Networks) -> bool:
    """Return True if `text` is an address in one of the networks. An IPv4 address in IPv6 form (`::ffff:10.0.0.1`) counts as IPv4."""
    if not _is_address(text):
        return False
    address = ip_address(text)
    mapped = getattr(address, "ipv4_mapped", None)  # ::ffff:10.0.0.1, the form on a dual-stack socket
    return any((mapped or address) in network for network in trusted)


_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
KEY = "robo_poet.exchange"  # keys in the ASGI scope
CONNECTION = "robo_poet.connection"


class Connection(Protocol):
    """What an application may ask of the connection of a request. `ClientConnection` implements it."""

    def ends_with(self, status: int) -> bool:
        """Return True if the connection is closed after an answer with this status. The answer should then say so."""
        ...

    def shown_good_key(self) -> None:
        """Record that a request of this connection was authenticated."""
        ...


@dataclass(slots=True)
class Exchange:
    """The record of a request, filled while the request is processed.

    Attributes:
        id: our id of the request. Logs contain only this id: a client could send a card number as its id.
        ip: client address behind trusted proxies.
        route: route name for metrics.
        began: `time.perf_counter` when the record was made.
        status: HTTP status, or 499 if the client disconnected.
        code: error code, or empty.
        completion: signed id of the completion, or empty.
        rule: content filter rule that refused a text, or empty.
        asked: largest number of tokens of all samples that the client allowed.
        prompt: the cleaned prompt, once a version was chosen.
        end_user: the end user that a trusted application named, or empty.
        identified: False if the user is an application that may name its end users and did not.
        may_train: True if the key or token consents to train on the prompt.
        connection: the connection of the request; None in tests without one.
        client_id: the X-Request-ID that the client sent. It is only sent back.
        audited: the status that the audit log has; 0 if the request has no line yet.
        judged: arm that served the request, as the judge of a canary calls it.
        assigned: arm that was assigned to the user, once a version was chosen. `arm` is the one that served the request.
        completed: at least one sample passed the content filter.
        withheld: the content filter refused at least one sample.
        degenerate: a sample is degenerate.
        normalised: seconds per 100 tokens of the longest sample.
    """

    id: str
    ip: str
    route: str
    began: float = field(default_factory=time.perf_counter)
    status: int = 0
    code: str = ""
    user: str = ""
    end_user: str = ""
    identified: bool = True
    may_train: bool = False
    credential: str = ""
    completion: str = ""
    version: int | None = None
    arm: str = "none"
    rule: str = ""
    parameters: Mapping[str, float | bool] = field(default_factory=dict)
    prompt_tokens: int = 0
    tokens: int = 0
    asked: int = 0
    prompt: str | None = None
    completions: Sequence[str] = ()
    connection: Connection | None = None
    client_id: str = ""
    audited: int = 0
    assigned: AssignedArm | None = None
    judged: str = ""
    completed: bool = False
    withheld: bool = False
    degenerate: bool = False
    normalised: float = 0.0

    @property
    def reader(self) -> str:
        """The user who decides the arm: the end user of an application, or the user of the key or token."""
        return reader_of(self.user, self.end_user)

    @property
    def seconds(self) -> float:
        """Seconds since `began`."""
        return time.perf_counter() - self.began


def exchange_of(scope: Scope) -> Exchange:
    """Return the exchange that `GatewayMiddleware` stored in the scope."""
    exchange: Exchange = scope[KEY]
    return exchange


def request_id() -> str:
    """Return a new id of 16 hexadecimal digits."""
    return secrets.token_hex(8)


def valid_id(given: str | None) -> str:
    """Return the id that a client sent, if it has 1 to 64 letters, digits, `.`, `_` and `-`, else an empty text."""
    return given if given is not None and _ID.fullmatch(given) else ""
