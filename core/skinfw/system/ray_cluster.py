"""Joins a Ray cluster; needs the extra ``ray``."""

from __future__ import annotations

from typing import Any

from skinfw.errors import RunError, UserError


def import_ray() -> Any:
    """Import Ray.

    Raises:
        UserError: it is not installed.
    """
    try:
        import ray
    except ImportError as error:
        raise UserError(
            "--engine ray needs Ray, which is not installed: pip install 'skinfw[ray]'"
        ) from error
    return ray


def import_ray_data() -> Any:
    """Import Ray Data.

    Raises:
        UserError: it is not installed, or lacks pandas or pyarrow, which Ray alone does not need.
    """
    try:
        import ray.data
    except ImportError as error:
        raise UserError(
            f"--engine ray needs Ray Data, which cannot be imported ({error}): pip install 'skinfw[ray]'"
        ) from error
    return ray.data


def join_cluster(address: str | None) -> bool:
    """Join a cluster, unless this process is already in one.

    Args:
        address: the cluster, as ``ray.init`` takes it; None for the one that Ray finds, or a new one on this
            machine.

    Returns:
        whether it was joined now, so that the caller must leave it.

    Raises:
        UserError: Ray is not installed.
        RunError: the cluster cannot be reached.
    """
    ray = import_ray()
    if ray.is_initialized():
        return False
    try:
        ray.init(address=address, log_to_driver=False, include_dashboard=False)
    except Exception as error:  # Ray raises whatever its transport does
        raise RunError(f"no Ray cluster at {address or 'this machine'}: {error}") from error
    return True
