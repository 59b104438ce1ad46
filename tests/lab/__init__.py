# SPDX-License-Identifier: MIT
"""The lab: a kernel, compositors and a Vulkan driver of known versions, without a GPU.

From the bottom up:

    say, host, paths         messages, the machine it runs on, where things live
    artefact                 cached folders keyed by what they were made from
    rootfs, sandbox          the Debian root, and running commands in it by chroot
    kernel, edits            the User Mode Linux kernel
    packages                 extra packages as overlay layers
    build                    this tree, built in the root
    compositors, guest, uml  booting and running one command there
    demo, suites, cli        what the user sees
"""
