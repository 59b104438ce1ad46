#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares the layer's table of extensions with the registry of Vulkan and with the manifest, so
that a new command, structure or extension that has to do with swapchains cannot be overlooked.
usage: vk_xml.py PROGRAM VK_XML MANIFEST SIZES; PROGRAM is layer_tables, and SIZES is
layer/vk/device_create_sizes.inc
       vk_xml.py --sizes VK_XML prints the rows of SIZES, for an update"""

import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

SWAPCHAIN, SURFACE = "VkSwapchainKHR", "VkSurfaceKHR"
TYPED_HANDLES = {"VkObjectType", "VkDebugReportObjectTypeEXT"}

# The structures in which an application queries what is supported.
ANSWERS = ["VkPhysicalDeviceFeatures2", "VkPhysicalDeviceProperties2",
           "VkSurfaceCapabilities2KHR", "VkSurfaceFormat2KHR"]
# An extension with a structure that extends one of these acts on swapchains.
ROOTS = ["VkSwapchainCreateInfoKHR", "VkPresentInfoKHR", "VkAcquireNextImageInfoKHR",
         "VkSurfaceCapabilities2KHR", "VkPhysicalDeviceSurfaceInfo2KHR", "VkSurfaceFormat2KHR"]
FLAGS = ["VkSwapchainCreateFlagBitsKHR", "VkPresentModeKHR"]

_NOT_LINUX = "not a platform of Linux desktops"
PLATFORMS = {platform: _NOT_LINUX for platform in
             ["android", "fuchsia", "ggp", "ios", "macos", "metal", "ohos", "screen", "sci", "ubm",
              "vi", "win32"]}
PLATFORMS |= {platform: "surfaces of other window systems are the driver's" for platform in
              ["directfb", "xcb", "xlib", "xlib_xrandr"]}

_NOT_FOR_SWAPCHAINS = ("VUID-VkDeviceImageMemoryRequirements-pCreateInfo-06416: no "
                       "VkImageSwapchainCreateInfoKHR")
_CALLBACKS = "gives the handles to callbacks, which are the application's and other layers'"
COMMANDS = {
    "vkCreateDisplayPlaneSurfaceKHR": "surfaces of displays are the driver's",
    "vkDebugReportMessageEXT": _CALLBACKS,
    "vkSubmitDebugUtilsMessageEXT": _CALLBACKS,
    "vkGetDeviceImageMemoryRequirements": _NOT_FOR_SWAPCHAINS,
    "vkGetDeviceImageMemoryRequirementsKHR": _NOT_FOR_SWAPCHAINS,
    "vkGetDeviceImageSparseMemoryRequirements": _NOT_FOR_SWAPCHAINS,
    "vkGetDeviceImageSparseMemoryRequirementsKHR": _NOT_FOR_SWAPCHAINS,
}

_BOUNDARY = "VkFrameBoundaryEXT tells tools where a frame ends, and changes nothing"
EXTENSIONS = {
    "VK_ARM_tensors": _BOUNDARY,
    "VK_EXT_frame_boundary": _BOUNDARY,
    "VK_EXT_image_compression_control": "its swapchain part is an extension of its own, hidden",
    "VK_KHR_device_group": "a device that is taken over is one physical device, with "
                           "VK_DEVICE_GROUP_PRESENT_MODE_LOCAL_BIT_KHR alone",
    "VK_KHR_extended_flags": "VkImageUsageFlags2CreateInfoKHR is answered and obeyed",
    "VK_KHR_image_format_list": "obeyed if VK_SWAPCHAIN_CREATE_MUTABLE_FORMAT_BIT_KHR is set",
}

# VK_HEADER_VERSION of a registry that has all names of the layer's table.
KNOWS_ALL = 363

# The 64-bit types. Any other member has one 32-bit word unless it is a pointer or an array.
WORDS = {"uint64_t": 2, "VkDeviceSize": 2, "VkFlags64": 2}


def of_vulkan(element):
    api = element.get("api")
    return api is None or "vulkan" in api.split(",")


class Registry:
    """The parts of vk.xml that are compared. Structures have their current names, not aliases."""

    def __init__(self, path):
        self.root = ElementTree.parse(path).getroot()
        self.alias = {each.get("name"): each.get("alias") for each in self.root.iter("type")
                      if each.get("alias")}
        self.bases = {each.findtext("name"): each.findtext("type")
                      for each in self.root.iter("type") if each.get("category") == "bitmask"}
        self.members, self.extends, self.types = {}, {}, {}
        for each in self.root.iter("type"):
            if each.get("category") == "struct" and of_vulkan(each) and not each.get("alias"):
                self._add_structure(each)
        self.commands, self.same = {}, {}
        for each in self.root.find("commands"):
            if of_vulkan(each):
                self._add_command(each)
        self.extensions = {each.get("name"): each for each in self.root.iter("extension")
                           if "vulkan" in each.get("supported").split(",")}
        self.owners = {}
        self.numbers = {each.get("name"): int(each.get("value"), 0)
                        for each in self.root.iter("enum")
                        if (each.get("name") or "").startswith("VK_STRUCTURE_TYPE_")
                        and each.get("value")}
        for each in [*self.extensions.values(), *filter(of_vulkan, self.root.iter("feature"))]:
            self._add_owner(each)

    def name(self, name):
        return self.alias.get(name, name)

    def _add_structure(self, element):
        name = element.get("name")
        members = [each for each in element.findall("member") if of_vulkan(each)]
        self.members[name] = members
        self.extends[name] = [extended for extended in
                              (element.get("structextends") or "").split(",") if extended]
        self.types[name] = next((each.get("values") for each in members
                                 if each.findtext("name") == "sType"), None)

    def _add_command(self, element):
        name = element.get("name")
        if name:
            self.same[name] = element.get("alias")
            return
        self.commands[element.find("proto").findtext("name")] = [
            each.findtext("type") for each in element.findall("param") if of_vulkan(each)]

    def _add_owner(self, element):
        for each in element.iter("require"):
            for part in each:
                if part.tag in ("command", "type"):
                    self.owners.setdefault(self.name(part.get("name")), []).append(element)
                if part.get("offset") is not None and (
                        part.get("extends") in ("VkStructureType", "VkPresentModeKHR")):
                    number = int(part.get("extnumber") or element.get("number"))
                    self.numbers[part.get("name")] = (
                        1_000_000_000 + (number - 1) * 1000 + int(part.get("offset")))

    def all_commands(self):
        """The commands in use, aliases included, with the types of their parameters."""
        for name in [*self.commands, *self.same]:
            if name in self.owners:
                types = self.commands.get(self.same.get(name, name))
                if types is not None:
                    yield name, [self.name(each) for each in types]

    def carriers(self, handles, chains):
        """The structures that contain such a handle, in a member or somewhere in their chain."""
        found = set()
        while True:
            more = {name for name, members in self.members.items() if name not in found and any(
                self.name(each.findtext("type")) in found | handles for each in members)}
            if chains:
                more |= {extended for name in found | more for extended in self.extends[name]
                         if extended in self.members and extended not in found}
            if not more:
                return found
            found |= more

    @staticmethod
    def enum_of(part):
        """The name of the enumerator; of an alias, the name that it stands for."""
        return part.get("alias") or part.get("name")

    def words(self, structure):
        """How many 32-bit words follow sType and pNext, as far as the first pointer."""
        count = 0
        for member in self.members[structure][2:]:
            if "*" in "".join(member.itertext()):
                break
            base = member.findtext("type")
            count += WORDS.get(self.bases.get(self.name(base), base), 1)
        return count


    def device_create_words(self):
        """The structures of 32-bit words that may extend VkDeviceCreateInfo: number, words, name.
        Those of Vulkan SC have no number, and those with pointers are the code's."""
        for name, extended in self.extends.items():
            number = self.numbers.get(self.types[name])
            members = self.members[name][2:]
            if "VkDeviceCreateInfo" not in extended or number is None or any(
                    "*" in "".join(each.itertext()) or each.findtext("type").startswith("PFN_")
                    for each in members) or name == "VkPhysicalDeviceFeatures2":
                continue
            if name in self.owners:
                yield number, self.words(name), name


