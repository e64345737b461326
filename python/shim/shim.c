/*
 * The shim between CPython and libretry. It is the only native code that Python
 * links; libretry itself is opened late, by path, into a table of functions:
 *
 *   - not at import, so that a process which forks workers has no Go in it yet;
 *   - again in a forked child. A Go runtime does not survive fork(): the child must
 *     not touch the inherited copy. Each process lives through a number of forks,
 *     its "life"; an engine of an earlier life answers SHIM_OTHER_LIFE, and Python
 *     opens a private copy of the library and builds the engine again.
 *
 * Python holds the GIL between calls but not during them, so everything that calls
 * read is either written before an engine exists or only after a fork.
 */
#include <stdio.h>
#include <string.h>

#include "retry.h"

#ifdef _WIN32
#include <windows.h>
#else
#include <dlfcn.h>
#include <pthread.h>
#endif

#define FUNCTIONS(X)                                                                        \
  X(retry_abi_version) X(retry_version) X(retry_runtime) X(retry_engine_new)                \
  X(retry_engine_free) X(retry_notices) X(retry_decide) X(retry_counters_of)                \
  X(retry_policy) X(retry_stats) X(retry_last_fault) X(retry_judge) X(retry_backoff_ms)     \
  X(retry_failures) X(retry_record_failure) X(retry_forget) X(retry_begin)                     \
  X(retry_schedule) X(retry_simulate)

#define FIELD(name) __typeof__(&name) name;
static struct { FUNCTIONS(FIELD) } table;

/* An engine, and the life it belongs to. Memory of Python's. */
typedef struct {
  uint64_t life;
  retry_handle handle;
  retry_counters *counters;
} shim_engine;

enum { SHIM_OTHER_LIFE = -100 };

static uint64_t life = 1;
static int is_open = 0;     /* table is filled, in this life */
static int was_ever_open = 0; /* in this life or an ancestor's */

static uint64_t shim_life(void) { return life; }
static int shim_is_open(void) { return is_open; }
static int shim_was_ever_open(void) { return was_ever_open; }

#ifndef _WIN32
/* Also runs for forks that Python does not know of. Only plain stores in here: the
 * child may be a copy of a process with many threads. */
static void forked(void) {
  life++;
  is_open = 0;
}
#endif

static void *symbol(void *library, const char *name) {
#ifdef _WIN32
  return (void *)GetProcAddress((HMODULE)library, name);
#else
  return dlsym(library, name);
#endif
}

static void *load(const char *path, char *why, size_t capacity) {
#ifdef _WIN32
  wchar_t wide[32768];
  void *library = NULL;
  if (MultiByteToWideChar(CP_UTF8, 0, path, -1, wide, 32768) > 0)
    library = (void *)LoadLibraryW(wide);
  if (library == NULL) snprintf(why, capacity, "LoadLibrary: Windows error %lu", GetLastError());
  return library;
#else
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) {
    const char *text = dlerror();
    snprintf(why, capacity, "%s", text != NULL ? text : "dlopen failed without a reason");
  }
  return library;
#endif
}

/* Opens the library at path; 0, or -1 with a text in why. Python makes sure that
 * one thread at a time calls it, and only while shim_is_open() is 0. */
