"""Calls for differential replay, as data, in the order in which they must run."""

from __future__ import annotations

from support.calls import artifacts, protocol, registry, tracking

ALL = [*registry.CALLS, *tracking.CALLS, *artifacts.CALLS, *protocol.CALLS]
