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
#define RETRY_ABI_VERSION 2

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
  RETRY_REASON_FAULT = 4,                /* the call did not answer RETRY_OK */
  RETRY_REASON_NOT_RETRYABLE_CODE = 5,   /* an error code that never gets better */
  RETRY_REASON_NOT_RETRYABLE_TEXT = 6,   /* a text that says so */
  RETRY_REASON_TOLD_NOT_TO = 7,          /* the failure says: not retryable */
  RETRY_REASON_UNSAFE = 8,               /* the tool may have had an effect */
  RETRY_REASON_HINT_TOO_LONG = 9,        /* the server asks for too long a wait */
  RETRY_REASON_DEADLINE = 10,            /* the retry would come too late */
  RETRY_REASON_BUDGET = 11,              /* too few tokens for a retry */
  RETRY_REASON_RETRY_HINT = 12,          /* as RETRY; the server said when */
  RETRY_REASON_RETRY_COOLDOWN = 13       /* as RETRY; the tool is cooling down */
};

/* What was found in a tool's result, to be or-ed together. */
enum retry_fact {
  RETRY_FACT_IS_ERROR = 1,        /* isError is true */
  RETRY_FACT_NESTED_IS_ERROR = 2, /* structuredContent.isError is true */
  RETRY_FACT_HAS_STATUS = 4,      /* structuredContent.status_code is an integer */
  RETRY_FACT_STRUCTURED = 8,      /* there is structured content; never alone */
  RETRY_FACT_HAS_ERROR_CODE = 16, /* _meta["io.contextforge/errorCode"].code is an integer */
  RETRY_FACT_TOLD_NOT_TO = 32,    /* false stands at retryable or retry */
  /* what the tool declares, as booleans of MCP's annotations */
  RETRY_FACT_READ_ONLY = 256,
  RETRY_FACT_NOT_READ_ONLY = 512,
  RETRY_FACT_IDEMPOTENT = 1024,
  RETRY_FACT_NOT_IDEMPOTENT = 2048,
  RETRY_FACT_DESTRUCTIVE = 4096
};

