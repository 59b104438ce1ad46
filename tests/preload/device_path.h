// SPDX-License-Identifier: MIT
/*
 * The build of the library for the tests includes this header first. The library then opens a file
 * in the current folder as the device. The tests create and remove that file.
 */
#ifndef TEST_PRELOAD_DEVICE_PATH_H
#define TEST_PRELOAD_DEVICE_PATH_H

#include "fencebridge.h"

#undef FENCEBRIDGE_DEVICE
#define FENCEBRIDGE_DEVICE "fencebridge-device"

#endif
