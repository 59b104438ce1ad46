# SPDX-License-Identifier: MIT
"""The lab: a kernel, compositors and a Vulkan driver of known versions, without a GPU.

From the bottom up:

    say, host, paths         messages, the machine it runs on, where things live
    artefact, logs           cached folders keyed by what they were made from; those for logs
    rootfs, sandbox          the Debian root, and running commands in it by chroot
    kernel, edits            kernels built from source, for User Mode Linux
    archive, stock           kernels as Debian's other suites have them
    initramfs, toolchain     what those need to boot, and to have modules built for them
    boot, uml, qemu          starting the one kind and the other
    kernels                  the table of all kernels
    kmod, guest_modules      modules for them, and checks of their source
    build, clean             this tree, built in the root; removing what is not needed any more
    compositors, guest       running one command in a kernel on the root
    packages                 extra packages as overlay layers
    mutations                the layer broken on purpose, and the tests that must see it
    strace, callgrind, ...   reading what other tools write: traces, profiles, logs, pictures
    demo, suites, bench, cli what the user sees
"""
