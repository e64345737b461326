/*
 * Drives libretry through retry.h alone, without Python: every function, what it
 * answers, and what it answers when it is misused. Prints a line per check that
 * failed and a closing count; exit code 0 only if none failed.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "retry.h"

static int passed = 0, failed = 0;

#define CHECK(condition)                                             \
  do {                                                               \
    if (condition) {                                                 \
      passed++;                                                      \
    } else {                                                         \
      failed++;                                                      \
      printf("FAILED line %d: %s\n", __LINE__, #condition);          \
    }                                                                \
  } while (0)

#define STR(text) (text), strlen(text)

static const char *BASE =
    "\"base\": {\"max_retries\": 2, \"backoff_base_ms\": 200, \"max_backoff_ms\": 5000,"
    "\"retry_on_status\": [429, 503], \"jitter\": false, \"check_text_content\": true,"
    "\"max_text_bytes\": 1000}";

static char text[4096];
static size_t length;

static retry_handle build(const char *name, const char *more) {
  char config[4096];
  retry_handle engine = 99;
  snprintf(config, sizeof config,
           "{\"name\": \"%s\", \"state_ttl_ms\": 300000, \"max_tracked_requests\": 100000, %s%s}", name,
           BASE, more);
  CHECK(retry_engine_new(STR(config), &engine, text, sizeof text, &length) == RETRY_OK);
  CHECK(engine != 0);
  return engine;
}

static int holds(const char *wanted) {
  text[length < sizeof text ? length : sizeof text - 1] = '\0';
  return strstr(text, wanted) != NULL;
}

/* retry_decide for a result without hints. */
static int32_t decide_on(retry_handle engine, const char *tool, size_t tool_length,
                         const char *request, size_t request_length, uint32_t facts,
                         int64_t status, const retry_text *texts, size_t text_count,
                         retry_decision *d) {
  retry_call call = {.tool = tool, .tool_length = tool_length, .request_id = request,
                     .request_id_length = request_length, .facts = facts, .status = status,
                     .texts = texts, .text_count = text_count};
  return retry_decide(engine, &call, d);
}

static retry_decision decide(retry_handle engine, const char *request, uint32_t facts,
                             int64_t status) {
  retry_decision d = {-1, 77, 77};
  CHECK(decide_on(engine, STR("tool"), STR(request), facts, status, NULL, 0, &d) == RETRY_OK);
  return d;
}

static void versions(void) {
  CHECK(retry_abi_version() == RETRY_ABI_VERSION);
  CHECK(retry_version(text, sizeof text, &length) == RETRY_OK);
  CHECK(holds("\"version\":\"" RETRY_VERSION "\"") && holds("\"go\":\"go1."));
  CHECK(retry_runtime(text, sizeof text, &length) == RETRY_OK);
  CHECK(holds("{\"goroutines\":") && holds("\"heap_bytes\":"));
  CHECK(retry_last_fault(text, sizeof text, &length) == RETRY_OK && length == 0);
}

static void decisions(void) {
  retry_handle e = build("decisions", "");
  retry_counters *counters = NULL;
  CHECK(retry_counters_of(e, &counters) == RETRY_OK && counters != NULL);
  retry_decision d = decide(e, "r", RETRY_FACT_IS_ERROR, 0);
  CHECK(d.delay_ms == 200 && d.failures == 1 && d.reason == RETRY_REASON_RETRY);
  CHECK(counters->busy == 1);
  d = decide(e, "r", RETRY_FACT_HAS_STATUS, 503);
  CHECK(d.delay_ms == 400 && d.failures == 2 && d.reason == RETRY_REASON_RETRY);
  d = decide(e, "r", RETRY_FACT_NESTED_IS_ERROR, 0);
  CHECK(d.delay_ms == 0 && d.failures == 3 && d.reason == RETRY_REASON_EXHAUSTED);
  d = decide(e, "r", RETRY_FACT_IS_ERROR | RETRY_FACT_HAS_STATUS, RETRY_UNLISTABLE_STATUS);
  CHECK(d.delay_ms == 0 && d.failures == 0 && d.reason == RETRY_REASON_NOT_RETRYABLE_STATUS);
  d = decide(e, "r", 0, 0);
  CHECK(d.delay_ms == 0 && d.failures == 0 && d.reason == RETRY_REASON_SUCCESS);
  CHECK(counters->busy == 0);

  retry_text texts[10];
  for (int i = 0; i < 10; i++) texts[i].bytes = "fine", texts[i].length = 4;
  texts[9].bytes = "{\"status_code\": 503}";
  texts[9].length = strlen(texts[9].bytes);
  CHECK(decide_on(e, STR("tool"), STR("r"), 0, 0, texts, 9, &d) == RETRY_OK && d.delay_ms == 0);
  CHECK(decide_on(e, STR("tool"), STR("r"), 0, 0, texts, 10, &d) == RETRY_OK && d.delay_ms == 200);
  CHECK(decide_on(e, NULL, 0, "a\0b", 3, RETRY_FACT_IS_ERROR, 0, NULL, 0, &d) == RETRY_OK);
  CHECK(d.failures == 1);

  counters->fast_successes += 5;
  counters->faults += 2;
  CHECK(retry_stats(e, text, sizeof text, &length) == RETRY_OK);
  CHECK(holds("\"success\":7") && holds("\"retry\":4") && holds("\"fault\":2") && holds("\"tracked\":2"));
  CHECK(retry_engine_free(e) == RETRY_OK);
}

