"""Finds hook plugins, and calls them so that a broken one cannot stop a run."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from importlib import metadata
from typing import Any

import pluggy

from skinfw.components.strict_model import nearest
from skinfw.errors import RegistryError
from skinfw.hooks.specification import PROJECT, Hooks

ENTRY_POINT_GROUP = "skinfw.hooks"
logger = logging.getLogger("skinfw")


class HookCaller:
    """Calls the hooks of each plugin separately.

    Args:
        plugins: objects with hook functions, called before the installed ones; each is called once,
            even if passed several times.
        discover: whether to call installed plugins too; ``SKINFW_NO_PLUGINS=1`` disables them.

    Raises:
        RegistryError: one of ``plugins`` has an unknown hook, or a hook with unknown arguments. An installed
            plugin with one is not called, and a warning names it.
    """

    def __init__(self, plugins: Sequence[object] = (), *, discover: bool = True) -> None:
        self._manager = pluggy.PluginManager(PROJECT)
        self._manager.add_hookspecs(Hooks)
        self._reported: set[tuple[str, str]] = set()
        self._callers: dict[str, list[tuple[str, Any]]] = {}
        if discover and os.environ.get("SKINFW_NO_PLUGINS") != "1":
            self._register_installed()
        for plugin in reversed(plugins):  # pluggy calls the last one first
            named = plugin if hasattr(plugin, "__name__") else type(plugin)
            name = getattr(named, "__qualname__", named.__name__)
            if problem := _problem(plugin, name):
                raise RegistryError(f"hook plugin {name}: {problem}")
            self._register(plugin, name)

    def _register(self, plugin: object, name: str) -> None:
        if self._manager.is_registered(plugin):
            return
        while self._manager.has_plugin(name):
            name += "'"
        self._manager.register(plugin, name=name)

    def _register_installed(self) -> None:
        for point in metadata.entry_points(group=ENTRY_POINT_GROUP):
            name = f"{point.dist.name} {point.dist.version}" if point.dist else point.name
            try:
                plugin = point.load()
            except (Exception, SystemExit) as error:  # a broken distribution must not stop the run
                logger.warning("hook plugin %s cannot be imported: %s: %s", name, type(error).__name__, error)
                continue
            if problem := _problem(plugin, name):
                logger.warning("hook plugin %s is not used: %s", name, problem)
            else:
                self._register(plugin, name)

    def call(self, hook: str, **arguments: Any) -> None:
        """Call one hook of every plugin; a failure is logged once per plugin and hook."""
        if hook not in self._callers:
            self._callers[hook] = self._isolated(hook)
        for name, caller in self._callers[hook]:
            try:
                caller(**arguments)
            except Exception as error:  # a plugin's error must not stop the run
                if (name, hook) not in self._reported:
                    self._reported.add((name, hook))
                    logger.warning(
                        "hook plugin %s failed in %s: %s: %s", name, hook, type(error).__name__, error
                    )

    def is_used(self, hook: str) -> bool:
        """Return whether a plugin has this hook."""
        return bool(getattr(self._manager.hook, hook).get_hookimpls())

    def _isolated(self, hook: str) -> list[tuple[str, Any]]:
        """Return a separate caller for each plugin that has the hook."""
        plugins = self._manager.get_plugins()
        callers = []
        for implementation in reversed(getattr(self._manager.hook, hook).get_hookimpls()):
            others = plugins - {implementation.plugin}
            caller = self._manager.subset_hook_caller(hook, remove_plugins=others)
            callers.append((implementation.plugin_name, caller))
        return callers

    def versions(self) -> dict[str, str]:
        """Return the name and version of every distribution that provides a hook plugin."""
        found = {}
        for name, _ in self._manager.list_name_plugin():
            distribution, _, version = name.partition(" ")
            if version:
                found[distribution] = version
        return found


def hook_distributions() -> tuple[str, ...]:
    """Return the names of the installed distributions with hooks that runs call, without importing them."""
    if os.environ.get("SKINFW_NO_PLUGINS") == "1":
        return ()
    points = metadata.entry_points(group=ENTRY_POINT_GROUP)
    return tuple(dict.fromkeys(point.dist.name for point in points if point.dist))


def _problem(plugin: object, name: str) -> str:
    """Return why the hooks of a plugin of this name cannot be called; empty if they can."""
    specified, free = (pluggy.PluginManager(PROJECT) for _ in range(2))
    specified.add_hookspecs(Hooks)
    free.register(plugin)
    known = {hook: _arguments(specified, hook) for hook in vars(Hooks) if not hook.startswith("_")}
    for caller in free.get_hookcallers(plugin) or ():
        hook = caller.name
        for implementation in caller.get_hookimpls():
            if hook not in known:
                if not implementation.optionalhook:
                    return f"unknown hook {hook!r}{nearest(hook, list(known))} (known: {', '.join(known)})"
                continue
            for argument in implementation.argnames:
                if argument not in known[hook]:
                    hint = f"{nearest(argument, known[hook])} (known: {', '.join(known[hook])})"
                    return f"{hook} has no argument {argument!r}{hint}"
    try:
        specified.register(plugin, name=name)
    except pluggy.PluginValidationError as error:  # for instance a wrapper that is not a generator
        return "; ".join(str(error).splitlines())
    return ""


def _arguments(manager: pluggy.PluginManager, hook: str) -> list[str]:
    spec = getattr(manager.hook, hook).spec
    return [*spec.argnames]
