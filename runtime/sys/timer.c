/* timer: calls a function once after a delay, on its own thread.
 * In: seconds, a function. Out: the function is called, unless the timer is stopped first.
 * Source: pthread_cond_timedwait(3) on the monotonic clock */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "sys/timer.h"
#include "sys/thread.h"
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

struct ts_timer {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t stop;
    bool stopped;
    struct timespec at;
    void (*fn)(void *);
    void *data;
};

static void *wait_and_call(void *arg) {
    ts_timer *t = arg;
    int r = 0;
    pthread_mutex_lock(&t->lock);
    while (!t->stopped && r != ETIMEDOUT) r = pthread_cond_timedwait(&t->stop, &t->lock, &t->at);
    bool call = !t->stopped;
    pthread_mutex_unlock(&t->lock);
    if (call) t->fn(t->data);
    return NULL;
}

ts_timer *ts_timer_start(double seconds, void (*fn)(void *data), void *data) {
    ts_timer *t = calloc(1, sizeof *t);
    if (!t) return NULL;
    t->fn = fn;
    t->data = data;
    if (seconds < 0) seconds = 0;
    if (seconds > 1e9) seconds = 1e9;
    clock_gettime(CLOCK_MONOTONIC, &t->at);
    long ns = t->at.tv_nsec + (long)((seconds - (double)(long)seconds) * 1e9);
    t->at.tv_sec += (time_t)seconds + ns / 1000000000;
    t->at.tv_nsec = ns % 1000000000;
    if (pthread_mutex_init(&t->lock, NULL)) goto no_lock;
    if (!ts_cond_init(&t->stop)) goto no_condition;
    if (pthread_create(&t->thread, NULL, wait_and_call, t) == 0) return t;
    pthread_cond_destroy(&t->stop);
no_condition:
    pthread_mutex_destroy(&t->lock);
no_lock:
    free(t);
    return NULL;
}

void ts_timer_stop(ts_timer *t) {
    if (!t) return;
    pthread_mutex_lock(&t->lock);
    t->stopped = true;
    pthread_cond_signal(&t->stop);
    pthread_mutex_unlock(&t->lock);
    pthread_join(t->thread, NULL);
    pthread_cond_destroy(&t->stop);
    pthread_mutex_destroy(&t->lock);
    free(t);
}
