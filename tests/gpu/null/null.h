/* Null GPU: what its parts share. Runtime, driver, cuBLAS, CUPTI and NVML of a device that is not there.

   Memory is the host's, copies copy, kernels are not executed: each adds a made-up duration to the timeline of its
   stream, in CLOCK_MONOTONIC. README.md says what follows from that, and what does not. */
#pragma once
#include <cuda_runtime_api.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EXPORT __attribute__((visibility("default")))
#define UNUSED __attribute__((unused))
typedef int64_t ns_t;
enum { MOST_DEVICES = 8, MOST_DEPTH = 4096, MOST_CAPTURES = 256, L2_BYTES = 50 << 20 };

/* ---- settings.c: every setting of the environment, `NULLGPU_` before its name ---- */
#define SETTINGS(X) /* field, name, value of a device of round numbers, value as an H200 was measured (docs/gpu.md) */ \
  X(kernel_us, "KERNEL_US", 5, 5)            /* what a kernel takes at full clock */                                   \
  X(gap_us, "GAP_US", 0, 0.7)                /* between two kernels of a stream; none within a graph */                \
  X(launch_us, "LAUNCH_US", 2, 2)            /* of the host's time, for submitting; torch's own code comes on top */   \
  X(latency_us, "LATENCY_US", 3, 1)          /* from a launch to the earliest begin of its kernel */                   \
  X(drain_us, "DRAIN_US", 3, 4.2)            /* of the host's time, for a wait, also where nothing is left to do */    \
  X(replay_us, "REPLAY_US", 0, 0.7)          /* what a replay takes beside its kernels */                              \
  X(mark_us, "MARK_US", 0, 1.28)             /* what an event takes of its stream's time */                            \
  X(resolution_us, "RESOLUTION_US", 0.5, 0.032) /* steps of elapsed times */                                           \
  X(jitter_us, "JITTER_US", 0, 0)            /* width of the random error of an event's time */                        \
  X(api_us, "API_US", 0.2, 0.2)              /* of the host's time, for a call that submits nothing */                 \
  X(load_us, "LOAD_US", 0, 0)                /* of the host's time, for the first launch of each kernel */             \
  X(context_ms, "CONTEXT_MS", 0, 150)        /* of the host's time, for the first call that needs a context */         \
  X(copy_us, "COPY_US", 1.5, 1.5)            /* what a copy takes beside its bytes */                                  \
  X(bus_gbs, "BUS_GBS", 25, 55)              /* copies to and from the host, in 1e9 bytes a second */                  \
  X(memory_gbs, "MEMORY_GBS", 1500, 2100)    /* copies within the device; read and written count once */              \
  X(tflops, "TFLOPS", 50, 51)                /* products, whatever their dtype */                                      \
  X(depth, "DEPTH", 1024, 1022)              /* launches that a queue holds; the host waits for a place */             \
  X(devices, "DEVICES", 1, 1)                                                                                          \
  X(gb, "GB", 80, 140)                       /* memory of each device and process, in 2^30 bytes */                    \
  X(mhz, "MHZ", 1980, 1980)                  /* its highest clock */                                                   \
  X(idle_w, "IDLE_W", 100, 120)              /* power of a device that has nothing to do */                            \
  X(kernel_w, "KERNEL_W", 300, 350)          /* while a kernel runs */                                                 \
  X(product_w, "PRODUCT_W", 600, 900)        /* while a product runs, were the power not limited */                    \
  X(limit_w, "LIMIT_W", 700, 700)            /* above it, as an average of LAG_MS, the clock is lowered */             \
  X(lag_ms, "LAG_MS", 40, 40)                                                                                          \
  X(clock_share, "CLOCK_SHARE", 1, 1)        /* clock for other reasons: this share of the highest */                  \
  X(reasons, "REASONS", 0, 0)                /* NVML's bits for these; 0x40 is heat */                                 \
  X(celsius, "CELSIUS", 40, 45)                                                                                        \
  X(utilization, "UTILIZATION", 0, 0)        /* percent, as NVML says before anything runs */                          \
  X(persistence, "PERSISTENCE", 1, 1)                                                                                  \
  X(compute_mode, "COMPUTE_MODE", 0, 0)      /* NVML's number; EXCLUSIVE makes it 3 */                                 \
  X(energy_step_s, "ENERGY_STEP_S", 0.1, 0.1) /* how often the counter of energy is renewed */                         \
  X(nvml_us, "NVML_US", 50, 1)               /* of the host's time, for an answer of NVML */                           \
  X(nvml_error, "NVML_ERROR", 0, 0)          /* what nvmlInit answers */                                               \
  X(cupti, "CUPTI", 1, 1)                    /* 0: the profiler may not watch, as without the privilege */             \
  X(lost_of, "LOST_OF", 0, 0)                /* of so many records of kernels one is lost; 0: none */                  \
  X(random, "RANDOM", 0, 0)                  /* 1: kernels of random numbers write some, so that inputs are not 0 */   \
  X(trace, "TRACE", 0, 0)                    /* 1: every launch, copy and capture on stderr */

