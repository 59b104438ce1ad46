/* SPDX-License-Identifier: MIT */
/*
 * The interface by which a test controls and observes the fake driver, beside Vulkan.
 *
 * The Vulkan loader loads the driver like any other (tests/fake_driver/fake_driver.json in the
 * build folder is its manifest). A test opens the same library with dlopen() on the path of
 * libfake_driver.so, and calls the function FAKE_DRIVER_CONTROL_SYMBOL, which returns this table.
 * While the test keeps that handle open, the driver keeps its state although the loader loads and
 * unloads it. tests/fake_driver/control.hpp does this in C++.
 *
 * Every function may be called from any thread. A setting takes effect at the next Vulkan call that
 * depends on it, and reset() undoes it. Strings and arrays that are passed in are copied. Those
 * that are returned live at least until the next reset().
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
 * The answers of the native WSI, which is the driver's own. They differ from the layer's, so that a
 * test knows who answered. The native present mode is VK_PRESENT_MODE_IMMEDIATE_KHR. A device with
 * VK_KHR_shared_presentable_image also has VK_PRESENT_MODE_SHARED_DEMAND_REFRESH_KHR.
 */
#define FAKE_DRIVER_NATIVE_FORMAT VK_FORMAT_R5G6B5_UNORM_PACK16
#define FAKE_DRIVER_NATIVE_MIN_IMAGES 7
#define FAKE_DRIVER_NATIVE_WIDTH 1234
#define FAKE_DRIVER_NATIVE_HEIGHT 567

/* The time that vkGetCalibratedTimestampsKHR always gives, less the value of the VkTimeDomainKHR;
 * and its maximum deviation. The driver has the time domains DEVICE and CLOCK_MONOTONIC. */
#define FAKE_DRIVER_TIMESTAMP UINT64_C(1000)
#define FAKE_DRIVER_MAX_DEVIATION UINT64_C(50)

/* minImportedHostPointerAlignment, unless set_host_pointer_alignment() changes it. */
#define FAKE_DRIVER_HOST_POINTER_ALIGNMENT 4096

typedef enum FakeDriverMemory {
    /* memfd_create(): works on every kernel, without dma-buf ioctls; always ready in poll(). */
    FAKE_DRIVER_MEMORY_MEMFD = 0,
    /* A dma-buf from /dev/udmabuf; allocation fails without that device. */
    FAKE_DRIVER_MEMORY_UDMABUF = 1,
} FakeDriverMemory;