/* Hints, codes, annotations, budgets, deadlines: that each arrives where it belongs. */
static void policies(void) {
  char config[2048];
  retry_handle e = 0;
  retry_decision d;
  snprintf(config, sizeof config,
           "{\"name\": \"policies\", \"state_ttl_ms\": 300000, \"max_tracked_requests\": 1000, "
           "\"unsafe_tools\": [\"pay*\"], %.*s, \"honor_retry_after\": true, "
           "\"max_retry_after_ms\": 30000, \"never_retry_on_error_code\": [-32602], "
           "\"retry_safety\": \"annotated\", \"max_elapsed_ms\": 60000, "
           "\"budget\": {\"tokens\": 10, \"retry_cost\": 5, \"throttle_cost\": 5, "
           "\"success_refund\": 1, \"scope\": \"tool\"}}}",
           (int)strlen(BASE) - 1, BASE);
  CHECK(retry_engine_new(STR(config), &e, text, sizeof text, &length) == RETRY_OK);
  retry_hint hints[10] = {{.name = RETRY_HINT_AFTER, .number = 2},
                          {.name = RETRY_HINT_AFTER_MS, .is_text = 1, .text = "2500", .length = 4}};
  retry_call call = {.tool = "t", .tool_length = 1, .request_id = "r", .request_id_length = 1,
                     .facts = RETRY_FACT_IS_ERROR, .hints = hints, .hint_count = 2};
  CHECK(retry_decide(e, &call, &d) == RETRY_OK);
  CHECK(d.delay_ms == 2500 && d.reason == RETRY_REASON_RETRY_HINT);
  call.hint_count = 10;
  CHECK(retry_decide(e, &call, &d) == RETRY_OK && d.delay_ms == 2500);
  call.request_id = "s", call.hint_count = 0;
  CHECK(retry_decide(e, &call, &d) == RETRY_OK && d.reason == RETRY_REASON_BUDGET);
  CHECK(retry_stats(e, text, sizeof text, &length) == RETRY_OK);
  CHECK(holds("\"budget\":[{\"tool\":\"t\",\"scope\":\"tool\",\"tokens\":0,\"of\":10}]"));
  CHECK(holds("\"sum\":5000") && holds("\"retry_hint\":2"));
  call.facts = RETRY_FACT_IS_ERROR | RETRY_FACT_HAS_ERROR_CODE, call.error_code = -32602;
  CHECK(retry_decide(e, &call, &d) == RETRY_OK && d.reason == RETRY_REASON_NOT_RETRYABLE_CODE);
  call.facts = RETRY_FACT_IS_ERROR | RETRY_FACT_TOLD_NOT_TO;
  CHECK(retry_decide(e, &call, &d) == RETRY_OK && d.reason == RETRY_REASON_TOLD_NOT_TO);
  call.facts = RETRY_FACT_IS_ERROR | RETRY_FACT_DESTRUCTIVE;
  CHECK(retry_decide(e, &call, &d) == RETRY_OK && d.reason == RETRY_REASON_UNSAFE);
  call.facts = RETRY_FACT_IS_ERROR | RETRY_FACT_NOT_READ_ONLY | RETRY_FACT_NOT_IDEMPOTENT;
  CHECK(retry_decide(e, &call, &d) == RETRY_OK && d.reason == RETRY_REASON_UNSAFE);
  call.facts = RETRY_FACT_IS_ERROR | RETRY_FACT_DESTRUCTIVE | RETRY_FACT_READ_ONLY;
  call.tool = "u";
  CHECK(retry_decide(e, &call, &d) == RETRY_OK && d.reason == RETRY_REASON_RETRY);
  call.facts = RETRY_FACT_IS_ERROR | RETRY_FACT_IDEMPOTENT, call.tool = "pay", call.tool_length = 3;
  CHECK(retry_decide(e, &call, &d) == RETRY_OK && d.reason == RETRY_REASON_UNSAFE);
  CHECK(retry_begin(e, STR("t"), STR("x")) == RETRY_OK);
  CHECK(retry_engine_free(e) == RETRY_OK);
}

