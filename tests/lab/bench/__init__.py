# SPDX-License-Identifier: MIT
"""`lab bench`: measures the cost of a frame with the layer and with the driver's own swapchains.

    columns                  the columns of all tables: native, and the transports
    runs                     programs to run, and their results
    guests                   running many programs in one guest
    numbers, table           medians, ranges and tables
    syscalls, calls, frames, memory
                             measurements on real compositors
    latency, instructions    measurements on the fake driver and the fake compositor
    command                  the command `lab bench`
"""
