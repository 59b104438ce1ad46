// SPDX-License-Identifier: MIT
// A Vulkan driver that breaks in vkCreateInstance. The variable BROKEN_DRIVER says how: `hang`, or
// `crash`.
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <vulkan/vulkan_core.h>

#define EXPORT __attribute__((visibility("default")))

EXPORT PFN_vkVoidFunction vk_icdGetInstanceProcAddr(VkInstance instance, const char* name);
EXPORT VkResult vk_icdNegotiateLoaderICDInterfaceVersion(uint32_t* version);

static VkResult create_instance(const VkInstanceCreateInfo* info,
                                const VkAllocationCallbacks* allocator, VkInstance* instance) {
    (void)info;
    (void)allocator;
    (void)instance;
    const char* const how = getenv("BROKEN_DRIVER");
    while (how != NULL && strcmp(how, "hang") == 0)
        pause();
    abort(); // a signal that no sanitizer catches
}

static VkResult enumerate_extensions(const char* layer, uint32_t* count,
                                     VkExtensionProperties* extensions) {
    (void)layer;
    (void)extensions;
    *count = 0;
    return VK_SUCCESS;
}

static VkResult enumerate_version(uint32_t* version) {
    *version = VK_API_VERSION_1_1;
    return VK_SUCCESS;
}

PFN_vkVoidFunction vk_icdGetInstanceProcAddr(VkInstance instance, const char* name) {
    (void)instance;
    if (strcmp(name, "vkCreateInstance") == 0)
        return (PFN_vkVoidFunction)create_instance;
    if (strcmp(name, "vkEnumerateInstanceExtensionProperties") == 0)
        return (PFN_vkVoidFunction)enumerate_extensions;
    if (strcmp(name, "vkEnumerateInstanceVersion") == 0)
        return (PFN_vkVoidFunction)enumerate_version;
    return NULL;
}

VkResult vk_icdNegotiateLoaderICDInterfaceVersion(uint32_t* version) {
    *version = 5;
    return VK_SUCCESS;
}