static void configuration(void) {
  retry_handle e = build("configuration",
                         ", \"ceiling\": 1, \"overrides\": [{\"tool\": \"slow\", \"backoff_base_ms\": 900}]");
  CHECK(holds("[{\"kind\":\"clamped\",\"tool\":\"\",\"status\":\"\",\"value\":2,\"limit\":1}]"));
  CHECK(retry_notices(e, text, sizeof text, &length) == RETRY_OK && holds("\"clamped\""));
  CHECK(retry_policy(e, STR("slow"), -1, text, sizeof text, &length) == RETRY_OK);
  CHECK(holds("\"max_retries\":1") && holds("\"backoff_base_ms\":900") && holds("\"override\":\"slow\""));
  CHECK(retry_policy(e, STR("other"), 0, text, sizeof text, &length) == RETRY_OK);
  CHECK(holds("\"max_retries\":0") && holds("\"override\":\"\""));

  CHECK(retry_policy(e, NULL, 0, -1, text, sizeof text, &length) == RETRY_OK);
  CHECK(holds("\"max_retries\":1") && holds("\"override\":\"\""));

  CHECK(retry_policy(e, STR("x"), -1, NULL, 0, &length) == RETRY_TOO_SMALL && length > 100);
  size_t needed = length;
  char *exact = malloc(needed);
  CHECK(retry_policy(e, STR("x"), -1, exact, needed - 1, &length) == RETRY_TOO_SMALL);
  CHECK(retry_policy(e, STR("x"), -1, exact, needed, &length) == RETRY_OK && length == needed);
  free(exact);
  CHECK(retry_engine_free(e) == RETRY_OK);

  retry_handle none = 5;
  const char *bad[] = {"", "{}", "[1]", "{\"base\": {\"max_retries\": -1}}", "\xff\xfe"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    CHECK(retry_engine_new(STR(bad[i]), &none, text, sizeof text, &length) == RETRY_BAD_CONFIG);
    CHECK(none == 0 && length > 0);
  }
  CHECK(retry_engine_new(STR("{}"), &none, NULL, 0, &length) == RETRY_BAD_CONFIG && length > 0);
}

static void steps(void) {
  retry_handle e = build("steps", "");
  uint32_t n = 9;
  int32_t yes = 9;
  int64_t delay = 9;
  CHECK(retry_failures(e, STR("t"), STR("r"), &n) == RETRY_OK && n == 0);
  CHECK(retry_record_failure(e, STR("t"), STR("r"), &n) == RETRY_OK && n == 1);
  CHECK(retry_failures(e, STR("t"), STR("r"), &n) == RETRY_OK && n == 1);
  CHECK(retry_forget(e, STR("t"), STR("r")) == RETRY_OK);
  CHECK(retry_failures(e, STR("t"), STR("r"), &n) == RETRY_OK && n == 0);
  CHECK(retry_judge(e, STR("t"), RETRY_FACT_HAS_STATUS, 503, &yes) == RETRY_OK && yes == 1);
  CHECK(retry_judge(e, STR("t"), RETRY_FACT_HAS_STATUS, 404, &yes) == RETRY_OK && yes == 0);
  CHECK(retry_backoff_ms(e, STR("t"), 3, &delay) == RETRY_OK && delay == 1600);
  CHECK(retry_backoff_ms(e, STR("t"), UINT32_MAX, &delay) == RETRY_OK && delay == 5000);
  CHECK(retry_engine_free(e) == RETRY_OK);
}

