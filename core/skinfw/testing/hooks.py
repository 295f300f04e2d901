"""The contract of hook plugins."""

from __future__ import annotations

from skinfw.errors import RegistryError
from skinfw.hooks.caller import HookCaller
from skinfw.hooks.specification import Hooks
from skinfw.testing._require import require


def check_hooks(plugin: object) -> None:
    """Check a hook plugin: it has a hook, and skinfw knows its hooks and their arguments.

    Args:
        plugin: the module or object with the hooks.

    Raises:
        AssertionError: the contract is violated; the message says how.
    """
    try:
        caller = HookCaller([plugin], discover=False)
    except RegistryError as error:
        raise AssertionError(str(error)) from None
    known = [name for name in vars(Hooks) if not name.startswith("_")]
    require(
        any(map(caller.is_used, known)), f"it has none of the hooks {', '.join(known)}, marked by hookimpl"
    )