def is_platform(element):
    return element.get("platform") in PLATFORMS


class Comparison:
    def __init__(self, registry, table):
        self.registry, self.table = registry, table
        self.problems, self.newer = [], []
        self.hidden = {each["name"]: each for each in table if each["status"] == "hidden"}
        self.provided = [each for each in table if each["status"] == "provided"]
        self.intercepted = {command["name"] for each in table for command in each["commands"]
                            if command["intercepted"]}
        self.hidden_commands = {command["name"] for each in self.hidden.values()
                                for command in each["commands"]}
        self.seen = 0

    def expect(self, holds, problem):
        self.seen += 1
        if not holds:
            self.problems.append(problem)

    def handle_commands(self):
        """The commands that may receive a handle of the layer."""
        registry = self.registry
        direct = registry.carriers({SWAPCHAIN, SURFACE}, chains=True) | {SWAPCHAIN, SURFACE}
        typed = registry.carriers(TYPED_HANDLES, chains=False) | TYPED_HANDLES
        for name, types in registry.all_commands():
            # A command with an object type but without a handle asks about types.
            is_typed = set(types) & (typed - TYPED_HANDLES) or (
                set(types) & TYPED_HANDLES and "uint64_t" in types)
            if set(types) & direct or is_typed:
                yield name

    def check_commands(self):
        intercepted = self.intercepted
        for name in self.handle_commands():
            if all(is_platform(owner) for owner in self.registry.owners[name]):
                continue
            known = name in intercepted or name in self.hidden_commands or name in COMMANDS
            self.expect(known, f"{name} may be given a handle of the layer's, and is neither "
                        "intercepted nor hidden nor listed with a reason")
            self.expect(not (name in intercepted and name in COMMANDS),
                        f"{name} is intercepted: its reason is out of date")
        for name, same in self.registry.same.items():
            if name in self.registry.owners:
                self.expect((name in intercepted) == (same in intercepted),
                            f"{name} and {same} are one command; one of them is intercepted")

    def acts_on_swapchains(self, element):
        """Why a device extension acts on swapchains; an empty string if it does not."""
        commands = set(self.swapchain_commands)
        for require in element.iter("require"):
            for part in require:
                name = self.registry.name(part.get("name"))
                if part.tag == "command" and name in commands:
                    return f"it has {name}"
                if part.tag == "type" and set(self.registry.extends.get(name, ())) & set(ROOTS):
                    return f"it has {name}"
                if part.get("extends") in FLAGS:
                    return f"it has {part.get('name')}"
        return "it depends on VK_KHR_swapchain" if "VK_KHR_swapchain" in (
            element.get("depends") or "") else ""

    def check_extensions(self):
        direct = {SWAPCHAIN, SURFACE} | {
            name for name, members in self.registry.members.items()
            if any(each.findtext("type") in (SWAPCHAIN, SURFACE) for each in members)}
        self.swapchain_commands = [name for name, types in self.registry.all_commands()
                                   if direct & set(types)]
        provided = {each["name"] for each in self.provided}
        known = set(self.hidden) | provided | set(EXTENSIONS)
        for name, element in self.registry.extensions.items():
            if element.get("type") != "device" or (name not in known and is_platform(element)):
                continue
            why = self.acts_on_swapchains(element)
            self.expect(not why or name in known, f"{name} acts on swapchains ({why}), and is "
                        "neither provided nor hidden nor listed with a reason")
        for name in EXTENSIONS:
            self.expect(name not in self.hidden,
                        f"{name} is hidden: its reason is out of date")

    def check_hidden(self, name, entry):
        element = self.registry.extensions.get(name)
        if element is None:
            self.newer.append(name)
            return
        parts = [part for require in element.iter("require") for part in require]
        commands = {part.get("name") for part in parts if part.tag == "command"}
        listed = {each["name"] for each in entry["commands"]}
        self.expect(listed == commands,
                    f"{name}: commands {sorted(commands)} are {sorted(listed)} in the table")
        modes = [part.get("name") for part in parts if part.get("extends") == "VkPresentModeKHR"]
        self.expect(not modes, f"{name}: drivers list {modes}, and nothing hides present modes")
        self.check_structures(entry, element, ANSWERS)

    def check_structures(self, entry, element, answers):
        """The structures of an extension that extend one of `answers` are in the table."""
        name = entry["name"]
        listed = {each["type"] for each in entry["structures"]}
        for part in (part for require in element.iter("require") for part in require):
            structure = self.registry.name(part.get("name"))
            if part.tag == "type" and set(self.registry.extends.get(structure, ())) & set(answers):
                number = self.registry.numbers[self.registry.types[structure]]
                self.expect(number in listed, f"{name}: {structure} is not in the table")
        for each in entry["structures"]:
            structure = self.registry.name(each["name"])
            if structure not in self.registry.members:
                self.newer.append(structure)
                continue
            number = self.registry.numbers.get(self.registry.types[structure])
            self.expect(number == each["type"], f"{structure} is {number}, not {each['type']}")
            words = self.registry.words(structure)
            self.expect(words == each["words"],
                        f"{structure} has {words} words, not {each['words']}")

    def check_owners(self):
        """Each command stands under the extension that has it, and once."""
        names = [command["name"] for each in self.table for command in each["commands"]]
        self.expect(len(names) == len(set(names)), "a command is in the table twice")
        for entry in self.table:
            for command in entry["commands"]:
                name = command["name"]
                owners = self.registry.owners.get(name)
                if owners is None:
                    self.newer.append(name)
                    continue
                found = {each.get("name") for each in owners}
                own = entry["name"] in found if entry["name"] else any(
                    each.tag == "feature" for each in owners)
                self.expect(own, f"{name} stands under {entry['name'] or 'Vulkan'}, and belongs to "
                            f"{sorted(found)}")
                types = self.registry.commands.get(self.registry.same.get(name, name), [None])
                by_device = types[0] in ("VkDevice", "VkQueue")
                if entry["status"] != "hidden" and name != "vkGetInstanceProcAddr":
                    self.expect((command["dispatch"] == "device") == by_device,
                                f"{name} is dispatched by {command['dispatch']} in the table")

    def check_sizes(self, text):
        """The numbers are compared: the table has the newest names."""
        rows = [(int(number), int(words)) for number, words
                in re.findall(r"^\{(\d+), (\d+)\},", text, re.MULTILINE)]
        self.expect(rows == sorted(rows), "the table of sizes is not sorted")
        for number, words, name in self.registry.device_create_words():
            self.expect((number, words) in rows, f"{name}: {{{number}, {words}}} is not in the "
                        "table of sizes")

    def check_provided(self, manifest):
        listed = {each["name"]: each for key in ("instance_extensions", "device_extensions")
                  for each in manifest["layer"][key]}
        provided = {each["name"] for each in self.provided}
        self.expect(set(listed) == provided,
                    f"the manifest provides {sorted(listed)}, and the table {sorted(provided)}")
        in_order = [each["name"] for each in manifest["layer"]["device_extensions"]]
        self.expect(in_order == [each["name"] for each in self.provided
                                 if each["level"] == "device"],
                    "the manifest and the table have the device extensions in another order")
        for entry in self.provided:
            name = entry["name"]
            in_manifest = listed.get(name, {})
            self.expect(in_manifest.get("spec_version") == str(entry["version"]),
                        f"{name} is version {entry['version']} in the table, and "
                        f"{in_manifest.get('spec_version')} in the manifest")
            if entry["level"] == "instance":
                continue
            commands = {each["name"] for each in entry["commands"]
                        if each["dispatch"] == "device"}
            self.expect(set(in_manifest.get("entrypoints", [])) == commands,
                        f"entry points of {name} in the manifest and in the table differ: "
                        f"{sorted(commands ^ set(in_manifest.get('entrypoints', [])))}")
            element = self.registry.extensions.get(name)
            if element is None:
                self.newer.append(name)
                continue
            self.check_structures(entry, element, ANSWERS)
            for part in (part for require in element.iter("require") for part in require):
                # vkGetDeviceProcAddr has to find the device commands of the extension.
                types = self.registry.commands.get(part.get("name"), [None])
                if part.tag == "command" and types[0] in ("VkDevice", "VkQueue"):
                    self.expect(part.get("name") in commands,
                                f"{part.get('name')} of {name} is not provided")