static int shim_open(const char *path, char *why, size_t capacity) {
  void *library = load(path, why, capacity);
  if (library == NULL) return -1;
  void *found;
#define RESOLVE(name)                                                   \
  found = symbol(library, #name);                                       \
  if (found == NULL) {                                                  \
    snprintf(why, capacity, "the function " #name " is missing in it"); \
    return -1;                                                          \
  }                                                                     \
  memcpy(&table.name, &found, sizeof found);
  FUNCTIONS(RESOLVE)
  uint32_t version = table.retry_abi_version();
  if (version != RETRY_ABI_VERSION) {
    snprintf(why, capacity, "its ABI version is %lu, this package needs %d",
             (unsigned long)version, RETRY_ABI_VERSION);
    return -1;
  }
#ifndef _WIN32
  if (!was_ever_open && pthread_atfork(NULL, NULL, forked) != 0) {
    snprintf(why, capacity, "pthread_atfork: out of memory");
    return -1;
  }
#endif
  was_ever_open = 1;
  __atomic_store_n(&is_open, 1, __ATOMIC_RELEASE);
  return 0;
}

static int other_life(const shim_engine *e) { return e->life != life; }

/* The engine gets the life and the counters that go with its handle. */
static int32_t shim_engine_new(const char *config, size_t config_length, shim_engine *e, char *out,
                               size_t capacity, size_t *length) {
  if (!__atomic_load_n(&is_open, __ATOMIC_ACQUIRE)) return SHIM_OTHER_LIFE;
  int32_t rc = table.retry_engine_new(config, config_length, &e->handle, out, capacity, length);
  if (rc == RETRY_OK) rc = table.retry_counters_of(e->handle, &e->counters);
  if (rc == RETRY_OK) e->life = life;
  return rc;
}

/* Nothing to free in another life: the handle is the parent's. */
static int32_t shim_engine_free(const shim_engine *e) {
  return other_life(e) ? (int32_t)RETRY_OK : table.retry_engine_free(e->handle);
}

/*
 * 1 if a result that shows no error, and has no texts to look at, is dealt with by
 * counting it: while the engine is not busy it changes nothing else, and Go need not be
 * entered. 0: call shim_decide.
 */
static int shim_count_success(const shim_engine *e) {
  if (other_life(e) || __atomic_load_n(&e->counters->busy, __ATOMIC_ACQUIRE) != 0) return 0;
  __atomic_fetch_add(&e->counters->fast_successes, 1, __ATOMIC_RELAXED);
  return 1;
}

/*
 * retry_decide with its answer in one number, because reading a struct costs Python
 * more than the call: the reason in bits 0-7, failures in bits 8-27 (at most 2^20-1),
 * delay_ms in bits 28-59; negative: -(enum retry_status) or SHIM_OTHER_LIFE.
 */
static int64_t shim_decide(const shim_engine *e, const retry_call *call) {
  if (other_life(e)) return SHIM_OTHER_LIFE;
  retry_decision d;
  int32_t rc = table.retry_decide(e->handle, call, &d);
  if (rc != RETRY_OK) return -(int64_t)rc;
  uint64_t failures = d.failures < 0xFFFFF ? d.failures : 0xFFFFF;
  return (int64_t)((uint64_t)d.delay_ms << 28 | failures << 8 | d.reason);
}

/* For a call that could not be answered, on Python's side. */
static void shim_count_fault(const shim_engine *e) {
  if (e->counters != NULL && !other_life(e))
    __atomic_fetch_add(&e->counters->faults, 1, __ATOMIC_RELAXED);
}

/* The rest goes straight through. */
#define PASS(e, call) (other_life(e) ? SHIM_OTHER_LIFE : table.call)

static int32_t shim_policy(const shim_engine *e, const char *tool, size_t tool_length,
                           int64_t ceiling, char *out, size_t capacity, size_t *length) {
  return PASS(e, retry_policy(e->handle, tool, tool_length, ceiling, out, capacity, length));
}

static int32_t shim_notices(const shim_engine *e, char *out, size_t capacity, size_t *length) {
  return PASS(e, retry_notices(e->handle, out, capacity, length));
}

static int32_t shim_stats(const shim_engine *e, char *out, size_t capacity, size_t *length) {
  return PASS(e, retry_stats(e->handle, out, capacity, length));
}

static int32_t shim_judge(const shim_engine *e, uint32_t facts, int64_t status, int32_t *retryable) {
  return PASS(e, retry_judge(e->handle, NULL, 0, facts, status, retryable));
}

static int32_t shim_backoff_ms(const shim_engine *e, uint32_t attempt, int64_t *delay_ms) {
  return PASS(e, retry_backoff_ms(e->handle, NULL, 0, attempt, delay_ms));
}

static int32_t shim_failures(const shim_engine *e, const char *tool, size_t tool_length,
                             const char *request_id, size_t request_id_length, uint32_t *failures) {
  return PASS(e, retry_failures(e->handle, tool, tool_length, request_id, request_id_length, failures));
}

static int32_t shim_record_failure(const shim_engine *e, const char *tool, size_t tool_length,
                                   const char *request_id, size_t request_id_length,
                                   uint32_t *failures) {
  return PASS(e, retry_record_failure(e->handle, tool, tool_length, request_id, request_id_length,
                                      failures));
}

static int32_t shim_forget(const shim_engine *e, const char *tool, size_t tool_length,
                           const char *request_id, size_t request_id_length) {
  return PASS(e, retry_forget(e->handle, tool, tool_length, request_id, request_id_length));
}

static int32_t shim_begin(const shim_engine *e, const char *tool, size_t tool_length,
                          const char *request_id, size_t request_id_length) {
  return PASS(e, retry_begin(e->handle, tool, tool_length, request_id, request_id_length));
}

static int32_t shim_schedule(const shim_engine *e, const char *tool, size_t tool_length,
                             int64_t status, uint32_t samples, uint64_t seed, char *out,
                             size_t capacity, size_t *length) {
  return PASS(e, retry_schedule(e->handle, tool, tool_length, status, samples, seed, out, capacity,
                                length));
}

static int32_t shim_simulate(const char *config, size_t config_length, const char *load,
                             size_t load_length, retry_progress *progress, char *out,
                             size_t capacity, size_t *length) {
  return is_open ? table.retry_simulate(config, config_length, load, load_length, progress, out,
                                        capacity, length)
                 : SHIM_OTHER_LIFE;
}

static int32_t shim_version(char *out, size_t capacity, size_t *length) {
  return is_open ? table.retry_version(out, capacity, length) : SHIM_OTHER_LIFE;
}

static int32_t shim_runtime(char *out, size_t capacity, size_t *length) {
  return is_open ? table.retry_runtime(out, capacity, length) : SHIM_OTHER_LIFE;
}

static int32_t shim_last_fault(char *out, size_t capacity, size_t *length) {
  return is_open ? table.retry_last_fault(out, capacity, length) : SHIM_OTHER_LIFE;
}