struct settings {
#define FIELD(field, name, round, h200) double field;
  SETTINGS(FIELD)
#undef FIELD
};
extern struct settings SET;
const char *setting_text(const char *name); /* of FAULT, STALL, EXCLUSIVE, LOG, LIKE; NULL where it is not set */
void note(const char *what, long value);    /* a line in the file LOG: starts, ends, errors and captures of all processes */
void trace(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---- errors.c ---- */
cudaError_t fail(cudaError_t error);  /* remembers it as the thread's last error */
const char *error_text(int code);
const char *error_name(int code);
void count_launch(void);              /* of this process, for FAULT and STALL */
cudaError_t refused(void);            /* the context's error, if it can't be had or is broken for good */
#define NEEDS_CONTEXT do { cudaError_t refused_ = refused(); if (refused_) return refused_; } while (0)

/* ---- timeline.c: what each stream does, and when ---- */
struct capture;
struct CUstream_st {
  ns_t busy;                     /* when all that was submitted has been done */
  unsigned flags;
  int priority, device;
  unsigned id;
  struct capture *capture;
  ns_t captured;                 /* length of what was captured on it so far */
  ns_t ends[MOST_DEPTH];         /* of the last DEPTH launches, by turns */
  unsigned long launched;
  struct CUstream_st *next;
};
enum kind { KERNEL, PRODUCT, SPIN, COPY, MEMSET };
struct work {
  enum kind kind;
  double us;                     /* at full clock; of a spin too */
  const char *name;              /* mangled, or of a product */
  size_t bytes;
  int copy_kind;                 /* CUpti_ActivityMemcpyKind */
  dim3 grid, block;
};
struct graph {                   /* what was captured, in the order of its nodes */
  int nodes, room;
  struct work *work;
  ns_t critical;                 /* the longest way through it */
};
extern pthread_mutex_t TIMELINE;
#define LOCK pthread_mutex_lock(&TIMELINE)
#define UNLOCK pthread_mutex_unlock(&TIMELINE)
extern __thread int this_device;
extern struct CUstream_st *streams;                    /* those that were made */
ns_t now(void);
void wait_until(ns_t time);
void host_takes(double us);
struct CUstream_st *stream_of(cudaStream_t stream);    /* 0, 1 and 2 are the legacy stream of the current device */
bool is_legacy(const struct CUstream_st *stream);
cudaError_t submit(cudaStream_t stream, struct work work, double host_us);
cudaError_t replay(cudaStream_t stream, const struct graph *graph);
cudaError_t wait_for(cudaStream_t stream);             /* the host waits for all that it has to do */
ns_t device_busy(int device);                          /* when all streams of a device have done their work */

/* ---- power.c: the clock that follows power ---- */
double clock_share(int device, ns_t time);             /* of the highest clock */
void draws(int device, enum kind kind, ns_t begin, ns_t end);
double watts(int device, ns_t time);                   /* as an average of LAG_MS */
double joules(int device, ns_t time);

/* ---- capture.c ---- */
struct capture {
  unsigned long long id;
  int mode, status, joined;
  pthread_t thread;
  struct CUstream_st *origin;    /* none once it has ended */
  struct graph graph;
};
static inline bool is_active(const struct capture *capture) { return capture->origin != NULL; }
static inline bool is_broken(const struct capture *capture) { return capture->status == cudaStreamCaptureStatusInvalidated; }
struct capture *capture_forbidding(void);              /* one that forbids calls that may be unsafe in this thread */
struct capture *capture_under_way(void);
cudaError_t invalidate(struct capture *capture, cudaError_t error);
cudaError_t unsafe(void);                              /* for calls that are refused while there is such a capture */
cudaError_t captured_work(struct CUstream_st *stream, const struct work *work);

/* ---- memory.c ---- */
struct block { char *start; size_t bytes; int kind, device; }; /* kind: cudaMemoryType */
struct block block_at(const void *address);
size_t memory_used(int device);
size_t memory_total(void);

void holds_a_result(bool so);                          /* whether a kernel that was not executed was to write last */

/* ---- contents.c ---- */
bool execute(const char *name, void **arguments);      /* fills, and random numbers where asked for; whether it did */
void fill_bytes(void *to, int value, size_t bytes);
void make_fills(const void *start, size_t bytes);      /* those of this memory that were only noted so far */
void forget_fills(const void *start, size_t bytes);    /* the memory is written over, or given back */
void copy_within(void *to, const void *from, size_t bytes); /* of a device's memory; not again while both ends are as they were */
void note_written(const void *start, size_t bytes);    /* so that what was copied from or to it is copied again */

/* ---- activity.c: CUPTI ---- */
struct api_call { bool of_driver; unsigned callback, correlation; ns_t begin; };
struct api_call api_enter(bool of_driver, unsigned callback);
void api_exit(struct api_call *call);
/* In a function of the runtime or the driver: a record of the call, and the correlation of what it submits. */
#define RECORDED(of_driver, callback) struct api_call api_call_ __attribute__((cleanup(api_exit), unused)) = api_enter(of_driver, callback)
#define API_CALL(name) RECORDED(false, CUPTI_RUNTIME_TRACE_CBID_##name)
#define DRIVER_CALL(name) RECORDED(true, CUPTI_DRIVER_TRACE_CBID_##name)
void record_work(const struct work *work, const struct CUstream_st *stream, ns_t begin, ns_t end);
void record_wait(const struct CUstream_st *stream, ns_t begin, ns_t end);
