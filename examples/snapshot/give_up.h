// SPDX-License-Identifier: MIT
#ifndef SNAPSHOT_GIVE_UP_H
#define SNAPSHOT_GIVE_UP_H

/* Exit statuses besides 0. */
enum { NOT_AS_TOLD = 1, COULD_NOT_TRY = 2 };

/* Prints what failed, errno's text and the advice (if not NULL), and exits. */
_Noreturn void give_up(const char* tried, const char* advice);

#endif
