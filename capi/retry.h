/*
 * libretry: the retry engine behind cpex-retry-with-backoff, as a C library.
 *
 * This header is the contract. It is written by hand; the Go side is compiled
 * against it, so a signature that differs does not build.
 *
 * Rules that hold for every function:
 *   - Each may be called from any thread at any time. None blocks on anything
 *     but short internal locks, none calls back.
 *   - Strings are (pointer, length) pairs, need no NUL at the end, may hold any
 *     bytes, and are not kept after the call. (NULL, 0) is the empty string.
 *   - A handle is a number. One that is stale, made up or 0 gives
 *     RETRY_BAD_HANDLE, never a crash.
 *   - Functions that write text take (out, capacity, length): at most capacity
 *     bytes are written to out, without a NUL at the end; *length is the length
 *     of the whole text. If it is above capacity, nothing useful was written and
 *     the answer is RETRY_TOO_SMALL: call again with more room. out may be NULL
 *     if capacity is 0. JSON is UTF-8.
 *   - A fault inside the library (a Go panic) never unwinds into the caller: the
 *     call answers RETRY_FAULT, and every engine that shares counts with the
 *     faulty one answers RETRY_FAULT from then on. A new engine works again.
 *   - Nothing may be called in a child after fork(): a Go runtime does not survive
 *     it. Open a private copy of the library there (under a new name) instead.
 *     The library is never unloaded; dlclose does nothing.
 */
#ifndef RETRY_H
#define RETRY_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The version of the project: the one place where it is written. */
#define RETRY_VERSION "0.4.0"

/* Grows whenever something below changes in a way that old callers notice. */
#define RETRY_ABI_VERSION 1

/* What a call answers. */
enum retry_status {
  RETRY_OK = 0,
  RETRY_BAD_HANDLE = 1,   /* no engine has this handle (any more) */
  RETRY_BAD_ARGUMENT = 2, /* NULL where a pointer must be, or a number out of range */
  RETRY_BAD_CONFIG = 3,   /* the configuration is refused; the text says why */
  RETRY_TOO_SMALL = 4,    /* the caller's buffer; *length says what is needed */
  RETRY_FAULT = 5         /* an internal fault, now or earlier in this engine */
};

/* Why a decision came out as it did. Numbers are never reused. */
enum retry_reason {
  RETRY_REASON_SUCCESS = 0,              /* no failure, no error */
  RETRY_REASON_RETRY = 1,                /* a failure: try again after delay_ms */
  RETRY_REASON_EXHAUSTED = 2,            /* a failure, and max_retries were made */
  RETRY_REASON_NOT_RETRYABLE_STATUS = 3, /* an error whose status is not listed */
  RETRY_REASON_FAULT = 4                 /* the call did not answer RETRY_OK */
};

/* What was found in a tool's result, to be or-ed together. */
enum retry_fact {
  RETRY_FACT_IS_ERROR = 1,        /* isError is true */
  RETRY_FACT_NESTED_IS_ERROR = 2, /* structuredContent.isError is true */
  RETRY_FACT_HAS_STATUS = 4       /* structuredContent.status_code is an integer */
};

/* Stands for a status that is an integer but fits no int64_t. */
#define RETRY_UNLISTABLE_STATUS (-1)

/* Names an engine; 0 is never one. */
typedef uint64_t retry_handle;

/* Bytes of the caller. */
typedef const char *retry_bytes;

/* One text payload of a result. */
typedef struct {
  retry_bytes bytes;
  size_t length;
} retry_text;
typedef const retry_text *retry_texts;

/* The answer to retry_decide. */
typedef struct {
  int64_t delay_ms;  /* wait this long, then try again; 0: do not */
  uint32_t failures; /* consecutive failures of this call so far, with this one */
  uint32_t reason;   /* enum retry_reason */
} retry_decision;

/*
 * Numbers that may be read without a call, all atomically. A result with no facts
 * and no texts, while tracked is 0, needs no retry_decide: the answer is "success";
 * add 1 to fast_successes so that the statistics stay right. A call that could not
 * be answered: add 1 to faults. The block lives as long as the process and is
 * shared by all engines of one plugin name.
 */
typedef struct {
  int64_t tracked;         /* requests whose failures are being counted */
  uint64_t fast_successes; /* written by callers */
  uint64_t faults;         /* written by callers */
} retry_counters;

/* RETRY_ABI_VERSION of the library; compare it before calling anything else. */
uint32_t retry_abi_version(void);

/* Writes RETRY_VERSION and the Go version that built the library, as JSON:
 * {"version": "0.4.0", "go": "go1.26.8"}. */
int32_t retry_version(char *out, size_t capacity, size_t *length);

/* What the library's Go runtime holds, as JSON:
 * {"goroutines": 2, "heap_bytes": 1048576, "gc_cycles": 3}. Stops it for a moment. */
