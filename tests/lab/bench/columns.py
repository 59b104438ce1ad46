# SPDX-License-Identifier: MIT
"""The columns of all tables: the driver's own swapchains, and the layer's by transport."""

from .. import guest

NATIVE = "native"
TRANSPORTS = ("explicit", "kernel", "module", "cpu")
COLUMNS = (NATIVE, *TRANSPORTS)


def environment(column: str) -> dict[str, str]:
    """The environment of a client in that column."""
    # Mesa's cache on disk would make the first run slower than the others.
    common = {"MESA_SHADER_CACHE_DISABLE": "1", "FENCEBRIDGE_LOG_LEVEL": "info"}
    if column == NATIVE:
        return common | {"VK_INSTANCE_LAYERS": ""}
    return common | {"VK_INSTANCE_LAYERS": guest.LAYER, "FENCEBRIDGE_SYNC": column}