/* Under AddressSanitizer this shows that nothing of the caller's is read later. */
static void buffers_are_not_kept(void) {
  retry_handle e = build("buffers", "");
  retry_decision d;
  for (int i = 1; i <= 2; i++) {
    char *tool = malloc(4), *request = malloc(7), *payload = malloc(16);
    memcpy(tool, "tool", 4);
    memcpy(request, "request", 7);
    memcpy(payload, "{\"isError\":true}", 16);
    retry_text one = {payload, 16};
    CHECK(decide_on(e, tool, 4, request, 7, 0, 0, &one, 1, &d) == RETRY_OK);
    CHECK(d.failures == (uint32_t)i);
    free(tool);
    free(request);
    free(payload);
  }
  CHECK(retry_engine_free(e) == RETRY_OK);
}

static void misuse(void) {
  retry_handle e = build("misuse", ""), stale = build("stale", "");
  retry_decision d;
  retry_counters *counters;
  uint32_t n;
  int32_t yes;
  int64_t delay;
  CHECK(retry_engine_free(stale) == RETRY_OK);
  retry_handle handles[] = {0, stale, e + 1, UINT64_MAX, 1, 1ULL << 63};
  for (size_t i = 0; i < sizeof handles / sizeof *handles; i++) {
    retry_handle h = handles[i];
    d.reason = 0;
    CHECK(decide_on(h, STR("t"), STR("r"), 0, 0, NULL, 0, &d) == RETRY_BAD_HANDLE);
    CHECK(d.reason == RETRY_REASON_FAULT && d.delay_ms == 0);
    CHECK(retry_engine_free(h) == RETRY_BAD_HANDLE);
    CHECK(retry_notices(h, text, sizeof text, &length) == RETRY_BAD_HANDLE);
    CHECK(retry_stats(h, text, sizeof text, &length) == RETRY_BAD_HANDLE);
    CHECK(retry_policy(h, STR("t"), -1, text, sizeof text, &length) == RETRY_BAD_HANDLE);
    CHECK(retry_counters_of(h, &counters) == RETRY_BAD_HANDLE);
    CHECK(retry_judge(h, STR("t"), 0, 0, &yes) == RETRY_BAD_HANDLE);
    CHECK(retry_backoff_ms(h, STR("t"), 0, &delay) == RETRY_BAD_HANDLE);
    CHECK(retry_failures(h, STR("t"), STR("r"), &n) == RETRY_BAD_HANDLE);
    CHECK(retry_record_failure(h, STR("t"), STR("r"), &n) == RETRY_BAD_HANDLE);
    CHECK(retry_forget(h, STR("t"), STR("r")) == RETRY_BAD_HANDLE);
  }
  retry_text hole = {NULL, 5};
  CHECK(decide_on(e, NULL, 1, STR("r"), 0, 0, NULL, 0, &d) == RETRY_BAD_ARGUMENT);
  CHECK(d.reason == RETRY_REASON_FAULT);
  CHECK(decide_on(e, STR("t"), NULL, 1, 0, 0, NULL, 0, &d) == RETRY_BAD_ARGUMENT);
  CHECK(decide_on(e, "t", SIZE_MAX, STR("r"), 0, 0, NULL, 0, &d) == RETRY_BAD_ARGUMENT);
  CHECK(decide_on(e, STR("t"), STR("r"), 64, 0, NULL, 0, &d) == RETRY_BAD_ARGUMENT);
  CHECK(decide_on(e, STR("t"), STR("r"), 0, 0, NULL, 1, &d) == RETRY_BAD_ARGUMENT);
  CHECK(decide_on(e, STR("t"), STR("r"), 0, 0, &hole, 1, &d) == RETRY_BAD_ARGUMENT);
  CHECK(decide_on(e, STR("t"), STR("r"), 0, 0, &hole, SIZE_MAX, &d) == RETRY_BAD_ARGUMENT);
  CHECK(decide_on(e, STR("t"), STR("r"), 0, 0, NULL, 0, NULL) == RETRY_BAD_ARGUMENT);
  CHECK(retry_decide(e, NULL, &d) == RETRY_BAD_ARGUMENT);
  retry_hint wrong = {.name = 3};
  retry_call call = {.hints = &wrong, .hint_count = 1};
  CHECK(retry_decide(e, &call, &d) == RETRY_BAD_ARGUMENT);
  call.hints = NULL;
  CHECK(retry_decide(e, &call, &d) == RETRY_BAD_ARGUMENT);
  wrong.name = RETRY_HINT_AFTER, wrong.is_text = 1, wrong.length = 1, call.hints = &wrong;
  CHECK(retry_decide(e, &call, &d) == RETRY_BAD_ARGUMENT);
  CHECK(retry_begin(e, NULL, 1, STR("r")) == RETRY_BAD_ARGUMENT);
  CHECK(retry_begin(0, STR("t"), STR("r")) == RETRY_BAD_HANDLE);
  CHECK(retry_engine_new(NULL, 1, &stale, text, sizeof text, &length) == RETRY_BAD_ARGUMENT);
  CHECK(retry_engine_new(STR("{}"), NULL, text, sizeof text, &length) == RETRY_BAD_ARGUMENT);
  CHECK(retry_engine_new(STR("{}"), &stale, text, sizeof text, NULL) == RETRY_BAD_ARGUMENT);
  CHECK(retry_stats(e, NULL, 5, &length) == RETRY_BAD_ARGUMENT);
  CHECK(retry_stats(e, text, SIZE_MAX, &length) == RETRY_BAD_ARGUMENT);
  CHECK(retry_version(text, sizeof text, NULL) == RETRY_BAD_ARGUMENT);
  CHECK(retry_counters_of(e, NULL) == RETRY_BAD_ARGUMENT);
  CHECK(retry_failures(e, STR("t"), STR("r"), NULL) == RETRY_BAD_ARGUMENT);
  CHECK(retry_failures(e, STR("t"), NULL, 1, &n) == RETRY_BAD_ARGUMENT);
  CHECK(retry_judge(e, STR("t"), 64, 0, &yes) == RETRY_BAD_ARGUMENT);
  CHECK(retry_backoff_ms(e, STR("t"), 0, NULL) == RETRY_BAD_ARGUMENT);
  CHECK(retry_policy(e, NULL, 1, -1, text, sizeof text, &length) == RETRY_BAD_ARGUMENT);
  CHECK(retry_engine_free(e) == RETRY_OK);
}

