# SPDX-License-Identifier: MIT
"""What every measurement compares: the driver's own swapchains, and the layer's by transport."""

from .. import guest

NATIVE = "native"
TRANSPORTS = ("explicit", "kernel", "module", "cpu")
COLUMNS = (NATIVE, *TRANSPORTS)


def environment(column: str) -> dict[str, str]:
    """What makes a client that column's."""
    # Whether Mesa's cache on disk is warm already must not show.
    common = {"MESA_SHADER_CACHE_DISABLE": "1", "FENCEBRIDGE_LOG_LEVEL": "info"}
    if column == NATIVE:
        return common | {"VK_INSTANCE_LAYERS": ""}
    return common | {"VK_INSTANCE_LAYERS": guest.LAYER, "FENCEBRIDGE_SYNC": column}
