"""What all components share: each is built from its own configuration."""

from __future__ import annotations

from abc import ABC
from typing import ClassVar, Generic, TypeVar

from skinfw.components.config import ComponentConfig

ConfigT = TypeVar("ConfigT", bound=ComponentConfig)
IOT = TypeVar("IOT")


class Component(ABC, Generic[ConfigT, IOT]):
    """Base of every component: ``Class(config, io)``.

    Args:
        config: the component's own parameters.
        io: what the assembler provides: channels, sizes, names.
    """

    kind: ClassVar[str]

    def __init__(self, config: ConfigT, io: IOT) -> None:
        super().__init__()
        self.config = config
        self.io = io
