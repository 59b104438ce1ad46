# SPDX-License-Identifier: MIT
"""`lab bench`: what a frame costs with the layer, beside the driver's own swapchains.

    columns                  native and the transports, which every measurement compares
    runs                     what is to be run, and what came of it
    guests                   running many of them in one boot
    numbers, table           medians and ranges, and how they are printed
    syscalls, frames, memory on real compositors
    latency, instructions    on the fake driver and the fake compositor
    command                  all of them
"""