int32_t retry_runtime(char *out, size_t capacity, size_t *length);

/*
 * Builds an engine from a configuration in JSON:
 *
 *   {"name": "retry", "private": false, "ceiling": null,
 *    "state_ttl_ms": 300000, "max_tracked_requests": 100000,
 *    "base": {"max_retries": 2, "backoff_base_ms": 200, "max_backoff_ms": 5000,
 *             "retry_on_status": [429, 500, 502, 503, 504], "jitter": true,
 *             "check_text_content": false, "max_text_bytes": 1048576},
 *    "overrides": [{"tool": "search", "max_retries": 4}]}
 *
 * base must have every field, an override at least "tool". Engines of one name
 * share their counts and statistics, which also outlive the engines; "private"
 * gives an engine its own. "ceiling" bounds max_retries everywhere.
 * RETRY_OK: *engine is the handle, and the text lists what was found in the
 * configuration, as JSON:
 *   [{"kind": "clamped", "tool": "", "value": 5, "limit": 3}]
 * with kind "clamped" (max_retries was above the ceiling) or "base_above_max".
 * RETRY_BAD_CONFIG: the text says in words which field is wrong, and how.
 * The text is cut at capacity here, without RETRY_TOO_SMALL (retry_notices has it whole).
 */
int32_t retry_engine_new(retry_bytes config, size_t config_length, retry_handle *engine,
                         char *out, size_t capacity, size_t *length);

/* Frees an engine. Counts and statistics stay with its name. Calls that are under
 * way on other threads finish; later ones answer RETRY_BAD_HANDLE. */
int32_t retry_engine_free(retry_handle engine);

/* The notices of retry_engine_new, again. */
int32_t retry_notices(retry_handle engine, char *out, size_t capacity, size_t *length);

/*
 * Judges one result of a tool, counts it and says whether to try again.
 * facts: enum retry_fact; status: looked at with RETRY_FACT_HAS_STATUS only.
 * texts: the text payloads, if the result has no structured content; they are
 * looked at only if the tool's policy says so and the facts show no error.
 * Any answer with delay_ms 0 ends the call: its count is removed.
 * Takes well under a microsecond without texts, whatever the number of requests.
 * Not RETRY_OK: *decision is {0, 0, RETRY_REASON_FAULT}.
 */
int32_t retry_decide(retry_handle engine, retry_bytes tool, size_t tool_length,
                     retry_bytes request_id, size_t request_id_length, uint32_t facts,
                     int64_t status, retry_texts texts, size_t text_count,
                     retry_decision *decision);

/* The counters of an engine. */
int32_t retry_counters_of(retry_handle engine, retry_counters **counters);

/* The policy in force for a tool, as JSON: the fields of "base" above and
 * "override", the key of the override that applied ("" for none). tool NULL: the
 * policy of the base, which a tool with the empty name may have an override of.
 * ceiling bounds max_retries once more; negative: it does not. */
int32_t retry_policy(retry_handle engine, retry_bytes tool, size_t tool_length, int64_t ceiling,
                     char *out, size_t capacity, size_t *length);

/* Statistics of the engine's name in this process, as JSON:
 * {"decisions": {"success": 3, ...}, "tracked": 0, "evicted": 0, "expired": 0}.
 * Works on a faulty engine too. */
int32_t retry_stats(retry_handle engine, char *out, size_t capacity, size_t *length);

/* The last internal fault of the process in words ("" if there was none): the
 * panic and where it happened. */
int32_t retry_last_fault(char *out, size_t capacity, size_t *length);

/* The steps of retry_decide one by one; the request's count is what it works on too. */

/* *retryable: 1 if the tool's policy calls this a failure, else 0. */
int32_t retry_judge(retry_handle engine, retry_bytes tool, size_t tool_length, uint32_t facts,
                    int64_t status, int32_t *retryable);

/* The delay before retry number attempt + 1, with jitter if the policy has it; at least 1. */
int32_t retry_backoff_ms(retry_handle engine, retry_bytes tool, size_t tool_length,
                         uint32_t attempt, int64_t *delay_ms);

/* *failures: the count of a request, 0 if there is none. */
int32_t retry_failures(retry_handle engine, retry_bytes tool, size_t tool_length,
                       retry_bytes request_id, size_t request_id_length, uint32_t *failures);

/* Adds a failure; *failures: the count with it. */
int32_t retry_record_failure(retry_handle engine, retry_bytes tool, size_t tool_length,
                             retry_bytes request_id, size_t request_id_length, uint32_t *failures);

/* Removes the count of a request. */
int32_t retry_forget(retry_handle engine, retry_bytes tool, size_t tool_length,
                     retry_bytes request_id, size_t request_id_length);

#ifdef __cplusplus
}
#endif
#endif /* RETRY_H */
