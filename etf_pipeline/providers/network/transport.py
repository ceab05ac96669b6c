"""The one door to the network: a request in, a reply out. Errors on the way name the host and never a parameter."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from etf_pipeline.errors import SourceUnreachable
from etf_pipeline.secrets import Secret

TIMEOUT = (10.0, 60.0)
"""To connect, and between two pieces of the answer. [seconds]"""

LARGEST = 64 * 2**20
"""No file that is read here is as large as this: a longer answer is another thing. [bytes]"""

AGENT = "etf-pipeline/0.1 (research)"


@dataclass(frozen=True)
class Request:
    """What is asked for.

    Attributes
    ----------
    url : str
        Address without its query.
    params : mapping of str to str
        Query.
    headers : mapping of str to str
        Beside the usual ones.
    secrets : mapping of str to Secret
        Parameters of the query that nobody may see; they join it in the transport.
    """

    url: str
    params: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, Secret] = field(default_factory=dict, repr=False)

    @property
    def host(self) -> str:
        """Who is asked."""
        return urlsplit(self.url).hostname or self.url


@dataclass(frozen=True)
class Reply:
    """What came back.

    Attributes
    ----------
    status : int
        HTTP status.
    headers : mapping of str to str
        By lower-case name.
    body : bytes
        The content, decompressed.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


Transport = Callable[[Request], Reply]
"""Asks once. Raises `SourceUnreachable` where nothing, or half an answer, came back."""


def requests_transport(timeout: tuple[float, float] = TIMEOUT) -> Transport:
    """A transport over one `requests` session, which keeps its connections.

    Notes
    -----
    An exception of `requests` spells the whole address, secrets included: only its type passes on.
    """
    import requests

    session = requests.Session()

    def ask(request: Request) -> Reply:
        params = {**request.params, **{name: key.reveal() for name, key in request.secrets.items()}}
        headers = {"User-Agent": AGENT, **request.headers}
        try:
            with session.get(
                request.url,
                params=params,
                headers=headers,
                timeout=timeout,
                stream=True,
                allow_redirects=not request.secrets,  # a secret goes to nobody but the host that was meant
            ) as answer:
                body = _body(answer.iter_content(2**16), request)
                return Reply(answer.status_code, {k.lower(): v for k, v in answer.headers.items()}, body)
        except requests.RequestException as error:
            found = type(error).__name__
        raise SourceUnreachable(f"{request.host} needs to answer; found {found}. Check the network, or run again later.")

    return ask


def _body(pieces: Iterable[bytes], request: Request) -> bytes:
    body = bytearray()
    for piece in pieces:
        body += piece
        if len(body) > LARGEST:
            raise SourceUnreachable(
                f"{request.host} needs to answer with less than {LARGEST} bytes; found more. Look at what {request.url} is today."
            )
    return bytes(body)