enum { THREADS = 8, CALLS = 2000 };

static void *worker(void *engine) {
  for (int i = 0; i < CALLS; i++) {
    char request[16];
    retry_decision d;
    decide_on(*(retry_handle *)engine, STR("t"), STR("same"), RETRY_FACT_HAS_STATUS, 503, NULL, 0, &d);
    snprintf(request, sizeof request, "%d", i);
    decide_on(*(retry_handle *)engine, STR("t"), STR(request), RETRY_FACT_IS_ERROR, 0, NULL, 0, &d);
  }
  return NULL;
}

static void threads(void) {
  retry_handle e = build("threads", "");
  pthread_t ids[THREADS];
  for (int i = 0; i < THREADS; i++) pthread_create(&ids[i], NULL, worker, &e);
  for (int i = 0; i < THREADS; i++) pthread_join(ids[i], NULL);
  /* Every third failure of a request is one too many and ends it. "same" failed 16000
   * times in all, each of the 2000 others 8 times. */
  char wanted[64];
  CHECK(retry_stats(e, text, sizeof text, &length) == RETRY_OK);
  snprintf(wanted, sizeof wanted, "\"exhausted\":%d", THREADS * CALLS / 3 + 2 * CALLS);
  CHECK(holds(wanted));
  snprintf(wanted, sizeof wanted, "\"retry\":%d", THREADS * CALLS - THREADS * CALLS / 3 + 6 * CALLS);
  CHECK(holds(wanted));
  snprintf(wanted, sizeof wanted, "\"tracked\":%d", 1 + CALLS);
  CHECK(holds(wanted));
  CHECK(retry_engine_free(e) == RETRY_OK);
}

int main(void) {
  versions();
  decisions();
  policies();
  configuration();
  steps();
  buffers_are_not_kept();
  misuse();
  threads();
  printf("%d passed, %d failed\n", passed, failed);
  return failed == 0 ? 0 : 1;
}
