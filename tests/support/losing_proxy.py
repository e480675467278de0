"""A proxy before MLflow that loses answers: MLflow has carried the call out, and whoever asked is not told."""

from __future__ import annotations

import http.client
from collections.abc import Callable

from support.upstream import Exchange, Upstream, message

HOP_BY_HOP = {"connection", "content-length", "transfer-encoding", "keep-alive"}


def is_create(exchange: Exchange) -> bool:
    return exchange.method == "POST" and exchange.path.endswith("/create")


class LosingProxy:
    """`loses` is asked about every answer to a create and to the gateway's own look for one; it may take its time."""

    def __init__(self, mlflow_port: int, loses: Callable[[Exchange], bool] = lambda exchange: False):
        self.mlflow_port = mlflow_port
        self.loses = loses
        self.lost = 0
        self._upstream = Upstream(self._handle)
        self._upstream.probe_handler = self._handle

    @property
    def url(self) -> str:
        return self._upstream.url

    def __enter__(self) -> LosingProxy:
        self._upstream.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._upstream.stop()

    def _handle(self, exchange: Exchange) -> None:
        body = exchange.read_body()
        try:
            status, fields, answer = self._ask(exchange, body)
        except (OSError, http.client.HTTPException):
            exchange.reset()
            return
        is_look = exchange.head.get("User-Agent") == "hokusai-resends"
        if (is_look or is_create(exchange)) and self.loses(exchange):
            self.lost += 1
            exchange.reset()
            return
        exchange.send(message(status, fields, answer))

    def _ask(self, exchange: Exchange, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.mlflow_port, timeout=60)
        try:
            fields = {name: value for name, value in exchange.head.fields if name.lower() not in HOP_BY_HOP}
            connection.request(exchange.method, exchange.target, body, fields)
            response = connection.getresponse()
            answer = response.read()
            kept = [(name, value) for name, value in response.getheaders() if name.lower() not in HOP_BY_HOP]
            return response.status, kept, answer
        finally:
            connection.close()
