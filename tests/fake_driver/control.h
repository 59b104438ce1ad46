/* SPDX-License-Identifier: MIT */
/*
 * What a test can ask of the fake driver, beside Vulkan.
 *
 * The driver is loaded by the Vulkan loader like any other (tests/fake_driver/fake_driver.json in
 * the build folder is its manifest). A test reaches the very same library with dlopen() on the path
 * of libfake_driver.so and takes this table from its symbol FAKE_DRIVER_CONTROL_SYMBOL; keeping
 * that handle open keeps the driver's state alive while the loader loads and unloads it.
 * tests/fake_driver/control.hpp does this in C++.
 *
 * Every function may be called from any thread. Settings take effect on the next Vulkan call that
 * asks for them; what a settings function changes is undone by reset(). Strings and arrays handed
 * in are copied. Strings and arrays handed out live until the next reset() or forever.
 */
#ifndef FENCEBRIDGE_TESTS_FAKE_DRIVER_CONTROL_H
#define FENCEBRIDGE_TESTS_FAKE_DRIVER_CONTROL_H

#include <stdint.h>

#include <vulkan/vulkan_core.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FAKE_DRIVER_CONTROL_VERSION 1
#define FAKE_DRIVER_CONTROL_SYMBOL "fake_driver_get_control"

/* For the `device` parameters: every physical device, those added later included. */
#define FAKE_DRIVER_ALL_DEVICES UINT32_MAX
#define FAKE_DRIVER_MAX_DEVICES 4
#define FAKE_DRIVER_MAX_PLANES 4

/*
 * What a native (the driver's own) WSI answers, so that a test can tell it from the layer's.
 * The native present mode is VK_PRESENT_MODE_IMMEDIATE_KHR alone.
 */
#define FAKE_DRIVER_NATIVE_FORMAT VK_FORMAT_R5G6B5_UNORM_PACK16
#define FAKE_DRIVER_NATIVE_MIN_IMAGES 7
#define FAKE_DRIVER_NATIVE_WIDTH 1234
#define FAKE_DRIVER_NATIVE_HEIGHT 567

typedef enum FakeDriverMemory {
    /* memfd_create(): works anywhere, takes no dma-buf ioctl, poll() says always ready. */
    FAKE_DRIVER_MEMORY_MEMFD = 0,
    /* A dma-buf from /dev/udmabuf; allocation fails where there is none. */
    FAKE_DRIVER_MEMORY_UDMABUF = 1,
} FakeDriverMemory;

typedef enum FakeDriverSync {
    /* An eventfd stands for a sync_file: readable once signalled, takes no sync_file ioctl. */
    FAKE_DRIVER_SYNC_EVENTFD = 0,
    /* A sync_file of a sw_sync timeline (debugfs must be mounted at /sys/kernel/debug). */
    FAKE_DRIVER_SYNC_SW_SYNC = 1,
} FakeDriverSync;

typedef enum FakeDriverObject {
    FAKE_DRIVER_INSTANCE,
    FAKE_DRIVER_DEVICE,
    FAKE_DRIVER_MEMORY,
    FAKE_DRIVER_IMAGE, /* images of native swapchains are not counted */
    FAKE_DRIVER_IMAGE_VIEW,
    FAKE_DRIVER_BUFFER,
    FAKE_DRIVER_SEMAPHORE,
    FAKE_DRIVER_FENCE,
    FAKE_DRIVER_COMMAND_POOL,
    FAKE_DRIVER_COMMAND_BUFFER,
    FAKE_DRIVER_SURFACE,   /* native */
    FAKE_DRIVER_SWAPCHAIN, /* native */
    FAKE_DRIVER_OBJECT_COUNT,
} FakeDriverObject;

/* One modifier of one format. The row pitch of plane i is width times the bytes per pixel, shifted
 * right by pitch_shift[i], rounded up to pitch_alignment. */