/* The name under which a hint was found: what its number or text means. */
enum retry_hint_name {
  RETRY_HINT_AFTER = 0,         /* retry_after, retryAfter, Retry-After: seconds or HTTP-date */
  RETRY_HINT_AFTER_SECONDS = 1, /* retry_after_seconds */
  RETRY_HINT_AFTER_MS = 2       /* retry_after_ms, retryAfterMs */
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

/* When a server says to come back. */
typedef struct {
  uint32_t name;    /* enum retry_hint_name */
  uint32_t is_text; /* 1: text and length count; 0: number does */
  double number;
  retry_bytes text;
  size_t length;
} retry_hint;
typedef const retry_hint *retry_hints;

/* One result of a tool. Zero everything that is not set. */
typedef struct {
  retry_bytes tool;
  size_t tool_length;
  retry_bytes request_id;
  size_t request_id_length;
  retry_texts texts;
  size_t text_count;
  retry_hints hints;
  size_t hint_count;
  int64_t status;     /* counts with RETRY_FACT_HAS_STATUS */
  int64_t error_code; /* counts with RETRY_FACT_HAS_ERROR_CODE */
  uint32_t facts;     /* enum retry_fact */
} retry_call;
typedef const retry_call *retry_call_ptr;

/* The answer to retry_decide. */
typedef struct {
  int64_t delay_ms;  /* wait this long, then try again; 0: do not */
  uint32_t failures; /* consecutive failures of this call so far, with this one */
  uint32_t reason;   /* enum retry_reason */
} retry_decision;

/*
 * Numbers that may be read without a call, all atomically. A result with no facts
 * and no texts, while busy is 0, needs no retry_decide: the answer is "success";
 * add 1 to fast_successes so that the statistics stay right. (Of a tool whose policy
 * "reads" Begin every result must be decided.) A call that could not be answered: add
 * 1 to faults. The block lives as long as the process and is shared by all engines of
 * one plugin name.
 */
typedef struct {
  int64_t busy;            /* requests being counted, and budgets that are not full */
  uint64_t fast_successes; /* written by callers */
  uint64_t faults;         /* written by callers */
} retry_counters;

/* RETRY_ABI_VERSION of the library; compare it before calling anything else. */
uint32_t retry_abi_version(void);

/* Writes RETRY_VERSION and the Go version that built the library, as JSON:
 * {"version": "0.4.0", "abi": 2, "go": "go1.26.8"}. */
int32_t retry_version(char *out, size_t capacity, size_t *length);

/* What the library's Go runtime holds, as JSON:
 * {"goroutines": 2, "heap_bytes": 1048576, "gc_cycles": 3}. Stops it for a moment. */
int32_t retry_runtime(char *out, size_t capacity, size_t *length);

/*
 * Builds an engine from a configuration in JSON:
 *
 *   {"name": "retry", "private": false, "ceiling": null,
 *    "state_ttl_ms": 300000, "max_tracked_requests": 100000,
 *    "safe_tools": [], "unsafe_tools": [],
 *    "base": {"max_retries": 2, "backoff_base_ms": 200, "max_backoff_ms": 5000,
 *             "retry_on_status": [429, "5xx"], "jitter": "full",
 *             "check_text_content": false, "max_text_bytes": 1048576,
 *             "strategy": "exponential", "multiplier": 2.0,
 *             "status_overrides": [{"status": 429, "max_retries": 4}],
 *             "honor_retry_after": true, "max_retry_after_ms": 30000,
 *             "share_cooldown": true, "never_retry_on_error_code": [-32600],
 *             "never_retry_on_text": [], "retry_on_text": [], "retry_safety": "off",
 *             "budget": {"tokens": 100, "retry_cost": 5, "throttle_cost": 2,
 *                        "success_refund": 1, "scope": "tool"},
 *             "max_elapsed_ms": 0},
 *    "overrides": [{"tool": "search-*", "max_retries": 4}]}
 *
 * base must have the first seven fields, an override at least "tool"; what is set
 * nowhere is off. jitter true is "full", false is "none"; budget.tokens 0 is no budget,
 * max_elapsed_ms 0 no deadline. docs/policies.md says what the options mean. Engines of
 * one name share their counts and statistics, which also outlive the engines; "private"
 * gives an engine its own. "ceiling" bounds max_retries everywhere.
 * RETRY_OK: *engine is the handle, and the text lists what was found in the
 * configuration, as JSON:
 *   [{"kind": "clamped", "tool": "", "status": "", "value": 5, "limit": 3}]
 * kind is one of the words in engine/notice.go.
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
 * What the policy does not "read" (see retry_policy) need not be looked for.
 * Any answer with delay_ms 0 ends the call: what was known of it is removed.
 * Takes well under a microsecond without texts, whatever the number of requests.
 * Not RETRY_OK: *decision is {0, 0, RETRY_REASON_FAULT}.
 */
int32_t retry_decide(retry_handle engine, retry_call_ptr call, retry_decision *decision);

/* Notes that a call has begun, for tools with max_elapsed_ms; nothing for others. Only
 * the first time counts for a request. */
int32_t retry_begin(retry_handle engine, retry_bytes tool, size_t tool_length,
                    retry_bytes request_id, size_t request_id_length);

/* The counters of an engine. */
int32_t retry_counters_of(retry_handle engine, retry_counters **counters);

/* The policy in force for a tool, as JSON: the fields of "base" above, with the formula
 * in force for each entry of "status_overrides"; "override", the key of the override
 * that applied ("" for none); "listed", "safe" or "unsafe" if a list names the tool;
 * "reads": {"Texts", "Search", "Hints", "Code", "Annotations", "Begin"}, what the policy
 * needs to know of a result; "plain": true if the first five fields and jitter as a
 * boolean say all of it. tool NULL: the
 * policy of the base, which a tool with the empty name may have an override of.
 * ceiling bounds max_retries once more; negative: it does not. */
int32_t retry_policy(retry_handle engine, retry_bytes tool, size_t tool_length, int64_t ceiling,
                     char *out, size_t capacity, size_t *length);

/* Statistics of the engine's name in this process, as JSON:
 * {"decisions": {"success": 3, ...}, "tracked": 0, "evicted": 0, "expired": 0,
 *  "delays_ms": {"bounds": [5, ...], "counts": [0, ...], "sum": 0},
 *  "budget": [{"tool": "search", "scope": "tool", "tokens": 95, "of": 100}]}.
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

/* For the operator's tools. */

/*
 * The delays of a tool's calls that keep failing with a status (negative: without one),
 * drawn so many times, as JSON: a list with one element for each retry,
 *   {"retry": 1, "min_ms": 1, "mean_ms": 100.2, "p95_ms": 190, "max_ms": 200,
 *    "elapsed_ms": 100.2}
 * elapsed_ms: the mean of all waits so far. The same seed gives the same numbers. Takes
 * long: up to a second for 20 million draws, which bound samples times max_retries.
 */
int32_t retry_schedule(retry_handle engine, retry_bytes tool, size_t tool_length, int64_t status,
                       uint32_t samples, uint64_t seed, char *out, size_t capacity,
                       size_t *length);

/* How far a simulation is; read and written atomically while it runs. */
typedef struct {
  int64_t done;   /* milliseconds of its duration that were played */
  int64_t cancel; /* written by the caller: not 0 ends it */
} retry_progress;

/*
 * Plays calls of one tool against a server that fails now and then, in virtual time, with
 * engines built from a configuration (see retry_engine_new). load is JSON:
 *   {"tool": "t", "rps": 50.0, "duration_ms": 60000, "workers": 4, "latency_ms": 50,
 *    "outage_start_ms": 10000, "outage_ms": 30000, "fail_rate": 0.01, "capacity_rps": 0.0,
 *    "status": 503, "retry_after_ms": 0, "seed": 1}
 * RETRY_OK: what came of it, as JSON (engine/simulate.go, type Simulated).
 * RETRY_BAD_CONFIG: the text says what is wrong, or "cancelled".
 * Blocks until it is over: about a second for a million calls. 1 MiB is room enough.
 */
int32_t retry_simulate(retry_bytes config, size_t config_length, retry_bytes load,
                       size_t load_length, retry_progress *progress, char *out,
                       size_t capacity, size_t *length);

#ifdef __cplusplus
}
#endif
#endif /* RETRY_H */
