# SPDX-License-Identifier: MIT
"""The lab: a kernel, compositors and a Vulkan driver of known versions, without a GPU.

From the bottom up:

    say, host, paths         messages, the host's tools and processes, folders
    artefact, logs           cached folders, named after their ingredients; folders for logs
    rootfs, sandbox          the Debian root, and running commands in it by chroot
    pack_root                an older Debian root, for programs that run on other machines
    deb_root                 Debian roots that build and try this tree's packages
    kernel, edits            kernels built from source, for User Mode Linux
    archive, stock           kernels from the packages of other Debian suites
    initramfs, toolchain     for these: the initramfs, and the compiler for modules
    gpu                      a GPU for guests in QEMU
    boot, uml, qemu          booting a kernel as User Mode Linux, or in QEMU
    kernels                  the table of all kernels
    kmod, guest_modules      modules for the kernels, and checks of the modules' sources
    build, clean             building this tree in the root; removing old files of the cache
    compositors, guest       running one command in a guest
    packages                 additional Debian packages, as overlays on the root
    debs                     this tree's own Debian packages
    gpu_pack                 the archive for machines with a GPU
    mutation, mutations      changes that break the layer or the module on purpose, and their tests
    strace, callgrind, ...   reading the output of other tools: traces, profiles, logs, pictures
    real_fences              measurements with fences that stay pending
    demo, suites, bench, cli the commands of the user
"""