typedef enum FakeDriverSync {
    /* An eventfd stands for a sync_file: readable once signalled, without sync_file ioctls. */
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

/* What the driver received in vkCreateInstance or vkCreateDevice. */
typedef struct FakeDriverCreate {
    VkResult result;
    uint32_t physical_device; /* index; 0 for an instance */
    uint32_t api_version;     /* VkApplicationInfo::apiVersion; 0 without one */
    VkBool32 has_features;    /* VkDeviceCreateInfo::pEnabledFeatures is not NULL */
    uint32_t extension_count;
    const char* const* extensions; /* in the order given, duplicates kept */
    uint32_t next_count;           /* the loader's own structures are left out */
    const VkStructureType* next_types;
    const void* const* next_addresses; /* to be compared, and not to be dereferenced */
} FakeDriverCreate;

/* What the driver received in vkQueuePresentKHR. The arrays from structures in the pNext chain have
 * an element for each swapchain, and are NULL without the structure. */
typedef struct FakeDriverPresent {
    uint32_t swapchain_count;
    const VkSwapchainKHR* swapchains;
    const uint32_t* rectangle_counts; /* VkPresentRegionsKHR: of each region */
    const uint64_t* ids;              /* VkPresentIdKHR */
    const uint32_t* device_masks;     /* VkDeviceGroupPresentInfoKHR */
    const VkFence* fences;            /* VkSwapchainPresentFenceInfoKHR */
    const VkPresentModeKHR* modes;    /* VkSwapchainPresentModeInfoKHR */
} FakeDriverPresent;

typedef struct FakeDriverControl {
    uint32_t version;

    /*
     * Sets the settings to the defaults, changed by the FAKE_DRIVER_* variables of the environment.
     * Clears failures, counts, logs and misuse, and ends hold_rendering(). Live objects are not
     * affected.
     *
     * Defaults: one physical device, Vulkan 1.3, the extensions that settings.cpp lists, native
     * WSI, memfd and eventfd, VK_FORMAT_B8G8R8A8_{UNORM,SRGB} and VK_FORMAT_R8G8B8A8_{UNORM,SRGB}
     * with the modifier DRM_FORMAT_MOD_LINEAR alone (pitch alignment 256), dedicated allocations
     * neither preferred nor required.
     *
     * The environment: FAKE_DRIVER_MEMORY=udmabuf (implies sw_sync), FAKE_DRIVER_SYNC=sw_sync or
     * eventfd, FAKE_DRIVER_NATIVE_WSI=0, FAKE_DRIVER_HIDE_EXTENSIONS=NAME,NAME,...
     */
    void (*reset)(void);

    /* ---- settings ---- */

    /* With VK_API_VERSION_1_0 the driver has no vkEnumerateInstanceVersion. */
    void (*set_instance_version)(uint32_t api_version);
    void (*set_device_version)(uint32_t device, uint32_t api_version);
    /* 1 to FAKE_DRIVER_MAX_DEVICES, for instances that are created later. */
    void (*set_physical_device_count)(uint32_t count);
    void (*hide_instance_extension)(const char* name);
    void (*hide_device_extension)(uint32_t device, const char* name);
    /* The driver lists and accepts the extension. Of such extensions, it implements
     * VK_EXT_debug_utils, VK_EXT_debug_marker, VK_EXT_private_data, VK_EXT_headless_surface,
     * VK_EXT_display_surface_counter, VK_{EXT,KHR}_swapchain_maintenance1,
     * VK_{EXT,KHR}_calibrated_timestamps, VK_EXT_external_memory_host (host allocations, for
     * buffers and LINEAR images, in the host-visible memory type 1),
     * vkGetDeviceImageSubresourceLayoutKHR of VK_KHR_maintenance5, and some commands of
     * VK_KHR_synchronization2. It reports the features of extensions that act on swapchains. As
     * some drivers do, it has vkGetSwapchainStatusKHR even without VK_KHR_shared_presentable_image.
     */
    void (*add_instance_extension)(const char* name);
    void (*add_device_extension)(uint32_t device, const char* name);
    /* If off, the driver lacks VK_KHR_surface, VK_KHR_wayland_surface,
     * VK_KHR_get_surface_capabilities2 and VK_KHR_swapchain. */
    void (*set_native_wsi)(VkBool32 on);
    void (*set_memory)(FakeDriverMemory memory);
    void (*set_sync)(FakeDriverSync sync);
    /* The VK_EXTERNAL_{SEMAPHORE,FENCE}_FEATURE_* bits that are reported for SYNC_FD. An operation
     * that is not reported fails and counts as misuse. That includes vkCreateSemaphore and
     * vkCreateFence for export without the bit EXPORTABLE, which return
     * VK_ERROR_INITIALIZATION_FAILED, as NVIDIA's driver does. */
    void (*set_sync_fd_features)(uint32_t device, VkExternalSemaphoreFeatureFlags semaphore,
                                 VkExternalFenceFeatureFlags fence);
    /* Whether semaphores and fences have the handle type OPAQUE_FD; off by default. The driver
     * reports it, and creates objects for its export. The export and the import themselves fail and
     * count as misuse, because nothing but the same driver could use such a descriptor. */
    void (*set_opaque_fds)(uint32_t device, VkBool32 on);
    /* Whether a semaphore can be exported as SYNC_FD while it has an imported payload
     * (exportFromImportedHandleTypes); on by default. */
    void (*set_exports_imported_semaphores)(uint32_t device, VkBool32 on);
    /* The number of queues of each family; 2 by default. */
    void (*set_queue_count)(uint32_t device, uint32_t count);
    /* VkQueueFamilyProperties::queueFlags of each queue family. By default there is one, with
     * graphics, compute and transfer. A command buffer that is submitted to a queue of another
     * family than that of its pool is a misuse. */
    void (*set_queue_families)(uint32_t device, uint32_t count, const VkQueueFlags* flags);
    /* VkPhysicalDeviceProperties::deviceType; VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU by default. */
    void (*set_device_type)(uint32_t device, VkPhysicalDeviceType type);
    /* The modifiers of a format in the driver's order of preference. With a count of 0 the format
     * has no modifiers and no features. */
    void (*set_format)(uint32_t device, VkFormat format, uint32_t modifier_count,
                       const FakeDriverModifier* modifiers);
    /* VkMemoryDedicatedRequirements of images. If it is required, also for the dma-bufs of buffers:
     * VK_EXTERNAL_MEMORY_FEATURE_DEDICATED_ONLY_BIT. */
    void (*set_dedicated)(uint32_t device, VkBool32 prefers, VkBool32 requires_it);
    /* The VK_EXTERNAL_MEMORY_FEATURE_{EXPORTABLE,IMPORTABLE}_BIT that the driver has for dma-bufs,
     * both by default. A format's modifier has those of its own that are also set here. An
     * operation that is not reported fails and counts as misuse. With 0, the driver does not know
     * the handle type: queries of image formats return VK_ERROR_FORMAT_NOT_SUPPORTED. */
    void (*set_dma_buf_features)(uint32_t device, VkExternalMemoryFeatureFlags features);
    /* Whether the memory of buffers can be a dma-buf; on by default. */
    void (*set_shares_buffers)(uint32_t device, VkBool32 on);
    /* Images with VK_IMAGE_TILING_LINEAR: the alignment of their row pitch, and the number of bytes
     * that vkGetImageMemoryRequirements adds. By default they have the layout of the format's first
     * modifier. */
    void (*set_linear_layout)(uint32_t device, uint32_t pitch_alignment, VkDeviceSize padding);
    /* VkFormatProperties::linearTilingFeatures of each format that the driver has. An image with
     * VK_IMAGE_TILING_LINEAR and a usage that they lack is a misuse. As with NVIDIA's driver,
     * vkGetPhysicalDeviceImageFormatProperties2 does not consider them. */
    void (*set_linear_features)(uint32_t device, VkFormatFeatureFlags features);
    /* Imports of a dma-buf fail with VK_ERROR_INVALID_EXTERNAL_HANDLE if the dma-buf is not larger
     * by this number of bytes than the requirements of the image or buffer say, as v3dv may want
     * it. For an image without VkMemoryDedicatedAllocateInfo, the driver notices it in
     * vkBindImageMemory, which then returns VK_ERROR_OUT_OF_DEVICE_MEMORY. */
    void (*set_import_padding)(uint32_t device, VkDeviceSize bytes);
    /* Whether vkGetPhysicalDeviceFeatures2 says that the device has the features of its extensions
     * about swapchains; on by default. */
    void (*set_swapchain_features)(uint32_t device, VkBool32 on);
    /* minImportedHostPointerAlignment. */
    void (*set_host_pointer_alignment)(uint32_t device, VkDeviceSize bytes);
    /* Adds VK_KHR_driver_properties and sets VkPhysicalDeviceDriverProperties::driverID. The
     * default is 0, which no driver has. */
    void (*set_driver_id)(uint32_t device, VkDriverId id);
    /* VkPhysicalDeviceProperties::driverVersion; 1 by default. */
    void (*set_driver_version)(uint32_t device, uint32_t version);
    /* Whether the native WSI can present to surfaces from the queue family: the answer of
     * vkGetPhysicalDeviceSurfaceSupportKHR and ...WaylandPresentationSupportKHR. On by default. */
    void (*set_presents)(uint32_t device, uint32_t queue_family, VkBool32 on);
    /* Adds VK_EXT_physical_device_drm and sets the device numbers (dev_t) of the DRM nodes; 0 means
     * that there is none. */
    void (*set_drm_nodes)(uint32_t device, uint64_t primary, uint64_t render);
    /* Whether a signalled payload is exported as -1 (the default) or as a signalled fd. */
    void (*set_export_signalled_as_minus_one)(VkBool32 on);
    /* vkCreateInstance returns `result` whenever this extension is enabled; NULL ends that. */
    void (*fail_instance_with_extension)(const char* name, VkResult result);
    /* The same for vkCreateDevice. */
    void (*fail_device_with_extension)(const char* name, VkResult result);
    /* While on, the commands of a batch are executed once its waits are over, and before it signals
     * anything: barriers change the layout of an image (an image in another layout is a misuse),
     * and clears and copies read and write the bytes of the memory. A thread executes them if the
     * waits are not over when the batch is submitted. So a batch that finishes by release_one() or
     * by a descriptor finishes a moment later. Off by default: commands are checked, and do
     * nothing. */
    void (*set_executes_commands)(VkBool32 on);
    /* If off, later calls are not logged, so that memory does not grow. */
    void (*set_keep_log)(VkBool32 on);

    /* ---- failing calls ---- */

    /* The nth call from now (1: the next one) of the function returns `result` and does nothing,
     * once. The name is the one without the suffix of an extension that became core
     * ("vkBindImageMemory2", not "...KHR"), or with that of the newer extension
     * ("vkReleaseSwapchainImagesKHR", not "...EXT"). Several failures may be armed at a time. */
    void (*fail_call)(const char* function, uint32_t nth, VkResult result);
    /* The same, but counts the calls of every function that calls enter() (state.hpp). Not counted
     * are vkEnumerate..., queries of a physical device, a device group or a surface,
     * vkGetFenceStatus and vkGetSwapchainStatusKHR. */
    void (*fail_any_call)(uint32_t nth, VkResult result);
    /* Disarms all failures. */
    void (*clear_failures)(void);
    /* The number of failures injected since reset(), and the function that failed last or NULL. */
    uint32_t (*injected_failures)(void);
    const char* (*last_injected)(void);

    /* ---- what happened ---- */

    /* The number of calls since reset(), including those that failed; named as for fail_call(). */
    uint64_t (*call_count)(const char* function);
    /* The log of the calls since reset(), without queries (enter_query() and note_query() in
     * state.hpp): the number of entries, and the function of each. */
    uint64_t (*log_size)(void);
    const char* (*log_entry)(uint64_t index);
    uint64_t (*live_objects)(FakeDriverObject type);
    /* The number of dma-buf fds and of sync fds exported since reset(), without -1. */
    uint64_t (*exported_memory_fds)(void);
    uint64_t (*exported_sync_fds)(void);
    /* The number of sync fds imported since reset(), without -1. */
    uint64_t (*imported_sync_fds)(void);
    /* The number of buffers that belong to VK_QUEUE_FAMILY_FOREIGN_EXT: executed commands have
     * released them, and have not written to them since. */
    uint64_t (*foreign_buffers)(void);
    /* The number of executed vkCmdPipelineBarrier that made writes visible to reads of the CPU. */
    uint64_t (*host_releases)(void);
    /* The number of fds that the driver holds now: memory, imported payloads, held rendering. */
    uint64_t (*held_fds)(void);
    /* The calls of vkCreateInstance and vkCreateDevice since reset(), including those that failed.
     */
    uint32_t (*instance_creates)(void);
    const FakeDriverCreate* (*instance_create)(uint32_t index);
    uint32_t (*device_creates)(void);
    const FakeDriverCreate* (*device_create)(uint32_t index);
    /* The calls of vkQueuePresentKHR since reset(), without those that failed by fail_call(). */
    uint32_t (*presents)(void);
    const FakeDriverPresent* (*present)(uint32_t index);
    /* Breaches of valid usage since reset(): handles that are not live, a wait on a semaphore that
     * nothing signals, objects left at vkDestroyDevice, ... Each is also printed to stderr. */
    uint32_t (*misuses)(void);
    const char* (*misuse)(uint32_t index);

    /* ---- rendering ---- */

    /* While on, a vkQueueSubmit batch that has a command buffer does not finish. Its fence, its
     * semaphores, fds exported from them, and all later batches of the queue wait for it. A batch
     * without a command buffer finishes as soon as its waits are over. Off finishes all held
     * batches. */
    void (*hold_rendering)(VkBool32 on);
    /* Finishes the oldest held batch; VK_FALSE if there is none. */
    VkBool32 (*release_one)(void);
    /* The same for the newest one, which is on another queue than older ones. */
    VkBool32 (*release_newest)(void);
    /* The number of batches that are held now. */
    uint32_t (*held_batches)(void);
} FakeDriverControl;

/* The type of the exported function. It returns NULL if the version is not supported. */
typedef const FakeDriverControl* (*FakeDriverGetControl)(uint32_t version);

#ifdef __cplusplus
}
#endif

#endif
