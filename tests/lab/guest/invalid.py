# SPDX-License-Identifier: MIT
"""Creates a Vulkan instance with an undefined flag, to see that messages of the validation layer
arrive."""

import ctypes


class InstanceCreateInfo(ctypes.Structure):
    _fields_ = [("sType", ctypes.c_int), ("pNext", ctypes.c_void_p), ("flags", ctypes.c_uint32),
                ("pApplicationInfo", ctypes.c_void_p),
                ("enabledLayerCount", ctypes.c_uint32), ("ppEnabledLayerNames", ctypes.c_void_p),
                ("enabledExtensionCount", ctypes.c_uint32),
                ("ppEnabledExtensionNames", ctypes.c_void_p)]


STRUCTURE_TYPE_INSTANCE_CREATE_INFO = 1
UNDEFINED_FLAG = 1 << 30

info = InstanceCreateInfo(sType=STRUCTURE_TYPE_INSTANCE_CREATE_INFO, flags=UNDEFINED_FLAG)
instance = ctypes.c_void_p()
vulkan = ctypes.CDLL("libvulkan.so.1")
if vulkan.vkCreateInstance(ctypes.byref(info), None, ctypes.byref(instance)) == 0:
    vulkan.vkDestroyInstance(instance, None)
