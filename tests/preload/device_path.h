// SPDX-License-Identifier: MIT
/* Included ahead of the library's source when it is built for the tests: they make and remove the
 * device, as a file in the folder that they run in. */
#ifndef TEST_PRELOAD_DEVICE_PATH_H
#define TEST_PRELOAD_DEVICE_PATH_H

#include "fencebridge.h"

#undef FENCEBRIDGE_DEVICE
#define FENCEBRIDGE_DEVICE "fencebridge-device"

#endif