typedef struct FakeDriverModifier {
    uint64_t modifier;
    uint32_t plane_count; /* memory planes, 1 to FAKE_DRIVER_MAX_PLANES */
    uint32_t pitch_alignment;
    uint32_t pitch_shift[FAKE_DRIVER_MAX_PLANES];
    VkFormatFeatureFlags features;
    VkBool32 importable;
    VkBool32 exportable;
    VkBool32 dedicated_only;
    VkBool32 aliasable; /* images may have VK_IMAGE_CREATE_ALIAS_BIT */
} FakeDriverModifier;

/* What the driver was handed at its end of vkCreateInstance or vkCreateDevice. */
typedef struct FakeDriverCreate {
    VkResult result;
    uint32_t physical_device; /* index; 0 for an instance */
    uint32_t api_version;     /* VkApplicationInfo::apiVersion; 0 without one */
    VkBool32 has_features;    /* VkDeviceCreateInfo::pEnabledFeatures is not NULL */
    uint32_t extension_count;
    const char* const* extensions; /* in the order given, duplicates kept */
    uint32_t next_count;           /* the loader's own structures are left out */
    const VkStructureType* next_types;
    const void* const* next_addresses; /* only to be compared, never to be followed */
} FakeDriverCreate;

typedef struct FakeDriverControl {
    uint32_t version;

    /*
     * Settings back to the defaults and the environment's FAKE_DRIVER_* variables; failures,
     * counts, logs and misuse cleared; rendering not held. Live objects stay as they are.
     *
     * Defaults: one physical device, Vulkan 1.3, every extension, native WSI, memfd and eventfd,
     * VK_FORMAT_B8G8R8A8_{UNORM,SRGB} and VK_FORMAT_R8G8B8A8_{UNORM,SRGB} with the modifier
     * DRM_FORMAT_MOD_LINEAR alone (pitch alignment 256), no dedicated allocation asked for.
     *
     * The environment: FAKE_DRIVER_MEMORY=udmabuf (sw_sync with it), FAKE_DRIVER_SYNC=sw_sync or
     * eventfd, FAKE_DRIVER_NATIVE_WSI=0, FAKE_DRIVER_HIDE_EXTENSIONS=NAME,NAME,...
     */
    void (*reset)(void);

    /* ---- settings ---- */

    /* VK_API_VERSION_1_0 takes vkEnumerateInstanceVersion away too. */
    void (*set_instance_version)(uint32_t api_version);
    void (*set_device_version)(uint32_t device, uint32_t api_version);
    /* 1 to FAKE_DRIVER_MAX_DEVICES, for instances created later. */
    void (*set_physical_device_count)(uint32_t count);
    void (*hide_instance_extension)(const char* name);
    void (*hide_device_extension)(uint32_t device, const char* name);
    /* The driver lists and accepts the extension. It has functions for VK_EXT_debug_utils,
     * VK_EXT_debug_marker, VK_EXT_private_data and VK_EXT_display_surface_counter alone, and says
     * that it has the features of those that act on swapchains. */
    void (*add_instance_extension)(const char* name);
    void (*add_device_extension)(uint32_t device, const char* name);
    /* Off: no VK_KHR_surface, VK_KHR_wayland_surface, VK_KHR_get_surface_capabilities2,
     * VK_KHR_swapchain. */
    void (*set_native_wsi)(VkBool32 on);
    void (*set_memory)(FakeDriverMemory memory);
    void (*set_sync)(FakeDriverSync sync);
    /* Feature bits reported for SYNC_FD, VK_EXTERNAL_{SEMAPHORE,FENCE}_FEATURE_*; using what is
     * not reported counts as misuse and fails. */
    void (*set_sync_fd_features)(uint32_t device, VkExternalSemaphoreFeatureFlags semaphore,
                                 VkExternalFenceFeatureFlags fence);
    /* Whether a semaphore can be exported as SYNC_FD while it has an imported payload
     * (exportFromImportedHandleTypes); on by default. */
    void (*set_exports_imported_semaphores)(uint32_t device, VkBool32 on);
    /* Queues of the one family; 2 by default. */
    void (*set_queue_count)(uint32_t device, uint32_t count);
    /* In the driver's order of preference. A count of 0 makes the format unknown; a format with no
     * entry has no modifiers and no features. */
    void (*set_format)(uint32_t device, VkFormat format, uint32_t modifier_count,
                       const FakeDriverModifier* modifiers);
    void (*set_dedicated)(uint32_t device, VkBool32 prefers, VkBool32 requires_it);
    /* VkPhysicalDeviceDriverProperties::driverID, by VK_KHR_driver_properties, which is added; by
     * default 0, which is nobody's. */
    void (*set_driver_id)(uint32_t device, VkDriverId id);
    /* The device numbers (dev_t) of its DRM nodes, 0 for none, by VK_EXT_physical_device_drm, which
     * is added. */
    void (*set_drm_nodes)(uint32_t device, uint64_t primary, uint64_t render);
    /* Exporting a signalled payload gives -1 (the default) or a signalled fd. */
    void (*set_export_signalled_as_minus_one)(VkBool32 on);
    /* vkCreateInstance gives `result` whenever this extension is enabled; NULL ends that. */
    void (*fail_instance_with_extension)(const char* name, VkResult result);
    /* The same for vkCreateDevice. */
    void (*fail_device_with_extension)(const char* name, VkResult result);
    /* Off: log_size() and log_entry() know nothing of later calls, and memory does not grow. */
    void (*set_keep_log)(VkBool32 on);

    /* ---- failing calls ---- */

    /* The nth call from now (1: the next one) of the function returns `result` and does nothing,
     * once. Names are those without the suffix of an extension that became core
     * ("vkBindImageMemory2", not "...KHR"). Several may be armed. */
    void (*fail_call)(const char* function, uint32_t nth, VkResult result);
    /* The same counting every function that returns a VkResult which may be a memory or device
     * loss error (not the vkGet...Properties, vkEnumerate..., vkGetFenceStatus). */
    void (*fail_any_call)(uint32_t nth, VkResult result);
    /* Drops what is armed. */
    void (*clear_failures)(void);
    /* How often a failure was injected since reset(), and into what last (NULL: none). */
    uint32_t (*injected_failures)(void);
    const char* (*last_injected)(void);

    /* ---- what happened ---- */

    /* Calls since reset(), the failed ones included; named as for fail_call(). */
    uint64_t (*call_count)(const char* function);
    /* All calls since reset() in order (every function that is no mere query of the physical
     * device or instance): number, and name by index. */
    uint64_t (*log_size)(void);
    const char* (*log_entry)(uint64_t index);
    uint64_t (*live_objects)(FakeDriverObject type);
    /* dma-buf fds and sync fds handed to the application since reset(), -1 not counted. */
    uint64_t (*exported_memory_fds)(void);
    uint64_t (*exported_sync_fds)(void);
    /* sync fds taken from the application since reset(), -1 not counted. */
    uint64_t (*imported_sync_fds)(void);
    /* fds that the driver itself holds now: memory, imported payloads, held rendering. */
    uint64_t (*held_fds)(void);
    /* Calls of vkCreateInstance and vkCreateDevice since reset(), those that failed included. */
    uint32_t (*instance_creates)(void);
    const FakeDriverCreate* (*instance_create)(uint32_t index);
    uint32_t (*device_creates)(void);
    const FakeDriverCreate* (*device_create)(uint32_t index);
    /* Breaches of valid usage seen: handles that are not alive, a wait on a semaphore that nothing
     * signals, objects left at vkDestroyDevice, ... Each is also a line on stderr. */
    uint32_t (*misuses)(void);
    const char* (*misuse)(uint32_t index);

    /* ---- rendering ---- */

    /* While on, each vkQueueSubmit batch that has a command buffer stays unfinished: the fence, the
     * semaphores, fds exported from them and all that comes after on that queue wait for it.
     * Batches without a command buffer take no time of their own. Off: all are let go. */
    void (*hold_rendering)(VkBool32 on);
    /* Lets the oldest held batch go; VK_FALSE when there is none. */
    VkBool32 (*release_one)(void);
    /* Batches held now. */
    uint32_t (*held_batches)(void);
} FakeDriverControl;

/* The type of the exported symbol. NULL when the version is not served. */
typedef const FakeDriverControl* (*FakeDriverGetControl)(uint32_t version);

#ifdef __cplusplus
}
#endif

#endif
