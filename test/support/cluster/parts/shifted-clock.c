/* A clock that is ahead or behind: preloaded, it adds SHIFT_CLOCK seconds to the time of day, and to no
   other clock. libfaketime does the same and more, but with it GlusterFS, which asks for the time at
   every step, takes ten times as much of the processor. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

/* Of the clocks only the time of day has come this far. */
#define MILLENNIUM 1000000000

static int (*real_gettime)(clockid_t, struct timespec *);
static int (*real_timedwait)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
static time_t shift;

__attribute__((constructor)) static void start(void) {
  const char *seconds = getenv("SHIFT_CLOCK");
  if (seconds != NULL) shift = atol(seconds);
  *(void **)&real_gettime = dlsym(RTLD_NEXT, "clock_gettime");
  /* On some machines glibc has one for programs of long ago, too. */
  *(void **)&real_timedwait = dlvsym(RTLD_NEXT, "pthread_cond_timedwait", "GLIBC_2.3.2");
  if (real_timedwait == NULL)
    *(void **)&real_timedwait = dlsym(RTLD_NEXT, "pthread_cond_timedwait");
}

int clock_gettime(clockid_t clock, struct timespec *now) {
  if (real_gettime == NULL) start();
  int result = real_gettime(clock, now);
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
    now->tv_sec += shift;
  return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
  struct timespec exact;
  (void)zone;
  if (clock_gettime(CLOCK_REALTIME, &exact) != 0) return -1;
  now->tv_sec = exact.tv_sec;
  now->tv_usec = exact.tv_nsec / 1000;
  return 0;
}

time_t time(time_t *into) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME_COARSE, &now);
  if (into != NULL) *into = now.tv_sec;
  return now.tv_sec;
}

/* The kernel waits by the clock that was not shifted. */
int pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex,
                           const struct timespec *until) {
  struct timespec real = *until;
  if (real_timedwait == NULL) start();
  if (real.tv_sec > MILLENNIUM) real.tv_sec -= shift;
  return real_timedwait(condition, mutex, &real);
}
