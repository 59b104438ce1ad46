/* SPDX-License-Identifier: MIT */
/* Many threads attach fences to the same buffers. No fence is lost. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "fences.h"
#include "tap.h"

enum { THREADS = 8, BUFFERS = 3, ROUNDS = 150 };

static struct buffer shared[BUFFERS];

static void *attach_and_look(void *argument)
{
	unsigned int seed = (unsigned int)(size_t)argument * 2654435761u;

	for (int i = 0; i < ROUNDS; i++) {
		int dma_buf = shared[(seed >> 8) % BUFFERS].dma_buf;
		bool write = seed & 0x10000;
		struct work work = work_begin();
		int own, taken;

		seed = seed * 1103515245u + 12345u;
		attach(dma_buf, write ? FENCEBRIDGE_WRITE : FENCEBRIDGE_READ, work.sync_file);
		own = snapshot(dma_buf, FENCEBRIDGE_WRITE);
		taken = snapshot(dma_buf, FENCEBRIDGE_READ);
		/* This fence is still pending, whatever the other threads attach or signal. */
		CHECK(!ready(own, POLLIN));
		CHECK(!ready(dma_buf, POLLOUT));
		if (write) {
			CHECK(!ready(taken, POLLIN));
			CHECK(!ready(dma_buf, POLLIN));
		}
		attach(shared[(seed >> 8) % BUFFERS].dma_buf, FENCEBRIDGE_READ, own);
		work_end(&work);
		close(own);
		close(taken);
		work_free(&work);
	}
	return NULL;
}

static void concurrent_imports_lose_no_fence(void)
{
	pthread_t thread[THREADS];

	for (int i = 0; i < BUFFERS; i++)
		shared[i] = buffer_create();
	for (size_t i = 0; i < THREADS; i++)
		CHECK_EQUAL(pthread_create(&thread[i], NULL, attach_and_look, (void *)(i + 1)), 0);
	for (int i = 0; i < THREADS; i++)
		CHECK_EQUAL(pthread_join(thread[i], NULL), 0);
	for (int i = 0; i < BUFFERS; i++) {
		wait_ready(shared[i].dma_buf, POLLOUT);
		CHECK(idle_for(shared[i].dma_buf, FENCEBRIDGE_WRITE));
		buffer_destroy(&shared[i]);
	}
}

const struct test thread_tests[] = {
	{ "threads.concurrent_imports_lose_no_fence", concurrent_imports_lose_no_fence },
	{ NULL, NULL },
};