def print_sizes(vk_xml):
    for number, words, name in sorted(Registry(vk_xml).device_create_words()):
        print(f"{{{number}, {words}}}, // {name}")


def main(program, vk_xml, manifest, sizes):
    registry = Registry(vk_xml)
    # Meson sets the variable if this machine cannot run the program itself.
    runner = os.environ.get("MESON_EXE_WRAPPER", "").split()
    table = json.loads(subprocess.run([*runner, program], check=True, capture_output=True,
                                      text=True).stdout)
    comparison = Comparison(registry, table)
    comparison.check_commands()
    comparison.check_owners()
    comparison.check_extensions()
    for name, entry in comparison.hidden.items():
        comparison.check_hidden(name, entry)
    with open(manifest, encoding="utf-8") as file:
        comparison.check_provided(json.load(file))
    with open(sizes, encoding="utf-8") as file:
        comparison.check_sizes(file.read())
    version = next(each.findtext("name") and "".join(each.itertext()).split()[-1]
                   for each in registry.root.iter("type")
                   if each.findtext("name") == "VK_HEADER_VERSION")
    print(f"registry {version}: {comparison.seen} comparisons, of "
          f"{len(list(comparison.handle_commands()))} commands that carry handles and "
          f"{len(comparison.hidden)} hidden extensions; {len(comparison.problems)} problems; "
          f"newer than this registry: {', '.join(comparison.newer) or 'nothing'}")
    # A registry of version KNOWS_ALL or later has every name of the table. A name that it lacks is
    # misspelt.
    if int(version) >= KNOWS_ALL and comparison.newer:
        comparison.problems.append("the table has names that the registry should know, too")
    for problem in comparison.problems:
        print(f"  {problem}")
    # Fewer than 100 comparisons mean that the file was not read as the registry.
    return 1 if comparison.problems or comparison.seen < 100 else 0


if __name__ == "__main__":
    if sys.argv[1] == "--sizes":
        print_sizes(sys.argv[2])
    else:
        sys.exit(main(*sys.argv[1:]))
