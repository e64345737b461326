"""Describes shim.c to cffi, which compiles it into cpex_retry_with_backoff._shim."""

from pathlib import Path

from cffi import FFI

here = Path(__file__).resolve().parent

ffi = FFI()
ffi.cdef("""
    enum { SHIM_OTHER_LIFE = -100 };
    typedef struct { uint64_t life; uint64_t handle; ...; } shim_engine;

    uint64_t shim_life(void);
    int shim_is_open(void);
    int shim_was_ever_open(void);
    int shim_open(const char *path, char *why, size_t capacity);
    int32_t shim_version(char *out, size_t capacity, size_t *length);
    int32_t shim_runtime(char *out, size_t capacity, size_t *length);
    int32_t shim_last_fault(char *out, size_t capacity, size_t *length);

    int32_t shim_engine_new(const char *config, size_t config_length, shim_engine *e,
                            char *out, size_t capacity, size_t *length);
    int32_t shim_engine_free(const shim_engine *e);
    void shim_count_fault(const shim_engine *e);
    int32_t shim_policy(const shim_engine *e, const char *tool, size_t tool_length,
                        int64_t ceiling, char *out, size_t capacity, size_t *length);
    int32_t shim_notices(const shim_engine *e, char *out, size_t capacity, size_t *length);
    int32_t shim_stats(const shim_engine *e, char *out, size_t capacity, size_t *length);

    int32_t shim_judge(const shim_engine *e, uint32_t facts, int64_t status, int32_t *retryable);
    int32_t shim_backoff_ms(const shim_engine *e, uint32_t attempt, int64_t *delay_ms);
    int32_t shim_failures(const shim_engine *e, const char *tool, size_t tool_length,
                          const char *request_id, size_t request_id_length, uint32_t *failures);
    int32_t shim_record_failure(const shim_engine *e, const char *tool, size_t tool_length,
                                const char *request_id, size_t request_id_length,
                                uint32_t *failures);
    typedef struct { int64_t done; int64_t cancel; } retry_progress;
    int32_t shim_schedule(const shim_engine *e, const char *tool, size_t tool_length,
                          int64_t status, uint32_t samples, uint64_t seed, char *out,
                          size_t capacity, size_t *length);
    int32_t shim_simulate(const char *config, size_t config_length, const char *load,
                          size_t load_length, retry_progress *progress, char *out,
                          size_t capacity, size_t *length);
    int32_t shim_begin(const shim_engine *e, const char *tool, size_t tool_length,
                       const char *request_id, size_t request_id_length);
    int32_t shim_forget(const shim_engine *e, const char *tool, size_t tool_length,
                        const char *request_id, size_t request_id_length);
""")
ffi.set_source(
    "cpex_retry_with_backoff._shim",
    '#include "shim.c"\n#include "hot.c"\n',
    include_dirs=[str(here), str(here.parents[1] / "capi")],
    define_macros=[("Py_LIMITED_API", "0x030B0000"), ("PY_SSIZE_T_CLEAN", None)],
    depends=[*map(str, here.glob("*.c")), str(here.parents[1] / "capi" / "retry.h")],
    py_limited_api=True,
)
